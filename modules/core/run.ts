import { statesConsole, workflowConsole } from "./console";
import { partitionOf } from "./partition";
import { PIPELINE_NAMESPACE, WORKFLOW_DIMENSION, WORKFLOW_METRICS } from "./pipeline-metrics";

/** A CloudWatch metric: its namespace, name and exact set of dimensions. */
export interface Metric {
  /** E.g. `AWS/States`. */
  readonly namespace: string;
  /** E.g. `ExecutionsFailed`. */
  readonly name: string;
  /** Values by dimension. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** The metrics that count runs. A metric that the orchestrator does not have is left out, and so are its alarm and its chart. */
export interface RunMetrics {
  /** Started runs. @default - none */
  readonly started?: Metric;
  /** Succeeded runs. */
  readonly succeeded: Metric;
  /** Failed runs. */
  readonly failed: Metric;
  /** Runs that timed out. @default - none */
  readonly timedOut?: Metric;
  /** Stopped runs. @default - none */
  readonly aborted?: Metric;
  /** Throttled runs. @default - none */
  readonly throttled?: Metric;
  /** Duration of runs in milliseconds. @default - none */
  readonly duration?: Metric;
  /** Runs that have not ended after their time, counted at each look. @default - none */
  readonly stillRunning?: Metric;
}

/** An execution of Step Functions, or a run of a Glue workflow. */
export type RunKind = "execution" | "workflowRun";

/** The target that a trigger calls through EventBridge Scheduler to start a run. */
export interface RunStart {
  /** ARN of the target. */
  readonly arn: string;
  /** The actions that the trigger's role needs. */
  readonly actions: readonly string[];
  /** The ARNs on which the role needs them. */
  readonly resources: readonly string[];
  /** Conditions of that right. @default - none */
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * The input in the words of the target, in which EventBridge Scheduler fills `<aws.scheduler.scheduled-time>`.
   * @default - `mode` and `scheduledTime`, as the state machines of `EtlOrchestrator` take them
   */
  readonly input?: string;
}

/**
 * A pipeline's runs as its job, its lock, its alarms and its triggers see them, whoever orchestrates: a Step Functions execution or the run
 * of a Glue workflow. Values that are known only during a run are expressions of the orchestrator, such as `$$.Execution.Id`, or the name of
 * an argument that the job gets, in braces.
 */
export interface Run {
  /**
   * Decides the words of alarms.
   * @default "execution"
   */
  readonly kind?: RunKind;
  /** Physical name of the orchestrator. The figures of runs are recorded under it. */
  readonly name: string;
  /** Gives the run's id: the folder of its books. */
  readonly id: string;
  /** Gives the owner that the run's lock names. */
  readonly owner: string;
  /** The page of its runs in the AWS console. */
  readonly consoleUrl: string;
  /** The metrics of its runs. */
  readonly metrics: RunMetrics;
  /** The target that starts a run. */
  readonly start: RunStart;
}

/** A state machine whose executions are runs of a pipeline. */
export interface StateMachineAttributes {
  /** Physical name. */
  readonly name: string;
  /**
   * Name of the alias that triggers start.
   * @default "live", as `EtlOrchestrator` names it
   */
  readonly alias?: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * ARN that triggers start, such as a reference to the resource, so that Terraform creates the machine first.
   * @default - composed of the name, the account and the region
   */
  readonly arn?: string;
}

/** The state that validates the input leaves the id there. */
export const EXECUTION_RUN_ID = "$.run.id";
/** The execution's ARN, from its context. */
export const EXECUTION_OWNER = "$$.Execution.Id";

/**
 * The executions of a state machine. ARNs are composed of names, so that a plan knows them.
 *
 * Metrics: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html (by `StateMachineArn`, executions of an alias
 * included; `ExecutionThrottled` is singular). An alias is checked as its machine, with a condition on its name:
 * https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
 */
export function stateMachineRun({ name, alias = "live", account, region, arn }: StateMachineAttributes): Run {
  const partition = partitionOf(region);
  const machine = `arn:${partition}:states:${region}:${account}:stateMachine:${name}`;
  return {
    name,
    id: EXECUTION_RUN_ID,
    owner: EXECUTION_OWNER,
    consoleUrl: statesConsole(partition, region, `statemachines/view/${machine}`),
    metrics: stateMachineMetrics(machine),
    start: {
      arn: `${arn ?? machine}:${alias}`,
      actions: ["states:StartExecution"],
      resources: [arn ?? machine],
      conditions: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": alias } },
    },
  };
}

function stateMachineMetrics(machine: string): Omit<Required<RunMetrics>, "stillRunning"> {
  const executions = (name: string): Metric => ({
    namespace: "AWS/States",
    name,
    dimensions: { StateMachineArn: machine },
  });
  return {
    started: executions("ExecutionsStarted"),
    succeeded: executions("ExecutionsSucceeded"),
    failed: executions("ExecutionsFailed"),
    timedOut: executions("ExecutionsTimedOut"),
    aborted: executions("ExecutionsAborted"),
    throttled: executions("ExecutionThrottled"),
    duration: executions("ExecutionTime"),
  };
}

/** A Glue workflow whose runs are runs of a pipeline. */
export interface WorkflowAttributes {
  /** Physical name. */
  readonly name: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
}

/** The argument with which Glue gives a job the id of its workflow's run. */
export const WORKFLOW_RUN_ID = "{WORKFLOW_RUN_ID}";

/** The ARN of a Glue workflow, composed of names. */
export const workflowArn = ({ name, account, region }: WorkflowAttributes): string =>
  `arn:${partitionOf(region)}:glue:${region}:${account}:workflow/${name}`;

/**
 * The runs of a Glue workflow. AWS has no metrics of them: a `WorkflowWatcher` records these. `id` and `owner` hold the argument
 * `--WORKFLOW_RUN_ID`, which Glue gives to the jobs of a run: https://docs.aws.amazon.com/glue/latest/dg/workflow-run-properties-code.html
 *
 * Scheduler starts a run by the universal target: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
 */
export function workflowRun(attributes: WorkflowAttributes): Run {
  const { name, region } = attributes;
  const partition = partitionOf(region);
  const arn = workflowArn(attributes);
  return {
    kind: "workflowRun",
    name,
    id: WORKFLOW_RUN_ID,
    owner: `${arn}:${WORKFLOW_RUN_ID}`,
    consoleUrl: workflowConsole(partition, region, name),
    metrics: workflowMetrics(name),
    start: {
      arn: `arn:${partition}:scheduler:::aws-sdk:glue:startWorkflowRun`,
      actions: ["glue:StartWorkflowRun"],
      resources: [arn],
      input: JSON.stringify({ Name: name }),
    },
  };
}

function workflowMetrics(workflow: string): RunMetrics {
  const runs = (name: string): Metric => ({
    namespace: PIPELINE_NAMESPACE,
    name,
    dimensions: { [WORKFLOW_DIMENSION]: workflow },
  });
  return {
    succeeded: runs(WORKFLOW_METRICS.succeeded),
    failed: runs(WORKFLOW_METRICS.failed),
    aborted: runs(WORKFLOW_METRICS.stopped),
    duration: runs(WORKFLOW_METRICS.duration),
    stillRunning: runs(WORKFLOW_METRICS.stillRunning),
  };
}
