import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ceilingLine } from "../../local/ceilings";
import { type Guard, guardsOf, guardsTable } from "../../local/guards";
import { settingsOf, type StackJson, synthEnvironment } from "../support/environment-stacks";
import { PIPELINES } from "../support/pipelines";

/** `guards` and `synth` read the stack: when a guard is removed, the table names the resource. */

const folder = join(mkdtempSync(join(tmpdir(), "etl-guards-")), "etl-prod");
const prod = synthEnvironment(settingsOf("prod"));
const RAW = Object.keys(prod.resource.aws_s3_bucket!).find((id) => id.startsWith("Lake_Raw_"))!;

function inFolder<T>(stack: unknown, look: (folder: string) => T): T {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(stack));
  return look(folder);
}

afterAll(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

function altered(alter: (stack: StackJson) => void): StackJson {
  const copy = structuredClone(prod);
  alter(copy);
  return copy;
}

/** The block of a type that belongs to the raw bucket. */
function ofRaw({ resource }: StackJson, type: string): Record<string, unknown> {
  return Object.values(resource[type]!).find((block) => String(block.bucket).includes(`.${RAW}.`))!;
}

const BUCKETS = Object.keys(prod.resource.aws_s3_bucket!).length;

test("prod has every guard everywhere", () => {
  const guards = inFolder(prod, guardsOf);
  expect(guards.filter(({ without }) => without.length > 0)).toEqual([]);
  expect(guards.filter(({ total }) => total === 0)).toEqual([]);
  expect(guards.filter(({ of }) => of === "buckets").map(({ total }) => total)).toEqual(
    Array(6).fill(BUCKETS),
  );
  const lines = guardsTable(guards).split("\n");
  expect(lines.filter((line) => line.includes(`${BUCKETS} of ${BUCKETS} buckets`))).not.toEqual([]);
  expect(lines.filter((line) => line.length > 80 || line.includes("NOT PROTECTED"))).toEqual([]);
});

const KEY = Object.keys(prod.resource.aws_kms_key!)[0]!;
const cases: readonly (readonly [string, (stack: StackJson) => void, guard: RegExp])[] = [
  ["prevent_destroy", ({ resource }) => delete resource.aws_s3_bucket![RAW]!.lifecycle, /prevent_destroy/],
  ["force_destroy", ({ resource }) => (resource.aws_s3_bucket![RAW]!.force_destroy = true), /not emptied/],
  [
    "one of four blocks",
    (stack) => (ofRaw(stack, "aws_s3_bucket_public_access_block").block_public_acls = false),
    /public/,
  ],
  ["ownership", (stack) => (ofRaw(stack, "aws_s3_bucket_ownership_controls").rule = {}), /ACLs/],
  ["TLS", (stack) => (ofRaw(stack, "aws_s3_bucket_policy").policy = "{}"), /TLS/],
  [
    "encryption",
    (stack) => (ofRaw(stack, "aws_s3_bucket_server_side_encryption_configuration").rule = []),
    /encrypted$/,
  ],
  [
    "versions",
    (stack) => (ofRaw(stack, "aws_s3_bucket_versioning").versioning_configuration = { status: "Suspended" }),
    /keeps replaced/,
  ],
];

test.each(cases)("without %s the raw bucket is named", (_what, alter, guard) => {
  const missing = inFolder(altered(alter), guardsOf).filter(({ without }) => without.length > 0);
  expect(missing).toEqual([
    expect.objectContaining({
      guard: expect.stringMatching(guard) as string,
      without: [`aws_s3_bucket.${RAW}`],
    } satisfies Partial<Guard>),
  ]);
  expect(guardsTable(missing)).toContain(`\nNOT PROTECTED aws_s3_bucket.${RAW}\n`);
});

test.each<readonly [string, (stack: StackJson) => void, string]>([
  [
    "rotation",
    ({ resource }) => (resource.aws_kms_key![KEY]!.enable_key_rotation = false),
    `aws_kms_key.${KEY}`,
  ],
  [
    "an account",
    ({ provider }) => delete (provider.aws as Record<string, unknown>[])[0]!.allowed_account_ids,
    "aws",
  ],
  [
    "a lock",
    ({ terraform }) => delete (terraform.backend as Record<string, Record<string, unknown>>).s3!.use_lockfile,
    "s3",
  ],
])("without %s something is named", (_what, alter, named) => {
  const missing = inFolder(altered(alter), guardsOf).flatMap(({ without }) => without);
  expect(missing).toEqual([named]);
});

describe("the ceiling that synth prints", () => {
  test("has the sum and the budget of the environment", () => {
    const daily = (pipeline: string) =>
      `etl-prod-${pipeline}-transform 5 workers × 1 DPU (G.1X) × 60 min / 60 = 5 DPU-hours, × 31 runs = 155 a month`;
    const [, jobs] = /^etl-prod: at most per run: (.*) \(budget 20\)$/.exec(inFolder(prod, ceilingLine)!)!;
    expect(jobs!.split("; ")).toEqual(
      expect.arrayContaining([
        daily("customers"),
        "etl-prod-events-transform 10 workers × 1 DPU (G.1X) × 60 min / 60 = 10 DPU-hours, × 31 runs = 310 a month",
        daily("products"),
        daily("sales"),
      ]),
    );
    expect(jobs!.split("; ")).toHaveLength(PIPELINES.length);
  });

  test("says when a factor is unknown before Terraform runs, and is silent for a stack without a job", () => {
    const unknown = altered(({ resource }) => {
      for (const job of Object.values(resource.aws_glue_job!)) job.number_of_workers = "${var.workers}";
    });
    expect(inFolder(unknown, ceilingLine)).toContain(
      "etl-prod-events-transform is unknown before Terraform runs",
    );
    expect(inFolder({ resource: {} }, ceilingLine)).toBeUndefined();
  });
});
