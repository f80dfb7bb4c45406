import { readFileSync } from "node:fs";
import { join } from "node:path";
import { datetimePatternMistake, datetimePatterns } from "../../contracts/datetime-pattern";
import { ROOT } from "../support/clone";

/** The verdicts of Spark 3.5 and 4.1, which `glue-scripts/tests/test_datetime_patterns.py` compares with both. */
const CASES = JSON.parse(
  readFileSync(join(ROOT, "glue-scripts", "tests", "cases", "datetime-patterns.json"), "utf8"),
) as {
  readonly letters: Readonly<Record<string, readonly number[]>>;
  readonly taken: readonly string[];
  readonly refused: readonly string[];
};

test("each letter, as often as Spark takes it", () => {
  for (const [letter, counts] of Object.entries(CASES.letters))
    for (let count = 1; count <= 10; count++) {
      const pattern = `yyyy ${letter.repeat(count)}${"hK".includes(letter) ? " a" : ""}`;
      const isTaken = datetimePatternMistake(pattern) === undefined;
      expect({ pattern, isTaken }).toEqual({ pattern, isTaken: counts.includes(count) });
    }
});

test("quotes, brackets and reserved signs", () => {
  for (const pattern of CASES.taken)
    expect({ pattern, mistake: datetimePatternMistake(pattern) }).toEqual({ pattern, mistake: undefined });
  for (const pattern of CASES.refused)
    expect({ pattern, mistake: datetimePatternMistake(pattern) }).toEqual({
      pattern,
      mistake: expect.any(String) as string,
    });
});

test.each([
  ["YYYY-MM-dd", "YYYY cannot be read: y is the year (Y is that of the week)"],
  ["yyyy-MM-ddTHH:mm", "T cannot be read: write 'T' in quotes"],
  ["yyyy-MM-dd of", "o cannot be read; put words in quotes, e.g. 'at'"],
  ["yyyy-MMMMM", "MMMMM has 5 letters, and M may stand 1, 2, 3, 4 times"],
  ["yyyy'", "a quote is not closed"],
  ["yyyy]", "a bracket is closed that was not opened"],
  ["yyyy#", "# is reserved; put it in quotes"],
  ["HH:mm", "it has no year (y), so every text would be of 1970"],
  ["yyyy-MM-dd hh:mm", "h and K need a: without AM or PM the afternoon is lost"],
])("%s: %s", (pattern, mistake) => {
  expect(datetimePatternMistake(pattern)).toBe(mistake);
});

test.each([
  ["yyyy-MM-dd", [["yyyy-MM-dd", false]]],
  ["yyyy-MM-ddXXX", [["yyyy-MM-ddXXX", true]]],
  ["yyyy 'XXX'", [["yyyy 'XXX'", false]]],
  ["yyyy[.SSS]", [["yyyy[.SSS]", false]]],
  [
    "yyyy[.SSS][XXX]",
    [
      ["yyyy[.SSS]XXX", true],
      ["yyyy[.SSS]", false],
    ],
  ],
  [
    "yyyy[.SSS[XXX]]MM",
    [
      ["yyyy.SSSXXXMM", true],
      ["yyyy[.SSS]MM", false],
    ],
  ],
  [
    "yyyy[X][ VV]",
    [
      ["yyyyX VV", true],
      ["yyyyX", true],
      ["yyyy VV", true],
      ["yyyy", false],
    ],
  ],
] as const)("the variants of %s", (pattern, expected) => {
  expect(datetimePatterns(pattern).map((one) => [one.pattern, one.hasZone])).toEqual(expected);
});
