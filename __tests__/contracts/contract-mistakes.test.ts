import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { canHold } from "../../contracts/format";
import { javaPatternMistake, replacementMistake } from "../../contracts/java-pattern";
import { mistakeText } from "../../modules/core/refusals";
import { ROOT } from "../support/clone";
import {
  badContracts,
  type Change,
  changedContract,
  SHIPPED,
  shippedContract,
  shownContract,
} from "../support/contracts";

/** Every mistake that can be found without Spark, by its full message, and what is taken. */

test.each(badContracts())("refused: $case", ({ says, ...change }) => {
  expect(contractMistakes(changedContract(change)).map(mistakeText)).toEqual(says);
});

test("a document that is not an object is refused, with one mistake", () => {
  for (const document of [[], null, 1, "x"])
    expect(contractMistakes(document)).toEqual([["", `must be an object, got ${JSON.stringify(document)}`]]);
});

test("the contracts that are shipped, and the one that is shown, are taken", () => {
  for (const name of SHIPPED) expect(contractMistakes(shippedContract(name))).toEqual([]);
  expect(contractMistakes(shownContract())).toEqual([]);
});

const ALLOWED = { reason: "not_allowed", rule: "notAllowed" };
const OWN = {
  ...{ customer_id: "customer_id", customer_name: { column: "customer_name", clean: ["trim", "upper"] } },
  ...{ region: "region", registered_on: "registered_on" },
};
const OTHER = { ID: "customer_id", Name: "customer_name", "Region ": "region", "a.b": "registered_on" };

test.each<[string, Change]>([
  ["notes", { of: "events", put: { title: "x", $id: "https://x", "x-etl/$comment": "x" } }],
  ["no type of the document, no drift", { of: "events", take: ["type", "x-etl/onDrift"] }],
  ["no shapes", { of: "sales", take: ["x-etl/shapes", "additionalProperties"] }],
  [
    "the order of a merge, and the longest look-back",
    { of: "events", put: { "x-etl/orderColumn": "run_date", "x-etl/lookbackDays": 36500 } },
  ],
  ["a category's column as the order", { of: "events", put: { "x-etl/orderColumn": "event_category" } }],
  [
    "names with spaces, hyphens, accents and signs of other scripts",
    names("Größe in cm", "a-b", "_1", "値段"),
  ],
  ["the longest name", names("é".repeat(127))],
  [
    "a property that has a column's name of the job, and is not published",
    { of: "events", put: { "properties/run_date": { type: "string" } } },
  ],
  ...["jsonLines", "jsonObjects", "jsonArray"].map((kind): [string, Change] => [
    `${kind} with lists, objects, booleans and null words`,
    {
      of: "events",
      put: {
        "x-etl/format": { kind },
        "properties/tags": { type: "array", items: { type: ["string", "null"] } },
        "properties/extra": { type: ["object", "null"] },
        "properties/is_gift": { type: "boolean" },
        "properties/country/x-null": ["", "-"],
        "x-etl/output/8": "tags",
        "x-etl/output/9": "extra",
        "x-etl/output/10": "is_gift",
      },
    },
  ]),
  [
    "enums and ranges",
    {
      of: "sales",
      put: {
        "properties/region/enum": ["DE", "FR", null],
        "properties/quantity/enum": [-1, 1],
        "properties/quantity/x-null": ["0"],
        "properties/unit_price/minimum": 0,
        "properties/unit_price/exclusiveMaximum": 0.5,
        "x-etl/reasons/8": ALLOWED,
      },
    },
  ],
  [
    "one value between bounds",
    {
      of: "sales",
      put: { "properties/quantity/minimum": 1, "properties/quantity/maximum": 1, "x-etl/reasons/8": ALLOWED },
    },
  ],
  [
    "numbers as they are written in Germany, France and Switzerland",
    {
      of: "sales",
      put: {
        "properties/unit_price/x-number": { decimal: ",", thousands: "." },
        "properties/quantity/x-number": { thousands: "\u202f" },
        "properties/rebate": { type: "number", "x-number": { thousands: "'" } },
        "x-etl/format/unknownColumns": "ignore",
        "x-etl/shapes/online_retail/Description": "rebate",
      },
    },
  ],
  [
    "a delimiter in numbers, where it can be escaped",
    {
      of: "sales",
      put: {
        "properties/unit_price/x-number": { decimal: "," },
        "x-etl/format/quote": null,
        "x-etl/format/escape": "\\",
      },
    },
  ],
  [
    "boolean words, and words for null",
    {
      of: "customers",
      put: {
        "properties/is_vip": {
          type: "boolean",
          "x-boolean": { true: ["J", "ja"], false: ["N"] },
          "x-null": ["-"],
        },
        "properties/registered_on/x-null": ["00.00.0000", ""],
      },
    },
  ],
  [
    "moments in zones",
    {
      of: "customers",
      put: {
        "properties/seen_at": {
          type: ["string", "null"],
          "x-timestamp": {
            formats: ["dd.MM.yyyy HH:mm"],
            timeZone: "Europe/Berlin",
            ambiguous: "second",
            nonexistent: "later",
          },
        },
        "x-etl/output/4": "seen_at",
      },
    },
  ],
  ...["Asia/Kolkata", "America/Port-au-Prince", "Etc/GMT+5", "UTC"].map((timeZone): [string, Change] => [
    `the zone ${timeZone}`,
    { of: "events", put: { "x-etl/timestamp/timeZone": timeZone } },
  ]),
  ...[";", "\t", "\u0001", "|", " ", "\\", "€", "😀", "^"].map((delimiter): [string, Change] => [
    `the delimiter ${JSON.stringify(delimiter)}`,
    { of: "sales", put: { "x-etl/format": { kind: "csv", delimiter } } },
  ]),
  [
    "everything about CSV at once",
    {
      of: "sales",
      put: {
        "x-etl/format": {
          ...{ kind: "csv", delimiter: ";", quote: '"', escape: "\\", encoding: "windows-1252" },
          ...{ skipTop: 3, skipBottom: 1000, comment: "#", unknownColumns: "keep" },
        },
        "x-etl/output/10": "unknown_columns",
      },
    },
  ],
  ["texts over several lines", { of: "sales", put: { "x-etl/format": { kind: "csv", multiLine: true } } }],
  [
    "files without a header",
    {
      of: "customers",
      put: { "x-etl/format/columns": ["registered_on", "region", "customer_name", "customer_id"] },
    },
  ],
  [
    "files without a header, of a shape, with columns that nobody knows",
    {
      of: "customers",
      put: {
        "x-etl/format": { kind: "csv", columns: ["extra", ...Object.keys(OTHER)] },
        "x-etl/shapes": { other: OTHER },
      },
    },
  ],
  ["a shape with the contract's own header", { of: "customers", put: { "x-etl/shapes": { own: OWN } } }],
  [
    "shapes, the longer one first",
    {
      of: "customers",
      put: { "x-etl/shapes": { long: { ...OTHER, extra: null }, short: OTHER } },
    },
  ],
  [
    "a boolean that is computed",
    {
      of: "events",
      put: { "x-etl/computed": { is_german: { expression: "country = 'DE'", type: "boolean" } } },
    },
  ],
])("taken: %s", (_, change) => {
  expect(contractMistakes(changedContract(change))).toEqual([]);
});

function names(...of: readonly string[]): Change {
  return {
    of: "events",
    put: Object.fromEntries(of.map((name) => [`properties/${name}`, { type: "string" }])),
  };
}

test("an encoding of one byte holds the characters that Python gives its bytes", () => {
  const script =
    "import json; print(json.dumps({name: [bytes([b]).decode(code, 'ignore') for b in range(256) if b < 128 or b > 159 or code == 'cp1252'] " +
    "for name, code in (('ISO-8859-1', 'latin-1'), ('windows-1252', 'cp1252'))}))";
  const characters = JSON.parse(
    execFileSync(join(ROOT, ".setup", "venv", "bin", "python"), ["-c", script], { encoding: "utf8" }),
  ) as Record<"ISO-8859-1" | "windows-1252", string[]>;
  for (const [encoding, of] of Object.entries(characters) as ["ISO-8859-1", string[]][]) {
    const held = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).filter((one) =>
      canHold(encoding, one),
    );
    expect(new Set(held)).toEqual(new Set(of.filter((one) => one !== "")));
    expect(canHold(encoding, `a${of.at(-1)}`)).toBe(true);
    expect(canHold(encoding, "😀")).toBe(false);
  }
  expect(canHold("UTF-8", "😀")).toBe(true);
});

test("patterns and replacements that are wrong in any case", () => {
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
