import { type RunShape, runShapeMistakes } from "../core/job-runs";
import { type JsonObject } from "../../definition-checks/asl";
import { type RunJobStepProps, type Step } from "./step";

/**
 * What a run takes instead of what its job says. Pure. StartJobRun takes worker type and number together or neither: what is
 * overridden of them brings the job's other.
 * Source: https://docs.aws.amazon.com/glue/latest/webapi/API_StartJobRun.html
 */

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
export function overrideMistakes(props: RunJobStepProps): Step["mistakes"] {
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
