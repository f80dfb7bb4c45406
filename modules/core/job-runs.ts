import { DPU_PER_WORKER, dpuHours, type SizedWorker } from "./dpu-hours";
import { type Mistake } from "./refusals";

/**
 * The Glue versions, worker types and execution classes that a Spark job can run on, and the reasons to refuse others. The job, the
 * steps that start it and the settings of environments use this one table.
 *
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html,
 * https://docs.aws.amazon.com/glue/latest/dg/add-job.html (worker types and versions of FLEX),
 * https://docs.aws.amazon.com/glue/latest/dg/glue-version-support-policy.html,
 * https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html (regions of G.4X and G.8X, time-outs)
 */

/** Glue versions that the library's jobs are tested on: Spark 3.5 and 4.1. */
export const GLUE_VERSIONS = ["5.1", "6.0"] as const;
/** A Glue version: `5.1` (Spark 3.5) or `6.0` (Spark 4.1). */
export type GlueVersion = (typeof GLUE_VERSIONS)[number];

export const WORKER_TYPES = Object.keys(DPU_PER_WORKER) as readonly SizedWorker[];

/** Execution classes. FLEX runs on spare capacity: it is cheaper, but may start late and lose workers during the run. */
export const EXECUTION_CLASSES = ["STANDARD", "FLEX"] as const;
/** An execution class: `STANDARD`, or `FLEX`, which is cheaper but may start late and lose workers during the run. */
export type ExecutionClass = (typeof EXECUTION_CLASSES)[number];

/** The Glue versions and worker types of each execution class. */
export const TAKEN_BY: Readonly<
  Record<
    ExecutionClass,
    { readonly glueVersions: readonly GlueVersion[]; readonly workerTypes: readonly SizedWorker[] }
  >
> = {
  STANDARD: { glueVersions: GLUE_VERSIONS, workerTypes: WORKER_TYPES },
  FLEX: { glueVersions: GLUE_VERSIONS, workerTypes: ["G.1X", "G.2X"] },
};

const ENDED = "it has not run since 2026-04-01";
const UNTESTED = "the library's jobs are not tested on it";
/** The reasons to refuse other Glue versions. */
const REFUSED_VERSIONS: Readonly<Record<string, string>> = {
  "0.9": ENDED,
  "1.0": ENDED,
  "2.0": ENDED,
  "3.0": UNTESTED,
  "4.0": UNTESTED,
  "5.0": UNTESTED,
};

const NOT_IN_PROVIDER = "AWS provider 5.100.0 does not take it";
/** The reasons to refuse other worker types. */
const REFUSED_WORKERS: Readonly<Record<string, string>> = {
  Standard: "it ended with Glue 1.0",
  "G.025X": "it is for streaming jobs only",
  "G.12X": NOT_IN_PROVIDER,
  "G.16X": NOT_IN_PROVIDER,
  "R.1X": NOT_IN_PROVIDER,
  "R.2X": NOT_IN_PROVIDER,
  "R.4X": NOT_IN_PROVIDER,
  "R.8X": NOT_IN_PROVIDER,
  "Z.2X": "it is for Ray jobs only",
};

/** The regions that offer the large workers; every region offers the others. */
const REGIONS_OF_LARGE_WORKERS: readonly string[] = [
  ...["us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"],
  ...["eu-central-1", "eu-north-1", "eu-south-2", "eu-west-1", "eu-west-2"],
  ...["ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"],
];
const LARGE_WORKERS: readonly string[] = ["G.4X", "G.8X"];

/** A driver and an executor. */
const FEWEST_WORKERS = 2;
const MOST_WORKERS = 299;
/** The longest time-out of StartJobRun: below seven days. */
export const MOST_TIMEOUT_MINUTES = 10_079;

/** The longest start of a run in minutes, without waiting for capacity. */
const START_MINUTES = 15;
/**
 * The longest wait for capacity in minutes: a FLEX run 20, a queued run 15.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/job-run-statuses.html
 */
const WAITING_MINUTES = 20;

/** The settings of a job run that are checked. A field may be an unresolved token; `undefined` means do not check. */
export interface RunShape {
  /** @default - not checked */
  readonly glueVersion?: string;
  /** @default - not checked */
  readonly workerType?: string;
  /**
   * The number of workers, or the limit of auto-scaling; the driver counts.
   * @default - not checked
   */
  readonly workers?: number;
  /** @default - not checked */
  readonly timeoutMinutes?: number;
  /** @default - not checked */
  readonly executionClass?: string;
  /** @default - not checked */
  readonly jobRunQueuingEnabled?: boolean;
  /** @default - not checked */
  readonly region?: string;
}

type Known = (value: unknown) => boolean;

/** Lists what Glue, the provider or the library refuses in a run: `[field, mistake]`, with the fields of {@link RunShape}. */
export function runShapeMistakes(shape: RunShape, isKnown: Known): Mistake[] {
  const judged = Object.fromEntries(
    Object.entries(shape).filter(([, value]) => value !== undefined && isKnown(value)),
  ) as RunShape;
  return [
    ...oneOf("glueVersion", judged.glueVersion, GLUE_VERSIONS, REFUSED_VERSIONS),
    ...oneOf("workerType", judged.workerType, WORKER_TYPES, REFUSED_WORKERS),
    ...oneOf("executionClass", judged.executionClass, EXECUTION_CLASSES, {}),
    ...wholeBetween("workers", judged.workers, FEWEST_WORKERS, MOST_WORKERS, " (a driver and a worker)"),
    ...wholeBetween("timeoutMinutes", judged.timeoutMinutes, 1, MOST_TIMEOUT_MINUTES, ""),
    ...togetherMistakes(judged),
  ];
}

/** Lists the mistakes in combinations of valid values. */
function togetherMistakes({ workerType, executionClass, jobRunQueuingEnabled, region }: RunShape): Mistake[] {
  const mistakes: Mistake[] = [];
  const { workerTypes } = TAKEN_BY.FLEX;
  const isWorker = WORKER_TYPES.includes(workerType as SizedWorker);
  if (executionClass === "FLEX" && isWorker && !workerTypes.includes(workerType as SizedWorker)) {
    const taken = workerTypes.join(" and ");
    mistakes.push([
      "executionClass",
      `FLEX takes the worker types ${taken} only, got "${workerType}"; use one of these, or STANDARD`,
    ]);
  }
  // AWS's page on run statuses describes queueing for STANDARD runs only.
  if (executionClass === "FLEX" && jobRunQueuingEnabled === true) {
    mistakes.push([
      "jobRunQueuingEnabled",
      "must be false or left out with the execution class FLEX, got true: FLEX runs wait for capacity anyway; leave it out",
    ]);
  }
  if (LARGE_WORKERS.includes(workerType ?? "") && region !== undefined) {
    const offered = REGIONS_OF_LARGE_WORKERS.includes(region);
    if (!offered)
      mistakes.push([
        "workerType",
        `must be G.1X or G.2X in ${region}, got "${workerType}", which that region does not offer`,
      ]);
  }
  return mistakes;
}

/** The minutes that a run may need beyond its time-out, which callers must wait in addition. */
export function startMinutes({ executionClass, jobRunQueuingEnabled }: RunShape): number {
  return START_MINUTES + (executionClass === "FLEX" || jobRunQueuingEnabled === true ? WAITING_MINUTES : 0);
}

/** The most DPU-hours that a run can be billed; `undefined` if a factor is not known at synth. */
export function mostDpuHours(
  { workerType, workers, timeoutMinutes }: RunShape,
  isKnown: Known,
): number | undefined {
  if (workerType === undefined || workers === undefined || timeoutMinutes === undefined) return undefined;
  if (![workerType, workers, timeoutMinutes].every(isKnown)) return undefined;
  return dpuHours({ workerType: workerType as SizedWorker, workers, timeoutMinutes });
}

function oneOf(
  field: string,
  value: string | undefined,
  taken: readonly string[],
  refused: Readonly<Record<string, string>>,
): Mistake[] {
  if (value === undefined || taken.includes(value)) return [];
  const why = Object.hasOwn(refused, value) ? `: ${refused[value]}` : "";
  return [[field, `must be one of ${taken.join(", ")}, got ${JSON.stringify(value)}${why}`]];
}

function wholeBetween(
  field: string,
  value: number | undefined,
  fewest: number,
  most: number,
  what: string,
): Mistake[] {
  if (value === undefined || (Number.isInteger(value) && value >= fewest && value <= most)) return [];
  return [[field, `must be a whole number from ${fewest}${what} to ${most}, got ${value}`]];
}
