import { largePlan } from "../../tools/benchmarks/plan-review/large-plan";
import { type Given, reviewed, reviewedText } from "./plans";

/** The page as it is read: what must be decided on top, the rest folded, and room in a comment of GitHub. */

/** https://github.com/orgs/community/discussions/41331 */
const MOST_OF_A_COMMENT = 65_536;

describe.each(["updated", "created", "destroyed"] as const)("100 pipelines, %s", (kind) => {
  const { page, verdict, decisions } = reviewedText(largePlan(100, kind));

  test("fit into a comment", () => {
    expect(page.length).toBeLessThan(MOST_OF_A_COMMENT);
    expect(page).toMatch(/ and \d+ more|more<\/summary>/);
  });

  test("are decided in five lines", () => {
    expect(verdict).toMatch(/^\*\*(❌|⚠️|✅) /);
    expect(decisions.length).toBeLessThanOrEqual(4);
    for (const line of decisions) expect(line.length).toBeLessThan(700);
  });

  test("are grouped by pipeline", () => {
    expect(page).toContain("<details><summary>Everything by pipeline</summary>");
    expect(page).toContain("`Shop1`");
  });
});

test("the figures of many pipelines stand in the verdict", () => {
  expect(reviewedText(largePlan(3, "updated")).verdict).toBe(
    "**❌ 3 permissions widened, 3 protections weakened, higher costs; a run at most 15 → 30 DPU-hours, a month at most $205.09 → $405.98**",
  );
});

test("a deleted pipeline is one line, with what stays, and its parts are folded", () => {
  const { decisions, page, sections } = reviewedText(largePlan(1, "destroyed"));
  expect(sections.deleted).toEqual([
    expect.stringMatching(
      /^pipeline `Shop1` is deleted \(50 resources\); its data in `s3:\/\/shop-curated\/shared\/`.* stay; its log/,
    ),
  ]);
  expect(decisions[1]).toContain("**Deleted**: pipeline `Shop1` is deleted");
  const open = page.split("<details>")[0]!;
  for (const part of ["is deleted: it no longer runs", "alarm `", "Table3", "DeadLettersPolicy"])
    expect(open).not.toContain(part);
  expect(page).toContain("<summary>What goes with Shop1 (");
  // The messages of its queue are data.
  expect(sections.data).toEqual([expect.stringContaining("(`shop1-dead`)")]);
});

test("a pipeline of which something stays is not deleted", () => {
  const [job, machine]: Given[] = [
    { type: "aws_glue_job", name: "Shop_Job_0A1B2C3D", before: { name: "shop" } },
    {
      type: "aws_sfn_state_machine",
      name: "Shop_Machine_0A1B2C3D",
      before: { name: "shop" },
      after: { name: "shop" },
    },
  ];
  const { sections } = reviewed([job!, machine!]);
  expect(sections.deleted).toEqual([]);
  expect(sections.operations).toEqual([expect.stringContaining("job `shop` is deleted")]);
});

test("pipelines of modules are grouped by their module", () => {
  const of = (module: string): Given[] => [
    { type: "aws_glue_job", address: `module.${module}.aws_glue_job.j`, before: { name: module } },
    { type: "aws_iam_role", address: `module.${module}.aws_iam_role.r`, before: { name: module } },
  ];
  expect(reviewed([...of("sales"), ...of('etl["a.b"]')]).sections.deleted).toEqual([
    expect.stringContaining("pipeline `sales` is deleted (2 resources)"),
    expect.stringContaining('pipeline `etl["a.b"]` is deleted (2 resources)'),
  ]);
});

test("more kinds of findings than lines are counted in the last one", () => {
  const values = { name: "n", kms_master_key_id: "k" };
  const { decisions } = reviewed([
    { type: "aws_s3_bucket", before: { bucket: "b" } },
    { type: "aws_iam_access_key", after: { user: "ann" } },
    { type: "aws_unheard_of", after: {} },
    { type: "aws_sns_topic", before: values, after: { name: "n" } },
    { type: "aws_glue_catalog_table", before: { name: "t" } },
    { type: "aws_sfn_state_machine", before: { name: "m" }, actions: ["forget"] },
  ]);
  expect(decisions).toHaveLength(4);
  expect(decisions[3]).toBe("- **Also**: not judged (2), protection (1), removed (1)");
});

test.each([
  ["http://127.0.0.1:4566/000000000000/shop-dead", "shop-dead"],
  ["http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/shop-dead", "shop-dead"],
  ["https://localhost:34155/shop-dead", "shop-dead"],
  ["https://sqs.eu-west-1.amazonaws.com/111122223333/shop-dead", "shop-dead"],
])("the queue %s is shown as %s", (url, name) => {
  const denial = {
    Effect: "Deny",
    Principal: "*",
    Action: "sqs:*",
    Resource: "*",
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
  const { page, sections } = reviewed([
    {
      type: "aws_sqs_queue_policy",
      before: { queue_url: url, id: url, policy: JSON.stringify({ Statement: [denial] }) },
    },
  ]);
  expect(sections.weakened).toEqual([
    `requests without TLS are no longer denied by \`${name}\` (\`aws_sqs_queue_policy.n0\`)`,
  ]);
  expect(page).not.toContain("://");
});

test("a ceiling that is not known until apply is no zero", () => {
  const job = { name: "j", worker_type: "G.1X", timeout: 60, glue_version: "5.0" };
  const { verdict } = reviewed([
    {
      ...{
        type: "aws_glue_job",
        before: { ...job, number_of_workers: 2 },
        after: job,
        unknown: { number_of_workers: true },
      },
      expressions: { number_of_workers: { references: ["data.aws_x.y"] } },
    },
  ]);
  expect(verdict).toContain("a run at most 2 → not known DPU-hours");
});
