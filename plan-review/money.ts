import { DPU_PER_WORKER } from "../modules/core/dpu-hours";
import { runsPerMonth } from "../modules/schedules/runs-per-month";
import { type Change, UNKNOWN, withoutKeys } from "./change";
import { code } from "./markdown";
import { dollars, figure, type MoneyLine, type When } from "./money-line";
import { monthlyLines } from "./monthly";
import { type Plan, type Values } from "./plan";
import prices from "./prices.json";

/** The settings by which a job is billed, before or after a plan. */
interface Moment {
  /** The most DPU-hours of a run. */
  readonly ceiling: number;
  readonly rate: number;
  readonly runs: number | undefined;
}

/** The DPUs of every worker type of Glue, https://docs.aws.amazon.com/glue/latest/dg/worker-types.html */
const DPUS: Readonly<Record<string, number>> = {
  ...DPU_PER_WORKER,
  ...{ Standard: 1, "G.025X": 0.25, "G.12X": 12, "G.16X": 16 },
  ...{ "R.1X": 1, "R.2X": 2, "R.4X": 4, "R.8X": 8 },
};
/** The time-out of a job without one of its own, https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html */
const DEFAULT_TIMEOUT_MINUTES = 480;

export const PRICED =
  "Jobs: the most, workers × time-out × attempts. Crawlers: the least that a crawl is billed. From … to: with and without CloudWatch's " +
  `free tier per account (${prices.free.dashboards} dashboards, ${prices.free.customMetrics} custom metrics, ` +
  `${prices.free.alarmMetrics} metrics of alarms). Prices of ${prices.region} as of ${prices.asOf}. Not counted: storage, requests, ` +
  "transfer, logs, bytes that queries scan, transitions of state machines, metrics that jobs and programs record themselves.";

/** Lists the figures of cost that change. Jobs have ceilings, because the duration of a run is not known. */
export function moneyOf(changes: readonly Change[], plan: Plan): MoneyLine[] {
  return [
    ...changes.filter(({ type }) => type === "aws_glue_job").flatMap((job) => jobLines(job, changes, plan)),
    ...changes
      .filter(({ type }) => type === "aws_glue_crawler")
      .flatMap((one) => crawlerLines(one, changes, plan)),
    ...monthlyLines(changes),
  ];
}

function jobLines(job: Change, changes: readonly Change[], plan: Plan): MoneyLine[] {
  const schedules = schedulesOf(job, changes, plan);
  const [was, is] = (["before", "after"] as const).map((moment) => momentOf(job, schedules, moment));
  if (JSON.stringify(was) === JSON.stringify(is)) return [];
  const lines: MoneyLine[] = [];
  const line = (what: string, show: (moment: Moment) => string) => {
    const [before, after] = [was, is].map((one) =>
      one === undefined ? "–" : one === UNKNOWN ? "not known" : show(one as Moment),
    );
    if (before !== after) lines.push({ what, before: before!, after: after! });
  };
  line(`job ${code(job.name)}, a run at most`, ({ ceiling }) => `${figure(ceiling)} DPU-hours`);
  line(`job ${code(job.name)}, a run at most`, ({ ceiling, rate }) => dollars(ceiling * rate));
  line(`job ${code(job.name)}, a month at most`, ({ ceiling, rate, runs }) =>
    runs === undefined ? "no schedule seen" : `${dollars(ceiling * rate * runs)} (${figure(runs)} runs)`,
  );
  return lines;
}

/** The least that a crawl is billed, and a month of crawls; their duration is not known. */
function crawlerLines(crawler: Change, changes: readonly Change[], plan: Plan): MoneyLine[] {
  const { dpuHour, dpus, minimumMinutes } = prices.crawler;
  const crawl = (dpuHour * dpus * minimumMinutes) / 60;
  const schedules = schedulesOf(crawler, changes, plan);
  const line = (what: string, show: (values: Values, when: When) => string): MoneyLine[] => {
    const [before, after] = (["before", "after"] as const).map((when) =>
      crawler[when] === undefined ? "–" : show(crawler[when], when),
    );
    return before === after
      ? []
      : [{ what: `crawler ${code(crawler.name)}, ${what}`, before: before!, after: after! }];
  };
  return [
    ...line("a crawl at least", () => dollars(crawl)),
    ...line("a month at least", ({ schedule }, when) => {
      const own = typeof schedule === "string" && schedule !== "" ? runsPerMonth(schedule) : undefined;
      const others = runsOf(schedules, when);
      if (own === undefined && others === undefined) return "no schedule seen";
      const crawls = (own ?? 0) + (others ?? 0);
      return `${dollars(crawl * crawls)} (${figure(crawls)} crawls)`;
    }),
  ];
}

const schedulesOf = (target: Change, changes: readonly Change[], plan: Plan): Change[] =>
  changes.filter(
    ({ type, address }) =>
      type === "aws_scheduler_schedule" && reaches(plan, withoutKeys(address), withoutKeys(target.address)),
  );

function momentOf(
  job: Change,
  schedules: readonly Change[],
  when: When,
): Moment | undefined | typeof UNKNOWN {
  const values = job[when];
  if (values === undefined) return undefined;
  const dpus = dpusOf(values);
  const timeout =
    values.timeout === null || values.timeout === undefined || values.timeout === UNKNOWN
      ? DEFAULT_TIMEOUT_MINUTES
      : values.timeout;
  if (dpus === undefined || typeof timeout !== "number") return UNKNOWN;
  const tries = 1 + (typeof values.max_retries === "number" ? values.max_retries : 0);
  return { ceiling: (dpus * timeout * tries) / 60, rate: rateOf(values), runs: runsOf(schedules, when) };
}

function dpusOf({ worker_type, number_of_workers, max_capacity }: Values): number | undefined {
  const each = typeof worker_type === "string" ? DPUS[worker_type] : undefined;
  if (each !== undefined && typeof number_of_workers === "number") return each * number_of_workers;
  return typeof max_capacity === "number" ? max_capacity : undefined;
}

function rateOf({ glue_version, execution_class, worker_type }: Values): number {
  const { upTo5, from6, flexUpTo5, memoryOptimisedUpTo5 } = prices.glueDpuHour;
  if (typeof glue_version === "string" && Number.parseInt(glue_version) >= 6) return from6;
  if (execution_class === "FLEX") return flexUpTo5;
  return typeof worker_type === "string" && worker_type.startsWith("R.") ? memoryOptimisedUpTo5 : upTo5;
}

function runsOf(schedules: readonly Change[], when: When): number | undefined {
  const found = schedules.map((one) => one[when]).filter((values) => values !== undefined);
  const each = found.map(({ state, schedule_expression: expression }) =>
    state === "DISABLED" ? 0 : typeof expression === "string" ? runsPerMonth(expression) : undefined,
  );
  if (each.length === 0 || each.some((runs) => runs === undefined)) return undefined;
  return each.reduce<number>((sum, runs) => sum + runs!, 0);
}

/** Tells whether one resource's configuration refers to another's, directly or through others. */
function reaches({ configuration }: Plan, from: string, to: string): boolean {
  const module = /^(?:module\.[^.]+\.)*/.exec(from)![0];
  const seen = new Set<string>();
  const open = [from];
  for (let address = open.pop(); address !== undefined; address = open.pop()) {
    if (address === to) return true;
    if (seen.has(address)) continue;
    seen.add(address);
    const text = JSON.stringify(configuration?.get(address) ?? {});
    for (const [, type, name] of text.matchAll(/"(aws_[a-z0-9_]+)\.([A-Za-z0-9_-]+)[^"]*"/g))
      open.push(`${module}${type}.${name}`);
  }
  return false;
}
