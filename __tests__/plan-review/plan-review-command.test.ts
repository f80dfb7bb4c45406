import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planReviewCommand } from "../../plan-review/plan-review-command";

const folder = mkdtempSync(join(tmpdir(), "plan-review-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): { code: number; said: string } {
  let said = "";
  const code = planReviewCommand(args, (text) => (said += text), "2026-12-01");
  return { code, said };
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const planOf = (name: string) => join(__dirname, "cases", name, "plan.json");

test.each([
  ["no file", [], "give the file of a plan"],
  ["a missing file", [join(folder, "none.json")], "cannot be read (ENOENT)"],
  ["no JSON", [file("text.json", "Plan: 1 to add")], "is not valid JSON"],
  ["another JSON", [file("other.json", "{}")], "it has no format_version"],
  ["another format", [file("two.json", '{"format_version":"2.0"}')], "only 1.x is supported"],
  ["a state", [file("state.json", '{"format_version":"1.0","values":{}}')], "is a state, not a plan"],
  [
    "an incomplete plan",
    [file("half.json", '{"format_version":"1.2","errored":true,"resource_changes":[]}')],
    "an incomplete plan",
  ],
  ["a wrong entry", [planOf("moved"), "--allow", file("allow.json", '[{"action":"s3:*"}]')], "principal"],
  ["an unknown option", ["--what"], "--what"],
])("%s ends with 1 and the reason", (_what, args, reason) => {
  const { code, said } = run(...args);
  expect(said).toContain(reason);
  expect(code).toBe(1);
});

test("the page goes where it is asked for, and the exit code is the verdict's", () => {
  const output = join(folder, "page.md");
  expect(run(planOf("data-loss-and-widened"), "--output", output)).toEqual({ code: 2, said: "" });
  const [verdict] = readFileSync(output, "utf8").split("\n");
  expect(verdict).toBe("**❌ 1 loss of data, 1 permission widened**");
});

test("a page cannot be broken by what stands in a plan", () => {
  const text = readFileSync(planOf("bucket-destroyed"), "utf8").replaceAll("shop-raw", "a`b</details>");
  expect(run(file("odd.json", text)).said).toContain("(`` a`b</details> ``)");
});

test("a sensitive value is not shown", () => {
  const plan = JSON.parse(readFileSync(planOf("log-retention-shortened"), "utf8")) as {
    resource_changes: { change: Record<string, unknown> }[];
  };
  for (const { change } of plan.resource_changes)
    change.before_sensitive = change.after_sensitive = { name: true };
  const { said } = run(file("secret.json", JSON.stringify(plan)));
  expect(said).toContain("`(sensitive)`: `retention_in_days` 90 → 7");
  expect(said).not.toContain("/shop/job");
});
