import { z } from "zod";
import {
  EXECUTION_CLASSES,
  GLUE_VERSIONS,
  MOST_TIMEOUT_MINUTES,
  runShapeMistakes,
  WORKER_TYPES,
} from "../modules/core/job-runs";
import { TABLE_FORMATS, WRITE_MODES, writeModeMistakes } from "../modules/core/write-modes";

/** How a pipeline's job runs: a part of an environment's schema. */

const workerType = z.enum(WORKER_TYPES as readonly ["G.1X", "G.2X", "G.4X", "G.8X"]);
const workers = z.int().min(2, "must be at least 2 (a driver and a worker)").max(299);
const timeoutMinutes = z.int().min(1).max(MOST_TIMEOUT_MINUTES);
const executionClass = z.enum(EXECUTION_CLASSES);

export const glueVersionSchema = z.enum(GLUE_VERSIONS, "must be 5.1 or 6.0");

export const jobSettings = {
  /** Glue worker type of the pipeline's job. */
  workerType,
  /** Upper bound of auto-scaling, workers (one of them is the driver). */
  maxWorkers: workers,
  /** The job's time-out, minutes; below Glue's seven days. */
  jobTimeoutMinutes: timeoutMinutes,
  /** `FLEX` puts cost before latency: spare capacity, workers G.1X and G.2X. STANDARD when left out. */
  executionClass: executionClass.optional(),
  /** `true`: a run waits while the account has no room for it. Not with FLEX. `false` when left out. */
  jobRunQueuingEnabled: z.boolean().optional(),
  /** How many runs of the job may work at once; 1 when left out, and 1 only for a job that rebuilds. */
  maxConcurrentRuns: z.int().min(1).optional(),
  /** `iceberg`: the processed table is one of Iceberg, which the job makes and nobody crawls. parquet when left out. */
  tableFormat: z.enum(TABLE_FORMATS).optional(),
  /** How runs write it: `merge` and `append` with iceberg only (docs/decisions/09). rebuild when left out. */
  writeMode: z.enum(WRITE_MODES).optional(),
  /** With `merge`: the column that says which row of a key is the latest, or `run_date` for that of the latest delivery. */
  orderColumn: z.string().min(1).optional(),
  /** Overrides of the job's settings for the pipeline's runs; a run started by hand has the job's own. */
  runOverrides: z
    .strictObject({
      workerType: workerType.optional(),
      workers: workers.optional(),
      timeoutMinutes: timeoutMinutes.optional(),
      executionClass: executionClass.optional(),
    })
    .optional(),
};

interface Job {
  readonly workerType?: string;
  readonly maxWorkers?: number;
  readonly jobTimeoutMinutes?: number;
  readonly executionClass?: string;
  readonly jobRunQueuingEnabled?: boolean;
  readonly maxConcurrentRuns?: number;
  readonly tableFormat?: string;
  readonly writeMode?: string;
  readonly orderColumn?: string;
  readonly runOverrides?: { readonly workerType?: string; readonly executionClass?: string };
}

interface Candidate {
  readonly region?: string;
  readonly pipelines?: Readonly<Record<string, unknown>>;
}

/** Mistakes in how jobs run: values that are right one by one and do not go together. */
export function jobSettingMistakes({ region, pipelines = {} }: Candidate): string[] {
  return Object.entries(pipelines).flatMap(([name, pipeline]) =>
    typeof pipeline === "object" && pipeline !== null
      ? [...mistakesOf(pipeline, region), ...tableMistakes(pipeline)].map(
          ([field, mistake]) => `'pipelines.${name}.${field}' ${mistake}`,
        )
      : [],
  );
}

function mistakesOf(job: Job, region: string | undefined): (readonly [field: string, mistake: string])[] {
  const { workerType, executionClass, jobRunQueuingEnabled, runOverrides: given = {} } = job;
  const own = together({ workerType, executionClass, jobRunQueuingEnabled, region });
  const overridden = together({
    workerType: given.workerType ?? workerType,
    executionClass: given.executionClass ?? executionClass,
    jobRunQueuingEnabled,
    region,
  });
  const isSaid = (field: string) => own.some(([said]) => said === field);
  return [
    ...own,
    ...overridden
      .filter(([field]) => !isSaid(field))
      .map(([field, mistake]) =>
        field === "jobRunQueuingEnabled"
          ? ([field, mistake] as const)
          : ([`runOverrides.${field}`, mistake] as const),
      ),
  ];
}

function tableMistakes(job: Job) {
  const { tableFormat = "parquet", writeMode = "rebuild" } = job;
  const isOne = (values: readonly string[], value: string) => values.includes(value);
  if (!isOne(TABLE_FORMATS, tableFormat) || !isOne(WRITE_MODES, writeMode)) return [];
  return writeModeMistakes(job);
}

/** Judges only values that the schema accepts. */
function together(shape: Parameters<typeof runShapeMistakes>[0]) {
  const isOne = (values: readonly string[], value: unknown) =>
    value === undefined || values.includes(value as string);
  if (!isOne(WORKER_TYPES, shape.workerType) || !isOne(EXECUTION_CLASSES, shape.executionClass)) return [];
  return runShapeMistakes(shape, (value) => value !== null);
}
