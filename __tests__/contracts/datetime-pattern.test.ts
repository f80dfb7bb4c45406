import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DatetimePattern,
  datePatternMistake,
  datetimePatternMistake,
  datetimePatterns,
} from "../../contracts/datetime-pattern";
import { ROOT } from "../support/clone";

/**
 * Patterns with their verdicts. `glue-scripts/tests/test_datetime_patterns.py` holds each Spark to them: it reads `letters` so many times in
 * a row and no others, reads back what it writes by `right` and `divided`, and never does by `neverFits`.
 */
const CASES = JSON.parse(
  readFileSync(join(ROOT, "glue-scripts", "tests", "cases", "datetime-patterns.json"), "utf8"),
) as {
  readonly letters: Readonly<Record<string, readonly number[]>>;
  readonly right: readonly string[];
  readonly divided: readonly { readonly pattern: string; readonly variants: readonly DatetimePattern[] }[];
  readonly neverFits: readonly { readonly pattern: string; readonly mistake: string }[];
  readonly wrong: readonly { readonly pattern: string; readonly mistake: string }[];
};

const ALPHABET = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"];

/** Runs that Spark reads and a contract may not hold, beside those of `g`. */
const REFUSED_HERE = ["y", "yyy", "yyyyy", "yyyyyy", "v", "vvvv"];

test("letters are accepted as often in a row as Spark reads them", () => {
  const runs = ALPHABET.flatMap((letter) =>
    Array.from({ length: 10 }, (_, index) => letter.repeat(index + 1)),
  );
  const beside = (run: string): string => (run.startsWith("D") ? "yyyy" : "yyyy-MM-dd HH:mm:ss");
  const accepted = runs.filter((run) => datetimePatternMistake(`${beside(run)} ${run}`) === undefined);
  const read = runs.filter((run) => CASES.letters[run[0]!]?.includes(run.length));
  expect(accepted).toEqual(read.filter((run) => !REFUSED_HERE.includes(run) && !run.startsWith("g")));
});

test.each(CASES.right)("%s is right and never says a zone", (pattern) => {
  expect(datetimePatternMistake(pattern)).toBeUndefined();
  expect(datetimePatterns(pattern)).toEqual([{ pattern, hasZone: false }]);
});

test.each(CASES.divided)("$pattern is divided by whether a text says its zone", ({ pattern, variants }) => {
  expect(datetimePatternMistake(pattern)).toBeUndefined();
  expect(datetimePatterns(pattern)).toEqual(variants);
});

test.each([...CASES.wrong, ...CASES.neverFits])("$pattern is refused", ({ pattern, mistake }) => {
  expect(datetimePatternMistake(pattern)).toBe(mistake);
});

test.each([
  ["yyyy-MM-dd", undefined],
  ["yyyy-MM-dd'T'HH:mm:ss'Z'", undefined],
  ["yyyy-MM-dd'T'HH:mm[ XXX]", "XXX reads a zone, and the date would be that of UTC: read a moment instead"],
  ["dd/MM", "it has no year: write yyyy, or yy for the years from 2000 to 2099"],
])("%s reads dates, or has a mistake", (pattern, mistake) => {
  expect(datePatternMistake(pattern)).toBe(mistake);
});
