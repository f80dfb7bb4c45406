import fc from "fast-check";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { javaPatternMistake, replacementMistake } from "../../contracts/java-pattern";
import { mistakeText } from "../../modules/core/refusals";
import { badContracts, changedContract, SHIPPED, shippedContract, shownContract } from "../support/contracts";
import { runPython } from "./judged-rows";

/** A contract that synth takes and the job refuses would fail in the night: both refuse the same ones, and name the same. */

const CASES = badContracts();

test.each(CASES)("$case", ({ says, fields, ...change }) => {
  const mistakes = contractMistakes(changedContract(change));
  if (says !== undefined) expect(mistakes.map(mistakeText)).toEqual(says);
  else expect(mistakes.map(([field]) => field)).toEqual(fields);
});

test.each<[expression: string, words: string]>([
  ["quantity / price", 'must not hold "/ price", which Spark and Athena read differently'],
  [
    "rand()",
    "must not call rand; the functions are abs, coalesce, day, hour, length, lower, month, nullif, upper, year, " +
      "concat, greatest, least, round, substring, trim",
  ],
])("the expression %j is refused with its mistake", (expression, words) => {
  const put = { "x-etl/computed/total_amount/expression": expression };
  expect(contractMistakes(changedContract({ of: "sales", put }))).toEqual([
    ["x-etl.computed.total_amount.expression", words],
  ]);
});

test("a document that is not an object is refused, with one mistake", () => {
  for (const document of [[], null, 1, "x"])
    expect(contractMistakes(document)).toEqual([["", `must be an object, got ${JSON.stringify(document)}`]]);
});

test("the contracts that are shipped, and the one that is shown, are taken", () => {
  for (const name of SHIPPED) expect(contractMistakes(shippedContract(name))).toEqual([]);
  expect(contractMistakes(shownContract())).toEqual([]);
});

test("what a contract may leave out or say besides", () => {
  const taken = [
    {
      of: "events",
      put: { title: "x", $id: "https://x", "x-etl/$comment": "x" },
      take: ["type", "x-etl/onDrift"],
    },
    { of: "events", put: { "x-etl/format": { kind: "jsonLines" }, "x-etl/orderColumn": "event_timestamp" } },
    { of: "events", put: { "x-etl/orderColumn": "run_date", "x-etl/lookbackDays": 36500 } },
    { of: "sales", put: { "x-etl/format": { kind: "csv" } }, take: ["x-etl/shapes", "additionalProperties"] },
    {
      of: "sales",
      put: { "x-etl/format/unknownColumns": "keep", "x-etl/output/10": "unknown_columns" },
    },
  ];
  for (const change of taken) expect(contractMistakes(changedContract(change))).toEqual([]);
});

test("any contract: refused here and in the job for the same, or in neither", () => {
  const contracts = fc.sample(contract, { numRuns: 3_000, seed: 7 });
  const texts = [...contracts.map((one) => JSON.stringify(one)), JSON.stringify(shownContract())];
  const answers = runPython("__tests__/contracts/read_contracts.py", texts) as string[];
  const asked = texts.map((text, index) => ({
    text,
    here: told(contractMistakes(JSON.parse(text)).map(mistakeText).join("; ")),
    job: told(answers[index]!),
  }));
  expect(asked.filter(({ here, job }) => here !== job).slice(0, 2)).toEqual([]);
  // Neither takes all, nor refuses all.
  const taken = asked.filter(({ here }) => here === "");
  expect(taken.length).toBeGreaterThan(100);
  expect(asked.length - taken.length).toBeGreaterThan(1_000);
  expect(answers.at(-1)).toBe("");
});

test("patterns and replacements that are wrong in any case", () => {
  // Java is held to the same ones in glue-scripts/tests/test_contract_parts.py.
  for (const pattern of ["(", "a)", "(a", "[a", "[]", "[^]", "[a[b]", "*", "a|+", "(?:a)(?", "(*a)", "a\\"])
    expect({ pattern, mistake: javaPatternMistake(pattern) }).toEqual({
      pattern,
      mistake: expect.stringMatching(/^(it|a|nothing) /) as string,
    });
  for (const pattern of [
    "[]a]",
    "[^]a]",
    "[a[bc]&&[^d]]",
    "\\Q(*[\\E",
    "\\Q(",
    "\\c(",
    "(?x) # (",
    "^*",
    "[(]",
    "]",
  ])
    expect({ pattern, mistake: javaPatternMistake(pattern) }).toEqual({ pattern, mistake: undefined });
  for (const text of ["$", "$x", "${1}", "a\\"])
    expect(replacementMistake(text)).toMatch(/^must name a group/);
  for (const text of ["", "$1-${year}", "\\$", "a\n"]) expect(replacementMistake(text)).toBeUndefined();
});

/** Cuts the mistake of an expression, which the two word differently. */
function told(text: string): string {
  const mistakes = text
    .split(/; (?=')/)
    .map((one) => (/^'[^']*\.expression' (?!must be a text)/.exec(one) ?? [one])[0]);
  return [...new Set(mistakes)].sort().join("; ");
}

const PATHS: readonly string[] = [
  ...["$schema", "type", "required", "required/1", "additionalProperties", "properties", "properties/NAME"],
  ...["properties/NAME/type", "properties/NAME/x-decimal", "properties/NAME/x-date", "properties/NAME/items"],
  ...["businessKey", "businessKey/0", "lookbackDays", "onDrift", "reasons", "reasons/1", "reasons/1/rule"],
  ...["reasons/2/column", "reasons/2/reason", "reasons/0/rule", "reasons/7", "timestamp", "timestamp/source"],
  ...["timestamp/column", "timestamp/dateColumn", "timestamp/formats", "timestamp/dateFormats", "category"],
  ...[
    "category/source",
    "category/column",
    "category/values",
    "category/default",
    "output",
    "output/0",
    "output/3",
  ],
  ...["format", "format/kind", "format/delimiter", "format/unknownColumns", "shapes", "shapes/online_retail"],
  ...[
    "shapes/online_retail/Country",
    "shapes/online_retail/CustomerID/clean",
    "computed",
    "computed/total_amount",
  ],
  ...["shapes/online_retail/CustomerID/clean/1/replace", "shapes/online_retail/CustomerID/clean/1/with"],
  ...["computed/total_amount/expression", "computed/total_amount/type", "computed/NAME", "partitionBy"],
  ...["partitionBy/0", "aggregate", "aggregate/groupBy", "aggregate/groupBy/0", "aggregate/columns"],
  ...["aggregate/columns/revenue/expression", "aggregate/columns/NAME", "orderColumn", "NAME", "x-etl"],
].map((path) =>
  /^(\$schema|type|required|additionalProperties|properties|x-etl)/.test(path) ? path : `x-etl/${path}`,
);

const names = fc.constantFrom(
  ..."event_id,timestamp,items,country,region,quantity,unit_price,total_amount,transaction_id,registered_on".split(
    ",",
  ),
  ...["nobody", "value", "run_date", "unknown_columns", "title", "", "a.b", "Region"],
);
const patterns = fc
  .array(
    fc.constantFrom(
      "(",
      ")",
      "[",
      "]",
      "^",
      "*",
      "?",
      "|",
      "a",
      "\\",
      "\\Q",
      "\\E",
      "&&",
      "(?:",
      "$1",
      "${a}",
    ),
    {
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(""));
const values = fc.oneof(
  names,
  patterns,
  fc.array(names, { maxLength: 3 }),
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    7,
    -1,
    1.5,
    36_501,
    {},
    [],
    "csv",
    "keep",
    "fail",
    "missing",
    "decimal(4,2)",
  ),
  fc.constantFrom<unknown>(
    "string",
    ["number", "null"],
    [4, 2],
    [39, 0],
    [2, "2"],
    ["yyyy"],
    "bigint",
    "double",
  ),
  fc.constantFrom<unknown>("quantity * 2", "sum(quantity)", "region ||", { type: "string" }, [
    "trim",
    "strip",
  ]),
  fc.constantFrom<unknown>(
    { type: ["array", "null"], items: { type: "object", properties: { a: { type: "integer" } } } },
    { expression: "upper(region)", type: "string" },
    { reason: "r", rule: "missing", column: "country" },
    { reason: "malformed", rule: "notATimestamp", column: "country" },
    { kind: "csv", unknownColumns: "keep" },
    { kind: "jsonLines", delimiter: ";" },
    { groupBy: ["region"], columns: { n: { expression: "count(*)", type: "bigint" } } },
    { source: "country", column: "c", values: { a: "b" }, default: "d" },
  ),
);
const change = fc.record({
  path: fc.tuple(fc.constantFrom(...PATHS), names).map(([path, name]) => path.replace("NAME", name)),
  value: fc.oneof({ weight: 4, arbitrary: values }, { weight: 1, arbitrary: fc.constant(undefined) }),
});
const contract = fc
  .tuple(fc.constantFrom(...SHIPPED), fc.array(change, { maxLength: 3 }))
  .map(([name, changes]) => changes.reduce(withChange, shippedContract(name)));

/** Changes nothing if the path does not exist. */
function withChange(document: Record<string, unknown>, { path, value }: { path: string; value: unknown }) {
  const keys = path.split("/");
  const last = keys.pop()!;
  const node = keys.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    document,
  );
  if (typeof node !== "object" || node === null) return document;
  if (Array.isArray(node) && Number(last) > node.length) return document;
  if (value !== undefined) (node as Record<string, unknown>)[last] = structuredClone(value);
  else if (Array.isArray(node)) node.splice(Number(last), 1);
  else delete (node as Record<string, unknown>)[last];
  return document;
}
