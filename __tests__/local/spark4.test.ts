import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needsSpark4 } from "../../local/spark4";

/** `npm start` installs the second Spark only for a stack with a job of a Glue version that has it. */

let stack: string;

beforeEach(() => {
  stack = join(mkdtempSync(join(tmpdir(), "etl-stack-")), "etl-dev");
  mkdirSync(stack);
});
afterEach(() => rmSync(join(stack, ".."), { recursive: true, force: true }));

test.each([
  ["one of the jobs is of Glue 6.0", { resource: { aws_glue_job: jobs("5.1", "6.0") } }, true],
  ["all jobs are of Glue 5.1", { resource: { aws_glue_job: jobs("5.1", "5.1") } }, false],
  ["there is no job", { resource: { aws_s3_bucket: { raw: { glue_version: "6.0" } } } }, false],
  ["there is nothing", {}, false],
])("%s", (_, synthesised, needed) => {
  writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify(synthesised));
  expect(needsSpark4(stack)).toBe(needed);
});

function jobs(...versions: readonly string[]) {
  return Object.fromEntries(versions.map((glue_version, n) => [`job_${n}`, { glue_version }]));
}
