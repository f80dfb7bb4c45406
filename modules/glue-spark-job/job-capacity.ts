import { type SizedWorker } from "../core/dpu-hours";
import { mostDpuHours } from "../core/job-runs";

/**
 * Worker types of Spark jobs that the AWS provider accepts; memory doubles with the number.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
 */
export type WorkerType = SizedWorker;

/** How many workers a run has: a number, or as many as it needs up to one. The driver is one of them. */
export type JobCapacity =
  | { readonly kind: "fixed"; readonly workerType: WorkerType; readonly workers: number }
  | { readonly kind: "autoScaling"; readonly workerType: WorkerType; readonly maxWorkers: number };

/** What Glue calls `number_of_workers`: with auto-scaling it is the bound. */
export function mostWorkers(capacity: JobCapacity): number {
  return capacity.kind === "fixed" ? capacity.workers : capacity.maxWorkers;
}

/** The field of a capacity that holds a field of a run. */
export function capacityField(capacity: JobCapacity, field: string): string {
  if (field === "workerType") return "capacity.workerType";
  if (field === "workers") return capacity.kind === "fixed" ? "capacity.workers" : "capacity.maxWorkers";
  return field;
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
  return mostDpuHours(
    { workerType: capacity.workerType, workers: mostWorkers(capacity), timeoutMinutes },
    isKnown,
  );
}
