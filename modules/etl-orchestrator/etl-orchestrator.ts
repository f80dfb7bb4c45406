import { CloudwatchEventRule } from "@cdktf/provider-aws/lib/cloudwatch-event-rule";
import { CloudwatchEventTarget } from "@cdktf/provider-aws/lib/cloudwatch-event-target";
import { SfnAlias } from "@cdktf/provider-aws/lib/sfn-alias";
import { type SfnStateMachine } from "@cdktf/provider-aws/lib/sfn-state-machine";
import { Fn, TerraformLocal, Token } from "cdktf";
import { Construct } from "constructs";
import { statesConsole } from "../core/console";
import { mostDpuHours } from "../core/job-runs";
import { logRetentionMistake } from "../core/log-retention";
import { partitionOf, viaService } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { runbookUrlMistake } from "../core/runbook";
import { type Run, stateMachineRun } from "../core/run";
import { type IRole } from "../iam/grantable";
import { type PolicyStatement } from "../iam/policy-statement";
import { DECRYPT } from "../iam/s3-actions";
import { type Definition, type JsonObject } from "../../definition-checks/asl";
import {
  asDefinition,
  checkDefinition,
  formatFinding,
  type AslCheckOptions,
} from "../../definition-checks/asl-checks";
import { errorsThatNeedANewExecution, failureRules } from "./failure-messages";
import { FailureMessenger, type IFailureMessenger } from "./failure-messenger";
import { fragment } from "./fragment";
import { defineLoggedMachine, type LoggedMachine } from "./logged-machine";
import { title } from "./message-text";
import { type INotificationTarget } from "./notification-target";
import { rightsOf, type DerivedRights, type ServiceCallScope } from "./service-calls";
import {
  compose,
  render,
  RenderError,
  type PlaceholderValues,
  type RenderOptions,
} from "./state-machine-definition";
import { needMistakes } from "./step-needs";
import { CRAWL_POLL_SECONDS, crawlMachineTimeoutSeconds, Step } from "./step";
import { everyStep } from "./step-data";
import { inputMistakes, type RunInput } from "./run-input";

/** The alias that schedules and people start: it points to the version deployed last. */
const ALIAS = "live";

/** A hand-written definition, instead of steps. It must pass the same checks. */
export interface HandWrittenDefinition extends Pick<
  AslCheckOptions,
  "allow" | "input" | "successAfterFailure" | "retriesEveryError"
> {
  /** The definition; `${UpperCamel}` placeholders in its strings are filled from `values`. */
  readonly template: JsonObject;
  /**
   * Values for the placeholders; every value must be used. `Partition`, `TopicArn` and `Pipeline` are predefined.
   * @default - none
   */
  readonly values?: PlaceholderValues;
  /**
   * Rights that cannot be derived from the definition's calls.
   * @default - none: a call whose rights cannot be derived is refused
   */
  readonly statements?: readonly PolicyStatement[];
}

/** Props of {@link EtlOrchestrator}. */
export interface EtlOrchestratorProps {
  /** Physical name of the state machine; at most 51 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** The pipeline's name in messages. */
  readonly pipeline: string;
  /**
   * The environment's name in messages, e.g. `dev`.
   * @default - messages name the state machine instead
   */
  readonly environment?: string;
  /**
   * The steps in order. A step that validates the input is added before them. Give either this or `definition`.
   * @default - none
   */
  readonly steps?: readonly Step[];
  /**
   * The input of an execution, for steps: fields with their own validation, or `"any"` for none.
   * @default - a run: its date, its scheduled time or the dates of a back-fill, and a prefix of the source
   */
  readonly input?: RunInput;
  /**
   * A hand-written definition. Give either this or `steps`.
   * @default - none
   */
  readonly definition?: HandWrittenDefinition;
  /** The topic for messages. */
  readonly notifications: INotificationTarget;
  /**
   * The machine that writes and publishes failure messages; one can serve all orchestrators of a topic.
   * @default - a new one named `<name>-fail`, which publishes to `notifications`
   */
  readonly failureMessenger?: IFailureMessenger;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The https address of the folder docs/runbook, ending with a slash; messages link to its pages.
   * @default - messages give the page's path
   */
  readonly runbookUrl?: string;
  /**
   * The time-out of an execution in minutes, from the bound of the longest step to 525,600 (a year).
   * @default - the sum of the steps' bounds; 1440 for a hand-written definition without `TimeoutSeconds`
   */
  readonly timeoutMinutes?: number;
  /**
   * Days that execution logs are kept: one of the periods of CloudWatch Logs.
   * @default 90
   */
  readonly logRetentionDays?: number;
  /**
   * `true`: logs hold the data of states, which may be personal.
   * @default false
   */
  readonly includeExecutionData?: boolean;
  /**
   * `true`: X-Ray traces executions.
   * @default true
   */
  readonly tracing?: boolean;
  /**
   * A role that Step Functions may assume; the machines' rights are granted to it.
   * @default - a new role for each machine
   */
  readonly role?: IRole;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const MOST_NAME_CHARACTERS = 51;
const MOST_TIMEOUT_MINUTES = 525_600;
const DEFAULT_TIMEOUT_MINUTES = 1_440;
const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/** The definitions and rights, decided before anything is created. */
interface Decision {
  readonly definition: Definition;
  readonly rights: DerivedRights;
  readonly crawl?: { readonly definition: Definition; readonly rights: DerivedRights };
}

/**
 * A Standard state machine, composed of steps or hand-written, with its log group, role, alias `live` and the rules that report failures.
 * Crawl steps share one child machine.
 * @throws Error naming every mistake in the props and every finding in the definition, before anything is created.
 */
export class EtlOrchestrator extends Construct {
  /** The state machine. */
  readonly resource: SfnStateMachine;
  /** The machine's role. */
  readonly role: IRole;
  /** Physical name. */
  readonly stateMachineName: string;
  /** The ARN; refers to the resource. */
  readonly stateMachineArn: string;
  /** The alias that schedules and people start; it points to the published version. */
  readonly aliasArn: string;
  /** The alias's name. */
  readonly aliasName = ALIAS;
  /** Its executions as jobs, locks, alarms, charts and triggers see them. */
  readonly run: Run;
  /** The definition as JSON text. */
  readonly definition: string;
  /** The child machine that runs crawls; `undefined` without a crawl step. */
  readonly crawlStateMachineArn?: string;
  /** The child machine's physical name; `undefined` without a crawl step. */
  readonly crawlStateMachineName?: string;
  /**
   * The most DPU-hours that one run of each job can be billed, by the job's name. Jobs whose workers or time-out are not known at synth
   * are left out.
   */
  readonly maxDpuHoursPerRun: Readonly<Record<string, number>>;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: EtlOrchestratorProps,
  ) {
    super(scope, id);
    this.refuse();

    const decision = this.decide();

    const crawl = decision.crawl === undefined ? undefined : this.defineCrawlMachine(decision.crawl);
    const machine = this.defineMachine(decision, crawl);
    const alias = this.defineAlias(machine);
    this.defineFailureRules(decision.definition);

    this.resource = machine.resource;
    this.role = machine.role;
    this.stateMachineName = props.name;
    this.stateMachineArn = machine.resource.arn;
    this.aliasArn = alias.arn;
    const { account, region } = props;
    this.run = stateMachineRun({
      name: props.name,
      alias: ALIAS,
      account,
      region,
      arn: this.stateMachineArn,
    });
    this.definition = JSON.stringify(decision.definition, undefined, 1);
    this.crawlStateMachineArn = crawl?.resource.arn;
    this.crawlStateMachineName = crawl && this.crawlMachineName;
    this.maxDpuHoursPerRun = ceilingsOf(this.steps);
  }

  private refuse(): void {
    const {
      name,
      pipeline,
      environment,
      tags,
      steps,
      input,
      definition,
      timeoutMinutes,
      logRetentionDays,
      runbookUrl,
    } = this.props;
    const refusals = new Refusals("EtlOrchestrator", this.node.path);
    const known = (value: unknown, ok: boolean) => !isKnown(value) || ok;
    refusals.noteUnfilled(placeholderMistakes({ name, pipeline, environment, tags, runbookUrl }, isKnown));
    for (const step of everyStep(steps ?? []))
      for (const [field, mistake] of placeholderMistakes(step.values, isKnown))
        refusals.note(`steps.${step.name}.${field}`, mistake);
    refusals.noteAll(placeMistakes(this.props, isKnown));
    refusals.check(
      known(name, new RegExp(`^[A-Za-z0-9_-]{1,${MOST_NAME_CHARACTERS}}$`).test(name)),
      "name",
      `must be 1 to ${MOST_NAME_CHARACTERS} letters, digits, hyphens or underscores, got ${JSON.stringify(name)} (${name.length})`,
    );
    refusals.check(known(pipeline, pipeline.trim() !== ""), "pipeline", "must not be empty");
    refusals.check(
      environment === undefined || environment.trim() !== "",
      "environment",
      "must not be empty",
    );
    if (runbookUrl !== undefined && isKnown(runbookUrl))
      refusals.note("runbookUrl", runbookUrlMistake(runbookUrl));
    refusals.check(
      (steps === undefined) !== (definition === undefined),
      "steps",
      `or 'definition' must be given, but not both, got ${steps === undefined ? "neither" : "both"}`,
    );
    refusals.check(steps?.length !== 0, "steps", "must not be empty");
    refusals.check(
      input === undefined || steps !== undefined,
      "input",
      "belongs to 'steps': a definition of your own checks its input itself; leave it out",
    );
    for (const [field, message] of inputMistakes(input)) refusals.note(field, message);
    if (logRetentionDays !== undefined)
      refusals.note("logRetentionDays", logRetentionMistake(logRetentionDays));
    const longest = Math.max(0, ...(steps ?? []).map((step) => Math.ceil(step.boundSeconds / 60)));
    refusals.check(
      timeoutMinutes === undefined ||
        (Number.isInteger(timeoutMinutes) &&
          timeoutMinutes >= Math.max(1, longest) &&
          timeoutMinutes <= MOST_TIMEOUT_MINUTES),
      "timeoutMinutes",
      `must be a whole number from ${Math.max(1, longest)} (the bound of the longest step) to ${MOST_TIMEOUT_MINUTES}, got ${timeoutMinutes}`,
    );
    refusals.check(
      timeoutMinutes === undefined || definition?.template.TimeoutSeconds === undefined,
      "timeoutMinutes",
      "must be left out if the definition has its own TimeoutSeconds",
    );
    for (const step of everyStep(steps ?? []))
      for (const { field, message } of step.mistakes)
        refusals.check(false, `steps.${step.name}.${field}`, message);
    for (const [step, message] of needMistakes(steps ?? [])) refusals.note(`steps.${step}`, message);
    refusals.throwIfAny();
  }

  private decide(): Decision {
    const { props } = this;
    const crawls = this.steps.flatMap((step) => (step.crawl === undefined ? [] : [step.crawl]));
    const written: Definition[] = [];
    const refusals = new Refusals("EtlOrchestrator", this.node.path);
    const attempt = <T>(make: () => T): T | undefined => {
      try {
        return make();
      } catch (error) {
        const mistakes = error instanceof RenderError ? error.mistakes : [(error as Error).message];
        mistakes.forEach((mistake) =>
          refusals.check(false, props.definition === undefined ? "steps" : "definition", mistake),
        );
        return undefined;
      }
    };

    const definition = attempt(() => this.flow());
    if (definition !== undefined) written.push(definition);
    const crawlDefinition =
      crawls.length === 0
        ? undefined
        : attempt(() =>
            this.crawlFlow(
              crawlMachineTimeoutSeconds(Math.max(...crawls.map((crawl) => crawl.deadlineMinutes))),
            ),
          );
    if (crawlDefinition !== undefined) written.push(crawlDefinition);
    const options = { ...props.definition, isKnown };
    for (const finding of written.flatMap((one) => checkDefinition(one, options)))
      refusals.check(false, "definition", formatFinding(finding));

    const rights = (one: Definition | undefined, pathValues?: ServiceCallScope["pathValues"]) =>
      one === undefined
        ? { statements: [], topicArns: [], unknown: [], mistakes: [] }
        : rightsOf(one, { ...this.scopeOfArns(), pathValues, arnOfUnknown: this.functionArn }, isKnown);
    const own = rights(definition, this.ownExecutions());
    const crawlRights = rights(crawlDefinition, {
      "$.crawlerName": crawls.map((crawl) => crawl.crawlerName),
    });
    for (const mistake of [...own.mistakes, ...crawlRights.mistakes])
      refusals.check(false, "definition", mistake);
    const stated = this.steps.filter(({ statements }) => statements !== undefined).map(({ name }) => name);
    if (props.definition?.statements === undefined)
      for (const { call } of [...own.unknown, ...crawlRights.unknown].filter(
        ({ state }) => !stated.includes(state),
      ))
        refusals.check(
          false,
          "definition",
          `makes the call ${call}, whose rights cannot be derived; give them as '${props.definition === undefined ? "statements' of Step.task" : "definition.statements'"}`,
        );
    refusals.throwIfAny();
    if (definition === undefined) throw new Error("unreachable: a missing definition was refused");
    return {
      definition,
      rights: own,
      crawl: crawlDefinition && { definition: crawlDefinition, rights: crawlRights },
    };
  }

  /** The steps, and all inside of them. */
  private get steps(): readonly Step[] {
    return everyStep(this.props.steps ?? []);
  }

  private scopeOfArns() {
    const { account, region } = this.props;
    return { account, region, partition: partitionOf(region) };
  }

  /**
   * The ARN of a function whose name or ARN is not known at synth. It is a local, because an expression with quotes would break the JSON
   * text of a policy.
   */
  private readonly functionArn = (functionName: string): string => {
    const { partition, region, account } = this.scopeOfArns();
    const named = `arn:${partition}:lambda:${region}:${account}:function:`;
    const known = this.functionArns.get(functionName);
    if (known !== undefined) return known;
    const id = `FunctionArn${this.functionArns.size + 1}`;
    const whole: unknown = Fn.conditional(
      Fn.startswith(functionName, "arn:"),
      functionName,
      Fn.join("", [named, functionName]),
    );
    const arn = new TerraformLocal(this, id, whole).asString;
    this.functionArns.set(functionName, arn);
    return arn;
  };
  private readonly functionArns = new Map<string, string>();

  /** An ARN composed of names, so that a plan knows it, and roles and machines can refer to each other. */
  private arnOf(machineName: string): string {
    const { partition, region, account } = this.scopeOfArns();
    return `arn:${partition}:states:${region}:${account}:stateMachine:${machineName}`;
  }

  /** The possible values of paths at which steps read the ARN of an execution of this machine. */
  private ownExecutions(): Record<string, readonly string[]> {
    const executions = `${this.arnOf(this.props.name).replace(":stateMachine:", ":execution:")}:*`;
    const paths = this.steps.flatMap(({ ownExecutionAt }) => ownExecutionAt ?? []);
    return Object.fromEntries(paths.map((path) => [path, [executions]]));
  }

  private get crawlMachineName(): string {
    return `${this.props.name}-crawl`;
  }

  private flow(): Definition {
    const { name, pipeline, notifications, definition, timeoutMinutes } = this.props;
    const offered = {
      Partition: partitionOf(this.props.region),
      Pipeline: pipeline,
      TopicArn: notifications.topicArn,
    };
    const options: RenderOptions = { offered, isKnown };
    if (definition !== undefined) {
      const written = asDefinition(
        render("definition", definition.template, definition.values ?? {}, options),
      );
      const timeoutSeconds = written.TimeoutSeconds ?? (timeoutMinutes ?? DEFAULT_TIMEOUT_MINUTES) * 60;
      return { ...written, TimeoutSeconds: timeoutSeconds };
    }
    const steps = [Step.validateInput(this.props.input), ...(this.props.steps ?? [])];
    const bound = steps.reduce((sum, step) => sum + step.boundSeconds, 0);
    return compose({
      comment: `${pipeline}: ${steps.map((step) => step.name).join(", ")}`,
      timeoutSeconds: timeoutMinutes === undefined ? bound : timeoutMinutes * 60,
      steps,
      offered: {
        ...offered,
        Title: title(this.props),
        Console: statesConsole(offered.Partition, this.props.region, "executions/details"),
        StateMachineName: name,
        CrawlStateMachineArn: this.arnOf(this.crawlMachineName),
      },
      isKnown,
    });
  }

  private crawlFlow(timeoutSeconds: number): Definition {
    return asDefinition(
      render(
        "crawl",
        fragment("crawl"),
        {
          Partition: partitionOf(this.props.region),
          PollSeconds: CRAWL_POLL_SECONDS,
          TimeoutSeconds: timeoutSeconds,
        },
        { isKnown },
      ),
    );
  }

  private defineCrawlMachine(crawl: NonNullable<Decision["crawl"]>): LoggedMachine {
    return defineLoggedMachine(new Construct(this, "Crawl"), {
      ...this.props,
      ...this.scopeOfArns(),
      name: this.crawlMachineName,
      definition: crawl.definition,
      statements: crawl.rights.statements,
      dependsOn: [],
    });
  }

  private defineMachine({ definition, rights }: Decision, crawl: LoggedMachine | undefined): LoggedMachine {
    const { notifications, region } = this.props;
    const decrypt = this.steps
      .flatMap((step) => step.decryptsWith ?? [])
      .map((keyArn): PolicyStatement => ({
        effect: "Allow",
        actions: DECRYPT,
        resources: [keyArn],
        conditions: { StringEquals: { "kms:ViaService": viaService("s3", region) } },
      }));
    const foreignTopics = rights.topicArns
      .filter((arn) => arn !== notifications.topicArn)
      .map((arn): PolicyStatement => ({ effect: "Allow", actions: ["sns:Publish"], resources: [arn] }));
    return defineLoggedMachine(this, {
      ...this.props,
      ...this.scopeOfArns(),
      definition,
      statements: [
        ...rights.statements,
        ...decrypt,
        ...foreignTopics,
        ...(this.props.definition?.statements ?? []),
        ...this.steps.flatMap(({ statements = [] }) => statements),
      ],
      grants: (role) => {
        if (rights.topicArns.includes(notifications.topicArn)) notifications.grantPublish(role);
      },
      dependsOn: crawl === undefined ? [] : [crawl.resource],
    });
  }

  private defineAlias({ resource }: LoggedMachine): SfnAlias {
    return new SfnAlias(this, "LiveAlias", {
      name: ALIAS,
      description: `The published version of ${this.props.name} that runs`,
      routingConfiguration: [{ stateMachineVersionArn: resource.stateMachineVersionArn, weight: 100 }],
    });
  }

  private defineFailureRules(definition: Definition): void {
    const { name, pipeline, environment, tags, runbookUrl } = this.props;
    const stateMachineArn = this.arnOf(name);
    const messenger = this.props.failureMessenger ?? this.ownMessenger();
    const rules = failureRules(
      {
        ...this.scopeOfArns(),
        pipeline,
        environment,
        name,
        stateMachineArn,
        aliasArn: `${stateMachineArn}:${ALIAS}`,
        runbookUrl,
      },
      errorsThatNeedANewExecution(definition),
    );
    for (const { id, suffix, description, pattern, inputPaths, inputTemplate } of rules) {
      const rule = new CloudwatchEventRule(this, `${id}Rule`, {
        name: `${name}${suffix}`,
        description,
        eventPattern: JSON.stringify(pattern),
        tags: { ...tags },
      });
      new CloudwatchEventTarget(this, `${id}Target`, {
        rule: rule.name,
        targetId: "notifications",
        arn: messenger.stateMachineArn,
        roleArn: messenger.ruleRoleArn,
        inputTransformer: { inputPaths: { ...inputPaths }, inputTemplate },
      });
    }
  }

  private ownMessenger(): FailureMessenger {
    const { name, notifications, account, region, logRetentionDays, role, tracing, tags } = this.props;
    return new FailureMessenger(this, "FailureMessenger", {
      name: `${name}-fail`,
      notifications,
      account,
      region,
      logRetentionDays,
      role,
      tracing,
      tags,
    });
  }
}

function ceilingsOf(steps: readonly Step[]): Record<string, number> {
  const ceilings: Record<string, number> = {};
  for (const { jobRun } of steps) {
    const hours = jobRun && mostDpuHours(jobRun.run, isKnown);
    if (jobRun === undefined || hours === undefined) continue;
    ceilings[jobRun.jobName] = Math.max(hours, ceilings[jobRun.jobName] ?? 0);
  }
  return ceilings;
}
