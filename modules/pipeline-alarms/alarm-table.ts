import { missedRunHours } from "../schedules/missed-run";
import { PIPELINE_DIMENSION, PIPELINE_METRICS, PIPELINE_NAMESPACE } from "../core/pipeline-metrics";
import { type Metric, type Run } from "../core/run";
import { type RunbookPage } from "../core/runbook";
import { runTexts } from "./run-texts";

/**
 * The value that an alarm compares with its threshold. Metrics of runs are in `Run`; those of queues are from
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
export type Signal =
  | {
      readonly kind: "metric";
      readonly metric: Metric;
      readonly statistic: "Sum" | "Maximum" | "Minimum";
    }
  /** `100 * part / whole` of the sums of a period, in percent; 0 if the whole is 0. */
  | { readonly kind: "share"; readonly part: Metric; readonly whole: Metric };

/** The alarm that sends the message: the composite of failed executions, the composite of the others, or the alarm itself. */
export type Speaker = "executions" | "data" | "itself";

/** An alarm as data. Counts cross at `Sum >= 1`: `> 1` would wait for the second failure. */
export interface AlarmDefinition {
  /** UpperCamel, the construct's id. */
  readonly id: string;
  /** The end of the alarm's name. */
  readonly suffix: string;
  readonly speaker: Speaker;
  readonly signal: Signal;
  readonly periodSeconds: number;
  /** The number of periods that must all cross. */
  readonly periods: number;
  readonly comparison: "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold" | "LessThanThreshold";
  readonly threshold: number;
  /** The meaning of a period without data: `breaching` if data was expected. */
  readonly missing: "notBreaching" | "breaching";
  /** A clause: what happened. */
  readonly happened: string;
  /** A sentence: what to do. */
  readonly remedy: string;
  readonly runbook: RunbookPage;
}

export interface AlarmScope {
  readonly run: Pick<Run, "kind" | "name" | "metrics">;
  /** The metric of failed crawls. */
  readonly crawlsFailed?: Metric;
  readonly deadLetterQueueName?: string;
  readonly usualMinutes: number;
  readonly slowFactor: number;
  readonly quarantineSharePercent: number;
  readonly minimumRows: number;
  readonly minimumOf: "written" | "read";
  readonly hasSources: boolean;
  readonly missedRun?: { readonly longestGapMinutes: number; readonly graceMinutes: number };
}

/** Five minutes include a metric that comes late. A crossing is seen with the next evaluation, not at a period's end. */
const PERIOD_SECONDS = 300;
const HOUR_SECONDS = 3_600;

/** The alarms of a pipeline; those for crawls, the dead-letter queue and the schedule only if it has them. */
export function alarmTable(scope: AlarmScope): AlarmDefinition[] {
  return [
    ...failures(scope),
    ...slowness(scope),
    ...figures(scope),
    ...(scope.hasSources ? [sourceMissing(scope)] : []),
    ...(scope.crawlsFailed === undefined ? [] : [crawl(scope.crawlsFailed)]),
    ...(scope.missedRun === undefined ? [] : [missed(scope, scope.missedRun)]),
    ...(scope.deadLetterQueueName === undefined ? [] : [deadLetters(scope.run, scope.deadLetterQueueName)]),
  ];
}

const happensOnce = (
  metric: Metric,
  parts: Pick<AlarmDefinition, "id" | "suffix" | "speaker" | "happened" | "remedy" | "runbook">,
): AlarmDefinition => ({
  ...parts,
  signal: { kind: "metric", metric, statistic: "Sum" },
  periodSeconds: PERIOD_SECONDS,
  periods: 1,
  comparison: "GreaterThanOrEqualToThreshold",
  threshold: 1,
  missing: "notBreaching",
});

const ifCounted = (
  metric: Metric | undefined,
  parts: Parameters<typeof happensOnce>[1],
): AlarmDefinition[] => (metric === undefined ? [] : [happensOnce(metric, parts)]);

function failures({ run: { kind, metrics } }: AlarmScope): AlarmDefinition[] {
  const texts = runTexts(kind);
  return [
    happensOnce(metrics.failed, {
      id: "ExecutionsFailed",
      suffix: "executions-failed",
      speaker: "executions",
      ...texts.failed,
    }),
    ...ifCounted(metrics.timedOut, {
      id: "ExecutionsTimedOut",
      suffix: "executions-timed-out",
      speaker: "executions",
      happened: "an execution ran into its time-out",
      remedy: "Find which state it was in, and why, then redrive.",
      runbook: "timed-out",
    }),
    ...ifCounted(metrics.aborted, {
      id: "ExecutionsAborted",
      suffix: "executions-aborted",
      speaker: "executions",
      ...texts.aborted,
    }),
  ];
}

function slowness(scope: AlarmScope): AlarmDefinition[] {
  const { metrics } = scope.run;
  return [
    ...ifCounted(metrics.throttled, {
      id: "ExecutionsThrottled",
      suffix: "executions-throttled",
      speaker: "data",
      happened: "Step Functions throttled an execution",
      remedy:
        "It continues later by itself. Check which state machines of the account run at the same time, and the quota.",
      runbook: "throttled",
    }),
    ...(metrics.duration === undefined ? [] : [slow(metrics.duration, scope)]),
    ...(metrics.stillRunning === undefined ? [] : [stillRunning(metrics.stillRunning, scope)]),
  ];
}

function slow(duration: Metric, { run, usualMinutes, slowFactor }: AlarmScope): AlarmDefinition {
  const { a, slow: texts } = runTexts(run.kind);
  return {
    id: "Slow",
    suffix: "slow",
    speaker: "data",
    signal: { kind: "metric", metric: duration, statistic: "Maximum" },
    periodSeconds: PERIOD_SECONDS,
    periods: 1,
    comparison: "GreaterThanThreshold",
    threshold: Math.round(slowFactor * usualMinutes * 60_000),
    missing: "notBreaching",
    happened: `${a} took more than ${slowFactor} times the usual ${usualMinutes} minutes`,
    ...texts,
  };
}

/**
 * Each look that finds such a run counts it. The period holds several looks, so that a run is one alarm from the first of them to its end; then OK is sent.
 */
function stillRunning(metric: Metric, { run }: AlarmScope): AlarmDefinition {
  const { a } = runTexts(run.kind);
  return {
    id: "StillRunning",
    suffix: "still-running",
    speaker: "itself",
    signal: { kind: "metric", metric, statistic: "Maximum" },
    periodSeconds: HOUR_SECONDS,
    periods: 1,
    comparison: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "notBreaching",
    happened: `${a} has not ended after the time that it may take`,
    remedy: "Look which of its jobs or crawlers is under way. Stop the run only if it does not move.",
    runbook: "still-running",
  };
}

const figure = ({ run }: AlarmScope, name: string): Metric => ({
  namespace: PIPELINE_NAMESPACE,
  name,
  dimensions: { [PIPELINE_DIMENSION]: run.name },
});

function figures(scope: AlarmScope): AlarmDefinition[] {
  const { quarantineSharePercent, minimumRows, minimumOf } = scope;
  return [
    {
      id: "QuarantineShare",
      suffix: "quarantine-share",
      speaker: "data",
      signal: {
        kind: "share",
        part: figure(scope, PIPELINE_METRICS.rowsQuarantined),
        whole: figure(scope, PIPELINE_METRICS.rowsRead),
      },
      periodSeconds: PERIOD_SECONDS,
      periods: 1,
      comparison: "GreaterThanThreshold",
      threshold: quarantineSharePercent,
      missing: "notBreaching",
      happened: `more than ${quarantineSharePercent} percent of a run's rows were quarantined`,
      remedy: "Query the quarantine for the most frequent reason, and ask the source what changed.",
      runbook: "quarantine-share",
    },
    {
      id: "RowCount",
      suffix: "row-count",
      speaker: "data",
      signal: {
        kind: "metric",
        metric: figure(
          scope,
          minimumOf === "read" ? PIPELINE_METRICS.rowsRead : PIPELINE_METRICS.rowsWritten,
        ),
        statistic: "Minimum",
      },
      periodSeconds: PERIOD_SECONDS,
      periods: 1,
      comparison: "LessThanThreshold",
      threshold: minimumRows,
      missing: "notBreaching",
      happened: `a run ${minimumOf === "read" ? "read" : "wrote"} fewer than ${minimumRows} rows`,
      remedy: "Check whether the delivery was complete; once the rest has arrived, run the date again.",
      runbook: "row-count",
    },
  ];
}

const sourceMissing = (scope: AlarmScope): AlarmDefinition =>
  happensOnce(figure(scope, PIPELINE_METRICS.sourcesMissing), {
    id: "SourceMissing",
    suffix: "source-missing",
    speaker: "data",
    happened: "a run went on without a source that had not delivered",
    remedy: "Ask the source for the delivery that the books name; once it has arrived, run the date again.",
    runbook: "missing-delivery",
  });

const crawl = (crawlsFailed: Metric): AlarmDefinition =>
  happensOnce(crawlsFailed, {
    id: "CrawlFailed",
    suffix: "crawl-failed",
    speaker: "data",
    happened: "a crawl failed",
    remedy: "Read the crawler's log and fix the cause, then redrive the execution that waited for it.",
    runbook: "crawl-failed",
  });

function missed(
  { run }: AlarmScope,
  { longestGapMinutes, graceMinutes }: NonNullable<AlarmScope["missedRun"]>,
): AlarmDefinition {
  const hours = missedRunHours(longestGapMinutes, graceMinutes);
  const { no, missed: texts } = runTexts(run.kind);
  return {
    id: "MissedRun",
    suffix: "missed-run",
    speaker: "itself",
    signal: {
      kind: "metric",
      metric: run.metrics.succeeded,
      statistic: "Sum",
    },
    periodSeconds: HOUR_SECONDS,
    periods: hours,
    comparison: "LessThanThreshold",
    threshold: 1,
    missing: "breaching",
    happened: `${no} has succeeded for ${hours} hours, which is longer than the schedule ever pauses`,
    ...texts,
  };
}

const deadLetters = ({ kind }: AlarmScope["run"], queueName: string): AlarmDefinition => ({
  id: "DeadLetters",
  suffix: "dead-letters",
  speaker: "itself",
  signal: {
    kind: "metric",
    metric: {
      namespace: "AWS/SQS",
      name: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: queueName },
    },
    statistic: "Maximum",
  },
  periodSeconds: PERIOD_SECONDS,
  periods: 1,
  comparison: "GreaterThanOrEqualToThreshold",
  threshold: 1,
  missing: "notBreaching",
  happened: `the schedule could not start ${runTexts(kind).a} and put the invocation into its dead-letter queue`,
  remedy:
    "Read the error code in the message's attributes, fix the cause, start the run by hand, then delete the message.",
  runbook: "dead-letters",
});
