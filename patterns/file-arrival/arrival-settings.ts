import { ARRIVAL_DIMENSION, ARRIVAL_METRICS, PIPELINE_NAMESPACE } from "../../modules/core/pipeline-metrics";
import { Zone } from "../../modules/data-lake/zone";
import type { ArrivingPipeline } from "./arrival-props";
import type { EtlPlatform } from "../etl-platform/etl-platform";

export const DEFAULT_DEADLINE_MINUTES = 240;
/** A back-fill of a month is one run. */
const MOST_DAYS = 31;

interface Arrival {
  readonly platform: EtlPlatform;
  readonly name: string;
  readonly pipelines: readonly ArrivingPipeline[];
  readonly ledgerName: string;
  readonly queueUrl: string;
  /** The ARN of a state machine without its name. */
  readonly machines: string;
}

/**
 * The settings of the function `receive_files` as JSON. Names of metrics come from here, so that alarms and the function use the same.
 * Multi-line, because `cdktf synth --hcl` drops backslashes from one-line strings.
 */
export function arrivalSettings(arrival: Arrival): string {
  const { platform, name, pipelines, ledgerName, queueUrl, machines } = arrival;
  return JSON.stringify(
    {
      name,
      bucket: platform.lake.bucket(Zone.RAW).bucketName,
      booksBucket: platform.lake.bucket(Zone.PROCESSED).bucketName,
      ledger: ledgerName,
      queue: queueUrl,
      machines,
      alias: "live",
      mostDays: MOST_DAYS,
      metrics: { namespace: PIPELINE_NAMESPACE, dimension: ARRIVAL_DIMENSION, ...ARRIVAL_METRICS },
      pipelines: pipelines.map(settingsOfPipeline),
    },
    undefined,
    1,
  );
}

const settingsOfPipeline = ({
  pipeline,
  complete,
  deadlineMinutes,
  endings,
  undatedZone,
}: ArrivingPipeline) => ({
  name: pipeline.pipeline,
  machine: pipeline.run.name,
  places: pipeline.task.sources.map(({ layout, location }) => ({ prefix: location.prefix, layout })),
  complete,
  deadlineMinutes: deadlineMinutes ?? DEFAULT_DEADLINE_MINUTES,
  endings: endings ?? [],
  undatedZone: undatedZone ?? null,
});
