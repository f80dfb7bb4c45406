import { CloudwatchCompositeAlarm } from "@cdktf/provider-aws/lib/cloudwatch-composite-alarm";
import {
  CloudwatchMetricAlarm,
  type CloudwatchMetricAlarmConfig,
} from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { DEFAULT_SLOW_FACTOR } from "../schedules/missed-run";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type Metric, type Run, stateMachineRun } from "../core/run";
import { alarmMistakes } from "./alarm-mistakes";
import { type AlarmDefinition, type AlarmScope, alarmTable, type Speaker } from "./alarm-table";
import { alarmText, compositeText, type TextScope } from "./alarm-texts";

/** Where alarms tell. */
export interface IAlertTarget {
  readonly topicArn: string;
  /** Lets the account's alarms whose names begin so publish. */
  allowPublishFromAlarms(namePrefix: string): void;
}

/** What tells that a scheduled run did not come. */
export interface MissedRun {
  /** The longest time that the schedule leaves between two runs, minutes; daylight saving included. */
  readonly longestGapMinutes: number;
  /** What a run may take and be late by, minutes; at least what still counts as not slow. */
  readonly graceMinutes: number;
}

export interface PipelineAlarmsProps {
  /** First part of every alarm's name: 1 to 230 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** What messages call the pipeline. */
  readonly pipeline: string;
  /** What messages call the environment. */
  readonly environment: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
  /** The pipeline's runs: `orchestrator.run`, or `stateMachineRun` of a state machine from elsewhere. */
  readonly run: Run;
  /**
   * Physical name of the machine that runs its crawls.
   * @default - none, and no alarm for crawls
   */
  readonly crawlStateMachineName?: string;
  readonly alerts: IAlertTarget;
  /** What an execution usually takes, minutes; more than 0. */
  readonly usualMinutes: number;
  /**
   * An execution is slow when it takes more than so many times the usual; more than 1.
   * @default 2
   */
  readonly slowFactor?: number;
  /**
   * The share of a run's rows that may be quarantined, percent; 0 to below 100.
   * @default 10
   */
  readonly quarantineSharePercent?: number;
  /**
   * The fewest rows that a run writes; at least 1.
   * @default 1: a run that writes nothing is told of
   */
  readonly minimumRows?: number;
  /**
   * The longest gap and the grace together are at most seven days.
   * @default - no alarm: nothing is known to be due
   */
  readonly missedRun?: MissedRun;
  /**
   * Name of the queue that takes what the schedule could not start.
   * @default - none, and no alarm for it
   */
  readonly deadLetterQueueName?: string;
  /**
   * The https address of the folder docs/runbook, ending with a slash.
   * @default - messages name the page by its path
   */
  readonly runbookUrl?: string;
  /**
   * Whether messages are sent; without, alarms only show their state.
   * @default true
   */
  readonly actionsEnabled?: boolean;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

const DEFAULT_QUARANTINE_SHARE_PERCENT = 10;
const DEFAULT_MINIMUM_ROWS = 1;

/**
 * How long the alarm of everything else waits for the executions' to be heard first, and stays silent after it: metrics of one
 * failure may be minutes apart. Less than the alarms' period of 300 s, or they would be OK again before they could be told.
 * Seconds;
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html
 */
const WAIT_SECONDS = 180;
const EXTENSION_SECONDS = 180;

const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);

/**
 * The alarms of a pipeline and who speaks for them: one composite for executions that failed, timed out or were stopped; one
 * for everything else about runs, silent while the first speaks; a missed run and dead letters speak for themselves. One
 * failure is one message.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class PipelineAlarms extends Construct {
  /** The composite of failed executions. */
  readonly resource: CloudwatchCompositeAlarm;
  /** The composite of everything else about runs. */
  readonly dataResource: CloudwatchCompositeAlarm;
  /** Every other alarm, by its name. */
  readonly metricAlarms: ReadonlyMap<string, CloudwatchMetricAlarm>;
  /** The names of all alarms, as given, so that a plan knows them. */
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
      missedRun: props.missedRun,
    };
  }

  private textScope(): TextScope {
    const { pipeline, environment, runbookUrl, run } = this.props;
    return { pipeline, environment, consoleUrl: run.consoleUrl, runbookUrl };
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
      alarmName: this.nameOf(alarm),
      alarmDescription: alarmText(this.textScope(), alarm),
      ...signal(alarm),
      evaluationPeriods: alarm.periods,
      datapointsToAlarm: alarm.periods,
      comparisonOperator: alarm.comparison,
      threshold: alarm.threshold,
      treatMissingData: alarm.missing,
      alarmActions: topic,
      // OK is told where it means that the matter is over, and not only that nothing further happened.
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
      // The rule only holds names, which Terraform takes for text.
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
