import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readPlan } from "../../plan-review/plan";
import { pageOf } from "../../plan-review/page";
import { review } from "../../plan-review/review";

/** Values that no provider writes today must not end a review with a crash. */

const CASES = join(__dirname, "cases");
const plans = readdirSync(CASES).map((name) => readFileSync(join(CASES, name, "plan.json"), "utf8"));

interface Change {
  change: { before?: unknown; after?: unknown; after_unknown?: unknown };
}

/** The places of all values within. */
function placesIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

function put(root: unknown, [first, ...rest]: readonly string[], value: unknown): void {
  const fields = root as Record<string, unknown>;
  if (first === undefined) return;
  if (rest.length === 0) fields[first] = value;
  else put(fields[first], rest, value);
}

const odd = fc.constantFrom<unknown[]>(
  null,
  "",
  0,
  -1,
  true,
  [],
  {},
  [null],
  [[]],
  [{}],
  "text",
  "{",
  '{"Statement":1}',
  '{"Statement":[{"Effect":"Allow"}]}',
);

test("whatever a value becomes, there is a verdict", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...plans),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("before", "after", "after_unknown"), odd), {
        minLength: 1,
        maxLength: 3,
      }),
      (text, mutations) => {
        const plan = JSON.parse(text) as { resource_changes: Change[] };
        for (const [at, when, value] of mutations) {
          const { change } = plan.resource_changes[at % plan.resource_changes.length] ?? { change: {} };
          const places = placesIn(change[when as "before"]).filter(({ length }) => length > 0);
          if (places.length > 0)
            put(change[when as "before"], places[at % places.length]!, structuredClone(value));
        }
        const found = review(readPlan(JSON.stringify(plan), "plan"), [], "2026-12-01");
        expect(pageOf(found, "")).toMatch(/^\*\*(✅|⚠️|❌) /);
      },
    ),
    { numRuns: 400 },
  );
});
