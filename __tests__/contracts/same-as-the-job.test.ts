import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { judgedBy } from "../../contracts/quality-contract";
import { expressionMistakes } from "../../contracts/sql-expression";
import { readQuality } from "../../contracts/quality-reader";
import { ROOT } from "../support/clone";
import { runPython } from "./judged-rows";

/** A file that synth takes and the job refuses would fail in the night: both refuse the same ones. */

const COLUMNS = {
  country: "string",
  n: "bigint",
  price: "double",
  moment: "timestamp",
  day: "date",
  items: "array",
};
const REASONS = ["malformed", "wrong_type"];
const NAMES = [...Object.keys(COLUMNS), "nowhere"];

const odd = fc.constantFrom<unknown>(
  null,
  "",
  "x",
  -1,
  0,
  0.5,
  1,
  1.5,
  0.1234567,
  101,
  true,
  [],
  ["a", "a"],
  {},
);
/** Mostly what is right, or nearly. */
const nearly = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 60, arbitrary: value }, odd);
const share = nearly(fc.constantFrom(0, 0.25, 0.999999, 1));
const words = fc.constantFrom(
  ..."country,n,Price,moment,nowhere,and,OR,not,is,null,in,like,case,when,then,else,end,between,lower,abs,sqrt".split(
    ",",
  ),
  ..."(,),(,),=,<>,<=,<=>,!=,==,||,+,-,*,/,%,',',.,1,2.5,1e3,'a','it''s','',date,'2010-12-01',\",;,?,--,\\,[".split(
    ",",
  ),
);
const expression = fc.oneof(
  fc.array(words, { minLength: 1, maxLength: 6 }).map((some) => some.join(" ")),
  fc.constantFrom("n > 0", "lower(country) = 'x'", "case when n is null then true else n in (1, 2) end"),
);
const everyKey = {
  name: nearly(fc.constantFrom("one", "two", "three", "four", "malformed", "Five", "a".repeat(61))),
  type: nearly(
    fc.constantFrom(
      "completeness",
      "uniqueness",
      "allowedValues",
      "customSql",
      "rowCount",
      "freshness",
      "quarantineLimit",
    ),
  ),
  action: nearly(fc.constantFrom("warn", "warn", "halt", "quarantine")),
  weight: nearly(fc.integer({ min: 1, max: 100 })),
  column: nearly(fc.constantFrom(...NAMES)),
  columns: nearly(fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 })),
  values: nearly(fc.constant(["a", "b"])),
  expression: nearly(expression),
  atLeast: share,
  atMost: share,
  atMostHours: nearly(fc.nat(100)),
  reason: nearly(fc.constantFrom(...REASONS, "one", "two")),
};
const rule = fc.oneof(
  { weight: 5, arbitrary: fc.record(everyKey).map(exact) },
  { weight: 1, arbitrary: fc.record(everyKey, { requiredKeys: ["name", "type", "action"] }) },
);

/** Without the keys that the type does not know, so that it is taken now and then. */
function exact(whole: Readonly<Record<string, unknown>>): object {
  const keys: Readonly<Record<string, readonly string[]>> = {
    completeness: ["column"],
    uniqueness: ["columns"],
    allowedValues: ["column", "values"],
    customSql: ["expression"],
    rowCount: ["atMost"],
    freshness: ["column", "atMostHours"],
    quarantineLimit: ["reason", "atMost"],
  };
  const type = String(whole.type);
  const hasShare = !["freshness", "quarantineLimit"].includes(type) && whole.action !== "quarantine";
  const own = ["name", "type", "action", ...(keys[type] ?? []), ...(hasShare ? ["atLeast"] : [])];
  return Object.fromEntries(own.map((key) => [key, whole[key]]));
}

const file = nearly(
  fc.record({
    threshold: nearly(fc.nat(100)),
    rules: nearly(fc.array(rule, { minLength: 1, maxLength: 3 })),
  }),
);

interface Answers {
  readonly files: readonly string[];
  readonly expressions: readonly string[];
  readonly contract: {
    readonly columns: readonly [name: string, type: string][];
    readonly reasons: string[];
  };
}

const CONTRACT = readFileSync(join(ROOT, "pipelines", "events", "events.schema.json"), "utf8");
const ask = (question: { files: unknown[]; expressions: unknown[] }): Answers =>
  runPython("__tests__/contracts/read_quality.py", { ...question, contract: CONTRACT }) as Answers;

test("files and expressions: refused here and in the job, or in neither", () => {
  const files = fc.sample(file, 1_500);
  const expressions = fc.sample(expression, 1_500);
  const answers = ask({
    files: files.map((some) => ({ text: JSON.stringify(some), columns: COLUMNS, reasons: REASONS })),
    expressions: expressions.map((text) => ({ text, columns: Object.keys(COLUMNS) })),
  });

  const judged = { columns: new Map(Object.entries(COLUMNS)), reasons: REASONS };
  const asked = [
    ...files.map((some, index) => ({
      asked: some,
      here: readQuality(some, judged).mistakes.map((mistake) => mistake.join(" ")),
      job: answers.files[index]!,
    })),
    ...expressions.map((text, index) => ({
      asked: text,
      here: expressionMistakes(text, Object.keys(COLUMNS)),
      job: answers.expressions[index]!,
    })),
  ];
  const differing = asked.filter(({ here, job }) => (here.length === 0) !== (job === ""));
  expect(differing.slice(0, 3)).toEqual([]);
  // Neither takes all, nor refuses all.
  expect(answers.files.filter((refusal) => refusal === "").length).toBeGreaterThan(50);
  expect(answers.expressions.filter((refusal) => refusal === "").length).toBeGreaterThan(50);
});

test("a contract: the same columns of the same kinds, and the same reasons", () => {
  const { contract } = ask({ files: [], expressions: [] });
  const { judged, mistakes } = judgedBy(JSON.parse(CONTRACT));
  expect(mistakes).toEqual([]);
  expect([...judged.columns!]).toEqual(contract.columns.map(([name, type]) => [name, type.split("<")[0]]));
  expect(judged.reasons).toEqual(contract.reasons);
});
