import { DPU_PER_WORKER, dpuHours, dpuHoursText, hoursText, type RunBounds } from "../modules/core/dpu-hours";
import { connectionMistakes } from "./connection-checks";
import { type EnvironmentSettings } from "./settings";
import { silentTopicMistake, TOPICS } from "./subscribers";

/**
 * Checks an environment's finished Terraform, overrides and escape hatches included. Settings are judged before anything is built; these
 * checks find what was changed in another way.
 */

type Block = Readonly<Record<string, unknown>>;
type Resources = Readonly<Record<string, Readonly<Record<string, Block>>>>;

/** Types whose loss is a loss of data: without the key, what it encrypted cannot be read. */
const DATA_TYPES = ["aws_s3_bucket", "aws_kms_key"] as const;
/** Types that a destroy can be made to empty. A workgroup holds queries and their history. */
const FORCED_TYPES = ["aws_s3_bucket", "aws_athena_workgroup"] as const;

/** Every mistake, each naming the resource. `stack` is what `toTerraform()` gives. */
export function stackMistakes(stack: unknown, settings: EnvironmentSettings): string[] {
  const { resource = {} } = stack as { resource?: Resources };
  return [
    ...unguardedData(resource, settings),
    ...jobsOverBudget(resource, settings),
    ...unheard(resource, settings),
    ...connectionMistakes(resource.aws_glue_connection ?? {}, settings.environment),
  ].map((mistake) => `environment '${settings.environment}': ${mistake}`);
}

function unguardedData(resources: Resources, { environment, retainData }: EnvironmentSettings): string[] {
  // By name as well: whoever builds a stack of prod by hand has passed no check of its settings.
  if (!retainData && environment !== "prod") return [];
  const blocksOf = (type: string) =>
    Object.entries(resources[type] ?? {}).map(([id, block]) => [`${type}.${id}`, block] as const);
  return [
    ...DATA_TYPES.flatMap((type) =>
      blocksOf(type).flatMap(([address, block]) => unprevented(address, block)),
    ),
    ...FORCED_TYPES.flatMap((type) => blocksOf(type).flatMap(([address, block]) => forced(address, block))),
  ];
}

const REMEDY = "take the override back: data of an environment with 'retainData' is never destroyed";

function unprevented(address: string, { lifecycle }: Block): string[] {
  const prevented = (lifecycle as Block | undefined)?.prevent_destroy;
  if (prevented === true) return [];
  return [
    `'${address}' must have lifecycle.prevent_destroy true, got ${JSON.stringify(prevented)}; ${REMEDY}`,
  ];
}

function forced(address: string, { force_destroy: force }: Block): string[] {
  if (force === undefined || force === false) return [];
  return [`'${address}' must have force_destroy false, got ${JSON.stringify(force)}; ${REMEDY}`];
}

/** Topics of the stack that nobody subscribes to while an alarm acts or a schedule runs; topics from elsewhere are not in it. */
function unheard(resources: Resources, { environment, project }: EnvironmentSettings): string[] {
  const blocksOf = (type: string) => Object.values(resources[type] ?? {});
  const acts = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"]
    .flatMap(blocksOf)
    .some(({ actions_enabled: enabled }) => enabled !== false);
  const runs = blocksOf("aws_scheduler_schedule").some(
    ({ state, target }) => state !== "DISABLED" && !callsFunction(target),
  );
  const fires = blocksOf("aws_glue_trigger").some(
    ({ type, enabled }) => type === "SCHEDULED" && enabled !== false,
  );
  if (!acts && !runs && !fires) return [];
  const heard = blocksOf("aws_sns_topic_subscription").map(({ topic_arn: topic }) => topic);
  const silent = Object.entries(resources.aws_sns_topic ?? {}).filter(
    ([id]) => !heard.includes(`\${aws_sns_topic.${id}.arn}`),
  );
  return TOPICS.filter((topic) =>
    silent.some(([, { name }]) => name === `${project}-${environment}-${topic}`),
  ).map((topic) => silentTopicMistake(environment, topic));
}

/** The schedule of a watcher starts no run: it reports those that somebody started. */
function callsFunction(target: unknown): boolean {
  return /:lambda:|aws_lambda_function/.test(String((target as Block | undefined)?.arn));
}

function jobsOverBudget(resources: Resources, { budget }: EnvironmentSettings): string[] {
  return Object.keys(resources.aws_glue_job ?? {}).flatMap((id) => {
    const bounds = mostBounds(resources, id);
    if (bounds === undefined || dpuHours(bounds) <= budget.dpuHoursPerRun) return [];
    return [
      `'aws_glue_job.${id}' may cost more per run than 'budget.dpuHoursPerRun' allows: number_of_workers and timeout ` +
        `give ${dpuHoursText(bounds)}, the limit is ${hoursText(budget.dpuHoursPerRun)}; ` +
        "lower its workers or its time-out, or raise the budget",
    ];
  });
}

/** The bounds of a run of a synthesised job: the job's own, or those that a state machine starts it with if they are higher. */
export function mostBounds(resources: Resources, id: string): RunBounds | undefined {
  const job = resources.aws_glue_job?.[id] ?? {};
  const started = startedRuns(resources).filter(({ JobName }) => JobName === `\${aws_glue_job.${id}.name}`);
  return [{}, ...started]
    .map((run) => jobBounds({ ...job, ...asJob(run) }))
    .reduce((most, bounds) =>
      most === undefined || (bounds !== undefined && dpuHours(bounds) > dpuHours(most)) ? bounds : most,
    );
}

type StartedRun = Readonly<Partial<Record<string, unknown>>>;

/** The parameters with which state machines start jobs. */
function startedRuns({ aws_sfn_state_machine: machines = {} }: Resources): StartedRun[] {
  return Object.values(machines).flatMap(({ definition }) => {
    if (typeof definition !== "string" || !definition.startsWith("{")) return [];
    const { States = {} } = JSON.parse(definition) as { States?: Readonly<Record<string, Block>> };
    return Object.values(States).flatMap(({ Resource, Parameters }) =>
      /:glue:startJobRun/.test(String(Resource)) ? [Parameters as StartedRun] : [],
    );
  });
}

/** A run's overrides in the words of the job's resource. */
function asJob({ WorkerType, NumberOfWorkers, Timeout }: StartedRun): Block {
  const all = { worker_type: WorkerType, number_of_workers: NumberOfWorkers, timeout: Timeout };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The bounds of a run of a synthesised job; `undefined` when Terraform alone knows a factor. */
function jobBounds({ worker_type: type, number_of_workers: workers, timeout }: Block): RunBounds | undefined {
  if (typeof workers !== "number" || typeof timeout !== "number") return undefined;
  if (typeof type !== "string" || !Object.hasOwn(DPU_PER_WORKER, type)) return undefined;
  return { workerType: type as keyof typeof DPU_PER_WORKER, workers, timeoutMinutes: timeout };
}
