import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import {
  ContractPipeline,
  type ContractPipelineProps,
  DatabaseExtract,
  type DatabaseExtractProps,
  EtlPlatform,
  type EtlPlatformProps,
  FileArrival,
  type FileArrivalProps,
  GlueWorkflow,
  ModelPipeline,
  type ModelPipelineProps,
  ServiceRole,
  WorkflowNode,
  WorkflowWatcher,
  type WorkflowWatcherProps,
  Zone,
} from "../../index";
import { recordFile } from "../../contracts/spark-record";
import { ROOT } from "../support/clone";
import { contractFile, rulesFile } from "../support/contracts";
import { judge, unjudged } from "../support/judged-props";
import { shopsFiles } from "../support/shops";
import { ACCOUNT, REGION } from "../support/synth";

/** Every prop of the patterns reaches what is synthesised. Those of constructs and of steps have files of their own. */

const folder = mkdtempSync(join(tmpdir(), "etl-pattern-props-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RULES = JSON.parse(readFileSync(rulesFile("sales"), "utf8")) as object;

/** The files of sales under a name by which they are found in what is synthesised, with another threshold. */
function sales(name: string, threshold: number) {
  const file = (kind: string) => join(folder, `${name}.${kind}.json`);
  copyFileSync(contractFile("sales"), file("schema"));
  copyFileSync(recordFile(contractFile("sales")), file("spark"));
  writeFileSync(file("quality"), JSON.stringify({ ...RULES, threshold }));
  return { contractFile: file("schema"), rulesFile: file("quality") };
}

const SALES = sales("sales-one", 81);
const OTHER_SALES = sales("sales-two", 82);

const platform = (stack: TerraformStack, name: string): EtlPlatform =>
  new EtlPlatform(stack, `Platform-${name}`, { name, account: ACCOUNT, region: REGION });

test("EtlPlatform", () => {
  const sets: [Required<EtlPlatformProps>, Required<EtlPlatformProps>] = [
    {
      ...{ name: "one", account: "000000000000", region: "eu-west-1", environment: "env-one" },
      ...{ retainData: false, allowDataDestruction: true },
      subscribers: {
        notifications: [{ protocol: "email", endpoint: "one@example.com" }],
        alerts: [{ protocol: "email", endpoint: "one-alert@example.com" }],
      },
      ...{ glueVersion: "6.0", logRetentionDays: 14, logExecutionData: true, showValuesInMessages: true },
      ...{ scanLimitBytes: 20_000_000, runbookUrl: "https://one.example.com/", encryptJobLogs: true },
    },
    {
      ...{ name: "two", account: "111122223333", region: "cn-north-1", environment: "env-two" },
      ...{ retainData: true, allowDataDestruction: false },
      subscribers: {
        notifications: [{ protocol: "email", endpoint: "two@example.com" }],
        alerts: [{ protocol: "email", endpoint: "two-alert@example.com" }],
      },
      ...{ glueVersion: "5.1", logRetentionDays: 30, logExecutionData: false, showValuesInMessages: false },
      ...{ scanLimitBytes: 30_000_000, runbookUrl: "https://two.example.com/", encryptJobLogs: false },
    },
  ];
  const build = (stack: TerraformStack, props: EtlPlatformProps) =>
    new ContractPipeline(stack, "Orders", {
      platform: new EtlPlatform(stack, "Platform", props),
      pipeline: "orders",
      ...SALES,
      aggregateTable: "revenue",
    });
  judge<EtlPlatformProps>("EtlPlatformProps", () => sets, build, {
    within: ["subscribers"],
    becomes: { retainData: "!prevent_destroy", encryptJobLogs: "aws_glue_security_configuration" },
  });
});

/** The shop's tables under a name by which they are found in what is synthesised. */
function extractFile(name: string, fetchSize: number): string {
  const file = join(folder, `${name}.extract.json`);
  const shop = JSON.parse(
    readFileSync(join(ROOT, "pipelines", "shop", "shop.extract.json"), "utf8"),
  ) as object;
  writeFileSync(
    file,
    JSON.stringify({ ...shop, description: name, tables: tablesOf(shop, name), fetchSize }),
  );
  return file;
}

const tablesOf = (shop: object, name: string) => {
  const { products } = (shop as { tables: { products: object } }).tables;
  return { [name]: products };
};

describe("DatabaseExtract", () => {
  const build = (stack: TerraformStack, props: DatabaseExtractProps) =>
    new DatabaseExtract(stack, "Orders", props);
  const connection = (name: string) => ({ connectionName: name, engine: "postgresql" as const });

  type Plain = Required<Omit<DatabaseExtractProps, "jobRunQueuingEnabled">>;
  const sets = (stack: TerraformStack): [Plain, Plain] => [
    {
      ...{ platform: platform(stack, "one"), pipeline: "orders", extractFile: extractFile("one_ones", 11) },
      ...{ connection: connection("database-one"), description: "One", workerType: "G.2X", maxWorkers: 3 },
      ...{ jobTimeoutMinutes: 11, executionClass: "FLEX", artifactsPrefix: "one/" },
      schedule: { cron: "cron(0 4 * * ? *)", timeZone: "Europe/Berlin", lagDays: 3, enabled: false },
      alarms: { actionsEnabled: false },
      runOverrides: { workers: 5 },
      steps: (steps) => steps.without("RecordMetrics"),
    },
    {
      ...{ platform: platform(stack, "two"), pipeline: "parcels", extractFile: extractFile("two_ones", 12) },
      ...{ connection: connection("database-two"), description: "Two", workerType: "G.1X", maxWorkers: 4 },
      ...{ jobTimeoutMinutes: 12, executionClass: "STANDARD", artifactsPrefix: "two/" },
      schedule: { cron: "cron(0 5 * * ? *)", timeZone: "Asia/Tokyo", lagDays: 4, enabled: true },
      alarms: { actionsEnabled: true },
      runOverrides: { workers: 6 },
      steps: (steps) => steps.without("Notify"),
    },
  ];

  test("its props", () => {
    judge<DatabaseExtractProps>("DatabaseExtractProps", sets, build, {
      within: ["schedule"],
      becomes: {
        extractFile: "orders_one_ones",
        connection: "database-one",
        platform: '"one-orders-extract"',
        steps: "!RecordMetrics",
      },
    });
  }, 240_000);

  test("a run that waits for room", () => {
    const queuing = (stack: TerraformStack): [DatabaseExtractProps, DatabaseExtractProps] => {
      const [one] = sets(stack);
      const shared = { ...one, executionClass: "STANDARD" as const, runOverrides: undefined };
      return [
        { ...shared, jobRunQueuingEnabled: true },
        { ...shared, jobRunQueuingEnabled: false },
      ];
    };
    judge("DatabaseExtractProps", queuing, build, { only: ["jobRunQueuingEnabled"] });
  }, 120_000);
});

/** A mart under a name by which it is found in what is synthesised. */
function martFile(name: string): string {
  const cases = join(ROOT, "glue-scripts", "tests", "cases", "marts", "products-as-of.mart.json");
  const text = readFileSync(cases, "utf8").replaceAll("products_as_of", name);
  writeFileSync(join(folder, `${name}.mart.json`), text);
  return join(folder, `${name}.mart.json`);
}

describe("ModelPipeline", () => {
  const build = (stack: TerraformStack, props: ModelPipelineProps) => new ModelPipeline(stack, "Mart", props);
  const input = (bucketName: string) => ({
    ...{ zone: Zone.PROCESSED, name: "stg_products" },
    location: { bucketName, bucketArn: `arn:aws:s3:::${bucketName}`, prefix: "any/" },
  });

  type Plain = Required<Omit<ModelPipelineProps, "jobRunQueuingEnabled">>;
  const sets = (stack: TerraformStack): [Plain, Plain] => [
    {
      ...{ platform: platform(stack, "one"), pipeline: "marts", martFile: martFile("mart_one") },
      ...{ inputTables: [input("input-one")], description: "One", workerType: "G.2X", maxWorkers: 3 },
      ...{ jobTimeoutMinutes: 11, executionClass: "FLEX", artifactsPrefix: "one/" },
      schedule: { cron: "cron(0 4 * * ? *)", timeZone: "Europe/Berlin", lagDays: 3, enabled: false },
      alarms: { actionsEnabled: false },
      runOverrides: { workers: 5 },
      steps: (steps) => steps.without("RecordMetrics"),
    },
    {
      ...{ platform: platform(stack, "two"), pipeline: "stars", martFile: martFile("mart_two") },
      ...{ inputTables: [input("input-two")], description: "Two", workerType: "G.1X", maxWorkers: 4 },
      ...{ jobTimeoutMinutes: 12, executionClass: "STANDARD", artifactsPrefix: "two/" },
      schedule: { cron: "cron(0 5 * * ? *)", timeZone: "Asia/Tokyo", lagDays: 4, enabled: true },
      alarms: { actionsEnabled: true },
      runOverrides: { workers: 6 },
      steps: (steps) => steps.without("Notify"),
    },
  ];

  test("its props", () => {
    judge<ModelPipelineProps>("ModelPipelineProps", sets, build, {
      within: ["schedule"],
      becomes: { martFile: "mart_one", platform: '"one-marts-mart"', steps: "!RecordMetrics" },
    });
  }, 240_000);

  test("a run that waits for room", () => {
    const queuing = (stack: TerraformStack): [ModelPipelineProps, ModelPipelineProps] => {
      const [one] = sets(stack);
      const shared = { ...one, executionClass: "STANDARD" as const, runOverrides: undefined };
      return [
        { ...shared, jobRunQueuingEnabled: true },
        { ...shared, jobRunQueuingEnabled: false },
      ];
    };
    judge("ModelPipelineProps", queuing, build, { only: ["jobRunQueuingEnabled"] });
  }, 120_000);
});

describe("ContractPipeline", () => {
  const build = (stack: TerraformStack, props: ContractPipelineProps) =>
    new ContractPipeline(stack, "Orders", props);

  type Plain = Required<
    Omit<
      ContractPipelineProps,
      | "tableFormat"
      | "writeMode"
      | "orderColumn"
      | "jobRunQueuingEnabled"
      | "maxConcurrentRuns"
      | "rawCrawlerNames"
      | "orchestration"
      | "triggerNames"
      | "onCrawl"
      | "models"
    >
  >;
  const plain = (stack: TerraformStack): [Plain, Plain] => [
    {
      ...{ platform: platform(stack, "one"), pipeline: "orders", ...SALES },
      ...{ description: "One", workerType: "G.2X", maxWorkers: 3, jobTimeoutMinutes: 11 },
      ...{ jobName: "job-one", processedCrawlerName: "crawl-one" },
      ...{
        executionClass: "FLEX",
        aggregateTable: "table_one",
        crawlProcessed: true,
        artifactsPrefix: "one/",
        deliveriesFolder: "in/one/",
        crawlRaw: false,
      },
      schedule: {
        ...{ cron: "cron(0 4 * * ? *)", timeZone: "Europe/Berlin", lagDays: 3, enabled: false },
        ...{ start: "2030-01-01T00:00:00Z", end: "2031-01-01T00:00:00Z" },
      },
      alarms: { actionsEnabled: false },
      crawlDeadlineMinutes: 7,
      runOverrides: { workers: 5 },
      steps: (steps) => steps.without("RecordMetrics"),
    },
    {
      ...{ platform: platform(stack, "two"), pipeline: "parcels", ...OTHER_SALES },
      ...{ description: "Two", workerType: "G.1X", maxWorkers: 4, jobTimeoutMinutes: 12 },
      ...{ jobName: "job-two", processedCrawlerName: "crawl-two" },
      ...{ executionClass: "STANDARD", aggregateTable: "table_two", crawlProcessed: false },
      ...{ artifactsPrefix: "two/", deliveriesFolder: "in/two/", crawlRaw: true },
      schedule: {
        ...{ cron: "cron(0 5 * * ? *)", timeZone: "Asia/Tokyo", lagDays: 4, enabled: true },
        ...{ start: "2030-02-01T00:00:00Z", end: "2031-02-01T00:00:00Z" },
      },
      alarms: { actionsEnabled: true },
      crawlDeadlineMinutes: 8,
      runOverrides: { workers: 6 },
      steps: (steps) => steps.without("CheckQuality"),
    },
  ];
  const BECOMES = {
    contractFile: "sales-one.plan.json",
    rulesFile: "score < 81 THEN",
    crawlProcessed: "CrawlProcessed",
    crawlDeadlineMinutes: '\\"maxPolls\\": 14',
    platform: '"one-job-one"',
    steps: "!RecordMetrics",
    crawlRaw: "!CrawlRaw",
  };

  test("with files of Parquet", () => {
    judge<ContractPipelineProps>("ContractPipelineProps", plain, build, {
      within: ["schedule"],
      becomes: BECOMES,
    });
  }, 240_000);

  test("with models", () => {
    const rides = join(ROOT, "glue-scripts", "tests", "cases", "rides");
    const sets = (stack: TerraformStack): [ContractPipelineProps, ContractPipelineProps] => {
      const files = {
        contractFile: join(rides, "rides.schema.json"),
        rulesFile: join(rides, "rides.quality.json"),
      };
      const base = { platform: platform(stack, "one"), pipeline: "rides", ...files };
      return [
        { ...base, models: [join(rides, "rides_by_city.model.json")] },
        { ...base, models: [join(rides, "longest_rides.model.json")] },
      ];
    };
    judge("ContractPipelineProps", sets, build, {
      only: ["models"],
      becomes: { models: "rides_by_city" },
    });
  }, 120_000);

  test("watched", () => {
    type Watched = Pick<ContractPipelineProps, "platform" | "pipeline" | "alarms"> & Partial<Plain>;
    const sets = (stack: TerraformStack): [Watched, Watched] => {
      const shared = platform(stack, "one");
      const schedule = { cron: "cron(0 4 * * ? *)" };
      const base = { platform: shared, pipeline: "orders", ...SALES, aggregateTable: "a", schedule };
      return [
        {
          ...base,
          alarms: {
            ...{ actionsEnabled: false, usualMinutes: 11, quarantineSharePercent: 22, minimumRows: 33 },
            missedRunGraceMinutes: 120,
          },
        },
        {
          ...base,
          alarms: {
            ...{ actionsEnabled: true, usualMinutes: 12, quarantineSharePercent: 23, minimumRows: 34 },
            missedRunGraceMinutes: 240,
          },
        },
      ];
    };
    judge(
      "ContractPipelineProps",
      sets as (stack: TerraformStack) => [ContractPipelineProps, ContractPipelineProps],
      build,
      {
        within: ["alarms"],
        only: ["alarms"],
      },
    );
  }, 120_000);

  test("by a Glue workflow", () => {
    const sets = (stack: TerraformStack): [ContractPipelineProps, ContractPipelineProps] => {
      const base = { platform: platform(stack, "one"), pipeline: "orders", ...SALES, aggregateTable: "a" };
      return [
        {
          ...base,
          orchestration: "workflow",
          triggerNames: { raw: "go", job: "work" },
          onCrawl: "succeeded",
        },
        {
          ...base,
          orchestration: "stepFunctions",
          triggerNames: { raw: "start", job: "do" },
          onCrawl: "ended",
        },
      ];
    };
    judge("ContractPipelineProps", sets, build, {
      within: ["triggerNames"],
      only: ["orchestration", "triggerNames", "onCrawl"],
      becomes: { orchestration: "aws_glue_workflow", onCrawl: "!CANCELLED" },
    });
  }, 120_000);

  test("with several sources", () => {
    const sets = (stack: TerraformStack): [ContractPipelineProps, ContractPipelineProps] => {
      const base = { platform: platform(stack, "one"), pipeline: "shops", ...shopsFiles(folder) };
      return [
        { ...base, rawCrawlerNames: { tills: "crawl-TILLS", web_shop: "crawl-WEB" } },
        { ...base, rawCrawlerNames: { tills: "other-TILLS", web_shop: "other-WEB" } },
      ];
    };
    judge("ContractPipelineProps", sets, build, { within: ["rawCrawlerNames"], only: ["rawCrawlerNames"] });
  }, 120_000);

  test("with a table of Iceberg", () => {
    const sets = (stack: TerraformStack): [ContractPipelineProps, ContractPipelineProps] => {
      const shared = platform(stack, "one");
      const customers = { contractFile: contractFile("customers"), rulesFile: rulesFile("customers") };
      const base = { platform: shared, pipeline: "orders", ...customers };
      return [
        {
          ...base,
          ...{ tableFormat: "iceberg", writeMode: "merge", orderColumn: "registered_on" },
          ...{ maxConcurrentRuns: 2, jobRunQueuingEnabled: true },
        },
        {
          ...base,
          ...{ tableFormat: "parquet", writeMode: "append", orderColumn: "run_date" },
          ...{ maxConcurrentRuns: 3, jobRunQueuingEnabled: false },
        },
      ];
    };
    const only = [
      "tableFormat",
      "writeMode",
      "orderColumn",
      "maxConcurrentRuns",
      "jobRunQueuingEnabled",
    ] as const;
    judge<ContractPipelineProps>("ContractPipelineProps", sets, build, { only });
  }, 240_000);
});

// IngestJobProps are among those of ContractPipeline.
test("WorkflowWatcher", () => {
  const workflow = (stack: TerraformStack, name: string) => {
    const made = new GlueWorkflow(stack, `Workflow-${name}`, {
      name: `workflow-${name}`,
      nodes: [WorkflowNode.runJob("Job", { jobName: `job-${name}`, timeoutMinutes: 5 })],
      triggers: [{ name: `start-${name}`, starts: ["Job"] }],
      account: ACCOUNT,
      region: REGION,
    });
    // In each case one of the two is without a watcher.
    const other = { roleName: "other", roleArn: `arn:aws:iam::${ACCOUNT}:role/other` };
    made.grantWatchRuns(ServiceRole.fromRoleAttributes(stack, `Other-${name}`, other));
    return made;
  };
  const sets = (stack: TerraformStack): [Required<WorkflowWatcherProps>, Required<WorkflowWatcherProps>] => {
    const [one, two] = [platform(stack, "one"), platform(stack, "two")];
    return [
      {
        ...{ platform: one, workflow: workflow(stack, "one"), pipeline: "pipeline-one" },
        books: one.lake.location(Zone.PROCESSED, "books-one/"),
        ...{ lateAfterMinutes: 111, runDate: { timeZone: "Europe/Berlin", lagDays: 11 } },
        ...{ everyMinutes: 7, actionsEnabled: false, tags: { team: "data" } },
      },
      {
        ...{ platform: two, workflow: workflow(stack, "two"), pipeline: "pipeline-two" },
        books: two.lake.location(Zone.PROCESSED, "books-two/"),
        ...{ lateAfterMinutes: 222, runDate: { timeZone: "Europe/Paris", lagDays: 22 } },
        ...{ everyMinutes: 8, actionsEnabled: true, tags: { team: "shop" } },
      },
    ];
  };
  const build = (stack: TerraformStack, props: WorkflowWatcherProps) =>
    new WorkflowWatcher(stack, "Watcher", props);
  judge("WorkflowWatcherProps", sets, build, {
    within: ["runDate"],
    becomes: { platform: "one-locks", workflow: "workflow-one-watcher", books: "books-one/" },
  });
});

test("FileArrival", () => {
  const sets = (stack: TerraformStack): [Required<FileArrivalProps>, Required<FileArrivalProps>] => {
    const [one, two] = [platform(stack, "one"), platform(stack, "two")];
    const pipeline = (of: EtlPlatform, name: string) =>
      new ContractPipeline(stack, name, { platform: of, pipeline: name, ...SALES, aggregateTable: name });
    return [
      {
        platform: one,
        pipelines: [{ pipeline: pipeline(one, "orders"), complete: { rule: "quiet", seconds: 61 } }],
        ...{ name: "arrival-one", lookEveryMinutes: 7, batchWindowSeconds: 17, maxReceives: 27 },
        ...{ actionsEnabled: false, tags: { team: "data" } },
      },
      {
        platform: two,
        pipelines: [{ pipeline: pipeline(two, "returns"), complete: { rule: "count", files: 62 } }],
        ...{ name: "arrival-two", lookEveryMinutes: 8, batchWindowSeconds: 18, maxReceives: 28 },
        ...{ actionsEnabled: true, tags: { team: "shop" } },
      },
    ];
  };
  const build = (stack: TerraformStack, props: FileArrivalProps) => new FileArrival(stack, "Arrival", props);
  judge("FileArrivalProps", sets, build, {
    becomes: { platform: "aws_sns_topic.Platform-one_Alerts", pipelines: "arrival-one-orders-half" },
  });
});

test("every pattern's props type has a case that names all its props", () => {
  expect(unjudged((type) => /(Platform|ContractPipeline|Watcher|Arrival)Props$/.test(type))).toEqual([]);
});
