import { functionConsole } from "../../modules/core/console";
import { partitionOf } from "../../modules/core/partition";
import { ARRIVAL_DIMENSION, ARRIVAL_METRICS, PIPELINE_NAMESPACE } from "../../modules/core/pipeline-metrics";
import type { Metric } from "../../modules/core/run";
import { runbookLink } from "../../modules/core/runbook";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import type { ArrivingPipeline } from "./arrival-props";

/** An alarm as data: it rings at its threshold or above. */
export interface ArrivalAlarm {
  /** UpperCamel, the construct's id. */
  readonly id: string;
  /** The end of the alarm's name. */
  readonly suffix: string;
  readonly description: string;
  readonly metric: Metric;
  readonly statistic: "Sum" | "Maximum";
  /** Seconds. */
  readonly period: number;
  readonly threshold: number;
}

interface Watched {
  readonly platform: EtlPlatform;
  readonly name: string;
  readonly pipelines: readonly ArrivingPipeline[];
  readonly lookEveryMinutes?: number;
  /** How long a message is worked on before it goes to the dead letters, seconds. */
  readonly workedOnSeconds: number;
}

/** After that a message is late for another reason than that it is tried again. */
const GRACE_SECONDS = 600;
const PERIOD_SECONDS = 300;

/** The alarms of an arrival: those of its queues, and for each pipeline those of its files. */
export function arrivalAlarms(watched: Watched): ArrivalAlarm[] {
  const { name, pipelines, platform } = watched;
  return [
    ...queueAlarms(watched),
    ...pipelines.flatMap(({ pipeline }) => fileAlarms(name, pipeline.pipeline)),
  ].map(({ description, ...alarm }) => ({
    ...alarm,
    description:
      `File arrival ${name}: ${description} ` +
      `Function: ${functionConsole(partitionOf(platform.region), platform.region, name)} ` +
      `Runbook: ${runbookLink(platform.runbookUrl, "file-arrival")}`,
  }));
}

/** Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html */
function queueAlarms({ name, workedOnSeconds }: Watched): ArrivalAlarm[] {
  const queue = (queueName: string, metric: string): Metric => ({
    namespace: "AWS/SQS",
    name: metric,
    dimensions: { QueueName: queueName },
  });
  const oldest = workedOnSeconds + GRACE_SECONDS;
  return [
    {
      id: "QueueAge",
      suffix: "queue-age",
      description: `a message has waited for ${Math.round(oldest / 60)} minutes, so files are not taken. Check the function's errors and throttles, and its event source mapping.`,
      metric: queue(name, "ApproximateAgeOfOldestMessage"),
      statistic: "Maximum",
      period: PERIOD_SECONDS,
      threshold: oldest,
    },
    {
      id: "DeadLettersAlarm",
      suffix: "dead-letters",
      description:
        "a message could not be worked on in all attempts, or not be put into the queue. Read it and the function's log, fix the cause, then redrive the dead letters.",
      metric: queue(`${name}-dead-letters`, "ApproximateNumberOfMessagesVisible"),
      statistic: "Maximum",
      period: PERIOD_SECONDS,
      threshold: 1,
    },
  ];
}

function fileAlarms(name: string, pipeline: string): ArrivalAlarm[] {
  const metric = (of: keyof typeof ARRIVAL_METRICS): Metric => ({
    namespace: PIPELINE_NAMESPACE,
    name: ARRIVAL_METRICS[of],
    dimensions: { [ARRIVAL_DIMENSION]: `${name}/${pipeline}` },
  });
  return [
    {
      id: `Half-${pipeline}`,
      suffix: `${pipeline}-half`,
      description: `a delivery of ${pipeline} was not complete at its deadline; the function's log says what it waits for. Ask the source.`,
      metric: metric("half"),
      statistic: "Maximum",
      // Looks are up to an hour apart.
      period: 3_600,
      threshold: 1,
    },
    {
      id: `Quarantined-${pipeline}`,
      suffix: `${pipeline}-files-quarantined`,
      description: `files have arrived for ${pipeline} that no run can read; the ledger has their names and reasons.`,
      metric: metric("quarantined"),
      statistic: "Sum",
      period: PERIOD_SECONDS,
      threshold: 1,
    },
  ];
}
