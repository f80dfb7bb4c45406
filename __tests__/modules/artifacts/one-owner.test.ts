import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { App, TerraformStack, TerraformVariable } from "cdktf";
import { type Construct } from "constructs";
import { ArtifactFile, ContractPlan, DataLake, GlueSparkJob, type S3Location, Zone } from "../../../index";
import { contractFile, rulesFile } from "../../support/contracts";
import { place, PROCESSED, RAW } from "../../support/places";
import { ACCOUNT, REGION, refusal, synth } from "../../support/synth";

let folder: string;
let script: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-owner-"));
  script = join(folder, "clean.py");
  writeFileSync(script, "print(1)\n");
  mkdirSync(join(folder, "etl"));
  writeFileSync(join(folder, "etl", "__init__.py"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SHOP = place("shop-lake", "artifacts/");
const lakeIn = (scope: Construct) =>
  new DataLake(scope, "Lake", {
    namePrefix: "shop",
    databasePrefix: "shop",
    account: ACCOUNT,
    region: REGION,
  });
const job = (scope: Construct, id: string, artifacts: S3Location, modules = false) =>
  new GlueSparkJob(scope, id, {
    name: `shop-${id.toLowerCase()}`,
    script,
    ...(modules ? { modules: join(folder, "etl") } : {}),
    artifacts,
    inputs: [RAW],
    outputs: [PROCESSED],
    capacity: { kind: "fixed", workerType: "G.1X", workers: 2 },
    account: ACCOUNT,
    region: REGION,
  });
const file = (scope: Construct, id: string, artifacts: S3Location, prefix = "scripts/") =>
  new ArtifactFile(scope, id, { source: script, artifacts, prefix });
const plan = (scope: Construct, id: string, artifacts: S3Location) =>
  new ContractPlan(scope, id, {
    rulesFile: rulesFile("events"),
    contractFile: contractFile("events"),
    artifacts,
  });

/** Several stacks: the lake's and two others. */
function app(build: (lake: TerraformStack, one: TerraformStack, other: TerraformStack) => void): () => void {
  return () => {
    const outdir = mkdtempSync(join(tmpdir(), "etl-owner-app-"));
    try {
      // Validations can be skipped; this refusal cannot.
      const all = new App({ outdir, skipValidation: true });
      const stack = (name: string) => {
        const made = new TerraformStack(all, name);
        new AwsProvider(made, "Aws", { region: REGION });
        return made;
      };
      build(stack("lake"), stack("one"), stack("other"));
      all.synth();
    } finally {
      rmSync(outdir, { recursive: true, force: true });
    }
  };
}

test("two jobs of one script and one prefix: the whole message", () => {
  const message = refusal((stack) => {
    job(stack, "First", SHOP);
    job(stack, "Second", SHOP);
  });
  expect(message.replace(/[0-9a-f]{16}/, "HASH")).toBe(
    "GlueSparkJob 'etl-dev/Second': 'artifacts' must lead to a key of its own, got " +
      "s3://shop-lake/artifacts/scripts/HASH/clean.py, which GlueSparkJob 'etl-dev/First' makes already: " +
      "an S3 object belongs to one construct, and is deleted with it; give one of them another prefix in 'artifacts'",
  );
});

/** Two places that are one bucket's: a resource gives a new token whenever it is asked. */
const bucketOf = (bucket: S3Bucket, prefix = "artifacts/"): S3Location => ({
  bucketName: bucket.bucket,
  bucketArn: bucket.arn,
  prefix,
});
const bucketById = (bucket: S3Bucket): S3Location => ({ ...bucketOf(bucket), bucketName: bucket.id });

test.each<[string, number, (stack: TerraformStack) => void]>([
  ["a job's script and another file", 1, (stack) => [job(stack, "A", SHOP), file(stack, "B", SHOP)]],
  [
    "script and modules of both jobs",
    2,
    (stack) => [job(stack, "A", SHOP, true), job(stack, "B", SHOP, true)],
  ],
  ["three of one", 2, (stack) => ["A", "B", "C"].forEach((id) => file(stack, id, SHOP))],
  ["one plan twice", 1, (stack) => [plan(stack, "A", SHOP), plan(stack, "B", SHOP)]],
  [
    "a prefix that is cut elsewhere",
    1,
    (stack) => [
      file(stack, "A", place("shop-lake", ""), "artifacts/scripts/"),
      file(stack, "B", SHOP, "scripts/"),
    ],
  ],
  [
    "a zone of a lake",
    1,
    (stack) => {
      const lake = lakeIn(stack);
      for (const id of ["A", "B"]) job(stack, id, lake.location(Zone.ARTIFACTS));
    },
  ],
  [
    "the same bucket by two tokens",
    1,
    (stack) => {
      const bucket = new S3Bucket(stack, "Bucket");
      file(stack, "A", bucketOf(bucket));
      file(stack, "B", bucketOf(bucket));
    },
  ],
  [
    "the same bucket by its name and its id",
    1,
    (stack) => {
      const bucket = new S3Bucket(stack, "Bucket");
      file(stack, "A", bucketOf(bucket));
      file(stack, "B", bucketById(bucket));
    },
  ],
  [
    "the same variable",
    1,
    (stack) => {
      const name = new TerraformVariable(stack, "bucket", { type: "string" });
      for (const id of ["A", "B"]) file(stack, id, { ...SHOP, bucketName: name.stringValue });
    },
  ],
  [
    "the same variable as a part of the key",
    1,
    (stack) => {
      const name = new TerraformVariable(stack, "team", { type: "string" });
      for (const id of ["A", "B"]) file(stack, id, { ...SHOP, prefix: `${name.stringValue}/` });
    },
  ],
])("refused: %s, %d times", (_, times, build) => {
  const mistakes = refusal(build).split("\n");
  expect(mistakes).toHaveLength(times);
  for (const mistake of mistakes) expect(mistake).toContain("'artifacts' must lead to a key of its own");
});

test.each<[string, (lake: TerraformStack, one: TerraformStack, other: TerraformStack) => void]>([
  ["a name in two stacks", (_, one, other) => [job(one, "A", SHOP), job(other, "B", SHOP)]],
  [
    "a lake's zone in two other stacks",
    (stack, one, other) => {
      const lake = lakeIn(stack);
      for (const where of [one, other]) job(where, "J", lake.location(Zone.ARTIFACTS));
    },
  ],
  [
    "a lake's zone in its own stack and another",
    (stack, one) => {
      const lake = lakeIn(stack);
      for (const where of [one, stack]) job(where, "J", lake.location(Zone.ARTIFACTS));
    },
  ],
])("refused over stacks: %s", (_, build) => {
  expect(app(build)).toThrow(/'artifacts' must lead to a key of its own.* makes already/);
});

test.each<[string, (stack: TerraformStack) => void]>([
  ["another prefix", (stack) => [job(stack, "A", SHOP), job(stack, "B", place("shop-lake", "b/"))]],
  ["another bucket", (stack) => [job(stack, "A", SHOP), job(stack, "B", place("other-lake", "artifacts/"))]],
  [
    "two buckets that only Terraform names",
    (stack) => ["A", "B"].map((id) => file(stack, id, bucketOf(new S3Bucket(stack, `Bucket${id}`)))),
  ],
  [
    "one that is gone again",
    (stack) => [file(stack, "A", SHOP), stack.node.tryRemoveChild("A"), file(stack, "B", SHOP)],
  ],
])("taken: %s", (_, build) => {
  expect(synth(build).all("aws_s3_object").length).toBeGreaterThan(0);
});

test("taken over stacks: the same variable's name is another bucket in each", () => {
  const build = app((_, one, other) => {
    for (const stack of [one, other]) {
      const name = new TerraformVariable(stack, "bucket", { type: "string" });
      file(stack, "A", { ...SHOP, bucketName: name.stringValue });
    }
  });
  expect(build).not.toThrow();
});

test("an app that is synthesised twice is judged anew", () => {
  const build = app((_, one) => {
    file(one, "A", SHOP);
    for (const round of [1, 2]) expect([round, one.toTerraform()]).toHaveLength(2);
  });
  expect(build).not.toThrow();
});
