import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { expressionMistakes, ROW_FUNCTIONS, SUM_FUNCTIONS } from "../../contracts/expression";
import { ROOT } from "../support/clone";

/**
 * `docs/contracts.md` has each word of the language. The judge itself lists them: its mistakes name what may stand in a place. That each
 * example is right, glue-scripts/tests/test_contract_page.py shows.
 */

const PAGE = readFileSync(join(ROOT, "docs", "contracts.md"), "utf8");
/** The words of AWS DMS have a page of their own. */
const OF_DMS = readFileSync(join(ROOT, "docs", "dms.md"), "utf8");
const withoutBlocks = (page: string): string => page.replace(/^```.*?^```$/gms, "");
const PROSE = withoutBlocks(PAGE);
const EXAMPLES = [...PAGE.matchAll(/^```json contract\n(.*?)^```$/gms)].map(([, text]) => text!).join("\n");

const WRONG = "no such word";
const OTHER = { [WRONG]: 1 };
const moments = { ...OTHER, formats: ["yyyy"], timeZone: "UTC", ambiguous: WRONG, nonexistent: WRONG };
const property = (type: string, more: object = {}) => ({ type, ...OTHER, ...more });

/** Contracts that are wrong in every place where one may be: a key that nobody knows, and a value that is not in its list. */
const CONTRACTS = [
  {
    ...OTHER,
    properties: {
      text: property("string", { "x-timestamp": moments }),
      whole: property("integer", { "x-number": OTHER }),
      number: property("number", { "x-number": OTHER }),
      flag: property("boolean", { "x-boolean": OTHER }),
      list: property("array", { items: { ...OTHER, type: "object", properties: { x: property("string") } } }),
      names: property("array", { items: property("string") }),
      object: property("object"),
      other: { type: WRONG },
    },
    "x-etl": {
      ...OTHER,
      onDrift: WRONG,
      reasons: [
        { rule: WRONG },
        ...["notAnObject", "missing", "wrongType", "notATimestamp", "notAllowed"].map((rule) => ({
          ...OTHER,
          rule,
        })),
      ],
      format: { kind: "csv", ...OTHER, unknownColumns: WRONG, encoding: WRONG },
      timestamp: moments,
      category: OTHER,
      computed: { made: OTHER },
      aggregate: { ...OTHER, columns: { made: OTHER } },
      shapes: { other: { a: { ...OTHER, clean: [WRONG, OTHER] } } },
      unknownSources: WRONG,
      sources: { other: { ...OTHER, layout: WRONG, unknownFolders: WRONG, whenMissing: WRONG } },
    },
  },
  { "x-etl": { format: { kind: WRONG }, changes: { ...OTHER, delivery: WRONG } } },
  { "x-etl": { changes: { delivery: "increment", deletes: OTHER } } },
  {
    "x-etl": {
      dms: {
        ...{ ...OTHER, tieBreak: WRONG, task: { ...OTHER, TargetTablePrepMode: WRONG } },
        endpoint: {
          ...{ ...OTHER, DataFormat: WRONG, DatePartitionSequence: WRONG, DatePartitionDelimiter: WRONG },
        },
      },
    },
  },
  ...["count", "marker", "floor", WRONG].map((provedBy) => ({
    "x-etl": { changes: { delivery: "whole", deletes: { ...OTHER, provedBy } } },
  })),
];

const MESSAGES = CONTRACTS.flatMap((contract) => contractMistakes(contract).map(([, message]) => message));

/** The words of all lists that a pattern finds in messages, each once. */
const listed = (messages: readonly string[], list: RegExp): string[] => [
  ...new Set(messages.flatMap((message) => list.exec(message)?.[1]?.split(/, | or /) ?? [])),
];

const KEYS = listed(MESSAGES, /may hold (.+)$/);
const VALUES = listed(
  MESSAGES,
  /must be (?:one of )?((?:[\w-]+, )+[\w-]+?)(?:, (?:got|each)\b| or an object)/,
);
const TYPES = listed(MESSAGES, /must be one of (.+), decimal\(precision,scale\)/);

/** Tells whether the prose has a word as code, alone or in a longer piece. */
const explains = (word: string): boolean =>
  [...`${PROSE}\n${withoutBlocks(OF_DMS)}`.matchAll(/`([^`]+)`/g)].some(([, code]) =>
    code!.split(/[^\w$-]+/).includes(word),
  );

test("the judge lists its words", () => {
  expect(KEYS).toEqual(
    expect.arrayContaining(["$id", "x-decimal", "clean", "skipTop", "nonexistent", "false"]),
  );
  expect(VALUES).toEqual(
    expect.arrayContaining(["jsonArray", "keep", "ISO-8859-1", "second", "later", "trim"]),
  );
  expect(KEYS.length).toBeGreaterThan(60);
});

test("the page explains every key, and every value that a key may have", () => {
  expect([...KEYS, ...VALUES, ...TYPES].filter((word) => !explains(word))).toEqual([]);
});

test("an example has every key that changes something", () => {
  // An example cannot have every setting of AWS DMS: many are refused beside one another.
  const ofDms = /^[A-Z]/;
  const inert = ["$id", "additionalProperties", "tieBreak"];
  expect(
    KEYS.filter((key) => !ofDms.test(key) && !inert.includes(key) && !EXAMPLES.includes(`"${key}":`)),
  ).toEqual([]);
});

test("a heading that is a key names one that there is", () => {
  const keys = [...PROSE.matchAll(/^### (.*`.*)$/gm)].flatMap(([, heading]) =>
    [...heading!.matchAll(/`([^`]+)`/g)].map(([, key]) => key!),
  );
  expect(keys.length).toBeGreaterThan(30);
  expect(keys.filter((key) => ![...KEYS, ...VALUES].includes(key))).toEqual([]);
});

describe("the words of expressions", () => {
  const functionsFor = (functions?: readonly string[]) =>
    listed(expressionMistakes("unheard(1)", undefined, functions), /the functions are (.+)$/);
  const keywords = listed(expressionMistakes("unheard", []), /nor? one of (.+)$/);
  /** The words in the last cell of the row of a place, after the words of the rows above it. */
  const functionsOf = (place: RegExp) =>
    [...(place.exec(PROSE)?.[1] ?? "").matchAll(/`(\w+)`/g)].map(([, word]) => word!);

  test("the keywords are on the page", () => {
    const [, line] = /^- \*\*Keywords\*\*: (.+)$/m.exec(PROSE)!;
    expect(line!.replaceAll("`", "").split(" ")).toEqual(keywords);
  });

  test("each place has its functions", () => {
    const common = functionsOf(/^\| `customSql` of .*\|(.*)\|$/m);
    const row = functionsOf(/^\| `expression` of \[`computed`\].*\|(.*)\|$/m);
    const sum = functionsOf(/^\| `expression` of \[`aggregate`\].*\|(.*)\|$/m);
    expect(common).toEqual(functionsFor());
    expect([...common, ...row]).toEqual(functionsFor(ROW_FUNCTIONS));
    expect([...common, ...row, ...sum]).toEqual(functionsFor(SUM_FUNCTIONS));
  });

  test("the table of types has each function, and every operator", () => {
    const [, table] = /^\| expression .*?\n((?:\|.*\n)+)/m.exec(PROSE)!;
    const words = new Set(table!.match(/[a-z]+|\\\|\\\||[-+*<>=]+/g));
    const operators = ["+", "-", "*", "\\|\\|", "<", ">=", ">"];
    expect([...SUM_FUNCTIONS, ...operators].filter((word) => !words.has(word))).toEqual([]);
  });
});
