import { type Change, UNKNOWN } from "./change";
import { metricsShown } from "./dashboard-metrics";
import { recordedMetrics } from "./recorded-metrics";
import { dollars, type MoneyLine, type When } from "./money-line";
import { type Values } from "./plan";
import prices from "./prices.json";

/** A kind of resource that is billed by the month. */
interface Item {
  readonly word: string;
  readonly price: number;
  /** The number that is free per account. A plan does not show whether other stacks use them up. */
  readonly free?: number;
  /** The unit of the count, if it does not count resources. */
  readonly unit?: string;
  /** The count of one resource; `undefined` if the plan does not know it. */
  readonly count: (change: Change, when: When) => number | undefined;
}

const { month, free } = prices;

const ITEMS: readonly Item[] = [
  { word: "KMS keys", price: month.kmsKey, count: each("aws_kms_key") },
  {
    word: "alarms",
    unit: "metrics",
    price: month.alarmMetric,
    free: free.alarmMetrics,
    count: alarmMetrics((seconds) => seconds >= 60),
  },
  {
    word: "alarms on periods below a minute",
    unit: "metrics",
    price: month.highResolutionAlarmMetric,
    count: alarmMetrics((seconds) => seconds < 60),
  },
  { word: "composite alarms", price: month.compositeAlarm, count: each("aws_cloudwatch_composite_alarm") },
  { word: "custom metrics", price: month.customMetric, free: free.customMetrics, count: customMetrics },
  { word: "secrets", price: month.secret, count: each("aws_secretsmanager_secret") },
  {
    word: `dashboards of up to ${free.metricsOfFreeDashboard} metrics`,
    price: month.dashboard,
    free: free.dashboards,
    count: dashboards((metrics) => metrics <= free.metricsOfFreeDashboard),
  },
  {
    word: `dashboards of more than ${free.metricsOfFreeDashboard} metrics`,
    price: month.dashboard,
    count: dashboards((metrics) => metrics > free.metricsOfFreeDashboard),
  },
];

/** Lists the monthly costs that change. */
export function monthlyLines(changes: readonly Change[]): MoneyLine[] {
  return ITEMS.flatMap((item) => {
    const [before, after] = (["before", "after"] as const).map((when) => show(item, changes, when));
    return before === after ? [] : [{ what: `${item.word}, a month`, before: before!, after: after! }];
  });
}

/** Dollars of a month without the free tier, of everything that is billed by the month. */
export const monthlySum = (changes: readonly Change[], when: When): number =>
  ITEMS.reduce(
    (sum, { price, count }) =>
      sum +
      price *
        changes
          .filter((change) => change[when] !== undefined)
          .reduce((number, change) => number + (count(change, when) ?? 0), 0),
    0,
  );

function show({ price, free = 0, unit, count }: Item, changes: readonly Change[], when: When): string {
  const counts = changes.filter((change) => change[when] !== undefined).map((change) => count(change, when));
  const known = counts.reduce<number>((sum, one) => sum + (one ?? 0), 0);
  const [least, most] = [Math.max(0, known - free), known].map((number) => dollars(number * price));
  const range = least === most ? most! : `${least} to ${most}`;
  return `${counts.includes(undefined) ? "at least " : ""}${range} (${known}${unit === undefined ? "" : ` ${unit}`})`;
}

function each(type: string): Item["count"] {
  return (change) => (change.type === type ? 1 : 0);
}

/** Counts the metrics of metric alarms; the two bounds of an expected range count as metrics. */
function alarmMetrics(isOf: (periodSeconds: number) => boolean): Item["count"] {
  return (change, when) => {
    if (change.type !== "aws_cloudwatch_metric_alarm") return 0;
    const values = change[when]!;
    const metrics = watched(values);
    const shortest = Math.min(...metrics.map(({ period }) => (typeof period === "number" ? period : 60)));
    if (!isOf(shortest)) return 0;
    return metrics.length + (isText(values.threshold_metric_id) ? 2 : 0);
  };
}

/** Providers represent an unset string as null or as an empty one. */
const isText = (value: unknown): boolean => typeof value === "string" && value !== "";

function watched(alarm: Values): Values[] {
  const queries = Array.isArray(alarm.metric_query) ? (alarm.metric_query as Values[]) : [];
  if (queries.length === 0) return [alarm];
  return queries.flatMap(({ metric }) => (Array.isArray(metric) ? (metric as Values[]) : []));
}

function dashboards(isOf: (metrics: number) => boolean): Item["count"] {
  return (change, when) => {
    if (change.type !== "aws_cloudwatch_dashboard") return 0;
    return isOf(metricsShown(change[when]!.dashboard_body)) ? 1 : 0;
  };
}

function customMetrics(change: Change, when: When): number | undefined {
  if (change.type === "aws_cloudwatch_log_metric_filter") return 1;
  if (change.type !== "aws_sfn_state_machine") return 0;
  const { definition } = change[when]!;
  return recordedMetrics(definition === UNKNOWN ? configuredText(change, "definition") : definition);
}

/** A string with references, as the configuration has it. */
function configuredText({ configured }: Change, field: string): unknown {
  return (configured?.[field] as { readonly constant_value?: unknown } | undefined)?.constant_value;
}
