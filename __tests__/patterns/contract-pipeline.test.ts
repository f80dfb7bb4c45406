import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import { ContractPipeline, type ContractPipelineProps, EtlPlatform, Step } from "../../index";
import { ROOT } from "../support/clone";
import { changedContract, contractFile, rulesFile } from "../support/contracts";
import { shopsFiles } from "../support/shops";
import { ACCOUNT, refusal, REGION, type Synthesised, synth } from "../support/synth";
import { WHOLE_CHANGES } from "../support/whole-contracts";

/** The pipeline that other repositories compose. What the four of this one synthesise, environments/ holds. */

const folder = mkdtempSync(join(tmpdir(), "etl-pipelines-"));
mkdirSync(join(folder, "orders"));
writeFileSync(join(folder, "package.json"), "{}");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Given = Partial<Omit<ContractPipelineProps, "platform">>;

/** A contract and rules of somebody's own, without aggregate. */
const OWN = { contractFile: contractFile("customers"), rulesFile: rulesFile("customers") };
/** The ones of sales have an aggregate. */
const ADDED_UP = { contractFile: contractFile("sales"), rulesFile: rulesFile("sales") };

/** Products as whole deliveries, of which every version is kept. */
function versioned(): Given {
  const changes = {
    delivery: "whole",
    order: ["unit_price", "file"],
    deletes: { provedBy: "marker", file: "_END" },
  };
  const reason = { reason: "missing_unit_price", rule: "missing", column: "unit_price" };
  const put = {
    "x-etl/changes": changes,
    required: ["product_id", "unit_price"],
    "x-etl/reasons/3": reason,
  };
  const file = join(folder, "orders", "versioned.schema.json");
  writeFileSync(file, JSON.stringify(changedContract({ of: "products", put })));
  // Without expressions, which Spark would have to judge.
  const rules = join(folder, "orders", "versioned.quality.json");
  const few = { name: "few", type: "quarantineLimit", reason: "malformed", atMost: 0.1, action: "halt" };
  writeFileSync(rules, JSON.stringify({ threshold: 0, rules: [few] }));
  return { contractFile: file, rulesFile: rules };
}
const CHANGES = { tableFormat: "iceberg", writeMode: "changes" } as const;

/** Changes of things, in files of AWS DMS. */
function ofDms(): Given {
  const file = join(folder, "orders", "dms.schema.json");
  writeFileSync(file, JSON.stringify(WHOLE_CHANGES["files of DMS"]));
  return { ...versioned(), contractFile: file };
}

const MERGED = { tableFormat: "iceberg", writeMode: "merge" } as const;

function platformIn(stack: TerraformStack): EtlPlatform {
  return new EtlPlatform(stack, "Platform", { name: "shop", account: ACCOUNT, region: REGION });
}

const build =
  (change: Given = {}) =>
  (stack: TerraformStack): ContractPipeline =>
    new ContractPipeline(stack, "Orders", {
      platform: platformIn(stack),
      pipeline: "orders",
      ...OWN,
      ...change,
    });

const pipeline = (change?: Given): Synthesised<ContractPipeline> => synth(build(change));

interface Definition {
  readonly Comment?: string;
  readonly States: Record<string, Record<string, unknown>>;
}

const definitionOf = ({ at }: Synthesised<unknown>, id = "Orders"): Definition =>
  JSON.parse(at(`${id}/Orchestrator/Resource`).definition as string) as Definition;

/** Those of the default flow that a definition has. */
function flowOf(made: Synthesised<unknown>): string[] {
  const states = Object.keys(definitionOf(made).States);
  return FLOW.filter((name) => states.some((state) => state === name || state.startsWith(name)));
}

const FLOW = [
  ...["AcquireLock", "CrawlRaw", "RunJob", "CheckBooks", "CrawlProcessed", "CheckQuality", "ReleaseLock"],
  ...["RecordMetrics", "Notify"],
];

const jobArguments = ({ at }: Synthesised<unknown>): Record<string, string> =>
  at("Orders/Default/Transform/Resource").default_arguments as Record<string, string>;

test("files of AWS DMS lie below the pipeline's folder, under schema and table, and nobody crawls them", () => {
  const { built } = pipeline({ ...ofDms(), ...CHANGES, crawlRaw: false });
  expect(built.task.sources.map(({ layout, location }) => [layout, location.prefix])).toEqual([
    ["dms", "orders/shop/things/"],
  ]);
});

test("a table of every version has a view of the present, and no declaration", () => {
  const made = pipeline({ ...versioned(), ...CHANGES });
  const { built, counts, at } = made;
  expect(jobArguments(made)["--write_mode"]).toBe("changes");
  expect(counts.aws_glue_catalog_table).toBe(3);
  const view = at("Orders/Default/CurrentView/Resource");
  expect(view).toMatchObject({ name: "orders_current", table_type: "VIRTUAL_VIEW" });
  expect(built.task.current?.resource.nameInput).toBe("orders_current");
  // A snapshot's date orders versions, and no column of it.
  const text = String(view.view_original_text);
  expect(text).toContain(
    'PARTITION BY \\"product_id\\"\\n    ORDER BY \\"run_date\\" DESC, \\"sequence\\" DESC)',
  );
  expect(text).toContain("<> 'delete'");
  const { columns } = view.storage_descriptor as { columns: { name: string; type: string }[] };
  expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    ...["product_id string", "product_name string", "category string", "unit_price decimal(10,4)"],
    ...["change string", "valid_from date", "sequence int", "loaded_at timestamp", "run_id string"],
    ...["source_file string", "row_hash string", "run_date string"],
  ]);
});

test("of a platform, a name, a contract and rules it makes everything but a schedule", () => {
  const made = pipeline();
  const { built, counts, at, all } = made;
  expect(flowOf(made)).toEqual(FLOW.filter((name) => name !== "CrawlProcessed"));
  expect(counts).toMatchObject({ aws_glue_job: 1, aws_glue_crawler: 1, aws_glue_catalog_table: 3 });
  expect(Object.keys(counts).filter((type) => /scheduler|sqs/.test(type))).toEqual([]);
  const alarms = all("aws_cloudwatch_metric_alarm");
  expect(alarms.filter(({ alarm_name: name }) => /missed|dead-letters/.test(String(name)))).toEqual([]);
  expect(alarms.filter(({ actions_enabled: enabled }) => enabled === false)).toEqual([]);
  expect(at("Orders/Default/Transform/Resource")).toMatchObject({
    ...{ name: "shop-orders-transform", worker_type: "G.1X", number_of_workers: 2, timeout: 60 },
    ...{ glue_version: "5.1", execution_class: "STANDARD" },
    description:
      "Checks, quarantines, deduplicates and rebuilds the orders of the delivery dates it is given",
  });
  expect(jobArguments(made)).toMatchObject({
    ...{ "--pipeline": "orders", "--time_zone": "UTC", "--lag_days": "1", "--source_prefix": "orders/" },
    ...{ "--refused_table": "orders_refused", "--show_values": "false", "--output_table": "orders" },
  });
  expect(at("Orders/Default/Plan/Text/Resource").key).toMatch(/^orders\/contracts\//);
  expect(at("Orders/RawCrawler/Resource")).toMatchObject({ name: "shop-orders-raw" });
  expect(at("Orders/Orchestrator/Resource")).toMatchObject({ name: "shop-orders" });
  expect(built).toMatchObject({ pipeline: "orders", schedule: undefined, processedCrawler: undefined });
  expect(built.task).toMatchObject({
    kind: "ingest",
    sources: [{ kind: "deliveries", layout: "dt", table: "orders", location: { prefix: "orders/" } }],
    table: { name: "orders", registeredBy: "declaration", writeMode: "rebuild" },
    aggregate: undefined,
    books: { prefix: "books/orders/" },
  });
});

test("hyphens of a pipeline's name are underscores of its table", () => {
  const { built, at } = pipeline({ pipeline: "late-orders" });
  expect(built.task.table).toMatchObject({ name: "late_orders", location: { prefix: "late-orders/" } });
  expect(at("Orders/Default/ProcessedTable/Resource")).toMatchObject({ name: "late_orders" });
  expect(at("Orders/Default/QuarantineTable/Resource")).toMatchObject({ name: "late_orders" });
});

test.each<[string, Given, (made: Synthesised<ContractPipeline>) => unknown, unknown]>([
  [
    "description",
    { description: "Ours" },
    ({ at }) => at("Orders/Default/Transform/Resource").description,
    "Ours",
  ],
  [
    "workerType",
    { workerType: "G.2X" },
    ({ at }) => at("Orders/Default/Transform/Resource").worker_type,
    "G.2X",
  ],
  ["maxWorkers", { maxWorkers: 7 }, ({ at }) => at("Orders/Default/Transform/Resource").number_of_workers, 7],
  [
    "jobTimeoutMinutes",
    { jobTimeoutMinutes: 9 },
    ({ at }) => at("Orders/Default/Transform/Resource").timeout,
    9,
  ],
  [
    "executionClass",
    { executionClass: "FLEX" },
    ({ at }) => at("Orders/Default/Transform/Resource").execution_class,
    "FLEX",
  ],
  [
    "jobRunQueuingEnabled",
    { jobRunQueuingEnabled: true },
    ({ at }) => at("Orders/Default/Transform/Resource").job_run_queuing_enabled,
    true,
  ],
  [
    "maxConcurrentRuns",
    { tableFormat: "iceberg", writeMode: "merge", orderColumn: "run_date", maxConcurrentRuns: 3 },
    ({ at }) => at("Orders/Default/Transform/Resource").execution_property,
    { max_concurrent_runs: 3 },
  ],
  [
    "tableFormat",
    { tableFormat: "iceberg" },
    ({ built, counts }) => [built.task.table.registeredBy, counts.aws_glue_catalog_table],
    ["iceberg", 2],
  ],
  [
    "writeMode and orderColumn",
    { tableFormat: "iceberg", writeMode: "merge", orderColumn: "run_date" },
    (made) => [jobArguments(made)["--write_mode"], jobArguments(made)["--order_column"]],
    ["merge", "run_date"],
  ],
  [
    "aggregateTable",
    { ...ADDED_UP, aggregateTable: "orders_by_day" },
    ({ built, at }) => [built.task.aggregate?.name, at("Orders/Default/CuratedTable/Resource").name],
    ["orders_by_day", "orders_by_day"],
  ],
  ["crawlProcessed", { crawlProcessed: true }, (made) => flowOf(made), FLOW],
  [
    "artifactsPrefix",
    { artifactsPrefix: "mine/" },
    ({ at }) => String(at("Orders/Default/Plan/Text/Resource").key).startsWith("mine/contracts/"),
    true,
  ],
  [
    "crawlDeadlineMinutes",
    { crawlDeadlineMinutes: 7 },
    // It polls every half minute.
    (made) =>
      (definitionOf(made).States.CrawlRaw!.Parameters as { Input: { maxPolls: number } }).Input.maxPolls,
    14,
  ],
  [
    "runOverrides",
    { runOverrides: { workers: 5 } },
    (made) => (definitionOf(made).States.RunJob!.Parameters as { NumberOfWorkers: number }).NumberOfWorkers,
    5,
  ],
  [
    "steps",
    { steps: (steps) => steps.without("CrawlRaw", "RecordMetrics") },
    (made) => flowOf(made),
    FLOW.filter((name) => !["CrawlRaw", "RecordMetrics", "CrawlProcessed"].includes(name)),
  ],
])("%s is changed from its default", (_, change, seen, wanted) => {
  expect(seen(pipeline(change))).toEqual(wanted);
});

describe("a schedule", () => {
  const schedule = { cron: "cron(0 6 * * ? *)", timeZone: "Europe/Berlin", lagDays: 2 };

  test("starts runs, in its zone, and the job reads the date in the same one", () => {
    const made = pipeline({
      schedule: { ...schedule, start: "2030-01-01T00:00:00Z", end: "2031-01-01T00:00:00Z" },
    });
    expect(made.all("aws_scheduler_schedule")).toMatchObject([
      {
        ...{ name: "shop-orders", schedule_expression: schedule.cron, state: "ENABLED" },
        ...{ schedule_expression_timezone: "Europe/Berlin", start_date: "2030-01-01T00:00:00Z" },
        end_date: "2031-01-01T00:00:00Z",
      },
    ]);
    expect(jobArguments(made)).toMatchObject({ "--time_zone": "Europe/Berlin", "--lag_days": "2" });
    expect(made.built.schedule).toBeDefined();
  });

  const names = ({ all }: Synthesised<unknown>) =>
    all("aws_cloudwatch_metric_alarm").map(({ alarm_name: name }) => String(name));

  test.each<[string, Given, boolean]>([
    ["with a grace", { schedule, alarms: { missedRunGraceMinutes: 120 } }, true],
    ["without a grace", { schedule }, false],
    [
      "that is off",
      { schedule: { ...schedule, enabled: false }, alarms: { missedRunGraceMinutes: 120 } },
      false,
    ],
    [
      "that starts one run only",
      { schedule: { ...schedule, cron: "cron(0 6 1 1 ? 2040)" }, alarms: { missedRunGraceMinutes: 120 } },
      false,
    ],
  ])("%s is watched for missed runs, or not", (_, given, isWatched) => {
    const made = names(pipeline(given));
    expect(made).toContain("shop-orders-dead-letters");
    expect(made.includes("shop-orders-missed-run")).toBe(isWatched);
  });

  test("that is missing is not watched, whatever the grace", () => {
    const { all, counts } = pipeline({ alarms: { missedRunGraceMinutes: 120 } });
    expect(counts).not.toHaveProperty("aws_scheduler_schedule");
    expect(names({ all } as Synthesised<unknown>)).not.toContain("shop-orders-missed-run");
  });
});

test("alarms have the figures that they are given", () => {
  const { all } = pipeline({
    alarms: { actionsEnabled: false, usualMinutes: 11, quarantineSharePercent: 22, minimumRows: 33 },
  });
  const alarms = all("aws_cloudwatch_metric_alarm");
  const threshold = (end: string) =>
    alarms.find(({ alarm_name: name }) => name === `shop-orders-${end}`)!.threshold;
  expect([threshold("slow"), threshold("quarantine-share"), threshold("row-count")]).toEqual([
    2 * 11 * 60_000,
    22,
    33,
  ]);
  expect(all("aws_cloudwatch_composite_alarm").map(({ actions_enabled: enabled }) => enabled)).toEqual([
    false,
    false,
  ]);
});

test("a step of somebody's own stands where it is put", () => {
  const made = pipeline({
    steps: (steps) =>
      steps.insertAfter("ReleaseLock", Step.runJob("Export", { jobName: "export", timeoutMinutes: 5 })),
  });
  const { Export: state } = definitionOf(made).States;
  expect(state).toMatchObject({ Next: "RecordMetrics", Parameters: { JobName: "export" } });
});

test("two pipelines stand on one platform, each with what is its own", () => {
  const made = synth((stack) => {
    const platform = platformIn(stack);
    new ContractPipeline(stack, "Orders", { platform, pipeline: "orders", ...OWN });
    new ContractPipeline(stack, "Sales", {
      platform,
      pipeline: "sales",
      ...ADDED_UP,
      aggregateTable: "revenue",
    });
  });
  expect(made.counts).toMatchObject({ aws_glue_job: 2, aws_dynamodb_table: 1, aws_sns_topic: 2 });
  for (const [id, name] of [
    ["Orders", "orders"],
    ["Sales", "sales"],
  ] as const) {
    expect(made.at(`${id}/Orchestrator/Resource`)).toMatchObject({ name: `shop-${name}` });
    expect(JSON.stringify(definitionOf(made, id))).toContain(`{"S":"${name}"}`);
    expect(made.at(`${id}/Default/Transform/Resource`).default_arguments).toMatchObject({
      "--source_prefix": `${name}/`,
    });
  }
});

describe("refuses, before anything is created,", () => {
  const orders = (name: string, content: string): string => {
    const file = join(folder, "orders", name);
    writeFileSync(file, content);
    return file;
  };

  test.each<[string, () => Given, string]>([
    [
      "a name in capitals",
      () => ({ pipeline: "Orders" }),
      "'pipeline' must be lower-case words of letters and digits joined by hyphens, got 'Orders'",
    ],
    [
      "the name of the place of refused rows",
      () => ({ pipeline: "late-refused" }),
      "'pipeline' must not be or end with 'refused', which names the place of refused rows, got 'late-refused'; rename it",
    ],
    [
      "a name with an underscore",
      () => ({ pipeline: "late_orders" }),
      "'pipeline' must be lower-case words of letters and digits joined by hyphens, got 'late_orders'",
    ],
    [
      "the name of the folder of books",
      () => ({ pipeline: "books" }),
      "'pipeline' must not be 'books', which names the folder of books; rename it",
    ],
    [
      "the name of the platform's machine, with days that the job refuses",
      () => ({ pipeline: "failures", schedule: { cron: "cron(0 6 * * ? *)", lagDays: 400 } }),
      "'pipeline' must not be 'failures', which names the state machine of failure messages; rename it; " +
        "'schedule.lagDays' must be a whole number from 0 to 366, got 400",
    ],
    [
      "mistakes of contract and rules together, by their file",
      () => ({
        contractFile: orders(
          "orders.schema.json",
          JSON.stringify(changedContract({ of: "customers", put: { "x-etl/lookbackDays": "seven" } })),
        ),
        rulesFile: orders("orders.quality.json", '{ "threshold": 800, "rules": [] }'),
      }),
      "orders/orders.schema.json: 'x-etl.lookbackDays' must be a whole number from 0 to 36500, got \"seven\"; " +
        "orders/orders.quality.json: 'threshold' must be a whole number from 0 to 100, got 800; " +
        "'rules' must be a list of at least one rule, got []",
    ],
    [
      "files that are not there",
      () => ({ contractFile: join(folder, "no.schema.json"), rulesFile: join(folder, "no.quality.json") }),
      "no.schema.json: file not found; create it; no.quality.json: file not found; create it",
    ],
    [
      "an aggregate without a table",
      () => ADDED_UP,
      "'aggregateTable' must be given: the contract has an aggregate, whose table needs a name",
    ],
    [
      "a table without an aggregate",
      () => ({ aggregateTable: "revenue" }),
      "'aggregateTable' must be left out: the contract has no aggregate, got 'revenue'",
    ],
    [
      "a merge with an aggregate",
      () => ({ ...ADDED_UP, aggregateTable: "revenue", ...MERGED, orderColumn: "run_date" }),
      "'writeMode' must be rebuild or append if the contract has an aggregate, got merge: a merge removes rows from dates that were already aggregated",
    ],
    [
      "a merge without an order",
      () => MERGED,
      "'orderColumn' must be given with writeMode merge, got nothing: it decides which row of a key is the latest; name a column, or run_date",
    ],
    [
      "a merge without Iceberg",
      () => ({ writeMode: "merge", orderColumn: "run_date" }),
      "'writeMode' must be rebuild with tableFormat parquet, got merge: Parquet files can only be replaced; set tableFormat to iceberg",
    ],
    [
      "a crawl of files of AWS DMS",
      () => ({ ...ofDms(), ...CHANGES }),
      "'crawlRaw' must be false with files of AWS DMS: a full load and changes may have different columns, and no folder is a date",
    ],
    [
      "every version of a contract that does not say how",
      () => CHANGES,
      "'writeMode' must not be changes without x-etl.changes in the contract: it says what a delivery holds, and the order of a key's rows",
    ],
    [
      "every version, written in another mode",
      () => versioned(),
      "'writeMode' must be changes, got rebuild: the contract has x-etl.changes, which no other mode reads",
    ],
    [
      "every version in Parquet, by two runs at once",
      () => ({ ...versioned(), writeMode: "changes", maxConcurrentRuns: 2 }),
      "'writeMode' must be rebuild with tableFormat parquet, got changes: Parquet files can only be replaced; set tableFormat to iceberg; " +
        "'maxConcurrentRuns' must be 1 for a job that writes changes, got 2: two runs would derive versions from the same history; lower it to 1",
    ],
    [
      "an order column that the contract does not have",
      () => ({ ...MERGED, orderColumn: "colour" }),
      "'orderColumn' must be run_date or a column of x-etl.output that is not a list or a map, got 'colour', which is not published",
    ],
    [
      "an order column without a merge",
      () => ({ orderColumn: "run_date" }),
      "'orderColumn' is for writeMode merge only, got run_date with rebuild; leave it out",
    ],
    [
      "runs that would replace the same folders at once",
      () => ({ maxConcurrentRuns: 2 }),
      "'maxConcurrentRuns' must be 1 for a job that rebuilds, got 2: two runs would replace the same folders; lower it to 1",
    ],
  ])("%s", (_, change, message) => {
    expect(refusal(build(change()))).toBe(`Pipeline 'etl-dev/Orders': ${message}`);
  });

  test.each<[string, () => Given, string]>([
    [
      "a job without its lock, and a lock that nobody acquired",
      () => ({ steps: (steps) => steps.without("AcquireLock") }),
      "'steps.RunJob' (runJob) needs a step of Step.acquireLock before it: the job writes only while its run holds the lock; " +
        "'steps.ReleaseLock' (releaseLock) needs a step of Step.acquireLock before it: the lock of that step is released",
    ],
    [
      "books that nobody writes",
      () => ({ steps: (steps) => steps.without("RunJob") }),
      "'steps.CheckBooks' (checkBooks) needs a step of Step.runJob or Step.invokeFunction or Step.task before it: it writes the books",
    ],
  ])("by the orchestrator: %s", (_, change, message) => {
    expect(refusal(build(change()))).toBe(`EtlOrchestrator 'etl-dev/Orders/Orchestrator': ${message}`);
  });

  test("a step that is not there", () => {
    expect(refusal(build({ steps: (steps) => steps.without("CrawlProcessed") }))).toBe(
      "Steps.without: unknown step 'CrawlProcessed'; the steps are AcquireLock, CrawlRaw, RunJob, CheckBooks, " +
        "CheckQuality, ReleaseLock, RecordMetrics, Notify",
    );
  });
});

describe("models", () => {
  const RIDES = join(ROOT, "glue-scripts", "tests", "cases", "rides");
  const files = {
    contractFile: join(RIDES, "rides.schema.json"),
    rulesFile: join(RIDES, "rides.quality.json"),
  };
  const models = [join(RIDES, "rides_by_city.model.json"), join(RIDES, "longest_rides.model.json")];

  test("are tables of the curated zone, whose partitions the job registers", () => {
    const made = pipeline({ ...files, pipeline: "rides", models });
    const given = jobArguments(made);
    for (const name of ["--models_bucket", "--models_database"]) expect(given[name]).toMatch(/curated/i);
    expect(given["--models_uri"]).toBeDefined();
    expect(made.at("Orders/Default/ModelTable-longest_rides/Resource")).toMatchObject({
      name: "longest_rides",
      description: "What the rides job recomputes by ride_date",
      partition_keys: [{ name: "ride_date", type: "date" }],
      storage_descriptor: { columns: [{ name: "minutes", type: "bigint" }] },
    });
    expect(made.built.task.models.map(({ zone, name }) => [zone, name])).toEqual([
      ["curated", "rides_by_city"],
      ["curated", "longest_rides"],
    ]);
  });

  test("do not change a pipeline that has none", () => {
    expect(Object.keys(jobArguments(pipeline())).filter((name) => name.startsWith("--models"))).toEqual([]);
  });

  test("are refused with every mistake of their files", () => {
    const at = (name: string) => join(folder, "orders", name);
    const [declared, select] = [join(RIDES, "longest_rides.model.json"), join(RIDES, "longest_rides.sql")];
    writeFileSync(at("lost.model.json"), readFileSync(declared));
    writeFileSync(at("daily.model.json"), "{");
    writeFileSync(at("daily.sql"), `insert into x ${readFileSync(select, "utf8")}`);
    const wrong = [at("lost.model.json"), at("daily.model.json"), at("gone.json"), models[1]!, models[1]!];
    const message = refusal(build({ ...files, models: wrong }));
    expect(message).toContain("orders/lost.sql: file not found; create it, with the SELECT of the model");
    expect(message).toContain("orders/daily.model.json: is not valid JSON");
    expect(message).toContain("orders/daily.sql: must begin with select or with, got 'insert'");
    expect(message).toContain("orders/gone.json: must be named <table>.model.json; file not found");
    expect(message).toContain("longest_rides.model.json: is given 2 times");
  });

  test("need files of Parquet", () => {
    expect(refusal(build({ ...OWN, ...MERGED, orderColumn: "run_date", models }))).toContain(
      "'models' must be left out with tableFormat iceberg: models read the folders of dates",
    );
  });
});

describe("several sources", () => {
  const shops = (more: Given = {}) => pipeline({ pipeline: "shop-sales", ...shopsFiles(folder), ...more });

  test("each has its place and its crawler; the crawls run at once", () => {
    const made = shops();
    const { built, at } = made;
    expect(built.task.sources).toMatchObject([
      {
        ...{ kind: "deliveries", name: "tills", layout: "dt", table: "shop_sales_tills" },
        location: { prefix: "shop-sales/in/tills/" },
      },
      {
        ...{ kind: "deliveries", name: "web_shop", layout: "epochMillis", table: "shop_sales_web_shop" },
        refusesStrangers: true,
        location: { prefix: "shop-sales/in/web-shop/" },
      },
    ]);
    expect(built.rawCrawlers).toHaveLength(2);
    const crawler = at("Orders/RawCrawlerWebShop/Resource");
    expect(crawler).toMatchObject({ name: "shop-shop-sales-raw-web_shop", table_prefix: "shop_sales_" });
    expect(JSON.stringify(crawler.s3_target)).toContain("/shop-sales/in/web-shop/");
    // The bucket is level 1.
    expect(JSON.parse(String(crawler.configuration))).toMatchObject({
      Grouping: { TableLevelConfiguration: 4 },
    });
    expect(flowOf(made)).toEqual(FLOW.filter((name) => name !== "CrawlProcessed"));
    expect(jobArguments(made)).toMatchObject({
      "--source_prefix": "shop-sales/",
      "--source_table": "shop_sales",
    });
  });

  test("quarantined and refused rows have the name of their source; an alarm reports one that is missing", () => {
    const { at, all } = shops();
    for (const id of ["QuarantineTable", "RefusedTable"])
      expect(JSON.stringify(at(`Orders/Default/${id}/Resource`).storage_descriptor)).toContain(
        "The source that delivered it",
      );
    const names = (made: Synthesised<ContractPipeline>) =>
      made.all("aws_cloudwatch_metric_alarm").map(({ alarm_name: name }) => String(name));
    expect(names({ all } as Synthesised<ContractPipeline>)).toContain("shop-shop-sales-source-missing");
    const single = pipeline();
    expect(names(single)).not.toContain("shop-orders-source-missing");
    expect(JSON.stringify(single.at("Orders/Default/QuarantineTable/Resource"))).not.toContain(
      "The source that delivered it",
    );
  });

  test("crawlers may have other names, of sources that there are", () => {
    const { at } = shops({ rawCrawlerNames: { web_shop: "segmentlogs-WEB" } });
    expect(at("Orders/RawCrawlerWebShop/Resource").name).toBe("shop-segmentlogs-WEB");
    expect(at("Orders/RawCrawlerTills/Resource").name).toBe("shop-shop-sales-raw-tills");
    expect(() => shops({ rawCrawlerNames: { web: "x" } })).toThrow(
      "'rawCrawlerNames.web' must be named like a source of the contract; its sources are tills, web_shop",
    );
    expect(() => pipeline({ rawCrawlerNames: { web: "x" } })).toThrow(
      "'rawCrawlerNames.web' must be named like a source of the contract; it declares no sources",
    );
  });
});
