import { type SizedWorker } from "../core/dpu-hours";
import { type ExecutionClass, type RunShape, runShapeMistakes } from "../core/job-runs";
import { type JsonObject } from "../../definition-checks/asl";

/**
 * Settings of a run that replace its job's. A setting that is left out is the job's.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html
 */
export interface RunOverrides {
  /** @default - the job's */
  readonly workerType?: SizedWorker;
  /**
   * The number of workers, or the limit of auto-scaling, 2 to 299.
   * @default - the job's
   */
  readonly workers?: number;
  /**
   * The run's time-out in minutes, 1 to 10079.
   * @default - the job's
   */
  readonly timeoutMinutes?: number;
  /** @default - the job's */
  readonly executionClass?: ExecutionClass;
}

/** Props of `Step.runJob`. `{ ...job }` of a `GlueSparkJob` sets all that belong to the job. */
export interface RunJobStepProps {
  /** Physical name of the job. */
  readonly jobName: string;
  /** The job's own time-out in minutes, 1 to 10079. The step's time-out adds the time that a run may need to start. */
  readonly timeoutMinutes: number;
  /**
   * The job's workers. Needed to override only their type or only their number, because StartJobRun takes both or neither.
   * @default - not known
   */
  readonly capacity?:
    | { readonly kind: "fixed"; readonly workerType: SizedWorker; readonly workers: number }
    | { readonly kind: "autoScaling"; readonly workerType: SizedWorker; readonly maxWorkers: number };
  /**
   * The job's execution class: runs of FLEX may take longer to start.
   * @default "STANDARD"
   */
  readonly executionClass?: ExecutionClass;
  /**
   * `true`: the job queues runs, which may then take longer to start.
   * @default false
   */
  readonly jobRunQueuingEnabled?: boolean;
  /**
   * The job's region, to check worker types that some regions do not offer.
   * @default - not checked
   */
  readonly region?: string;
  /**
   * Settings of this step's runs that replace the job's.
   * @default - none
   */
  readonly overrides?: RunOverrides;
  /**
   * Arguments of the run, names without dashes. A value that starts with `$.` is read from the execution's state, one with
   * `$$.` from its context object.
   * @default RUN_ARGUMENTS: run_mode, from_date, to_date, run_id, source_subprefix, scheduled_time
   */
  readonly runArguments?: Readonly<Record<string, string>>;
}

type Billed = RunShape & { readonly timeoutMinutes: number };

/** The settings by which a run is billed: the job's, replaced by overrides. */
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

/**
 * Adds overrides to the call in the fragment of a job run. StartJobRun takes worker type and number together or neither, so overriding one
 * passes the job's other.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html
 */
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

/** Lists the mistakes in overrides, alone and together with the job's settings. */
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
              `must have both 'workerType' and 'workers' if the job's 'capacity' is not given, got ` +
              `${JSON.stringify(overrides)}; StartJobRun takes both or neither`,
          },
        ]
      : [];
  // The job itself checks the settings that are not overridden.
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

/** Tells whether a value is not a token: tokens are strings with a reference and numbers far below zero. */
const isPlain = (value: unknown): boolean =>
  typeof value === "string" ? !value.includes("${") : typeof value !== "number" || value > -1e100;

function jobWorkers(capacity: RunJobStepProps["capacity"]): number | undefined {
  if (capacity === undefined) return undefined;
  return capacity.kind === "fixed" ? capacity.workers : capacity.maxWorkers;
}
