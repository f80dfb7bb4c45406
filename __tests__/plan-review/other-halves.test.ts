import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planReviewCommand } from "../../plan-review/plan-review-command";
import { type Given, planText, reviewed } from "./plans";

/** Imports, moves, forgotten resources, actions, deferred changes, drift; and files that are not plans. */

const table = { name: "orders" };
const role = "aws_iam_role_policy";
const invocation = {
  address: "action.aws_sfn_start_execution.fill",
  type: "aws_sfn_start_execution",
  config_values: { state_machine_arn: "arn:m" },
  lifecycle_action_trigger: {
    triggering_resource_address: "aws_sfn_state_machine.m",
    action_trigger_event: "AfterUpdate",
  },
};
const put = (actions: string[]) => ({
  reason: "provider_config_unknown",
  resource_change: {
    address: "aws_dynamodb_table.d",
    mode: "managed",
    type: "aws_dynamodb_table",
    name: "d",
    change: {
      actions,
      before: actions[0] === "delete" ? table : null,
      after: actions[0] === "delete" ? null : table,
    },
  },
});
const drift = (type: string, before: object, after: object | null) => ({
  resource_drift: [
    {
      address: `${type}.d`,
      mode: "managed",
      type,
      name: "d",
      change: { actions: [after === null ? "delete" : "update"], before, after },
    },
  ],
});
const policy = (action: string) =>
  JSON.stringify({ Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] });

test.each<[string, Given[], object, string, number]>([
  [
    "a forgotten resource",
    [{ type: "aws_s3_bucket", before: { bucket: "b" }, actions: ["forget"] }],
    {},
    "is forgotten: it stays in AWS",
    0,
  ],
  [
    "an import",
    [
      {
        type: "aws_athena_workgroup",
        before: { name: "p" },
        after: { name: "p" },
        actions: ["no-op"],
        more: {
          change: { actions: ["no-op"], before: { name: "p" }, after: { name: "p" }, importing: { id: "p" } },
        },
      },
    ],
    {},
    "is imported",
    0,
  ],
  [
    "an action",
    [],
    { action_invocations: [invocation] },
    "starts a run when the plan is applied (after update of `aws_sfn_state_machine.m`)",
    0,
  ],
  [
    "a deferred action",
    [],
    { deferred_action_invocations: [{ reason: "instance_count_unknown", action_invocation: invocation }] },
    "it is deferred (instance count unknown)",
    0,
  ],
  ["a deferred creation", [], { deferred_changes: [put(["create"])] }, "created later: deferred", 0],
  ["an incomplete plan", [], { complete: false }, "the plan is not complete", 0],
  [
    "a failed check",
    [],
    { checks: [{ address: { to_display: "check.health" }, status: "fail" }] },
    "`check.health`",
    0,
  ],
  [
    "a widened policy outside",
    [],
    drift(role, { role: "r", policy: policy("s3:GetObject") }, { role: "r", policy: policy("*") }),
    "something else changed",
    0,
  ],
  [
    "a deletion outside",
    [],
    drift("aws_glue_job", { name: "j" }, null),
    "something else deleted `aws_glue_job.d`",
    0,
  ],
])("beside changes: %s", (_what, given, more, text, code) => {
  const { sections, exitCode, verdict } = reviewed(given, more);
  expect(sections.others.join("\n")).toContain(text);
  expect([exitCode, verdict.startsWith("**⚠️")]).toEqual([code, true]);
});

test("a deferred destruction of data is a loss", () => {
  const { exitCode, sections } = reviewed([], { deferred_changes: [put(["delete"])], complete: false });
  expect(sections.data).toEqual([
    expect.stringContaining("`aws_dynamodb_table.d` (`orders`) is destroyed: deferred"),
  ]);
  expect(exitCode).toBe(2);
});

test("harmless drift and moves are folded, and leave the page green", () => {
  const moved: Given = {
    type: "aws_s3_bucket",
    before: table,
    after: table,
    actions: ["no-op"],
    more: { previous_address: "aws_s3_bucket.old" },
  };
  const { verdict, sections } = reviewed(
    [moved],
    drift("aws_glue_catalog_table", { name: "t", parameters: {} }, { name: "t", parameters: { rows: "1" } }),
  );
  expect(verdict).toContain("✅");
  expect(sections.quiet).toEqual([
    "`aws_s3_bucket.n0` is moved from `aws_s3_bucket.old`",
    expect.stringContaining("something else changed `aws_glue_catalog_table.d`"),
  ]);
});

test("nothing of a forgotten pipeline is said to end", () => {
  const job = { name: "j", worker_type: "G.1X", number_of_workers: 2, timeout: 60 };
  const { sections } = reviewed([
    { type: "aws_glue_job", before: job, actions: ["forget"] },
    {
      type: "aws_scheduler_schedule",
      before: { name: "s", schedule_expression: "rate(1 day)" },
      actions: ["forget"],
    },
    { type: "aws_kms_key", before: { key_id: "k" }, actions: ["forget"] },
    { type: role, before: { role: "r", policy: policy("s3:*") }, actions: ["forget"] },
  ]);
  expect([sections.money, sections.operations, sections.narrowed, sections.data]).toEqual([[], [], [], []]);
  expect(sections.others).toHaveLength(4);
});

const folder = mkdtempSync(join(tmpdir(), "plan-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

function commandOn(bytes: Buffer | string): { code: number; said: string } {
  const file = join(folder, "plan.json");
  writeFileSync(file, bytes);
  let said = "";
  const code = planReviewCommand([file], (text) => (said += text), "2026-12-01");
  return { code, said };
}

const good = planText([{ type: "aws_s3_bucket", before: { bucket: "b" } }]);

test.each<[string, Buffer]>([
  ["UTF-8", Buffer.from(`\uFEFF${good}`)],
  ["UTF-16, as PowerShell writes it", Buffer.from(`\uFEFF${good}`, "utf16le")],
  ["UTF-16 of the other order", Buffer.from(`\uFEFF${good}`, "utf16le").swap16()],
])("a byte-order mark of %s is read over", (_what, bytes) => {
  expect(commandOn(bytes).code).toBe(2);
});

test.each<[string, string, string]>([
  ["an empty file", "", "it is empty"],
  ["a mark alone", "\uFEFF", "it is empty"],
  ["a binary plan", "PK\u0003\u0004\u0000", "terraform show -json"],
  ["a log of a plan", '{"@level":"info"}\n{"@level":"info"}', "the log that terraform plan -json prints"],
  ["a list", "[]", "holds no JSON object"],
  ["nothing", "null", "holds no JSON object"],
  ["a number for a version", '{"format_version":1.2}', "only 1.x is supported"],
  ["a version that nobody wrote", '{"format_version":"1.x"}', "only 1.x is supported"],
  [
    "a version of tomorrow with a mark",
    '\uFEFF{"format_version":"2.0","resource_changes":[]}',
    "only 1.x is supported",
  ],
  ["schemas of providers", '{"format_version":"1.0","provider_schemas":{}}', "is not a plan"],
  ["changes that are not a list", '{"format_version":"1.2","resource_changes":{}}', "resource_changes"],
  [
    "a change without an address",
    '{"format_version":"1.2","resource_changes":[{"type":"a","name":"b","change":{"actions":[]}}]}',
    "resource_changes.0.address",
  ],
  ["an action of tomorrow", good.replace('"delete"', '"explode"'), "resource_changes.0.change.actions"],
])("%s is refused in one sentence", (_what, text, reason) => {
  const { code, said } = commandOn(text);
  expect(said).toContain(reason);
  expect(said.trim().split("\n")).toEqual([expect.any(String), "(see cdktf-aws-etl plan-review --help)"]);
  expect(code).toBe(1);
});
