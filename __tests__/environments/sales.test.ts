import { ENVIRONMENTS } from "../../environments/registry";
import { type Block, settingsOf, type StackJson, synthEnvironment } from "../support/environment-stacks";
import { PIPELINES } from "../support/pipelines";

/** Sales, customers and products as the environments have them: one class, each with its own of everything. */

const OURS = ["sales", "customers", "products"] as const;
const STACKS = new Map(
  Object.keys(ENVIRONMENTS).map((name) => [name, synthEnvironment(settingsOf(name))] as const),
);
const dev = STACKS.get("dev")!;
const all = ({ resource }: StackJson, type: string): Block[] => Object.values(resource[type] ?? {});
const named = (stack: StackJson, type: string, name: string): Block => {
  const found = all(stack, type).filter((block) => block.name === name);
  expect([name, found.length]).toEqual([name, 1]);
  return found[0]!;
};
const statesOf = (stack: StackJson, name: string): Record<string, Block> =>
  (
    JSON.parse(named(stack, "aws_sfn_state_machine", name).definition as string) as {
      States: Record<string, Block>;
    }
  ).States;
const argumentsOf = (stack: StackJson, pipeline: string): Record<string, string> =>
  named(stack, "aws_glue_job", `etl-dev-${pipeline}-transform`).default_arguments as Record<string, string>;
const databaseOf = (zone: string): string => `\${aws_glue_catalog_database.Lake_${zone}_Database_`;

/** From the machine's beginning to its success, as nothing goes wrong. */
function way(states: Record<string, Block>): string[] {
  return Object.keys(states).filter((name) =>
    /^(AcquireLock|CrawlRaw|RunJob|CheckBooks|CrawlProcessed|CheckQuality|ReleaseLock|RecordMetrics|Notify)$/.test(
      name,
    ),
  );
}

describe.each(OURS)("%s", (pipeline) => {
  test("crawls raw inside the run and crawls nothing else: its table is declared", () => {
    expect(way(statesOf(dev, `etl-dev-${pipeline}`))).toEqual([
      "AcquireLock",
      "CrawlRaw",
      "RunJob",
      "CheckBooks",
      "CheckQuality",
      "ReleaseLock",
      "RecordMetrics",
      "Notify",
    ]);
    const crawlers = all(dev, "aws_glue_crawler").map(({ name }) => name);
    expect(crawlers.filter((name) => String(name).startsWith(`etl-dev-${pipeline}-`))).toEqual([
      `etl-dev-${pipeline}-raw`,
    ]);
  });

  test("has its own folders, plan, books and lock", () => {
    const given = argumentsOf(dev, pipeline);
    expect(given).toMatchObject({
      "--pipeline": pipeline,
      "--source_prefix": `${pipeline}/`,
      "--output_prefix": `${pipeline}/`,
      "--quarantine_prefix": `${pipeline}/`,
      "--refused_bucket": given["--quarantine_bucket"],
      "--refused_prefix": `refused/${pipeline}/`,
      "--refused_table": `${pipeline}_refused`,
      "--refused_days": "30",
      "--show_values": "false",
      "--books_prefix": `books/${pipeline}/`,
      "--output_table": pipeline,
      "--source_table": pipeline,
    });
    expect(given["--output_database"]).toContain(databaseOf("Processed"));
    expect(given["--refused_database"]).toContain(databaseOf("Quarantine"));
    expect(given["--workgroup"]).toContain("aws_athena_workgroup.");
    const keys = all(dev, "aws_s3_object").map(({ key }) => String(key));
    expect(keys.filter((key) => key.endsWith(`/${pipeline}.plan.json`))).toEqual([
      expect.stringMatching(`^${pipeline}/contracts/`),
    ]);
    const { AcquireLockTake: lock } = statesOf(dev, `etl-dev-${pipeline}`);
    expect(JSON.stringify(lock)).toContain(`"S":"${pipeline}"`);
  });

  test("its job may register the partitions of its tables, and of no others", () => {
    const policies = all(dev, "aws_iam_role_policy").filter(({ role }) =>
      String(role).includes(`${pipeline[0]!.toUpperCase()}${pipeline.slice(1)}_Transform_Role`),
    );
    expect(policies).toHaveLength(1);
    const { Statement } = JSON.parse(policies[0]!.policy as string) as {
      Statement: { Action: string | string[]; Resource: string | string[] }[];
    };
    const tables = Statement.filter(({ Action }) => [Action].flat().includes("glue:BatchCreatePartition"))
      .flatMap(({ Resource }) => [Resource].flat())
      .filter((arn) => arn.includes(":table/"))
      .map((arn) => arn.split("/").at(-1));
    expect([...new Set(tables)].sort()).toEqual(
      pipeline === "sales" ? ["sales", "sales_revenue"] : [pipeline],
    );
  });

  test("of the stack's roles its job alone has a right below its refused rows, to which nobody's quarantine leads", () => {
    const place = `refused/${pipeline}/*`;
    const policies = all(dev, "aws_iam_role_policy").filter(({ policy }) => String(policy).includes(place));
    expect(policies.map(({ role }) => String(role).toLowerCase())).toEqual([
      expect.stringContaining(`${pipeline}_transform_role`),
    ]);
    const [refused] = all(dev, "aws_glue_catalog_table").filter(({ name }) => name === `${pipeline}_refused`);
    expect(JSON.stringify(refused!.storage_descriptor)).toMatch(new RegExp(`/refused/${pipeline}/"`));
    expect(refused!.description).toBe(
      "Rejected rows of refused runs, kept 30 days, or until the date is run again; nothing was published",
    );
  });

  test.each(["dev", "staging", "prod"])(
    "in %s it starts at 06:00, off in dev, and ends within an hour",
    (environment) => {
      const stack = STACKS.get(environment)!;
      expect(named(stack, "aws_scheduler_schedule", `etl-${environment}-${pipeline}`)).toMatchObject({
        schedule_expression: "cron(0 6 * * ? *)",
        state: environment === "dev" ? "DISABLED" : "ENABLED",
      });
      expect(named(stack, "aws_glue_job", `etl-${environment}-${pipeline}-transform`)).toMatchObject({
        timeout: 60,
      });
    },
  );

  test("is in the outputs, as events are", () => {
    for (const end of ["alias_arn", "state_machine_arn", "job_name"])
      expect(dev.output[`${pipeline}_${end}`]?.value).toEqual(expect.stringContaining("${aws_"));
  });
});

test("dev has the tuning of two small workers", () => {
  for (const pipeline of OURS)
    expect(named(dev, "aws_glue_job", `etl-dev-${pipeline}-transform`)).toMatchObject({
      worker_type: "G.1X",
      number_of_workers: 2,
    });
});

describe("tables", () => {
  const tables = (stack: StackJson, zone: string): Record<string, unknown[]> =>
    Object.fromEntries(
      all(stack, "aws_glue_catalog_table")
        .filter(({ database_name: database }) => String(database).includes(databaseOf(zone)))
        .map(({ name, partition_keys: keys = [] }) => [
          String(name),
          (keys as Block[]).map((key) => key.name),
        ]),
    );

  test("are declared with the keys of their folders", () => {
    expect(tables(dev, "Processed")).toMatchObject({
      sales: ["run_date", "region"],
      customers: ["run_date"],
      products: ["run_date"],
    });
    expect(tables(dev, "Curated")).toEqual({
      sales_revenue: ["run_date"],
      mobile_daily_users: ["local_date"],
    });
    // Two tables each: the quarantine, and refused rows.
    expect(tables(dev, "Quarantine")).toEqual(
      Object.fromEntries(
        PIPELINES.map((name) => name.replaceAll("-", "_"))
          .flatMap((name) => [name, `${name}_refused`])
          .map((name) => [name, ["run_date"]]),
      ),
    );
  });

  test("that a job registers partitions of project none, which would hide what is registered", () => {
    for (const { name, parameters, database_name: database } of all(dev, "aws_glue_catalog_table"))
      if (!String(database).includes(databaseOf("Quarantine")))
        expect([name, (parameters as Block)["projection.enabled"]]).toEqual([name, undefined]);
  });

  test("crawled by setting: the table is the crawler's, and the job registers nothing there", () => {
    const settings = settingsOf("dev");
    const sales = { ...settings.pipelines.sales!, crawlProcessed: true };
    const stack = synthEnvironment({ ...settings, pipelines: { ...settings.pipelines, sales } });
    expect(way(statesOf(stack, "etl-dev-sales"))).toContain("CrawlProcessed");
    expect(named(stack, "aws_glue_crawler", "etl-dev-sales-processed")).toBeDefined();
    expect(tables(stack, "Processed")).not.toHaveProperty("sales");
    expect(tables(stack, "Processed")).toMatchObject({ customers: ["run_date"], products: ["run_date"] });
    expect(argumentsOf(stack, "sales")).not.toHaveProperty("--output_table");
    expect(argumentsOf(stack, "sales")).toMatchObject({ "--curated_table": "sales_revenue" });
  });
});

test("what is added up goes to the curated zone, of sales alone", () => {
  expect(argumentsOf(dev, "sales")).toMatchObject({
    "--curated_prefix": "sales/",
    "--curated_table": "sales_revenue",
  });
  expect(argumentsOf(dev, "sales")["--curated_database"]).toContain(databaseOf("Curated"));
  for (const pipeline of ["customers", "products", "events"])
    expect(Object.keys(argumentsOf(dev, pipeline)).filter((name) => /curated/.test(name))).toEqual([]);
});

test("no two pipelines upload to one key: what goes with one would be missed by the other", () => {
  const keys = all(dev, "aws_s3_object").map(({ bucket, key }) => `${String(bucket)} ${String(key)}`);
  expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
});

test("the project's name is a setting: none keeps another", () => {
  const stack = synthEnvironment(settingsOf("prod", { project: "shop-lake" }));
  const { resource, output } = stack;
  const text = JSON.stringify({ resource, output });
  expect(text).toContain("shop-lake-prod-sales-transform");
  expect(text).toContain("shop_lake_prod_curated");
  expect(text).not.toMatch(/etl[-_]prod/);
  const names = Object.values(resource).flatMap((blocks) =>
    Object.values(blocks).flatMap(({ name, bucket, alarm_name: alarm, dashboard_name: dashboard }) =>
      [name, bucket, alarm, dashboard].filter((one) => typeof one === "string"),
    ),
  );
  expect(names.length).toBeGreaterThan(100);
  expect(names.filter((name) => /(^|[-_])etl([-_]|$)/.test(name))).toEqual([]);
});

test.each([...STACKS.keys()])("%s has one dashboard, of all pipelines", (environment) => {
  const dashboards = all(STACKS.get(environment)!, "aws_cloudwatch_dashboard");
  expect(dashboards.map((one) => one.dashboard_name)).toEqual([`etl-${environment}`]);
  const { widgets } = JSON.parse(dashboards[0]!.dashboard_body as string) as {
    widgets: { properties: { markdown?: string } }[];
  };
  const titles = widgets.flatMap(({ properties: { markdown } }) =>
    markdown === undefined ? [] : [/^## ([\w-]+)/.exec(markdown)?.[1]],
  );
  expect(titles).toEqual([...PIPELINES, "Queries"]);
});
