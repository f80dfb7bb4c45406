import { join } from "node:path";
import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { LambdaPermission } from "@cdktf/provider-aws/lib/lambda-permission";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { GLUE_SCRIPTS } from "../../modules/artifacts/glue-scripts";
import { functionConsole } from "../../modules/core/console";
import { partitionOf } from "../../modules/core/partition";
import { PIPELINE_NAMESPACE } from "../../modules/core/pipeline-metrics";
import { placeholderMistakes } from "../../modules/core/placeholder";
import { Refusals } from "../../modules/core/refusals";
import { runbookLink } from "../../modules/core/runbook";
import { Zone } from "../../modules/data-lake/zone";
import { EtlFunction } from "../../modules/etl-function/etl-function";
import { summaryStatements } from "./books-rights";
import { PipelineSchedule } from "../../modules/pipeline-schedule/pipeline-schedule";
import { endedPattern } from "./ended-pattern";
import type { WorkflowWatcherProps } from "./watcher-props";
import { watcherMistakes } from "./watcher-mistakes";
import { watcherSettings } from "./watcher-settings";

/** Long enough for a wait of half a minute and for what was not reported during an outage. */
const TIMEOUT_SECONDS = 120;
const DEFAULT_EVERY_MINUTES = 5;
/** So many looks in a row must be missing before the watcher counts as silent. */
const MISSED_LOOKS = 3;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * Watches the runs of a Glue workflow, which end COMPLETED though nodes failed, and which no event reports. A function reads each run's graph, judges
 * it, reports it once on the notifications topic with the command to continue, and records the metrics of `workflow.run`. The events of its jobs and
 * crawlers start it, which are best effort, and a schedule.
 *
 * Source: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class WorkflowWatcher extends Construct {
  /** The function that watches. */
  readonly function: EtlFunction;
  /** The rule of the events of its jobs and crawlers. */
  readonly rule: CloudwatchEventRule;
  /** The schedule. */
  readonly schedule: PipelineSchedule;
  /** The names of its own alarms, known in a plan. */
  readonly alarmNames: readonly string[];
  private readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: WorkflowWatcherProps,
  ) {
    super(scope, id);
    this.refuse();

    this.name = `${props.workflow.workflowName}-watcher`;

    this.function = this.defineFunction();
    this.grantRights();
    this.rule = this.defineRule();
    this.schedule = this.defineSchedule();
    this.alarmNames = [...this.function.alarmNames, this.defineSilentAlarm()];
  }

  private get everyMinutes(): number {
    return this.props.everyMinutes ?? DEFAULT_EVERY_MINUTES;
  }

  private tags(): Record<string, string> | undefined {
    return this.props.tags && { ...this.props.tags };
  }

  private refuse(): void {
    const { pipeline, books, workflow, runDate, lateAfterMinutes } = this.props;
    const refusals = new Refusals("WorkflowWatcher", this.node.path);
    refusals.noteUnfilled(placeholderMistakes({ pipeline, books, tags: this.props.tags }, isKnown));
    refusals.noteAll(
      watcherMistakes(
        {
          pipeline,
          runDate,
          lateAfterMinutes,
          everyMinutes: this.everyMinutes,
          workflowName: workflow.workflowName,
          nodes: workflow.nodes,
        },
        isKnown,
      ),
    );
    refusals.throwIfAny();
  }

  private defineFunction(): EtlFunction {
    const { platform, workflow, actionsEnabled } = this.props;
    return new EtlFunction(this, "Function", {
      name: this.name,
      description: `Judges the runs of ${workflow.workflowName}`,
      handler: "watch_workflow.handler",
      folder: join(GLUE_SCRIPTS.functions, "watch_workflow"),
      artifacts: platform.lake.location(Zone.ARTIFACTS),
      timeoutSeconds: TIMEOUT_SECONDS,
      environment: { SETTINGS: watcherSettings(this.props) },
      asynchronous: {},
      alarms: { alerts: platform.alerts, runbookUrl: platform.runbookUrl, actionsEnabled },
      encryptionKey: platform.lake.key,
      logRetentionDays: platform.logRetentionDays,
      account: platform.account,
      region: platform.region,
      tags: this.tags(),
    });
  }

  private grantRights(): void {
    const { platform, workflow, books } = this.props;
    workflow.grantWatchRuns(this.function);
    platform.locks.grantClaims(this.function, workflow.workflowName);
    platform.notifications.grantPublish(this.function);
    if (books !== undefined) this.function.role.addToPolicy(...summaryStatements(books, platform.region));
    this.function.role.addToPolicy({
      // Metrics are not resources; only their namespace can be limited:
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
      actions: ["cloudwatch:PutMetricData"],
      resources: ["*"],
      conditions: { StringEquals: { "cloudwatch:namespace": PIPELINE_NAMESPACE } },
    });
  }

  private defineRule(): CloudwatchEventRule {
    const { workflow } = this.props;
    const rule = new CloudwatchEventRule(this, "Ended", {
      name: `${workflow.workflowName}-ended`,
      description: `Ends of the jobs and crawlers of ${workflow.workflowName}`,
      eventPattern: JSON.stringify(endedPattern(workflow.nodes), undefined, 1),
      tags: this.tags(),
    });
    const permission = new LambdaPermission(this, "EndedPermission", {
      action: "lambda:InvokeFunction",
      functionName: this.function.functionName,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    });
    new CloudwatchEventTarget(this, "EndedTarget", {
      rule: rule.name,
      arn: this.function.functionArn,
      dependsOn: [permission],
    });
    return rule;
  }

  private defineSchedule(): PipelineSchedule {
    const { platform, workflow, tags } = this.props;
    const { functionArn } = this.function;
    const minutes = this.everyMinutes;
    return new PipelineSchedule(this, "Schedule", {
      name: this.name,
      description: `Looks at the runs of ${workflow.workflowName}`,
      run: {
        start: {
          arn: functionArn,
          actions: ["lambda:InvokeFunction"],
          resources: [functionArn],
          input: "{}",
        },
      },
      expression: `rate(${minutes} minute${minutes === 1 ? "" : "s"})`,
      // The next look finds what a lost one would have found.
      retrySeconds: 60 * Math.max(1, minutes),
      account: platform.account,
      region: platform.region,
      tags,
    });
  }

  /** A watcher that nothing starts has no errors. */
  private defineSilentAlarm(): string {
    const { platform, workflow, actionsEnabled = true } = this.props;
    const { region, alerts, runbookUrl } = platform;
    const { namespace, name: metricName, dimensions } = this.function.metrics.invocations;
    const alarmName = `${this.name}-silent`;
    const topic = [alerts.topicArn];
    new CloudwatchMetricAlarm(this, "Silent", {
      alarmName,
      alarmDescription:
        `Workflow ${workflow.workflowName}: its watcher has not run for ${MISSED_LOOKS * this.everyMinutes} minutes, so nobody reports its runs. ` +
        "Check the schedule, its dead letters and the right to call the function. " +
        `Function: ${functionConsole(partitionOf(region), region, this.name)} Runbook: ${runbookLink(runbookUrl, "workflow-watcher")}`,
      namespace,
      metricName,
      dimensions: { ...dimensions },
      statistic: "Sum",
      period: 60 * this.everyMinutes,
      evaluationPeriods: MISSED_LOOKS,
      datapointsToAlarm: MISSED_LOOKS,
      comparisonOperator: "LessThanThreshold",
      threshold: 1,
      treatMissingData: "breaching",
      actionsEnabled,
      alarmActions: topic,
      okActions: topic,
      tags: this.tags(),
    });
    return alarmName;
  }
}
