import { missedRunHours } from "../schedules/missed-run";
import { PIPELINE_DIMENSION, PIPELINE_METRICS, PIPELINE_NAMESPACE } from "../core/pipeline-metrics";
import { type Metric, type Run } from "../core/run";
import { type RunbookPage } from "../core/runbook";

/**
 * Every alarm of a pipeline as data: which metric, when it is crossed, who speaks for it, and what to do.
 *
 * CloudWatch compares the exact set of dimensions, so each metric is written as the page of its service has it; those of runs are in `Run`:
 * - https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 * Counts are crossed at `Sum >= 1`: `> 1` would wait for the second failure.
 */

export type Signal =
  | {
      readonly kind: "metric";
      readonly metric: Metric;
      readonly statistic: "Sum" | "Maximum" | "Minimum";
    }
  /** `100 * part / whole` of the sums of a period, percent; 0 where the whole is 0. */
  | { readonly kind: "share"; readonly part: Metric; readonly whole: Metric };

/** Which alarm carries the message: the composite of failed executions, the one of everything else, or the alarm itself. */
export type Speaker = "executions" | "data" | "itself";

export interface AlarmDefinition {
  /** UpperCamel, the construct's id. */
  readonly id: string;
  /** Appended to the alarms' first part of the name. */
  readonly suffix: string;
  readonly speaker: Speaker;
  readonly signal: Signal;
  readonly periodSeconds: number;
  /** All of them must cross. */
  readonly periods: number;
  readonly comparison: "GreaterThanOrEqualToThreshold" | "GreaterThanThreshold" | "LessThanThreshold";
  readonly threshold: number;
  /** What a period without data counts as: nothing happened, or the thing that is waited for did not happen. */
  readonly missing: "notBreaching" | "breaching";
  /** What happened, a clause. */
  readonly happened: string;
  /** What to do, a sentence. */
  readonly remedy: string;
  readonly runbook: RunbookPage;
}

export interface AlarmScope {
  readonly run: Pick<Run, "name" | "metrics">;
  /** What counts failed crawls. */
  readonly crawlsFailed?: Metric;
  readonly deadLetterQueueName?: string;
  readonly usualMinutes: number;
  readonly slowFactor: number;
  readonly quarantineSharePercent: number;
  readonly minimumRows: number;
  readonly missedRun?: { readonly longestGapMinutes: number; readonly graceMinutes: number };
}

/** Five minutes hold a metric that comes late; what crosses is seen with the next evaluation, not at a period's end. */
const PERIOD_SECONDS = 300;
const HOUR_SECONDS = 3_600;

/** The alarms of a pipeline; without a crawl machine, a dead-letter queue or a schedule there is none for it. */
export function alarmTable(scope: AlarmScope): AlarmDefinition[] {
  return [
    ...failures(scope),
    ...slowness(scope),
    ...figures(scope),
    ...(scope.crawlsFailed === undefined ? [] : [crawl(scope.crawlsFailed)]),
    ...(scope.missedRun === undefined ? [] : [missed(scope, scope.missedRun)]),
    ...(scope.deadLetterQueueName === undefined ? [] : [deadLetters(scope.deadLetterQueueName)]),
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

function failures({ run: { metrics } }: AlarmScope): AlarmDefinition[] {
  return [
    happensOnce(metrics.failed, {
      id: "ExecutionsFailed",
      suffix: "executions-failed",
      speaker: "executions",
      happened: "an execution failed",
      remedy:
        "Mend what the cause names, then give the command of the message on the notifications topic: redrive or a new execution.",
      runbook: "execution-failed",
    }),
    ...ifCounted(metrics.timedOut, {
      id: "ExecutionsTimedOut",
      suffix: "executions-timed-out",
      speaker: "executions",
      happened: "an execution ran into its time-out",
      remedy: "Look which state it stood in and why, then redrive.",
      runbook: "timed-out",
    }),
    ...ifCounted(metrics.aborted, {
      id: "ExecutionsAborted",
      suffix: "executions-aborted",
      speaker: "executions",
      happened: "somebody stopped an execution",
      remedy: "Ask who stopped it and whether its dates are still to be run; then redrive.",
      runbook: "aborted",
    }),
  ];
}

function slowness({ run: { metrics }, usualMinutes, slowFactor }: AlarmScope): AlarmDefinition[] {
  return [
    ...ifCounted(metrics.throttled, {
      id: "ExecutionsThrottled",
      suffix: "executions-throttled",
      speaker: "data",
      happened: "Step Functions throttled an execution",
      remedy:
        "It goes on by itself, later. Look which machines of the account run at the same time, and at the quota.",
      runbook: "throttled",
    }),
    ...(metrics.duration === undefined ? [] : [slow(metrics.duration, usualMinutes, slowFactor)]),
  ];
}

function slow(duration: Metric, usualMinutes: number, slowFactor: number): AlarmDefinition {
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
    happened: `an execution took more than ${slowFactor} times the usual ${usualMinutes} minutes`,
    remedy: "Compare its states with an earlier execution's: the lock, a crawl, or the job.",
    runbook: "slow",
  };
}

const figure = ({ run }: AlarmScope, name: string): Metric => ({
  namespace: PIPELINE_NAMESPACE,
  name,
  dimensions: { [PIPELINE_DIMENSION]: run.name },
});

function figures(scope: AlarmScope): AlarmDefinition[] {
  const { quarantineSharePercent, minimumRows } = scope;
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
      remedy: "Ask the quarantine which reason stands out, and the source what it changed.",
      runbook: "quarantine-share",
    },
    {
      id: "RowCount",
      suffix: "row-count",
      speaker: "data",
      signal: {
        kind: "metric",
        metric: figure(scope, PIPELINE_METRICS.rowsWritten),
        statistic: "Minimum",
      },
      periodSeconds: PERIOD_SECONDS,
      periods: 1,
      comparison: "LessThanThreshold",
      threshold: minimumRows,
      missing: "notBreaching",
      happened: `a run wrote fewer than ${minimumRows} rows`,
      remedy: "Look whether the delivery was whole; when the rest has arrived, run the date again.",
      runbook: "row-count",
    },
  ];
}

const crawl = (crawlsFailed: Metric): AlarmDefinition =>
  happensOnce(crawlsFailed, {
    id: "CrawlFailed",
    suffix: "crawl-failed",
    speaker: "data",
    happened: "a crawl failed",
    remedy: "Read the crawler's log; when the cause is mended, redrive the execution that waited for it.",
    runbook: "crawl-failed",
  });

function missed(
  { run }: AlarmScope,
  { longestGapMinutes, graceMinutes }: NonNullable<AlarmScope["missedRun"]>,
): AlarmDefinition {
  const hours = missedRunHours(longestGapMinutes, graceMinutes);
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
    happened: `no execution has succeeded for ${hours} hours, which is longer than the schedule ever pauses`,
    remedy: "Look whether the schedule is on, whether it started one, and how that one ended.",
    runbook: "missed-run",
  };
}

const deadLetters = (queueName: string): AlarmDefinition => ({
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
  happened: "the schedule could not start an execution and put the invocation aside",
  remedy:
    "Read the error code in the message's attributes, mend it, start the run by hand, then delete the message.",
  runbook: "dead-letters",
});
