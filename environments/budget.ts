import { DPU_PER_WORKER, dpuHours, dpuHoursText, hoursText, type RunBounds } from "../modules/core/dpu-hours";

/**
 * The budget of an environment: what one run of a pipeline's job may cost at most, as a ceiling and not as a forecast: all
 * workers busy until the time-out.
 */

/** The settings of a pipeline that bound its job. */
export interface JobBounds {
  readonly workerType: RunBounds["workerType"];
  readonly maxWorkers: number;
  readonly jobTimeoutMinutes: number;
  /** Overrides of the pipeline's runs. */
  readonly runOverrides?: {
    readonly workerType?: RunBounds["workerType"];
    readonly workers?: number;
    readonly timeoutMinutes?: number;
  };
}

interface Candidate {
  readonly budget?: { readonly dpuHoursPerRun?: unknown };
  readonly pipelines?: Readonly<Record<string, unknown>>;
}

/** Fewest workers of a Spark job: a driver and an executor. */
const FEWEST_WORKERS = 2;

/** The bounds of a run as the pipeline starts it. */
export function overriddenBounds(job: JobBounds): RunBounds {
  const { workerType, workers, timeoutMinutes } = boundsOf(job);
  const { runOverrides: given = {} } = job;
  return {
    workerType: given.workerType ?? workerType,
    workers: given.workers ?? workers,
    timeoutMinutes: given.timeoutMinutes ?? timeoutMinutes,
  };
}

export function boundsOf({ workerType, maxWorkers, jobTimeoutMinutes }: JobBounds): RunBounds {
  return { workerType, workers: maxWorkers, timeoutMinutes: jobTimeoutMinutes };
}

/**
 * The pipelines over the budget, each as `'field' what is wrong, with the sum and what would fit`. Settings that are no
 * numbers are not judged: what is wrong with them is said by the schema.
 */
export function budgetMistakes({ budget, pipelines }: Candidate): string[] {
  const limit = budget?.dpuHoursPerRun;
  if (typeof limit !== "number" || !(limit > 0)) return [];
  return Object.entries(pipelines ?? {}).flatMap(([name, pipeline]) =>
    isBounded(pipeline)
      ? [
          ...overBudget(`pipelines.${name}`, boundsOf(pipeline), limit),
          ...overriddenOverBudget(`pipelines.${name}.runOverrides`, pipeline, limit),
        ]
      : [],
  );
}

/** Names the overrides only where they are the cause. */
function overriddenOverBudget(field: string, job: JobBounds, limit: number): string[] {
  const bounds = overriddenBounds(job);
  const fits = !Object.hasOwn(DPU_PER_WORKER, bounds.workerType) || !(dpuHours(bounds) > limit);
  if (fits || dpuHours(boundsOf(job)) > limit) return [];
  return [
    `'${field}' may cost more per run than 'budget.dpuHoursPerRun' allows: the pipeline's runs take ` +
      `${dpuHoursText(bounds)}, the limit is ${hoursText(limit)}; lower what is overridden or raise the budget`,
  ];
}

function overBudget(field: string, bounds: RunBounds, limit: number): string[] {
  if (dpuHours(bounds) <= limit) return [];
  return [
    `'${field}' may cost more per run than 'budget.dpuHoursPerRun' allows: 'maxWorkers' and 'jobTimeoutMinutes' give ` +
      `${dpuHoursText(bounds)}, the limit is ${hoursText(limit)}; ${remedies(bounds, limit)}`,
  ];
}

/** Names the values that would fit while the other factors stay as they are. */
function remedies(bounds: RunBounds, limit: number): string {
  const { workerType, workers, timeoutMinutes } = bounds;
  const dpu = DPU_PER_WORKER[workerType];
  const fittingWorkers = Math.floor((limit * 60) / (dpu * timeoutMinutes));
  const fittingMinutes = Math.floor((limit * 60) / (dpu * workers));
  const ways = [
    ...(fittingWorkers >= FEWEST_WORKERS ? [`lower 'maxWorkers' to ${fittingWorkers}`] : []),
    ...(fittingMinutes >= 1 ? [`lower 'jobTimeoutMinutes' to ${fittingMinutes}`] : []),
    ...(dpu > 1 ? ["take a smaller 'workerType'"] : []),
    "raise the budget",
  ];
  return ways.length === 1 ? ways[0]! : `${ways.slice(0, -1).join(", ")} or ${ways.at(-1)}`;
}

function isBounded(pipeline: unknown): pipeline is JobBounds {
  if (typeof pipeline !== "object" || pipeline === null) return false;
  const { workerType, maxWorkers, jobTimeoutMinutes } = pipeline as Partial<Record<keyof JobBounds, unknown>>;
  return (
    typeof workerType === "string" &&
    Object.hasOwn(DPU_PER_WORKER, workerType) &&
    typeof maxWorkers === "number" &&
    typeof jobTimeoutMinutes === "number"
  );
}
