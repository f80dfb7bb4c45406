import { type Change, UNKNOWN } from "./change";
import { functionMoment } from "./function-money";
import { type JobMoment, jobMoment } from "./job-money";
import { code } from "./markdown";
import { dollars, figure, type MoneyLine, type When } from "./money-line";
import { monthlyLines, monthlySum } from "./monthly";
import prices from "./prices.json";
import { StartGraph, type Starts } from "./starts";

export const PRICED =
  "Jobs: the most, workers × time-out × attempts. Functions: the most, memory × time-out × attempts. Crawlers: the least that a crawl is billed. " +
  "From … to: with and without CloudWatch's " +
  `free tier per account (${prices.free.dashboards} dashboards, ${prices.free.customMetrics} custom metrics, ` +
  `${prices.free.alarmMetrics} metrics of alarms). Prices of ${prices.region} as of ${prices.asOf}. Not counted: storage, requests, ` +
  "transfer, logs, bytes that queries scan, transitions of state machines, metrics that jobs and programs record themselves.";

/** Figures before and after a plan, for the headline. */
export interface Totals {
  /** The most DPU-hours of one run of every changed job together. */
  readonly ceiling: readonly [before: number, after: number];
  /** `true` if the plan does not know what a job may use. */
  readonly isUnknown: readonly [before: boolean, after: boolean];
  /** Dollars of a month: the most of jobs and functions, the least of crawlers, and what is billed by the month. */
  readonly month: readonly [before: number, after: number];
  /** `true` if something changed has no schedule or is started by events, so that its month is not in the sum. */
  readonly isPartial: readonly [before: boolean, after: boolean];
}

export interface Money {
  readonly lines: readonly MoneyLine[];
  readonly totals: Totals;
}

/** Lists the figures of cost that change. Jobs have ceilings, because the duration of a run is not known. */
export function moneyOf(changes: readonly Change[]): Money {
  const graphs = { before: new StartGraph(changes, "before"), after: new StartGraph(changes, "after") };
  const sum = new Sum();
  const lines = changes.flatMap((change) => {
    if (change.type === "aws_glue_job") return jobLines(change, graphs, sum);
    if (change.type === "aws_lambda_function") return functionLines(change, graphs, sum);
    return change.type === "aws_glue_crawler" ? crawlerLines(change, graphs, sum) : [];
  });
  const [before, after] = (["before", "after"] as const).map((when) => monthlySum(changes, when));
  sum.month[0] += before!;
  sum.month[1] += after!;
  return {
    lines: [...lines, ...monthlyLines(changes)],
    totals: { isUnknown: sum.isUnknown, ceiling: sum.ceiling, month: sum.month, isPartial: sum.isPartial },
  };
}

type Graphs = Readonly<Record<When, StartGraph>>;

class Sum {
  readonly ceiling: [number, number] = [0, 0];
  readonly month: [number, number] = [0, 0];
  readonly isPartial: [boolean, boolean] = [false, false];
  readonly isUnknown: [boolean, boolean] = [false, false];

  add(place: number, ceiling: number, month: number | undefined): void {
    this.ceiling[place]! += ceiling;
    if (month === undefined) this.isPartial[place] = true;
    else this.month[place]! += month;
  }
}

/** Writes a figure of two moments, if it changes. */
type Line<T> = (what: string, show: (moment: T) => string) => void;

function lineWriter<T>(
  lines: MoneyLine[],
  address: string,
  moments: readonly (T | undefined | typeof UNKNOWN)[],
): Line<T> {
  return (what, show) => {
    const [before, after] = moments.map((one) =>
      one === undefined ? "–" : one === UNKNOWN ? "not known" : show(one as T),
    );
    if (before !== after) lines.push({ what, before: before!, after: after!, address });
  };
}

function jobLines(job: Change, graphs: Graphs, sum: Sum): MoneyLine[] {
  const moments = (["before", "after"] as const).map((when) => jobMoment(job, graphs[when], when));
  if (isSame(moments)) return [];
  moments.forEach((one, place) => {
    if (one === UNKNOWN) sum.isPartial[place] = sum.isUnknown[place] = true;
    else if (one !== undefined)
      sum.add(place, one.ceiling, one.ceiling === Infinity ? Infinity : monthOf(one));
  });
  const lines: MoneyLine[] = [];
  const line = lineWriter<JobMoment>(lines, job.address, moments);
  const name = `job ${code(job.name)}`;
  line(`${name}, workers`, ({ shape }) => shape);
  line(`${name}, a run at most`, ({ ceiling }) =>
    ceiling === Infinity ? "unlimited: it has no time-out" : `${figure(ceiling)} DPU-hours`,
  );
  line(`${name}, a run at most`, ({ ceiling, rate }) => dollars(ceiling * rate));
  line(`${name}, a month at most`, (moment) =>
    moment.ceiling === Infinity
      ? `unlimited, ${dollars(monthOf(moment)!)} if one run never ends`
      : monthText(moment, moment.ceiling * moment.rate, "runs"),
  );
  return lines;
}

const isSame = ([before, after]: readonly unknown[]): boolean =>
  before === after ||
  (typeof before === "object" &&
    typeof after === "object" &&
    JSON.stringify(before) === JSON.stringify(after));

const HOURS_OF_A_MONTH = (365.25 / 12) * 24;

/** A run without an end lasts the whole month. */
const monthOf = ({ ceiling, rate, runs, dpus }: JobMoment): number | undefined =>
  ceiling === Infinity
    ? dpus * HOURS_OF_A_MONTH * rate
    : runs === undefined
      ? undefined
      : ceiling * rate * runs;

function monthText({ runs, events }: Starts, each: number, word: string): string {
  const on = events.length === 0 ? "" : `on events of ${events.map(code).join(", ")}`;
  if (runs === undefined) return on === "" ? "no schedule seen" : `${on}: nobody knows how often`;
  return `${dollars(each * runs)} (${figure(runs)} ${word})${on === "" ? "" : `, and ${on}`}`;
}

function functionLines(change: Change, graphs: Graphs, sum: Sum): MoneyLine[] {
  const moments = (["before", "after"] as const).map((when) => functionMoment(change, graphs[when], when));
  if (isSame(moments)) return [];
  moments.forEach((one, place) => {
    if (one === UNKNOWN) sum.isPartial[place] = sum.isUnknown[place] = true;
    else if (one !== undefined) sum.add(place, 0, one.runs === undefined ? undefined : one.each * one.runs);
  });
  const lines: MoneyLine[] = [];
  const line = lineWriter<Exclude<ReturnType<typeof functionMoment>, undefined | typeof UNKNOWN>>(
    lines,
    change.address,
    moments,
  );
  const name = `function ${code(change.name)}`;
  line(`${name}, an invocation at most`, ({ each, shape }) => `${dollars(each)} (${shape})`);
  line(`${name}, a month at most`, (moment) => monthText(moment, moment.each, "invocations"));
  return lines;
}

/** The least that a crawl is billed, and a month of crawls; their duration is not known. */
function crawlerLines(crawler: Change, graphs: Graphs, sum: Sum): MoneyLine[] {
  const { dpuHour, dpus, minimumMinutes } = prices.crawler;
  const crawl = (dpuHour * dpus * minimumMinutes) / 60;
  const moments = (["before", "after"] as const).map((when) =>
    crawler[when] === undefined ? undefined : graphs[when].of(crawler),
  );
  const lines: MoneyLine[] = [];
  const line = lineWriter<Starts>(lines, crawler.address, moments);
  line(`crawler ${code(crawler.name)}, a crawl at least`, () => dollars(crawl));
  line(`crawler ${code(crawler.name)}, a month at least`, (starts) => monthText(starts, crawl, "crawls"));
  if (lines.length > 0)
    moments.forEach((one, place) => {
      if (one !== undefined) sum.add(place, 0, one.runs === undefined ? undefined : one.runs * crawl);
    });
  return lines;
}
