import { type Exception, type Finding, findingsOf, scanProblems } from "../../tools/scan-verdict";

const FOUND: Finding = {
  environment: "prod",
  address: "aws_s3_bucket.Lake_Raw_8A880B75",
  check: "CKV_AWS_144",
  name: "replication",
};
const REASON = "one region is what the settings ask for";
const EXCEPTION: Exception = { address: "aws_s3_bucket.Lake_*", check: "CKV_AWS_144", reason: REASON };
const STALE =
  "checkov-exceptions.json: no resource fails CKV_AWS_144 at 'aws_s3_bucket.Lake_*' now; remove the exception";

test("a finding is reported unless an exception covers its address, check and environment", () => {
  const told =
    "prod: aws_s3_bucket.Lake_Raw_8A880B75 fails CKV_AWS_144 (replication): fix it, or add an exception with a reason to checkov-exceptions.json";
  const problems = (exception: Partial<Exception>): string[] =>
    scanProblems([FOUND], [{ ...EXCEPTION, ...exception }], ["dev", "prod"]);
  expect(scanProblems([FOUND], [], ["prod"])).toEqual([told]);
  expect(problems({})).toEqual([]);
  expect(problems({ environments: ["prod"] })).toEqual([]);
  expect(problems({ environments: ["dev"] })).toEqual([told, STALE]);
  expect(problems({ address: "aws_s3_bucket.Lake" })[0]).toBe(told);
  expect(problems({ check: "CKV_AWS_145" })[0]).toBe(told);
});

test("an exception without a finding fails, unless its environments were not scanned", () => {
  expect(scanProblems([], [EXCEPTION], ["prod"])).toEqual([STALE]);
  expect(scanProblems([], [{ ...EXCEPTION, environments: ["dev"] }], ["prod"])).toEqual([]);
});

test("an exception without a reason fails", () => {
  expect(scanProblems([FOUND], [{ ...EXCEPTION, reason: "no" }], ["prod"])).toEqual([
    "checkov-exceptions.json: CKV_AWS_144 at 'aws_s3_bucket.Lake_*' needs a reason of at least 20 characters",
  ]);
});

test("a report without resources, or with a plan that was not parsed, is refused", () => {
  const empty = { passed: 0, failed: 0, parsing_errors: 0, resource_count: 0 };
  expect(() => findingsOf(JSON.stringify(empty), "dev")).toThrow(/^checkov found no plan to read for dev/);
  const unread = { results: { failed_checks: [] }, summary: { parsing_errors: 1, resource_count: 4 } };
  expect(() => findingsOf(JSON.stringify(unread), "dev")).toThrow(/no plan to read/);
});
