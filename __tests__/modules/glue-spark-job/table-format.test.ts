import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TerraformStack } from "cdktf";
import { GlueSparkJob, type GlueSparkJobProps } from "../../../modules/glue-spark-job/glue-spark-job";
import { ARTIFACTS, place, PROCESSED, RAW } from "../../support/places";
import { ACCOUNT, REGION, refusal, synth } from "../../support/synth";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-job-"));
  writeFileSync(join(folder, "clean.py"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TABLE = {
  database: "shop",
  name: "events",
  location: PROCESSED,
  writeMode: "merge",
  orderColumn: "seen_at",
} as const;
const make = (stack: TerraformStack, props: Partial<GlueSparkJobProps> = {}): GlueSparkJob =>
  new GlueSparkJob(stack, "Job", {
    name: "clean",
    script: join(folder, "clean.py"),
    artifacts: ARTIFACTS,
    inputs: [RAW],
    outputs: [PROCESSED],
    capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
    icebergTable: TABLE,
    account: ACCOUNT,
    region: REGION,
    ...props,
  });

const argumentsOf = (props?: Partial<GlueSparkJobProps>): Record<string, string> =>
  synth((stack) => make(stack, props)).at("Job/Resource").default_arguments as Record<string, string>;

test("a table of Iceberg: Glue's own arguments, and the script's", () => {
  expect(argumentsOf()).toMatchObject({
    "--datalake-formats": "iceberg",
    "--conf":
      `spark.hadoop.fs.s3a.endpoint.region=${REGION}` +
      " --conf spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions" +
      " --conf spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog" +
      " --conf spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog" +
      " --conf spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO" +
      " --conf spark.sql.catalog.glue_catalog.warehouse=s3://processed-bucket/events/",
    "--table_format": "iceberg",
    "--write_mode": "merge",
    "--order_column": "seen_at",
    "--output_database": "shop",
    "--output_table": "events",
  });
});

test("without one there is no trace of it", () => {
  const names = Object.keys(argumentsOf({ icebergTable: undefined }));
  expect(names).not.toContain("--datalake-formats");
  expect(argumentsOf({ icebergTable: undefined })["--conf"]).not.toContain("iceberg");
  expect(names).not.toContain("--write_mode");
});

test("its role may find, make and commit to this table", () => {
  const { statements } = synth((stack) => make(stack));
  const glue = `arn:aws:glue:${REGION}:${ACCOUNT}`;
  const ofDatabase = [`${glue}:catalog`, `${glue}:database/shop`];
  expect(
    statements("Job/Role/Policy/Resource").filter(({ Action }) => JSON.stringify(Action).includes("glue:")),
  ).toEqual([
    { Effect: "Allow", Action: "glue:GetDatabase", Resource: ofDatabase },
    {
      Effect: "Allow",
      Action: ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"],
      Resource: [...ofDatabase, `${glue}:table/shop/events`],
    },
  ]);
});

test.each<[string, Partial<GlueSparkJobProps>, string]>([
  [
    "an order without a merge",
    { icebergTable: { ...TABLE, writeMode: "append" } },
    "'icebergTable.orderColumn' is for writeMode merge only, got seen_at with append; leave it out",
  ],
  [
    "two appends at once",
    { icebergTable: { ...TABLE, writeMode: "append", orderColumn: undefined }, maxConcurrentRuns: 2 },
    "'maxConcurrentRuns' must be 1 for a job that appends, got 2: two runs could both append the same object; lower it to 1",
  ],
  [
    "two rebuilds at once",
    { icebergTable: { ...TABLE, writeMode: "rebuild", orderColumn: undefined }, maxConcurrentRuns: 2 },
    "'maxConcurrentRuns' must be 1 for a job that rebuilds, got 2: two runs would replace the same dates; lower it to 1",
  ],
  [
    "a place that is no output",
    { icebergTable: { ...TABLE, location: place("processed-bucket", "else/") } },
    "'icebergTable.location' must be one of 'outputs', got \"else/\": the job's role may only write there",
  ],
  [
    "arguments that are its own",
    { arguments: { write_mode: "append", "datalake-formats": "hudi" } },
    "'arguments.datalake-formats' is managed by this construct; set 'icebergTable'",
  ],
])("refused: %s", (_, props, message) => {
  expect(refusal((stack) => make(stack, props))).toContain(message);
});

test("refused: an argument of the script that the table says", () => {
  expect(refusal((stack) => make(stack, { arguments: { write_mode: "append" } }))).toBe(
    "GlueSparkJob 'etl-dev/Job': 'arguments.write_mode' is managed by this construct; set 'icebergTable'",
  );
});
