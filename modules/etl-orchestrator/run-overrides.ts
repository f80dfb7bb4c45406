import { type SizedWorker } from "../core/dpu-hours";
import { type ExecutionClass, type RunShape, runShapeMistakes } from "../core/job-runs";
import { type JsonObject } from "../../definition-checks/asl";

/**
 * What a run takes instead of what its job says. StartJobRun takes worker type and number together or neither: what is
 * overridden of them brings the job's other.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html
 */

/**
 * What a run takes instead of what its job says: all that StartJobRun takes of it. What is left out stays the job's.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html
 */
export interface RunOverrides {
  /** @default - the job's */
  readonly workerType?: SizedWorker;
  /**
   * Workers, or the bound of a job that scales by itself; 2 to 299.
   * @default - the job's
   */
  readonly workers?: number;
  /**
   * 1 to 10079.
   * @default - the job's
   */
  readonly timeoutMinutes?: number;
  /** @default - the job's */
  readonly executionClass?: ExecutionClass;
}

/** A job run; `{ ...job }` of a `GlueSparkJob` gives all that is the job's. */
export interface RunJobStepProps {
  readonly jobName: string;
  /** The job's own time-out, minutes. The step waits as much longer as a run may take to start. */
  readonly timeoutMinutes: number;
  /**
   * The job's workers. Overriding the type or the number needs it, since StartJobRun takes both or none.
   * @default - not known here
   */
  readonly capacity?:
    | { readonly kind: "fixed"; readonly workerType: SizedWorker; readonly workers: number }
    | { readonly kind: "autoScaling"; readonly workerType: SizedWorker; readonly maxWorkers: number };
  /**
   * The job's: runs of FLEX may take longer to start.
   * @default "STANDARD"
   */
  readonly executionClass?: ExecutionClass;
  /**
   * Whether the job lets runs wait: they may take longer to start.
   * @default false
   */
  readonly jobRunQueuingEnabled?: boolean;
  /**
   * Where the job runs; some worker types are not everywhere.
   * @default - not known here
   */
  readonly region?: string;
  /**
   * What this step's runs take instead of what the job says.
   * @default - nothing
   */
  readonly overrides?: RunOverrides;
  /**
   * Arguments of the run, without the dashes; a value that starts with `$.` is read from the execution's state, one with
   * `$$.` from the execution's context.
   * @default RUN_ARGUMENTS: run_mode, from_date, to_date, run_id, source_subprefix, scheduled_time
   */
  readonly runArguments?: Readonly<Record<string, string>>;
}

type Billed = RunShape & { readonly timeoutMinutes: number };

/** The run as it is billed: the job's, and over it what is overridden. */
export function billedRun({ capacity, overrides = {}, ...job }: RunJobStepProps): Billed {
  return {
    workerType: overrides.workerType ?? capacity?.workerType,
    workers: overrides.workers ?? jobWorkers(capacity),
    timeoutMinutes: overrides.timeoutMinutes ?? job.timeoutMinutes,
    executionClass: overrides.executionClass ?? job.executionClass,
    jobRunQueuingEnabled: job.jobRunQueuingEnabled,
    region: job.region,
  };
}

/** The fragment of a job run with what is overridden in its call, and unchanged where nothing is. */
export function withOverrides(fragment: JsonObject, props: RunJobStepProps): JsonObject {
  const { overrides = {} } = props;
  const run = billedRun(props);
  const sized = overrides.workerType !== undefined || overrides.workers !== undefined;
  const parameters = {
    ...(sized ? { WorkerType: run.workerType, NumberOfWorkers: run.workers } : {}),
    ...(overrides.timeoutMinutes === undefined ? {} : { Timeout: overrides.timeoutMinutes }),
    ...(overrides.executionClass === undefined ? {} : { ExecutionClass: overrides.executionClass }),
  };
  const { States } = fragment as { readonly States: Readonly<Record<string, JsonObject>> };
  const states = Object.entries(States).map(([name, state]) => [
    name,
    { ...state, Parameters: { ...(state.Parameters as JsonObject), ...parameters } },
  ]);
  return { ...fragment, States: Object.fromEntries(states) as JsonObject };
}

/** What is wrong with them, alone and together with what is the job's. */
export function overrideMistakes(props: RunJobStepProps): { field: string; message: string }[] {
  const { overrides } = props;
  if (overrides === undefined) return [];
  const run = billedRun(props);
  const alone = (overrides.workerType === undefined) !== (overrides.workers === undefined);
  const missing =
    alone && props.capacity === undefined
      ? [
          {
            field: "overrides",
            message:
              `must have both 'workerType' and 'workers' when the job's 'capacity' is not given, got ` +
              `${JSON.stringify(overrides)}; StartJobRun takes both or none`,
          },
        ]
      : [];
  // What is the job's alone was judged by the job.
  const isOverridden = (field: string): boolean =>
    overrides[field as keyof typeof overrides] !== undefined ||
    (field === "executionClass" && overrides.workerType !== undefined) ||
    (field === "jobRunQueuingEnabled" && overrides.executionClass !== undefined);
  const mistakes = runShapeMistakes(run, isPlain)
    .filter(([field]) => isOverridden(field))
    .map(([field, message]) => ({
      field: field === "jobRunQueuingEnabled" ? field : `overrides.${field}`,
      message,
    }));
  return [...missing, ...mistakes];
}

/** Whether it is no token: tokens are texts with a reference and numbers far below zero. */
const isPlain = (value: unknown): boolean =>
  typeof value === "string" ? !value.includes("${") : typeof value !== "number" || value > -1e100;

function jobWorkers(capacity: RunJobStepProps["capacity"]): number | undefined {
  if (capacity === undefined) return undefined;
  return capacity.kind === "fixed" ? capacity.workers : capacity.maxWorkers;
}
