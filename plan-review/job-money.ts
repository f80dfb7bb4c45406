import { DPU_PER_WORKER } from "../modules/core/dpu-hours";
import { type Change, UNKNOWN } from "./change";
import { at } from "./differences";
import { type When } from "./money-line";
import { type Values } from "./plan";
import prices from "./prices.json";
import { numberOf } from "./shape-words";
import { type StartGraph, type Starts } from "./starts";

/** The settings by which a job is billed, before or after a plan. */
export interface JobMoment extends Starts {
  /** Its kind and capacity for readers, e.g. `10 × G.1X`. */
  readonly shape: string;
  readonly dpus: number;
  /** The most DPU-hours of a run; infinite without a time-out. */
  readonly ceiling: number;
  /** Dollars per DPU-hour. */
  readonly rate: number;
}

/** The DPUs of every worker type of Glue, https://docs.aws.amazon.com/glue/latest/dg/worker-types.html */
const DPUS: Readonly<Record<string, number>> = {
  ...DPU_PER_WORKER,
  ...{ Standard: 1, "G.025X": 0.25, "G.12X": 12, "G.16X": 16 },
  ...{ "R.1X": 1, "R.2X": 2, "R.4X": 4, "R.8X": 8, "Z.2X": 2 },
};

/** A job without workers or capacity gets these, https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html */
const DEFAULT_DPUS = { pythonshell: 0.0625, glueetl: 10, gluestreaming: 10 };

/** Minutes of a job without a time-out of its own: 8 hours from Glue 5.0 on, 48 hours before, https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html */
const DEFAULT_TIMEOUT = { from5: 480, upTo4: 2880 };

const KINDS: Readonly<Record<string, string>> = {
  gluestreaming: "streaming, ",
  pythonshell: "Python shell, ",
  glueray: "Ray, ",
};

/** @returns `undefined` if the job does not exist then, `UNKNOWN` if the plan does not know what it may use */
export function jobMoment(
  job: Change,
  starts: StartGraph,
  when: When,
): JobMoment | undefined | typeof UNKNOWN {
  const values = job[when];
  if (values === undefined) return undefined;
  const capacity = capacityOf(job, values);
  const minutes = minutesOf(job, values);
  if (capacity === undefined || minutes === undefined) return UNKNOWN;
  const tries = 1 + (numberOf(values.max_retries) ?? 0);
  return {
    ...starts.of(job),
    shape: (KINDS[kindOf(values)] ?? "") + capacity.shape,
    dpus: capacity.dpus,
    ceiling: minutes === Infinity ? Infinity : (capacity.dpus * minutes * tries) / 60,
    rate: rateOf(values),
  };
}

const kindOf = (values: Values): string => {
  const name = at(values, "command.0.name");
  return typeof name === "string" ? name : "glueetl";
};

function capacityOf(job: Change, values: Values): { dpus: number; shape: string } | undefined {
  const { worker_type: type, number_of_workers: number, max_capacity: capacity } = values;
  const each = typeof type === "string" ? DPUS[type] : undefined;
  if (each !== undefined && typeof number === "number")
    return { dpus: each * number, shape: `${number} × ${String(type)}` };
  if (typeof type === "string" && type !== "" && each === undefined) return undefined;
  if (typeof capacity === "number") return { dpus: capacity, shape: `${capacity} DPU` };
  if (isOpen(job, values, "number_of_workers") || isOpen(job, values, "max_capacity")) return undefined;
  const dpus = DEFAULT_DPUS[kindOf(values) as keyof typeof DEFAULT_DPUS];
  return dpus === undefined ? undefined : { dpus, shape: `${dpus} DPU by default` };
}

/** `Infinity` without a time-out: streaming jobs have none of their own. */
function minutesOf(job: Change, values: Values): number | undefined {
  const minutes = numberOf(values.timeout);
  if (minutes !== undefined && minutes > 0) return minutes;
  if (minutes === undefined && isOpen(job, values, "timeout")) return undefined;
  if (minutes === 0 || kindOf(values) === "gluestreaming") return Infinity;
  const version = Number.parseFloat(typeof values.glue_version === "string" ? values.glue_version : "");
  const isOld = version < 5 || (Number.isNaN(version) && kindOf(values) !== "glueetl");
  return isOld ? DEFAULT_TIMEOUT.upTo4 : DEFAULT_TIMEOUT.from5;
}

/** Tells whether a setting is configured with a value that is not known until apply; AWS chooses one that is not configured. */
const isOpen = ({ configured }: Change, values: Values, field: string): boolean =>
  values[field] === UNKNOWN && configured?.[field] !== undefined;

function rateOf({ glue_version, execution_class, worker_type }: Values): number {
  const { upTo5, from6, flexUpTo5, memoryOptimisedUpTo5 } = prices.glueDpuHour;
  if (typeof glue_version === "string" && Number.parseInt(glue_version) >= 6) return from6;
  if (execution_class === "FLEX") return flexUpTo5;
  return typeof worker_type === "string" && worker_type.startsWith("R.") ? memoryOptimisedUpTo5 : upTo5;
}
