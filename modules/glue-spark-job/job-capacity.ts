import { DPU_PER_WORKER, dpuHours, type SizedWorker } from "../core/dpu-hours";

/**
 * Worker types of Spark jobs that the AWS provider accepts; memory doubles with the number.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
 */
export type WorkerType = SizedWorker;

/** How many workers a run has: a number, or as many as it needs up to one. The driver is one of them. */
export type JobCapacity =
  | { readonly kind: "fixed"; readonly workerType: WorkerType; readonly workers: number }
  | { readonly kind: "autoScaling"; readonly workerType: WorkerType; readonly maxWorkers: number };

const WORKER_TYPES: readonly string[] = Object.keys(DPU_PER_WORKER);
const FEWEST_WORKERS = 2;
const MOST_WORKERS = 299;

/** What Glue calls `number_of_workers`: with auto-scaling it is the bound. */
export function mostWorkers(capacity: JobCapacity): number {
  return capacity.kind === "fixed" ? capacity.workers : capacity.maxWorkers;
}

/**
 * The most DPU-hours that one run can be billed: all workers busy until the time-out.
 *
 * @returns `undefined` when a factor is only known to Terraform
 */
export function maxDpuHours(
  capacity: JobCapacity,
  timeoutMinutes: number,
  isKnown: (value: unknown) => boolean,
): number | undefined {
  const { workerType } = capacity;
  const workers = mostWorkers(capacity);
  if (![workerType, workers, timeoutMinutes].every(isKnown)) return undefined;
  return dpuHours({ workerType, workers, timeoutMinutes });
}

/** What is wrong with a capacity: `[field, mistake]`. */
export function capacityMistakes(
  capacity: JobCapacity,
  isKnown: (value: unknown) => boolean,
): (readonly [field: string, mistake: string])[] {
  const mistakes: (readonly [string, string])[] = [];
  const { workerType } = capacity;
  if (isKnown(workerType) && !WORKER_TYPES.includes(workerType)) {
    mistakes.push([
      "capacity.workerType",
      `must be one of ${WORKER_TYPES.join(", ")}, got ${JSON.stringify(workerType)}`,
    ]);
  }
  const workers = mostWorkers(capacity);
  const fits = Number.isInteger(workers) && workers >= FEWEST_WORKERS && workers <= MOST_WORKERS;
  if (isKnown(workers) && !fits) {
    mistakes.push([
      capacity.kind === "fixed" ? "capacity.workers" : "capacity.maxWorkers",
      `must be a whole number from ${FEWEST_WORKERS} (a driver and a worker) to ${MOST_WORKERS}, got ${workers}`,
    ]);
  }
  return mistakes;
}
