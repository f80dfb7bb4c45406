import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { questionsOf } from "../../local/questions";
import { output } from "../../local/stack-outputs";

const OUTPUTS = { processed_database: "p", curated_database: "c" };

test("a missing output is named, with the outputs that the stack has", () => {
  expect(output({ a: "1", b: "2" }, "b")).toBe("2");
  expect(() => output({ a: "1", b: "2" }, "c")).toThrow("has no output 'c'; it has a, b");
});

test("a pipeline with questions of its own is asked those", () => {
  const folder = mkdtempSync(join(tmpdir(), "etl-questions-"));
  try {
    mkdirSync(join(folder, "toys"));
    const own = { final: "select * from ${curated_database}.best_toys", next: "select 1 from ${table}" };
    writeFileSync(join(folder, "toys", "questions.json"), JSON.stringify(own));
    expect(questionsOf("toys", OUTPUTS, folder)).toEqual({
      final: "select * from c.best_toys",
      next: "select 1 from p.toys",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("sales are asked for their revenue, other pipelines for the rows of each run date", () => {
  expect(questionsOf("sales", OUTPUTS).final).toContain(
    "sum(revenue) as revenue, sum(units) as units from c.sales_revenue",
  );
  expect(questionsOf("old-toys", OUTPUTS)).toEqual({
    final: 'select run_date, count(*) as "rows" from p.old_toys group by 1 order by 1',
    next: "select * from p.old_toys limit 5",
  });
});
