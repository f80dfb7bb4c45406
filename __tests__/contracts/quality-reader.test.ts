import { judgedBy, qualityMistakes } from "../../contracts/quality-contract";
import { expressionMistakes } from "../../contracts/expression";
import { readQuality } from "../../contracts/quality-reader";
import { changedContract, shippedContract } from "../support/contracts";

const COLUMNS = new Map([
  ["country", "string"],
  ["n", "bigint"],
  ["moment", "timestamp"],
  ["items", "array"],
]);
const JUDGED = { columns: COLUMNS, reasons: ["malformed", "wrong_type"] };

const told = (document: unknown, judged = JUDGED): string[] =>
  readQuality(document, judged).mistakes.map((mistake) => mistake.join(" "));
const GOOD = { name: "good", type: "completeness", column: "country", atLeast: 0.5, action: "warn" };
const ofRule = (rule: object): string[] => told({ threshold: 80, rules: [{ ...GOOD, ...rule }] });

test("every type, read back with its defaults", () => {
  const rules = [
    { name: "a", type: "completeness", column: "items", action: "quarantine" },
    { name: "b", type: "uniqueness", columns: ["country", "n"], atLeast: 1, action: "halt", weight: 7 },
    { name: "c", type: "allowedValues", column: "country", values: [""], atLeast: 0.000001, action: "warn" },
    { name: "d", type: "customSql", expression: "n > 0", atLeast: 0, action: "warn" },
    { name: "e", type: "rowCount", atMost: 2_147_483_647, action: "warn" },
    { name: "f", type: "freshness", column: "moment", atMostHours: 0, action: "warn" },
    { name: "g", type: "quarantineLimit", reason: "malformed", atMost: 0.01, action: "halt" },
    { name: "h", type: "quarantineLimit", reason: "a", atMost: 1, action: "halt" },
  ];
  const { quality, mistakes } = readQuality({ threshold: 0, rules }, JUDGED);
  expect(mistakes).toEqual([]);
  expect(quality).toEqual({
    threshold: 0,
    rules: [
      { ...rules[0], atLeast: 1, weight: 1 },
      rules[1],
      ...[2, 3].map((index) => ({ ...rules[index], weight: 1 })),
      { ...rules[4], atLeast: 0, weight: 1 },
      ...[5, 6, 7].map((index) => ({ ...rules[index], weight: 1 })),
    ],
  });
});

test.each<[unknown, string[]]>([
  [[], [" must be an object, got []"]],
  [
    {},
    [
      "threshold must be a whole number from 0 to 100, got nothing",
      "rules must be a list of at least one rule, got nothing",
    ],
  ],
  [
    { threshold: 100.5, rules: [], rule: [] },
    [
      "rule is unknown: a quality file may hold threshold, rules",
      "threshold must be a whole number from 0 to 100, got 100.5",
      "rules must be a list of at least one rule, got []",
    ],
  ],
  [{ threshold: 101, rules: [GOOD] }, ["threshold must be a whole number from 0 to 100, got 101"]],
  [
    { threshold: "80", rules: ["x"] },
    ['threshold must be a whole number from 0 to 100, got "80"', 'rules[0] must be an object, got "x"'],
  ],
  [
    { threshold: 80, rules: Array.from({ length: 101 }, (_, index) => ({ ...GOOD, name: `r${index}` })) },
    ["rules must hold at most 100 rules, which is what one query can report, got 101"],
  ],
  [{ threshold: 80, rules: [GOOD, GOOD] }, ["rules[1].name of good must differ from that of rules[0]"]],
])("the file %j", (document, messages) => {
  expect(told(document)).toEqual(messages);
});

const NAME = "must be at most 60 small letters, digits and underscores, beginning with a letter";
const SHARE = "must be a share from 0 to 1 with at most six decimals";
test.each<[object, string[]]>([
  [{ name: "Good" }, [`rules[0].name ${NAME}, got "Good"`]],
  [{ name: "a".repeat(61) }, [`rules[0].name ${NAME}, got "${"a".repeat(56)}...`]],
  [{ name: undefined }, [`rules[0].name ${NAME}, got nothing`]],
  [
    { name: "malformed" },
    [
      "rules[0].name of malformed must be another name: the contract has a reason of this name, and their counts would mix",
    ],
  ],
  [
    { name: "rows_are_visible" },
    ["rules[0].name of rows_are_visible must be another name: the query's own check has this name"],
  ],
  [
    { name: "lines_are_readable" },
    ["rules[0].name of lines_are_readable must be another name: the default limit has this name"],
  ],
  [
    { type: "complete" },
    [
      "rules[0].type of good must be one of completeness, uniqueness, allowedValues, customSql, rowCount, freshness, " +
        'quarantineLimit, got "complete"',
    ],
  ],
  [
    { action: "stop" },
    ['rules[0].action of good must be warn, halt or quarantine for completeness, got "stop"'],
  ],
  [
    { action: "quarantine" },
    [
      "rules[0].atLeast of good must be left out: what a rule quarantines is never published, so the share is 1",
    ],
  ],
  [{ weight: 0 }, ["rules[0].weight of good must be a whole number from 1 to 100, got 0"]],
  [{ weight: 1.5 }, ["rules[0].weight of good must be a whole number from 1 to 100, got 1.5"]],
  [{ weight: 101 }, ["rules[0].weight of good must be a whole number from 1 to 100, got 101"]],
  [{ atLeast: 1.1 }, [`rules[0].atLeast of good ${SHARE}, got 1.1`]],
  [{ atLeast: -0.1 }, [`rules[0].atLeast of good ${SHARE}, got -0.1`]],
  [{ atLeast: 0.1234567 }, [`rules[0].atLeast of good ${SHARE}, got 0.1234567`]],
  [{ atLeast: "1" }, [`rules[0].atLeast of good ${SHARE}, got "1"`]],
  [
    { atleast: 1 },
    [
      "rules[0].atleast of good is unknown: a completeness rule may hold name, type, action, weight, column, atLeast",
    ],
  ],
  [{ column: "city" }, ['rules[0].column of good must be of country, n, moment, items, got "city"']],
  [{ column: undefined }, ["rules[0].column of good must be a text, got nothing"]],
  [
    { type: "freshness", atLeast: undefined, atMostHours: 1 },
    [
      "rules[0].atLeast of good is unknown: a freshness rule may hold name, type, action, weight, column, atMostHours",
      "rules[0].column of good must be timestamp for freshness, got 'country', which is string",
    ],
  ],
  [
    { type: "allowedValues", column: "n", values: ["a", "a"] },
    [
      "rules[0].column of good must be string for allowedValues, got 'n', which is bigint",
      'rules[0].values of good must not repeat "a"',
    ],
  ],
  [
    { type: "allowedValues", values: [] },
    ["rules[0].values of good must be a list of at least one text, got []"],
  ],
  [{ type: "allowedValues", values: ["a", 1] }, ["rules[0].values of good must hold texts only, got 1"]],
  [
    { type: "allowedValues", values: ["\ud800"] },
    ['rules[0].values of good must hold texts only, got "\\ud800"'],
  ],
])("the rule with %j", (rule, messages) => {
  expect(ofRule(rule)).toEqual(messages);
});

const rule = (type: string, rest: object): string[] =>
  told({ threshold: 80, rules: [{ name: "good", type, action: "halt", ...rest }] });

test.each<[string, object, string[]]>([
  [
    "uniqueness",
    { columns: ["country", "items", "city"], atLeast: 1 },
    [
      "rules[0].columns of good must be string, bigint, double, decimal, boolean, timestamp or date for uniqueness, got 'items', which is array",
      'rules[0].columns of good must be of country, n, moment, items, got "city"',
    ],
  ],
  [
    "uniqueness",
    { columns: [""], atLeast: 1 },
    ["rules[0].columns of good must hold names of columns, got an empty one"],
  ],
  [
    "uniqueness",
    { columns: "n", atLeast: 1, action: "quarantine" },
    [
      'rules[0].action of good must be warn or halt for uniqueness, got "quarantine"',
      'rules[0].columns of good must be a list of at least one text, got "n"',
      "rules[0].atLeast of good must be left out: what a rule quarantines is never published, so the share is 1",
    ],
  ],
  ["rowCount", {}, ["rules[0].atLeast of good must be given, or atMost, or both"]],
  [
    "rowCount",
    { atLeast: 3, atMost: 2 },
    ["rules[0].atLeast of good must not be above atMost, got 3 above 2"],
  ],
  [
    "rowCount",
    { atLeast: 0.5, atMost: 2_147_483_648 },
    [
      "rules[0].atLeast of good must be a whole number from 0 to 2147483647, got 0.5",
      "rules[0].atMost of good must be a whole number from 0 to 2147483647, got 2147483648",
    ],
  ],
  [
    "freshness",
    { column: "moment", atMostHours: 1_000_001 },
    ["rules[0].atMostHours of good must be a whole number from 0 to 1000000, got 1000001"],
  ],
  [
    "quarantineLimit",
    { reason: "other", atMost: 2 },
    [
      'rules[0].reason of good must be one of malformed, wrong_type, got "other"',
      `rules[0].atMost of good ${SHARE}, got 2`,
    ],
  ],
  [
    "customSql",
    { expression: "sqrt(n) / 2", atLeast: 1 },
    ['rules[0].expression of good must not hold "/ 2", which Spark and Athena read differently'],
  ],
  ["customSql", { atLeast: 1 }, ["rules[0].expression of good must be a text, got nothing"]],
])("a %s rule with %j", (type, rest, messages) => {
  expect(rule(type, rest)).toEqual(messages);
});

test("without a contract columns and reasons are taken as they are written", () => {
  const rules = [
    { name: "a", type: "freshness", column: "whatever", atMostHours: 1, action: "warn" },
    { name: "b", type: "quarantineLimit", reason: "what ever", atMost: 0, action: "halt" },
    { name: "c", type: "customSql", expression: "whatever is null", atLeast: 1, action: "halt" },
  ];
  expect(readQuality({ threshold: 0, rules }).mistakes).toEqual([]);
  expect(readQuality({ threshold: 0, rules: [{ ...rules[1], reason: "" }] }).mistakes).toEqual([
    ["rules[0].reason", 'of b must be a text, got ""'],
  ]);
});

const KEYWORDS =
  "and, between, case, date, else, end, false, in, is, like, not, null, or, then, timestamp, true, when";
test.each<[string, string[]]>([
  ["n > 0 and not (lower(Country) like 'a%' or n in (1, -2.5))", []],
  ["", ["must not be empty"]],
  ["n > 0; drop table x", ["must not hold ';'"]],
  ["n = ? -- /* \\", ["must not hold '?'", "must not hold a comment", "must not hold a backslash"]],
  ['"n" > 0', ['must not hold "\\"n\\" > 0", which Spark and Athena read differently']],
  [
    "n <=> 0 and many more words",
    ['must not hold "<=> 0 and many mo...", which Spark and Athena read differently'],
  ],
  ["country = 'it''s'", ["must not hold \"'it''s'\": a text cannot hold a quote"]],
  ["n > 0) or (n < 0", ["must have parentheses that match"]],
  ["(n > 0", ["must have parentheses that match"]],
  [
    "sqrt(n) > city",
    [
      "must not call sqrt; the functions are abs, coalesce, day, hour, length, lower, month, nullif, upper, year",
      `must not name city, neither a column nor one of ${KEYWORDS}`,
    ],
  ],
])("the expression %j", (expression, messages) => {
  expect(expressionMistakes(expression, ["country", "n"])).toEqual(messages);
});

test("rules may name what a contract publishes, by kind, and its reasons", () => {
  const { judged, mistakes } = judgedBy(shippedContract("sales"));
  expect(mistakes).toEqual([]);
  expect(Object.fromEntries(judged.columns!)).toMatchObject({ region: "string", total_amount: "decimal" });
  expect(judged.reasons).toContain("invalid_transaction_date");
  const rule = (column: string) => ({
    name: "there",
    type: "completeness",
    column,
    atLeast: 1,
    action: "warn",
  });
  const mistakesOf = (column: string, contract: unknown) =>
    qualityMistakes({ threshold: 80, rules: [rule(column)] }, contract).map(([field]) => field);
  expect(mistakesOf("region", shippedContract("sales"))).toEqual([]);
  expect(mistakesOf("nobody", shippedContract("sales"))).toEqual(["rules[0].column"]);
});

test("of a contract with mistakes nothing is known, and rules are judged by their form", () => {
  const contract = changedContract({ of: "sales", take: ["x-etl/output"] });
  expect(judgedBy(contract)).toEqual({
    judged: {},
    mistakes: [["x-etl.output", "must be a list of at least one text, got nothing"]],
  });
  const rule = { name: "there", type: "completeness", column: "nobody", atLeast: 2, action: "warn" };
  expect(qualityMistakes({ threshold: 80, rules: [rule] }, contract)).toEqual([
    ["rules[0].atLeast", "of there must be a share from 0 to 1 with at most six decimals, got 2"],
  ]);
});
