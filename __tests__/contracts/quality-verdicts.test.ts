import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { ROOT } from "../support/clone";
import { type Case, type Conditions, judge, runOf, type Verdict, verdictsOf } from "./judged-rows";

/** The compiled query, really run: on the cases that the job's own judgement is held to, and on whatever comes. */

interface SharedCase extends Case {
  readonly name: string;
  readonly expect: Omit<Verdict, "seen">;
}

const CASES = (
  JSON.parse(readFileSync(join(ROOT, "glue-scripts", "tests", "cases", "quality.json"), "utf8")) as {
    cases: SharedCase[];
  }
).cases;

describe("the cases that the job's judgement is held to as well", () => {
  let verdicts: Verdict[];
  beforeAll(() => (verdicts = verdictsOf(CASES.map((given) => runOf(given)))));

  test.each(CASES.map((given, index) => [given.name, given, index] as const))("%s", (_, given, index) => {
    const { verdict, score, failed } = given.expect;
    expect(verdicts[index]).toEqual({ seen: given.rows.length, verdict, score, failed });
  });
});

const COLUMNS = { country: "string", n: "bigint", moment: "timestamp" };
const TEXTS = ["France", "it's", 'say "x"', "a\\b", "", " ", "${x}", "%{if}", "Österreich", "?", "-- no"];
const CONDITIONS: Conditions = {
  "n > 0": ({ n }) => (n === null ? null : Number(n) > 0),
  "country = '${x}' or n < 0": ({ country, n }) =>
    country === "${x}" || (n !== null && Number(n) < 0) || (country === null || n === null ? null : false),
  "moment >= timestamp '2010-12-03 12:00:00'": ({ moment }) =>
    moment === null ? null : String(moment) >= "2010-12-03T12:00:00.000Z",
};

const orNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 4 });
const row = fc.tuple(
  orNull(fc.constantFrom(...TEXTS)),
  orNull(fc.integer({ min: -2, max: 2 })),
  orNull(
    fc
      .date({
        min: new Date("2010-12-02T00:00:00Z"),
        max: new Date("2010-12-04T12:00:00Z"),
        noInvalidDate: true,
      })
      .map((moment) => moment.toISOString()),
  ),
);
/** Simple ones often, so that they meet the rows' own shares. */
const shareOf = fc.oneof(
  fc.constantFrom(0, 0.25, 1 / 2, 0.75, 1),
  fc.integer({ min: 0, max: 1e6 }).map((n) => n / 1e6),
);
const column = fc.constantFrom("country", "n", "moment");
const action = fc.constantFrom("warn", "warn", "halt");
const rule: fc.Arbitrary<object> = fc
  .oneof(
    fc.record({ type: fc.constant("completeness"), column, atLeast: shareOf, action }),
    fc.record({ type: fc.constant("completeness"), column, action: fc.constant("quarantine") }),
    fc.record({
      type: fc.constant("uniqueness"),
      columns: fc.uniqueArray(column, { minLength: 1 }),
      atLeast: shareOf,
      action,
    }),
    fc.record({
      type: fc.constant("allowedValues"),
      column: fc.constant("country"),
      values: fc.uniqueArray(fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: "grapheme-ascii" })), {
        minLength: 1,
      }),
      atLeast: shareOf,
      action,
    }),
    fc.record({
      type: fc.constant("customSql"),
      expression: fc.constantFrom(...Object.keys(CONDITIONS)),
      atLeast: shareOf,
      action,
    }),
    fc.record({
      type: fc.constant("rowCount"),
      atLeast: fc.nat(4),
      atMost: fc.integer({ min: 4, max: 8 }),
      action,
    }),
    fc.record({
      type: fc.constant("freshness"),
      column: fc.constant("moment"),
      atMostHours: fc.nat(48),
      action,
    }),
    fc.record({
      type: fc.constant("quarantineLimit"),
      reason: fc.constantFrom("malformed", "wrong_type"),
      atMost: shareOf,
      action,
    }),
  )
  .chain((whole) =>
    fc
      .option(fc.integer({ min: 1, max: 100 }), { nil: undefined })
      .map((weight) => (weight ? { ...whole, weight } : whole)),
  );
const given: fc.Arbitrary<Case> = fc.record({
  columns: fc.constant(COLUMNS),
  rows: fc.array(row, { maxLength: 8 }),
  read: fc.nat(20),
  quarantined: fc.record({ malformed: fc.nat(4), wrong_type: fc.nat(4) }),
  toDate: fc.constant("2010-12-03"),
  reasons: fc.constant(["malformed", "wrong_type"]),
  quality: fc.record({
    threshold: fc.nat(100),
    rules: fc
      .array(rule, { minLength: 1, maxLength: 6 })
      .map((rules) => rules.map((some, index) => ({ name: `rule_${index}`, ...some }))),
  }),
});

/** The same rules, of which none fails a run but by a quarantine. */
const mild = (one: Case): Case => ({
  ...one,
  quality: {
    threshold: 0,
    rules: one.quality.rules.map((some) =>
      "action" in some && some.action === "quarantine" ? some : { ...some, action: "warn" },
    ),
  },
});

test("any rows and rules: the query's verdict is that of the definitions", () => {
  // All in one process; a case that differs is reported whole instead of being shrunk.
  const cases = fc.sample(given, 100).map((one, index) => ({
    // Only a mild file over complete rows can warn: of any files and rows, too few do.
    one: index % 6 === 1 ? mild(one) : one,
    written: Math.max(0, one.rows.length + (index % 3) - 1),
  }));
  const answers = verdictsOf(cases.map(({ one, written }) => runOf(one, written)));
  const compared = cases.map(({ one, written }, index) => ({
    one,
    written,
    expected: judge(one, CONDITIONS, written),
    answered: answers[index],
  }));
  const different = compared.filter(
    ({ expected, answered }) => JSON.stringify(expected) !== JSON.stringify(answered),
  );
  expect(different.slice(0, 1)).toEqual([]);
  expect(new Set(answers.map(({ verdict }) => verdict))).toEqual(new Set(["FAILED", "PASSED", "WARNED"]));
});

test("rows that readers do not see fail the run whatever the rules say, without touching the score", () => {
  const quality = { threshold: 0, rules: [{ name: "few", type: "rowCount", atMost: 9, action: "warn" }] };
  const one = {
    columns: COLUMNS,
    rows: [["a", 1, null]],
    read: 1,
    quarantined: {},
    toDate: "2010-12-03",
    reasons: [],
    quality,
  } as const;
  expect(verdictsOf([runOf(one, 3), runOf(one, 1), runOf(one, 0)])).toEqual([
    { seen: 1, verdict: "FAILED", score: 100, failed: "rows_are_visible: 1 of 3" },
    { seen: 1, verdict: "PASSED", score: 100, failed: "" },
    { seen: 1, verdict: "PASSED", score: 100, failed: "" },
  ]);
});

test("a hundred rules of all weights: the score is rounded down", () => {
  const weights = Array.from({ length: 100 }, (_, index) => 1 + ((index * 37) % 100));
  const cases = [0, 13, 99].map((passing) => ({
    columns: COLUMNS,
    rows: [],
    read: 0,
    quarantined: {},
    toDate: "2010-12-03",
    reasons: [],
    quality: {
      threshold: 0,
      rules: weights.map((weight, index) => ({
        name: `rule_${index}`,
        type: "rowCount",
        atLeast: index < passing ? 0 : 1,
        action: "warn",
        weight,
      })),
    },
  }));
  expect(verdictsOf(cases.map((one) => runOf(one)))).toEqual(cases.map((one) => judge(one, {})));
});

test("an array can be judged complete", () => {
  const quality = {
    threshold: 0,
    rules: [{ name: "items_are_there", type: "completeness", column: "items", atLeast: 0.5, action: "halt" }],
  };
  const one = {
    columns: { items: "array" },
    rows: [],
    read: 0,
    quarantined: {},
    toDate: "2010-12-03",
    reasons: [],
    quality,
  };
  const run = runOf(one, 3);
  const [table, ...others] = run.tables;
  const rows = [
    ["[1]", "2010-12-03"],
    ["[]", "2010-12-03"],
    [null, "2010-12-03"],
  ];
  expect(verdictsOf([{ ...run, tables: [{ ...table!, rows }, ...others] }])).toEqual([
    { seen: 3, verdict: "PASSED", score: 100, failed: "" },
  ]);
});
