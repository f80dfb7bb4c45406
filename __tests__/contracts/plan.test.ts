import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compilePlan } from "../../contracts/compile-plan";
import { PLAN_VERSION, planText } from "../../contracts/plan";
import { ROOT } from "../support/clone";
import { WHOLE_CSV, WHOLE_JSON } from "../support/whole-contracts";

/** The plan: whole, with every default written out, and the same bytes for the same files. */

type Node = Record<string, unknown>;

const RULES = {
  threshold: 80,
  rules: [{ name: "rows", type: "rowCount", atLeast: 1, action: "halt" }],
};
const DRAFT = "https://json-schema.org/draft/2020-12/schema";

const small = (more: Node = {}, properties: Node = {}): Node => ({
  $schema: DRAFT,
  properties: { id: { type: "string" }, n: { type: "integer" }, ...properties },
  required: ["id"],
  "x-etl": {
    businessKey: ["id"],
    lookbackDays: 7,
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      { reason: "missing_id", rule: "missing", column: "id" },
      { reason: "wrong_type", rule: "wrongType" },
    ],
    output: ["id", "n"],
    ...more,
  },
});

function textOf(contract: Node, rules: Node = RULES): string {
  const { plan, mistakes } = compilePlan(contract, rules, [], "small.schema.json");
  expect(mistakes).toEqual({ contract: [], quality: [] });
  return planText(plan!);
}

const BOUNDS = { minimum: null, maximum: null, exclusiveMinimum: null, exclusiveMaximum: null };

/** The only source of a contract that declares none, without what differs by format. */
const ONLY = {
  ...{ name: null, table: null, folder: "", endings: [], layout: "dt" },
  ...{ unknownFolders: "ignore", whenMissing: "fail" },
};

/** The parts of a plan that the small contract has in every format. */
const REST = {
  sourceColumn: null,
  unknownSources: "ignore",
  businessKey: ["id"],
  lookbackDays: 7,
  onDrift: "report",
  reasons: [
    { reason: "malformed", rule: "notAnObject", column: null, columns: [] },
    { reason: "missing_id", rule: "missing", column: "id", columns: [] },
    { reason: "wrong_type", rule: "wrongType", column: null, columns: [] },
  ],
  timestamp: null,
  category: null,
  computed: [],
  output: [
    { name: "id", type: "string" },
    { name: "n", type: "bigint" },
  ],
  partitionBy: [],
  aggregate: null,
  orderColumn: null,
  changes: null,
  dms: null,
  dropped: [],
};
const QUALITY = {
  threshold: 80,
  reasons: ["malformed", "missing_id", "wrong_type"],
  rules: [
    { name: "rows", type: "rowCount", action: "halt", weight: 1, atLeast: 1, atMost: null },
    {
      name: "lines_are_readable",
      ...{ type: "quarantineLimit", action: "halt", weight: 0, reason: "malformed", atMost: 0.1 },
    },
  ],
};
const ID = {
  name: "id",
  kind: "string",
  type: "string",
  nulls: [],
  dateFormats: [],
  moments: null,
  allowed: [],
};

test("the whole plan of a small contract of CSV, with every default", () => {
  const source = (name: string) => ({ delivered: name, column: name, clean: [] });
  const plan = {
    planVersion: 4,
    contract: {
      sources: [
        {
          ...ONLY,
          format: {
            ...{ kind: "csv", delimiter: ",", quote: '"', escape: null, multiLine: false },
            ...{ unknownColumns: "ignore", encoding: "UTF-8", skipTop: 0, skipBottom: 0 },
            ...{ comment: null, columns: null },
          },
          shapes: [{ name: "", sources: [source("id"), source("n")] }],
          columns: [
            ID,
            {
              ...{ name: "n", kind: "integer", type: "bigint", nulls: [] },
              ...{ number: { decimal: ".", thousands: "" }, allowed: [], bounds: BOUNDS },
            },
          ],
          given: [],
        },
      ],
      ...REST,
    },
    quality: QUALITY,
  };
  expect(textOf(small({ format: { kind: "csv" } }))).toBe(`${JSON.stringify(plan, null, 2)}\n`);
});

test.each([["jsonLines"], ["jsonObjects"], ["jsonArray"], ["parquet"]])(
  "the whole plan of a small contract of %s",
  (kind) => {
    const { name, kind: type, type: made, ...rest } = ID;
    const columns = [
      { name, kind: type, type: made, path: ["id"], accepts: [], isBlankNull: false, ...rest },
      {
        ...{ name: "n", kind: "integer", type: "bigint", path: ["n"], accepts: [], isCount: false },
        ...{ allowed: [], bounds: BOUNDS },
      },
    ];
    const plan = {
      planVersion: 4,
      contract: { sources: [{ ...ONLY, format: { kind }, shapes: [], columns, given: [] }], ...REST },
      quality: QUALITY,
    };
    expect(textOf(small({ format: { kind } }))).toBe(`${JSON.stringify(plan, null, 2)}\n`);
    if (kind === "jsonLines") expect(textOf(small())).toBe(textOf(small({ format: { kind } })));
  },
);

test("in a plan of XML every column has its place, and how its texts are read", () => {
  const plan = JSON.parse(textOf(small({ format: { kind: "xml", rowTag: "p:row" } }))) as {
    contract: { sources: [{ format: object; columns: object[] }] };
  };
  const [{ format, columns }] = plan.contract.sources;
  expect(format).toEqual({ kind: "xml", rowTag: "p:row", encoding: "UTF-8" });
  expect(columns[1]).toEqual({
    ...{ name: "n", kind: "integer", type: "bigint", path: ["n"], accepts: [], isCount: false },
    ...{ nulls: [], number: { decimal: ".", thousands: "" }, allowed: [], bounds: BOUNDS },
  });
});

test("what is left out is what its default says", () => {
  const short = {
    price: { type: "number" },
    is_gift: { type: "boolean" },
    at: { type: "string", "x-timestamp": { formats: ["yyyy-MM-dd HH:mm:ss"] } },
  };
  const spelt = {
    price: { type: ["number", "null"], "x-number": { decimal: "." } },
    is_gift: { type: "boolean", "x-boolean": { true: ["true"], false: ["false"] } },
    at: {
      type: "string",
      "x-timestamp": {
        ...{
          formats: ["yyyy-MM-dd HH:mm:ss"],
          timeZone: "UTC",
          ambiguous: "first",
          nonexistent: "quarantine",
        },
      },
    },
  };
  const format = {
    ...{ kind: "csv", delimiter: ",", quote: '"', multiLine: false, unknownColumns: "ignore" },
    ...{ encoding: "UTF-8", skipTop: 0, skipBottom: 0 },
  };
  expect(textOf(small({ format, onDrift: "report" }, spelt))).toBe(
    textOf(small({ format: { kind: "csv" } }, short)),
  );
});

/** The document with the keys of every object in the opposite order, but for objects whose keys are names that have an order. */
function reversed(node: unknown, key = ""): unknown {
  if (Array.isArray(node)) return node.map((one) => reversed(one));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([name, value]) => [name, reversed(value, name)] as const);
  const areNames = ["properties", "shapes", "old", "new", "computed", "columns", "values"].includes(key);
  return Object.fromEntries(areNames ? entries : entries.reverse());
}

test.each([
  ["CSV", WHOLE_CSV],
  ["JSON", WHOLE_JSON],
])("the order of keys and spaces of a file do not change the bytes: %s", (_, whole) => {
  const { computed, aggregate, output, ...extension } = whole["x-etl"] as Node & { output: string[] };
  expect([computed, aggregate]).not.toContain(undefined);
  const published = output.filter((name) => !["label", "double_amount"].includes(name));
  const plain = { ...whole, "x-etl": { ...extension, output: published } };
  const contract = withoutReplacements(plain);
  const other = JSON.parse(JSON.stringify(reversed(contract), null, 4)) as Node;
  expect(Object.keys(other)).not.toEqual(Object.keys(contract));
  expect(textOf(other, reversed(RULES) as Node)).toBe(textOf(contract));
});

/** Replacements need answers of Spark. */
const withoutReplacements = (document: Node): Node =>
  JSON.parse(JSON.stringify(document).replace(/,\{"replace":"[^"]*","with":"[^"]*"\}/, "")) as Node;

test.each([
  ["minimum", 0.1, "0.1"],
  ["exclusiveMinimum", -0, "0"],
  ["exclusiveMaximum", 9007199254740991, "9007199254740991"],
  ["maximum", 123456.789, "123456.789"],
])("the bound %s of %d is the decimal number %s, which no reader rounds", (key, value, text) => {
  const price = { type: "number", [key]: value };
  const rule = { reason: "not_allowed", rule: "notAllowed" };
  const contract = small({}, { price });
  (contract["x-etl"] as { reasons: object[] }).reasons.push(rule);
  const { contract: plan } = JSON.parse(textOf(contract)) as {
    contract: { sources: { columns: { bounds: Node }[] }[] };
  };
  expect(plan.sources[0]!.columns[2]!.bounds).toEqual({ ...BOUNDS, [key]: text });
});

test("the plan has the version that the job reads", () => {
  const loader = readFileSync(join(ROOT, "glue-scripts", "etl", "ingest", "load_plan.py"), "utf8");
  expect(/^PLAN_VERSION = (\d+)$/m.exec(loader)?.[1]).toBe(String(PLAN_VERSION));
});
