import { changesOf } from "../../plan-review/change";
import { metricsShown } from "../../plan-review/dashboard-metrics";
import { moneyOf, PRICED } from "../../plan-review/money";
import { readPlan } from "../../plan-review/plan";
import prices from "../../plan-review/prices.json";
import { recordedMetrics } from "../../plan-review/recorded-metrics";

/** One resource: what it was and is, what is not known, and what its configuration says. */
interface Given {
  readonly type: string;
  readonly name?: string;
  readonly before?: object;
  readonly after?: object;
  readonly unknown?: object;
  readonly expressions?: object;
}

/** The money of a plan, as `what: before → after`. */
function money(given: readonly Given[]): string[] {
  const addressed = given.map((one, index) => ({ ...one, name: one.name ?? `n${index}` }));
  const text = JSON.stringify({
    format_version: "1.2",
    resource_changes: addressed.map(({ type, name, before, after, unknown }) => ({
      ...{ address: `${type}.${name}`, mode: "managed", type, name },
      change: {
        actions: before === undefined ? ["create"] : after === undefined ? ["delete"] : ["update"],
        before: before ?? null,
        after: after ?? null,
        after_unknown: unknown ?? {},
      },
    })),
    configuration: {
      root_module: {
        resources: addressed.map(({ type, name, expressions }) => ({
          address: `${type}.${name}`,
          expressions: expressions ?? {},
        })),
      },
    },
  });
  const plan = readPlan(text, "plan");
  return moneyOf(changesOf(plan)).lines.map(({ what, before, after }) => `${what}: ${before} → ${after}`);
}

const created = (type: string, count = 1, after: object = {}): Given[] =>
  Array.from({ length: count }, () => ({ type, after }));
const alarm = (after: object = {}, count = 1) =>
  created("aws_cloudwatch_metric_alarm", count, { period: 300, ...after });
const metricQuery = (...periods: number[]) => [
  { id: "e", expression: "a + b", metric: [] },
  ...periods.map((period) => ({ id: "a", metric: [{ metric_name: "a", period }] })),
];
const body = (metrics: number) =>
  JSON.stringify({
    widgets: [{ properties: { metrics: Array.from({ length: metrics }, (_, index) => ["A", `m${index}`]) } }],
  });
const dashboard = (metrics: number, count = 1) =>
  created("aws_cloudwatch_dashboard", count, { dashboard_body: body(metrics) });
const put = (MetricData: unknown, at: object = {}) => ({
  Type: "Task",
  Resource: "arn:aws:states:::aws-sdk:cloudwatch:putMetricData",
  Parameters: { Namespace: "N", MetricData },
  ...at,
});
const records = (...names: string[]) =>
  JSON.stringify({ States: { Record: put(names.map((MetricName) => ({ MetricName }))) } });

test.each<[string, Given[], string[]]>([
  [
    "one alarm",
    alarm({ threshold_metric_id: "", metric_query: [] }),
    ["alarms, a month: $0.00 (0 metrics) → $0.00 to $0.10 (1 metrics)"],
  ],
  [
    "more alarms than are free",
    alarm({}, 12),
    ["alarms, a month: $0.00 (0 metrics) → $0.20 to $1.20 (12 metrics)"],
  ],
  [
    "an alarm on an expression of three metrics",
    alarm({ period: null, metric_query: metricQuery(60, 300, 300) }),
    ["alarms, a month: $0.00 (0 metrics) → $0.00 to $0.30 (3 metrics)"],
  ],
  [
    "an alarm on an expected range",
    alarm({ threshold_metric_id: "e", metric_query: metricQuery(300) }),
    ["alarms, a month: $0.00 (0 metrics) → $0.00 to $0.30 (3 metrics)"],
  ],
  [
    "alarms on short periods, of which none are free",
    [...alarm({ period: 10 }), ...alarm({ metric_query: metricQuery(300, 30) })],
    ["alarms on periods below a minute, a month: $0.00 (0 metrics) → $0.90 (3 metrics)"],
  ],
  [
    "composite alarms, of which none are free",
    created("aws_cloudwatch_composite_alarm", 2),
    ["composite alarms, a month: $0.00 (0) → $1.00 (2)"],
  ],
  [
    "the three dashboards that may be free",
    dashboard(50, 3),
    ["dashboards of up to 50 metrics, a month: $0.00 (0) → $0.00 to $9.00 (3)"],
  ],
  ["a fourth", dashboard(1, 4), ["dashboards of up to 50 metrics, a month: $0.00 (0) → $3.00 to $12.00 (4)"]],
  [
    "a dashboard that is never free",
    dashboard(51),
    ["dashboards of more than 50 metrics, a month: $0.00 (0) → $3.00 (1)"],
  ],
  [
    "a dashboard that grows",
    [
      {
        type: "aws_cloudwatch_dashboard",
        before: { dashboard_body: body(50) },
        after: { dashboard_body: body(51) },
      },
    ],
    [
      "dashboards of up to 50 metrics, a month: $0.00 to $3.00 (1) → $0.00 (0)",
      "dashboards of more than 50 metrics, a month: $0.00 (0) → $3.00 (1)",
    ],
  ],
  [
    "metrics that state machines record, and one of a log",
    [
      ...created("aws_sfn_state_machine", 1, { definition: records("a", "b", "a") }),
      ...created("aws_cloudwatch_log_metric_filter"),
    ],
    ["custom metrics, a month: $0.00 (0) → $0.00 to $0.90 (3)"],
  ],
  [
    "more metrics than are free, where some were",
    [
      {
        type: "aws_sfn_state_machine",
        before: { definition: records("a") },
        after: { definition: records(..."abcdefghijkl") },
      },
    ],
    ["custom metrics, a month: $0.00 to $0.30 (1) → $0.60 to $3.60 (12)"],
  ],
  [
    "a definition that is not known yet, with references in a text",
    [
      {
        type: "aws_sfn_state_machine",
        after: {},
        unknown: { definition: true },
        expressions: { definition: { constant_value: records("a", "${aws_x.y.z}") } },
      },
    ],
    ["custom metrics, a month: $0.00 (0) → $0.00 to $0.60 (2)"],
  ],
  [
    "a definition that nobody knows yet",
    [
      ...created("aws_sfn_state_machine", 1, { definition: records("a") }),
      { type: "aws_sfn_state_machine", after: {}, unknown: { definition: true } },
    ],
    ["custom metrics, a month: $0.00 (0) → at least $0.00 to $0.30 (1)"],
  ],
  [
    "keys and secrets, gone",
    [
      { type: "aws_kms_key", before: {} },
      { type: "aws_secretsmanager_secret", before: {} },
    ],
    ["KMS keys, a month: $1.00 (1) → $0.00 (0)", "secrets, a month: $0.40 (1) → $0.00 (0)"],
  ],
  ["what stays as it is", [{ type: "aws_kms_key", before: {}, after: {} }], []],
])("%s", (_what, given, lines) => {
  expect(money(given)).toEqual(lines);
});

const daily = { schedule_expression: "rate(1 day)", state: "ENABLED" };
const crawler = (after: object = {}): Given => ({
  ...{ type: "aws_glue_crawler", name: "raw" },
  after: { name: "raw", ...after },
});
/** A schedule that starts a machine that starts the crawler. */
const started = (after: object = daily): Given[] => [
  {
    type: "aws_scheduler_schedule",
    after,
    expressions: { target: [{ arn: { references: ["aws_sfn_state_machine.m.arn"] } }] },
  },
  {
    ...{ type: "aws_sfn_state_machine", name: "m", after: { definition: "{}" } },
    expressions: { definition: { references: ["aws_glue_crawler.raw.name"] } },
  },
];
const CRAWL = "crawler `raw`, a crawl at least: – → $0.15";
const month = (text: string) => `crawler \`raw\`, a month at least: ${text}`;

test.each<[string, Given[], string[]]>([
  ["a crawler that nobody starts", [crawler()], [CRAWL, month("– → no schedule seen")]],
  [
    "one with a schedule of its own",
    [crawler({ schedule: "cron(0 6 * * ? *)" })],
    [CRAWL, month("– → $4.46 (30.4 crawls)")],
  ],
  ["one that a pipeline starts", [crawler(), ...started()], [CRAWL, month("– → $4.46 (30.4 crawls)")]],
  [
    "one of both",
    [crawler({ schedule: "rate(12 hours)" }), ...started()],
    [CRAWL, month("– → $13.39 (91.3 crawls)")],
  ],
  [
    "one whose schedule is off",
    [crawler(), ...started({ ...daily, state: "DISABLED" })],
    [CRAWL, month("– → $0.00 (0 crawls)")],
  ],
  [
    "one that runs more often",
    [{ ...crawler({ schedule: "rate(1 hour)" }), before: { name: "raw", schedule: "rate(1 day)" } }],
    [month("$4.46 (30.4 crawls) → $107.14 (730.5 crawls)")],
  ],
])("%s", (_what, given, lines) => {
  expect(money(given)).toEqual(lines);
});

test.each<[string, unknown, number | undefined]>([
  ["none", "{}", 0],
  [
    "in a branch of a branch, and with values that only a run knows",
    JSON.stringify({
      States: {
        Each: { ItemProcessor: { States: { A: put([{ "MetricName.$": "$.n" }, { MetricName: "a" }]) } } },
        Both: { Branches: [{ States: { B: put([{ MetricName: "b" }]) } }] },
      },
    }),
    3,
  ],
  [
    "told apart by their dimensions",
    JSON.stringify({
      States: {
        A: put(["x", "y", "x"].map((Value) => ({ MetricName: "a", Dimensions: [{ Name: "d", Value }] }))),
      },
    }),
    2,
  ],
  [
    "of JSONata",
    JSON.stringify({
      States: {
        A: put([], {
          Parameters: undefined,
          Arguments: { Namespace: "N", MetricData: [{ MetricName: "a" }] },
        }),
      },
    }),
    1,
  ],
  ["no JSON", "{", undefined],
  ["no text", null, undefined],
])("metrics that a definition records: %s", (_what, definition, count) => {
  expect(recordedMetrics(definition)).toBe(count);
});

test.each<[string, unknown, number]>([
  [
    "shown twice",
    [
      ["A", "m"],
      ["A", "n"],
      ["A", "m", { id: "x" }],
    ],
    2,
  ],
  ["an expression", [["A", "m"], [{ expression: "m * 2" }]], 1],
  [
    "in short",
    [
      ["A", "m", "D", "1"],
      [".", "n", ".", "."],
      ["...", "2"],
      [".", "m", ".", "1"],
    ],
    3,
  ],
])("metrics of a dashboard: %s", (_what, metrics, count) => {
  expect(metricsShown(JSON.stringify({ widgets: [{ properties: { metrics } }, { type: "text" }] }))).toBe(
    count,
  );
});

test("every price has its page, and the page of a plan says what is not counted", () => {
  const { pages, month: monthly, region, asOf } = prices;
  const priced = ["glueDpuHour", "lambdaGbSecond", "crawler", "free", ...Object.keys(monthly)];
  expect(Object.keys(pages).sort()).toEqual(priced.sort());
  expect(Object.values(pages).every((page) => page.startsWith("https://aws.amazon.com/"))).toBe(true);
  expect(PRICED).toContain(`${region} as of ${asOf}`);
  expect(PRICED).toContain("Not counted: storage, requests");
});
