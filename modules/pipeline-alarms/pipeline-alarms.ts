import { CloudwatchCompositeAlarm } from "@cdktf/provider-aws/lib/cloudwatch-composite-alarm";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { DEFAULT_SLOW_FACTOR } from "../schedules/missed-run";
import { type IAlertTarget } from "../core/alert-target";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type Metric, type Run, stateMachineRun } from "../core/run";
import { alarmMistakes } from "./alarm-mistakes";
import { type AlarmDefinition, type AlarmScope, alarmTable, type Speaker } from "./alarm-table";
import { alarmText, compositeText, type TextScope } from "./alarm-texts";

/** The time after which a scheduled run counts as missed. */
export interface MissedRun {
  /** The longest time between two scheduled runs in minutes, daylight saving included. */
  readonly longestGapMinutes: number;
  /** The minutes that a run may take and be late, at least `slowFactor` times `usualMinutes`. */
  readonly graceMinutes: number;
}

/** Props of {@link PipelineAlarms}. */
export interface PipelineAlarmsProps {
  /** First part of every alarm's name: 1 to 230 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** The pipeline's name in messages. */
  readonly pipeline: string;
  /** The environment's name in messages. */
  readonly environment: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /** The pipeline's runs: `orchestrator.run`, `workflow.run`, or `stateMachineRun` of a state machine from elsewhere. */
  readonly run: Run;
  /**
   * Physical name of the machine that runs its crawls.
   * @default - none, and no alarm for crawls
   */
  readonly crawlStateMachineName?: string;
  /** The topic for alarms. */
  readonly alerts: IAlertTarget;
  /** The usual duration of an execution in minutes, more than 0. */
  readonly usualMinutes: number;
  /**
   * An execution that takes more than this many times the usual duration is slow; more than 1.
   * @default 2
   */
  readonly slowFactor?: number;
  /**
   * The percentage of a run's rows that may be quarantined, from 0 to below 100.
   * @default 10
   */
  readonly quarantineSharePercent?: number;
  /**
   * The fewest rows that a run must write, at least 1.
   * @default 1
   */
  readonly minimumRows?: number;
  /**
   * `read`: the fewest rows that a run must read, for a table that is not written where nothing has changed.
   * @default "written"
   */
  readonly minimumOf?: "written" | "read";
  /**
   * `true`: runs record the metric `SourcesMissing`, and an alarm watches it.
   * @default false
   */
  readonly hasSources?: boolean;
  /**
   * The time after which a run counts as missed; gap and grace together at most seven days.
   * @default - no alarm for missed runs
   */
  readonly missedRun?: MissedRun;
  /**
   * Name of the schedule's dead-letter queue.
   * @default - none, and no alarm for it
   */
  readonly deadLetterQueueName?: string;
  /**
   * The https address of the folder docs/runbook, ending with a slash.
   * @default - messages give the page's path
   */
  readonly runbookUrl?: string;
  /**
   * `true`: alarms send messages. `false`: they only show their state.
   * @default true
   */
  readonly actionsEnabled?: boolean;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

const DEFAULT_QUARANTINE_SHARE_PERCENT = 10;
const DEFAULT_MINIMUM_ROWS = 1;

/**
 * The seconds that the data composite waits for the executions' composite, and stays silent after it, because the metrics of one failure
 * may be minutes apart. It must be less than the alarms' period of 300 s, or they would be OK again before the message is sent.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html
 */
const WAIT_SECONDS = 180;
const EXTENSION_SECONDS = 180;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * The alarms of a pipeline; one failure sends one message. One composite reports executions that failed, timed out or were stopped. A
 * second one reports everything else about runs, and is silent while the first is in ALARM. Alarms for missed runs and dead letters send
 * their own messages.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class PipelineAlarms extends Construct {
  /** The composite of failed executions. */
  readonly resource: CloudwatchCompositeAlarm;
  /** The composite of the other alarms about runs. */
  readonly dataResource: CloudwatchCompositeAlarm;
  /** The metric alarms by name. */
  readonly metricAlarms: ReadonlyMap<string, CloudwatchMetricAlarm>;
  /** The names of all alarms, known in a plan. */
  readonly alarmNames: readonly string[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: PipelineAlarmsProps,
  ) {
    super(scope, id);
    this.refuse();

    const table = alarmTable(this.scope());

    this.metricAlarms = new Map(table.map((alarm) => [this.nameOf(alarm), this.defineAlarm(alarm)]));
    this.resource = this.defineComposite("Executions", "executions", table);
    this.dataResource = this.defineComposite("Data", "data", table, this.resource);
    props.alerts.allowPublishFromAlarms(`${props.name}-`);

    this.alarmNames = [...this.metricAlarms.keys(), `${props.name}-executions`, `${props.name}-data`];
  }

  private refuse(): void {
    const refusals = new Refusals("PipelineAlarms", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(this.props, isKnown));
    refusals.noteAll(placeMistakes(this.props, isKnown));
    refusals.noteAll(alarmMistakes({ ...this.props, ...this.scope(), ...this.textScope() }, isKnown));
    refusals.throwIfAny();
  }

  private get crawlsFailed(): Metric | undefined {
    const { crawlStateMachineName: name, account, region } = this.props;
    return name === undefined ? undefined : stateMachineRun({ name, account, region }).metrics.failed;
  }

  private scope(): AlarmScope {
    const { props } = this;
    return {
      run: props.run,
      crawlsFailed: this.crawlsFailed,
      deadLetterQueueName: props.deadLetterQueueName,
      usualMinutes: props.usualMinutes,
      slowFactor: props.slowFactor ?? DEFAULT_SLOW_FACTOR,
      quarantineSharePercent: props.quarantineSharePercent ?? DEFAULT_QUARANTINE_SHARE_PERCENT,
      minimumRows: props.minimumRows ?? DEFAULT_MINIMUM_ROWS,
      minimumOf: props.minimumOf ?? "written",
      hasSources: props.hasSources ?? false,
      missedRun: props.missedRun,
    };
  }

  private textScope(): TextScope {
    const { pipeline, environment, runbookUrl, run } = this.props;
    return { kind: run.kind, pipeline, environment, consoleUrl: run.consoleUrl, runbookUrl };
  }

  private nameOf({ suffix }: AlarmDefinition): string {
    return `${this.props.name}-${suffix}`;
  }

  private get common() {
    const { tags, actionsEnabled = true } = this.props;
    return { actionsEnabled, tags: tags && { ...tags } };
  }

  private defineAlarm(alarm: AlarmDefinition): CloudwatchMetricAlarm {
    const topic = alarm.speaker === "itself" ? [this.props.alerts.topicArn] : undefined;
    return new CloudwatchMetricAlarm(this, alarm.id, {
      ...this.common,
      // Terraform then updates the composite before it deletes an alarm in it, which CloudWatch refuses.
      lifecycle: { createBeforeDestroy: true },
      alarmName: this.nameOf(alarm),
      alarmDescription: alarmText(this.textScope(), alarm),
      ...signal(alarm),
      evaluationPeriods: alarm.periods,
      datapointsToAlarm: alarm.periods,
      comparisonOperator: alarm.comparison,
      threshold: alarm.threshold,
      treatMissingData: alarm.missing,
      alarmActions: topic,
      // OK is sent only if it means that the problem is solved.
      okActions: topic,
    });
  }

  private defineComposite(
    id: string,
    speaker: Exclude<Speaker, "itself">,
    table: readonly AlarmDefinition[],
    suppressor?: CloudwatchCompositeAlarm,
  ): CloudwatchCompositeAlarm {
    const names = table.filter((alarm) => alarm.speaker === speaker).map((alarm) => this.nameOf(alarm));
    return new CloudwatchCompositeAlarm(this, id, {
      ...this.common,
      alarmName: `${this.props.name}-${speaker}`,
      alarmDescription: compositeText(this.textScope(), speaker),
      alarmRule: names.map((name) => `ALARM("${name}")`).join(" OR "),
      alarmActions: [this.props.alerts.topicArn],
      actionsSuppressor: suppressor && {
        alarm: suppressor.alarmName,
        waitPeriod: WAIT_SECONDS,
        extensionPeriod: EXTENSION_SECONDS,
      },
      // The rule holds names only, in which Terraform sees no dependency.
      dependsOn: names.flatMap((name) => this.metricAlarms.get(name) ?? []),
    });
  }
}

type SignalConfig = Pick<
  CloudwatchMetricAlarmConfig,
  "namespace" | "metricName" | "dimensions" | "statistic" | "period" | "metricQuery"
>;

function signal({ signal: looked, periodSeconds: period }: AlarmDefinition): SignalConfig {
  if (looked.kind === "metric") {
    const { namespace, name: metricName, dimensions } = looked.metric;
    return { namespace, metricName, dimensions: { ...dimensions }, statistic: looked.statistic, period };
  }
  const sum = (id: string, { namespace, name: metricName, dimensions }: Metric) => ({
    id,
    returnData: false,
    metric: { namespace, metricName, dimensions: { ...dimensions }, stat: "Sum", period },
  });
  return {
    metricQuery: [
      { id: "share", label: "Percent", expression: "IF(whole > 0, 100 * part / whole, 0)", returnData: true },
      sum("part", looked.part),
      sum("whole", looked.whole),
    ],
  };
}
