import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Lazy } from "cdktf";
import { GlueSparkJob, type GlueSparkJobProps } from "../../../modules/glue-spark-job/glue-spark-job";
import { renderConf, sparkConfMistakes } from "../../../modules/glue-spark-job/spark-conf";
import { ARTIFACTS, PROCESSED, RAW } from "../../support/places";
import { ACCOUNT, refusal, synth } from "../../support/synth";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-conf-"));
  writeFileSync(join(folder, "clean.py"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobProps = (props: Partial<GlueSparkJobProps>): GlueSparkJobProps => ({
  name: "clean",
  script: join(folder, "clean.py"),
  artifacts: ARTIFACTS,
  inputs: [RAW],
  outputs: [PROCESSED],
  capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
  account: ACCOUNT,
  region: "eu-west-1",
  ...props,
});
const confOf = (props: Partial<GlueSparkJobProps>): string => {
  const { at } = synth((stack) => new GlueSparkJob(stack, "Job", jobProps(props)));
  return (at("Job/Resource").default_arguments as Record<string, string>)["--conf"]!;
};

const AT = "spark.hadoop.fs.s3a.endpoint.region=";
const TABLE = { database: "shop", name: "sales", location: PROCESSED, writeMode: "append" } as const;

test.each(["eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1"])(
  "every job says its region: %s",
  (region) => {
    expect(confOf({ region })).toBe(`${AT}${region}`);
  },
);

test("the region, the table's settings and the caller's, the latter by name", () => {
  const sparkConf = { "spark.sql.shuffle.partitions": "64", "spark.acme.of": "a=b,c" };
  const conf = confOf({ icebergTable: TABLE, sparkConf }).split(" --conf ");
  expect(conf[0]).toBe(`${AT}eu-west-1`);
  expect(conf[1]).toMatch(/^spark\.sql\.extensions=org\.apache\.iceberg/);
  expect(conf.slice(-2)).toEqual(["spark.acme.of=a=b,c", "spark.sql.shuffle.partitions=64"]);
  expect(conf).toHaveLength(1 + 5 + 2);
  expect(renderConf("r", {}, { "spark.b": "1", "spark.a": "2" })).toBe(
    renderConf("r", {}, { "spark.a": "2", "spark.b": "1" }),
  );
});

test("refused, all at once", () => {
  const sparkConf = {
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.sql.catalog.glue_catalog.warehouse": "s3://x/",
    "spark.driver.extraJavaOptions": "-Da=b -Dc=d",
    "--conf spark.a": "b",
  };
  expect(refusal((stack) => new GlueSparkJob(stack, "Job", jobProps({ sparkConf })))).toBe(
    "GlueSparkJob 'etl-dev/Job': " +
      "'sparkConf.spark.hadoop.fs.s3a.endpoint.region' is managed by this construct; it is always set, from 'region'; " +
      "'sparkConf.spark.sql.catalog.glue_catalog.warehouse' is managed by this construct; set 'icebergTable'; " +
      "'sparkConf.spark.driver.extraJavaOptions' must not hold white space, got \"-Da=b -Dc=d\": Glue takes all settings as one " +
      "text and splits it there; " +
      "'sparkConf.--conf spark.a' must be the name of a Spark setting: words joined by full stops, beginning with 'spark.'",
  );
});

test.each<[string, string, string | undefined]>([
  ["spark.sql.shuffle.partitions", "64", undefined],
  ["spark.sql.catalog.glue_catalogue", "x", undefined],
  ["spark.hadoop.fs.s3a.endpoint", "https://vpce.example.com", undefined],
  ["spark.hadoop.fs.s3a.bucket.other.endpoint.region", "us-east-1", undefined],
  ["spark.sql.extensions", "x", "is managed by this construct; set 'icebergTable'"],
  ["spark.sql.catalog.glue_catalog", "x", "is managed by this construct; set 'icebergTable'"],
  ["spark.dynamicAllocation.enabled", "true", "is managed by this construct; set 'capacity'"],
  ["spark.hadoop.fs.s3a.encryption.key", "k", "is managed by this construct; set 'securityConfiguration'"],
  ["spark.master", "local", "is managed by this construct; Glue sets it"],
  ["spark.a", "", "must not be empty; leave it out"],
  [
    "fs.s3a.x",
    "y",
    "must be the name of a Spark setting: words joined by full stops, beginning with 'spark.'",
  ],
  ["spark.acme.url", "jdbc:x://me:secret1@host/db", expect.stringContaining("a password in an address")],
])("%s=%s", (name, value, mistake) => {
  const mistakes = sparkConfMistakes({ [name]: value }, () => true);
  expect(mistakes).toEqual(mistake === undefined ? [] : [[name, mistake]]);
});

test("what only Terraform can resolve is left alone", () => {
  const later = Lazy.stringValue({ produce: () => "7" });
  expect(confOf({ sparkConf: { "spark.a": later } })).toBe(`${AT}eu-west-1 --conf spark.a=7`);
});
