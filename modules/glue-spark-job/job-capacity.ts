import { type SizedWorker } from "../core/dpu-hours";
import { mostDpuHours } from "../core/job-runs";

/**
 * A worker type: `G.1X`, `G.2X`, `G.4X` or `G.8X`, with 1, 2, 4 or 8 DPU.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
 */
export type WorkerType = SizedWorker;

/** The workers of a run: a fixed number, or as many as needed up to a limit; 2 to 299. The driver counts. */
export type JobCapacity =
  | { readonly kind: "fixed"; readonly workerType: WorkerType; readonly workers: number }
  | { readonly kind: "autoScaling"; readonly workerType: WorkerType; readonly maxWorkers: number };

/** Glue's `number_of_workers`: with auto-scaling, the limit. */
export function mostWorkers(capacity: JobCapacity): number {
  return capacity.kind === "fixed" ? capacity.workers : capacity.maxWorkers;
}

/** The field of the job's props for a field of a run. */
export function capacityField(capacity: JobCapacity, field: string): string {
  if (field === "workerType") return "capacity.workerType";
  if (field === "workers") return capacity.kind === "fixed" ? "capacity.workers" : "capacity.maxWorkers";
  return field;
}

/**
 * The most DPU-hours that one run can be billed: all workers busy until the time-out.
 *
 * @returns `undefined` if a factor is not known at synth
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
