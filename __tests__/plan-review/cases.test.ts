import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readAllowances } from "../../plan-review/allowances";
import { pageOf, sectionsOf, type Sections } from "../../plan-review/page";
import { readPlan } from "../../plan-review/plan";
import { review } from "../../plan-review/review";

/** Prepared changes, each really planned, with the verdict that is wanted. */

const CASES = join(__dirname, "cases");
const TODAY = "2026-12-01";

interface Expected {
  readonly what: string;
  readonly exitCode: number;
  /** Texts that stand in each section; a section that is not named is empty. */
  readonly sections: Partial<Record<keyof Sections, readonly string[]>>;
  readonly rest?: readonly string[];
  /** Texts that no section may hold. */
  readonly absent?: readonly string[];
}

const names = readdirSync(CASES);
const read = (name: string, file: string) => readFileSync(join(CASES, name, file), "utf8");

test.each(names)("%s", (name) => {
  const expected = JSON.parse(read(name, "expected.json")) as Expected;
  const reviewed = existsSync(join(CASES, name, "reviewed.json"))
    ? readAllowances(read(name, "reviewed.json"), "reviewed.json")
    : [];
  const found = review(readPlan(read(name, "plan.json"), "plan.json"), reviewed, TODAY);
  const { rest, ...sections } = sectionsOf(found);
  const filled = Object.entries(sections).filter(([, lines]) => lines.length > 0);
  expect(Object.fromEntries(filled)).toEqual(
    Object.fromEntries(Object.keys(expected.sections).map((section) => [section, expect.anything()])),
  );
  for (const [section, lines] of filled)
    for (const text of expected.sections[section as keyof Sections] ?? [])
      expect(lines.join("\n")).toContain(text);
  for (const text of expected.rest ?? []) expect(rest).toContain(text);
  const all = Object.values(sections).flat().join("\n");
  for (const text of expected.absent ?? []) expect(all).not.toContain(text);
  expect(found.exitCode).toBe(expected.exitCode);
});

test("the worst comes first, and a page is short", () => {
  for (const name of names) {
    const page = pageOf(review(readPlan(read(name, "plan.json"), "plan.json"), [], TODAY), "");
    const titles = [...page.matchAll(/^### (.*)$/gm)].map(([, title]) => title);
    const order = [
      ...["Data", "Permissions", "Reviewed", "Pipelines", "Beside", "Not", "Encryption", "Removed"],
      ...["Schedules", "Capacity"],
    ];
    const places = titles.map((title) => order.indexOf(title!.split(/[ ,]/)[0]!));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(page.split("\n").length).toBeLessThan(60);
  }
});

test("each case is small and holds nothing of the state", () => {
  for (const name of names) {
    expect(statSync(join(CASES, name, "plan.json")).size).toBeLessThan(60_000);
    expect(read(name, "plan.json")).not.toMatch(/prior_state|planned_values/);
  }
});
