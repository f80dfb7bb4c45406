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

const job = (more: object = {}): object => ({
  ...{
    name: "shop",
    worker_type: "G.1X",
    number_of_workers: 10,
    timeout: 60,
    max_retries: 0,
    glue_version: "5.0",
  },
  ...more,
});
const streaming = { command: [{ name: "gluestreaming" }] };
const run = (text: string) => `job \`shop\`, a run at most: ${text}`;

test.each<[string, object, object, string]>([
  ["larger workers", job(), job({ worker_type: "G.2X" }), "job `shop`, workers: 10 × G.1X → 10 × G.2X"],
  [
    "a streaming job without a time-out",
    job(streaming),
    job({ ...streaming, timeout: null }),
    run("10 DPU-hours → unlimited: it has no time-out"),
  ],
  [
    "a time-out of zero",
    job(streaming),
    job({ ...streaming, timeout: 0 }),
    run("10 DPU-hours → unlimited: it has no time-out"),
  ],
  [
    "Glue 4 without a time-out",
    job(),
    job({ glue_version: "4.0", timeout: null }),
    run("10 DPU-hours → 480 DPU-hours"),
  ],
  ["Glue 5 without a time-out", job(), job({ timeout: null }), run("10 DPU-hours → 80 DPU-hours")],
  [
    "a Python shell job",
    job(),
    { name: "shop", command: [{ name: "pythonshell" }], max_capacity: 0.0625, timeout: 480 },
    "job `shop`, workers: 10 × G.1X → Python shell, 0.0625 DPU",
  ],
  [
    "no workers at all",
    job(),
    { name: "shop", timeout: 60, glue_version: "5.0" },
    "job `shop`, workers: 10 × G.1X → 10 DPU by default",
  ],
  [
    "a worker type that nobody knows",
    job(),
    job({ worker_type: "G.99X" }),
    "job `shop`, workers: 10 × G.1X → not known",
  ],
])("a job: %s", (_what, before, after, line) => {
  expect(money([{ type: "aws_glue_job", before, after }])).toContain(line);
});

const TARGET = { references: ["aws_glue_job.j.name", "aws_glue_job.j"] };
const machineArn = "arn:aws:states:eu-west-1:111122223333:stateMachine:shop";
const machine = (more: object = {}): Given => ({
  type: "aws_sfn_state_machine",
  name: "m",
  after: {
    name: "shop-machine",
    arn: machineArn,
    definition: '{"States":{"A":{"Parameters":{"JobName":"shop"}}}}',
  },
  ...more,
});
const rule = (more: object): Given => ({
  type: "aws_cloudwatch_event_rule",
  name: "r",
  after: { name: "hourly", ...more },
});
const target: Given = {
  type: "aws_cloudwatch_event_target",
  name: "t",
  after: { rule: "hourly", arn: machineArn },
};

/** A function that a schedule starts every day, and that names the job. */
const FUNCTION_ROLE: Given = { type: "aws_iam_role", name: "f", after: { name: "shop-f" } };
const byFunction = (policies: readonly Given[]): Given[] => [
  {
    type: "aws_scheduler_schedule",
    after: { schedule_expression: "rate(1 day)" },
    expressions: { target: [{ arn: { references: ["aws_lambda_function.f.arn"] } }] },
  },
  {
    type: "aws_lambda_function",
    name: "f",
    after: {
      ...{ function_name: "f", memory_size: 512, timeout: 60 },
      role: "arn:aws:iam::111122223333:role/etl/shop-f",
      environment: [{ variables: { JOB: "shop" } }],
    },
  },
  FUNCTION_ROLE,
  ...policies,
];
const allowed = (Action: string): Given[] => [
  {
    type: "aws_iam_role_policy",
    after: {
      role: "shop-f",
      policy: JSON.stringify({ Statement: [{ Effect: "Allow", Action, Resource: "*" }] }),
    },
  },
];
const UNKNOWN_POLICY: Given[] = [
  { type: "aws_iam_role_policy", after: { role: "shop-f" }, unknown: { policy: true } },
];

test.each<[string, Given[], string]>([
  [
    "a trigger of Glue",
    [
      {
        type: "aws_glue_trigger",
        after: {
          type: "SCHEDULED",
          schedule: "cron(0/15 * * * ? *)",
          enabled: true,
          actions: [{ job_name: "shop" }],
        },
      },
    ],
    "$12856.80 (2922 runs)",
  ],
  [
    "a trigger that is off",
    [
      {
        type: "aws_glue_trigger",
        after: {
          type: "SCHEDULED",
          schedule: "rate(1 day)",
          enabled: false,
          actions: [{ job_name: "shop" }],
        },
      },
    ],
    "$0.00 (0 runs)",
  ],
  [
    "a trigger after another job",
    [
      { type: "aws_glue_job", name: "first", after: job({ name: "first" }) },
      {
        type: "aws_glue_trigger",
        name: "a",
        after: { type: "SCHEDULED", schedule: "rate(1 day)", actions: [{ job_name: "first" }] },
      },
      {
        type: "aws_glue_trigger",
        name: "b",
        after: {
          type: "CONDITIONAL",
          predicate: [{ conditions: [{ job_name: "first" }] }],
          actions: [{ job_name: "shop" }],
        },
      },
    ],
    "$133.93 (30.4 runs)",
  ],
  [
    "a rule with a target",
    [rule({ schedule_expression: "rate(1 hour)" }), target, machine()],
    "$3214.20 (730.5 runs)",
  ],
  [
    "a rule that is off",
    [rule({ schedule_expression: "rate(1 hour)", state: "DISABLED" }), target, machine()],
    "$0.00 (0 runs)",
  ],
  [
    "an event",
    [rule({ event_pattern: "{}" }), target, machine()],
    "on events of `aws_cloudwatch_event_rule.r`: nobody knows how often",
  ],
  [
    "a schedule of a version of a machine",
    [
      {
        type: "aws_scheduler_schedule",
        after: { schedule_expression: "rate(1 day)", target: [{ arn: `${machineArn}:current` }] },
      },
      machine(),
    ],
    "$133.93 (30.4 runs)",
  ],
  [
    "a machine that starts a machine",
    [
      {
        type: "aws_scheduler_schedule",
        after: {
          schedule_expression: "rate(1 day)",
          target: [{ arn: "arn:aws:states:eu-west-1:111122223333:stateMachine:parent" }],
        },
      },
      {
        type: "aws_sfn_state_machine",
        name: "p",
        after: {
          arn: "arn:aws:states:eu-west-1:111122223333:stateMachine:parent",
          definition: `{"A":"${machineArn}"}`,
        },
      },
      machine(),
    ],
    "$133.93 (30.4 runs)",
  ],
  [
    "a schedule that names it in its input",
    [
      {
        type: "aws_scheduler_schedule",
        after: {
          schedule_expression: "rate(1 day)",
          target: [{ arn: "arn:aws:scheduler:::aws-sdk:glue:startJobRun", input: '{"JobName":"shop"}' }],
        },
      },
    ],
    "$133.93 (30.4 runs)",
  ],
  [
    "a function",
    [
      {
        type: "aws_scheduler_schedule",
        after: { schedule_expression: "rate(1 day)" },
        expressions: { target: [{ arn: { references: ["aws_lambda_function.f.arn"] } }] },
      },
      {
        type: "aws_lambda_function",
        name: "f",
        after: { function_name: "f", memory_size: 512, timeout: 60 },
        expressions: { environment: [{ variables: TARGET }] },
      },
    ],
    "$133.93 (30.4 runs)",
  ],
  ["a function whose role may start it", byFunction(allowed("glue:StartJobRun")), "$133.93 (30.4 runs)"],
  ["a function whose role may everything", byFunction(allowed("glue:*")), "$133.93 (30.4 runs)"],
  ["nobody, and a function reads its runs", byFunction(allowed("glue:GetJobRun")), "no schedule seen"],
  [
    "a function whose rights are not known",
    byFunction(UNKNOWN_POLICY),
    "on events of `aws_lambda_function.f`: nobody knows how often",
  ],
  [
    "a function whose role has a policy of another stack",
    byFunction([
      {
        type: "aws_iam_role_policy_attachment",
        after: { role: "shop-f", policy_arn: "arn:aws:iam::111122223333:policy/p" },
      },
    ]),
    "on events of `aws_lambda_function.f`: nobody knows how often",
  ],
  [
    "a machine, and another one reports its runs",
    [
      rule({ event_pattern: "{}" }),
      target,
      machine({ expressions: { role_arn: { references: ["aws_iam_role.f.arn"] } } }),
      FUNCTION_ROLE,
      ...allowed("sns:Publish"),
    ],
    "no schedule seen",
  ],
  [
    "a machine that passes its name to another one",
    [
      {
        type: "aws_scheduler_schedule",
        after: { schedule_expression: "rate(1 day)", target: [{ arn: `${machineArn}-parent` }] },
      },
      {
        type: "aws_sfn_state_machine",
        name: "p",
        after: {
          arn: `${machineArn}-parent`,
          role_arn: "arn:aws:iam::111122223333:role/shop-f",
          definition: JSON.stringify({ Machine: machineArn, Input: { JobName: "shop" } }),
        },
      },
      FUNCTION_ROLE,
      ...allowed("states:StartExecution"),
      machine({
        after: {
          ...{ name: "shop-machine", arn: machineArn, definition: "{}" },
          role_arn: "arn:aws:iam::111122223333:role/shop-child",
        },
      }),
      { type: "aws_iam_role", name: "child", after: { name: "shop-child" } },
      {
        type: "aws_iam_role_policy",
        after: {
          role: "shop-child",
          policy: '{"Statement":{"Effect":"Allow","Action":"glue:StartJobRun","Resource":"*"}}',
        },
      },
    ],
    "$133.93 (30.4 runs)",
  ],
  ["nobody", [], "no schedule seen"],
])("a job that is started by %s", (_what, starters, text) => {
  const lines = money([{ type: "aws_glue_job", name: "j", after: job() }, ...starters]);
  expect(lines).toContain(`job \`shop\`, a month at most: – → ${text}`);
});

test("a deleted pipeline's month is known from what it was", () => {
  const { after: values, ...rest } = machine();
  const lines = money([
    { type: "aws_glue_job", before: job() },
    { ...rest, before: values! },
    {
      type: "aws_scheduler_schedule",
      before: { schedule_expression: "rate(1 day)", target: [{ arn: machineArn }] },
    },
  ]);
  expect(lines).toContain("job `shop`, a month at most: $133.93 (30.4 runs) → –");
});

test("references go through outputs and variables of modules", () => {
  const change = (address: string, type: string, after: object) => ({
    ...{ address, mode: "managed", type, name: "x" },
    change: { actions: ["create"], before: null, after },
  });
  const text = JSON.stringify({
    format_version: "1.2",
    resource_changes: [
      change("module.etl.aws_glue_job.s", "aws_glue_job", job()),
      change("module.clock.aws_scheduler_schedule.d[0]", "aws_scheduler_schedule", {
        schedule_expression: "rate(1 day)",
      }),
    ],
    configuration: {
      root_module: {
        module_calls: {
          etl: {
            module: {
              outputs: { job_name: { expression: { references: ["aws_glue_job.s.name"] } } },
              resources: [{ address: "aws_glue_job.s" }],
            },
          },
          clock: {
            expressions: { job: { references: ["module.etl.job_name", "module.etl"] } },
            module: {
              resources: [
                {
                  address: "aws_scheduler_schedule.d",
                  expressions: { target: [{ input: { references: ["var.job"] } }] },
                },
              ],
            },
          },
        },
      },
    },
  });
  const lines = moneyOf(changesOf(readPlan(text, "plan"))).lines.map(({ after }) => after);
  expect(lines).toContain("$133.93 (30.4 runs)");
});

test("a function has a ceiling too", () => {
  const lines = money([
    {
      type: "aws_lambda_function",
      before: { function_name: "f", memory_size: 512, timeout: 60 },
      after: { function_name: "f", memory_size: 1024, timeout: 600 },
    },
  ]);
  expect(lines).toEqual([
    "function `f`, an invocation at most: $0.001500 (512 MB × 60 s × 3) → $0.03 (1024 MB × 600 s × 3)",
  ]);
});
