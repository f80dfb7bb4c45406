import { killOf } from "../../tools/benchmarks/deployments";
import { isAstray } from "../../local/astray";

/** Errors of Terraform and of services after which Terraform's state may lack a resource that exists. */

const EXISTS = [
  "Error: Plugin did not respond",
  "The plugin process exited unexpectedly",
  "Two interrupts received. Exiting immediately. Note that data loss may have occurred.",
  "Error: Failed to save state",
  "creating KMS Alias (alias/etl-dev-lake): operation error KMS: CreateAlias, AlreadyExistsException: Alias exists",
  "EntityAlreadyExists: Role with name etl-dev-job already exists.",
  "creating S3 Bucket (etl-dev-raw): BucketAlreadyOwnedByYou",
  "ResourceAlreadyExistsException: The specified log group already exists",
  "ConflictException: State Machine Alias already exists",
];
const GUARDED = "Error: Instance cannot be destroyed";
const OTHERS = [
  "Error: Invalid reference",
  "AccessDenied: not authorized to perform: kms:CreateAlias",
  "no such host",
];

test.each(EXISTS)("%s", (output) => expect(isAstray(output, false)).toBe(true));

test.each(OTHERS)("an ordinary failure: %s", (output) => expect(isAstray(output, true)).toBe(false));

test("a guard's refusal is an ordinary failure, unless a continued apply left the resource tainted", () => {
  expect([isAstray(GUARDED, false), isAstray(GUARDED, true)]).toEqual([false, true]);
});

test("a seed determines the victim and the time, and reaches every victim", () => {
  const kills = Array.from({ length: 40 }, (_, number) => killOf(1, number));
  expect(kills).toEqual(Array.from({ length: 40 }, (_, number) => killOf(1, number)));
  expect(kills).not.toEqual(Array.from({ length: 40 }, (_, number) => killOf(2, number)));
  expect(new Set(kills.map(({ victim }) => victim)).size).toBe(4);
  expect(Math.min(...kills.map(({ seconds }) => seconds))).toBeLessThan(20);
  expect(Math.max(...kills.map(({ seconds }) => seconds))).toBeGreaterThan(90);
});
