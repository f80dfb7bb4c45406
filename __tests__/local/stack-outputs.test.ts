import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { questionsOf } from "../../local/questions";
import { output, pipelinesOf, refuseUnknownPipeline } from "../../local/stack-outputs";

let stack: string;

beforeEach(() => (stack = mkdtempSync(join(tmpdir(), "etl-stack-"))));
afterEach(() => rmSync(stack, { recursive: true, force: true }));

function synthesised(...outputs: string[]): void {
  const output = Object.fromEntries(outputs.map((name) => [name, { value: "x" }]));
  writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify({ output }));
}

test("pipelines are those whose alias the stack gives out", () => {
  synthesised("toys_alias_arn", "toys_job_name", "old_toys_alias_arn", "raw_bucket", "alias_arn");
  expect(pipelinesOf(stack)).toEqual(["old_toys", "toys"]);
  expect(() => refuseUnknownPipeline(stack, "toys")).not.toThrow();
  expect(() => refuseUnknownPipeline(stack, "old")).toThrow(
    "--pipeline: there is no pipeline 'old'; there are old_toys, toys",
  );
});

test("a stack without outputs has no pipelines", () => {
  writeFileSync(join(stack, "cdk.tf.json"), "{}");
  expect(pipelinesOf(stack)).toEqual([]);
});

test("an output that is missing is named with those that there are", () => {
  expect(output({ a: "1", b: "2" }, "b")).toBe("2");
  expect(() => output({ a: "1", b: "2" }, "c")).toThrow("has no output 'c'; it has a, b");
});

test("sales are asked for their revenue, any other pipeline for its rows", () => {
  const outputs = { processed_database: "p", curated_database: "c" };
  expect(questionsOf("sales", outputs).final).toContain(
    "sum(revenue) as revenue, sum(units) as units from c.sales_revenue",
  );
  expect(questionsOf("toys", outputs)).toEqual({
    final: 'select run_date, count(*) as "rows" from p.toys group by 1 order by 1',
    next: "select * from p.toys limit 5",
  });
});
