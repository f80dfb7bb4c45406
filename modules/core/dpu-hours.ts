/**
 * The data processing units (DPU) of a worker by type. Glue bills in DPU-hours.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
 */
export const DPU_PER_WORKER = { "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8 } as const;

/** Worker types of Spark jobs that the AWS provider accepts. */
export type SizedWorker = keyof typeof DPU_PER_WORKER;

/** The settings that limit what a run may cost. */
export interface RunBounds {
  readonly workerType: SizedWorker;
  /** The number of workers, or the bound of auto-scaling; the driver is one of them. */
  readonly workers: number;
  readonly timeoutMinutes: number;
}

/** The most that a run may cost in DPU-hours: all workers busy until the time-out, `workers × DPU per worker × minutes / 60`. */
export function dpuHours({ workerType, workers, timeoutMinutes }: RunBounds): number {
  return (workers * DPU_PER_WORKER[workerType] * timeoutMinutes) / 60;
}

/** The calculation as text, e.g. `10 workers × 1 DPU (G.1X) × 60 min / 60 = 10 DPU-hours`. */
export function dpuHoursText(bounds: RunBounds): string {
  const { workerType, workers, timeoutMinutes } = bounds;
  return (
    `${workers} workers × ${DPU_PER_WORKER[workerType]} DPU (${workerType}) × ${timeoutMinutes} min / 60 ` +
    `= ${hoursText(dpuHours(bounds))} DPU-hours`
  );
}

/** Hours with at most two decimals and no trailing zeros. */
export function hoursText(hours: number): string {
  return String(Math.round(hours * 100) / 100);
}
