import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { compilePlan } from "../../contracts/compile-plan";
import { columnsOf } from "../../contracts/expression";
import {
  type Answer,
  answersTo,
  keyOf,
  type PosedQuestion,
  type Question,
  sparkMistakes,
  unanswered,
  unusedAnswers,
} from "../../contracts/spark-questions";
import { besideContract, readAnswers, recordFile, recordText } from "../../contracts/spark-record";
import { ROOT } from "../support/clone";
import { changedContract, contractFile, rulesFile, SHIPPED } from "../support/contracts";
import { readPage } from "../support/page";

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

/** The questions of a contract and of the rules with these expressions. */
function questionsOf(contract: object, ...expressions: string[]): readonly PosedQuestion[] {
  const rules = expressions.map((expression, index) => {
    return { name: `r${index}`, type: "customSql", expression, atLeast: 1, action: "halt" };
  });
  const any = { name: "any", type: "rowCount", atLeast: 0, action: "warn" };
  const { questions, mistakes } = compilePlan(contract, { threshold: 0, rules: [any, ...rules] }, [], "c");
  if (questions.length === 0) throw new Error(JSON.stringify(mistakes));
  return questions;
}

test("a contract and its rules pose what Spark and Java must judge, each with the columns that it names", () => {
  expect(questionsOf(changedContract({ of: "sales" }), "Quantity > 0 or region is null")).toEqual([
    {
      file: "contract",
      place: "x-etl.shapes.online_retail.CustomerID.clean[1]",
      owner: "",
      question: { kind: "replace", pattern: "\\.0$", with: "" },
    },
    {
      file: "contract",
      place: "x-etl.computed.total_amount",
      owner: "",
      type: "decimal(14,2)",
      question: {
        kind: "row",
        expression: "round(quantity * unit_price, 2)",
        columns: { quantity: "bigint", unit_price: "decimal(10,4)" },
      },
    },
    {
      file: "contract",
      place: "x-etl.computed.transaction_type",
      owner: "",
      type: "string",
      question: {
        kind: "row",
        expression: expect.stringMatching(/^case when transaction_id like /) as string,
        columns: { quantity: "bigint", transaction_id: "string" },
      },
    },
    ...[
      ["revenue", "sum(total_amount)", { total_amount: "decimal(14,2)" }, "decimal(20,2)"] as const,
      ["units", "sum(quantity)", { quantity: "bigint" }, "bigint"] as const,
      ["lines", "count(*)", {}, "bigint"] as const,
    ].map(([name, expression, columns, type]) => ({
      file: "contract",
      place: `x-etl.aggregate.columns.${name}`,
      owner: "",
      type,
      question: {
        kind: "aggregate",
        expression,
        groupBy: ["transaction_date", "region", "product_id"],
        columns: { ...columns, product_id: "string", region: "string", transaction_date: "date" },
      },
    })),
    {
      file: "quality",
      place: "rules[1]",
      owner: "r0",
      type: "boolean",
      question: {
        kind: "condition",
        expression: "Quantity > 0 or region is null",
        columns: { quantity: "bigint", region: "string" },
      },
    },
  ]);
});

test("the columns of a question are in alphabetical order, and other columns do not change it", () => {
  const put = {
    "properties/another": { type: "string" },
    "x-etl/shapes/online_retail/More": "another",
    "x-etl/computed/more": { expression: "1", type: "bigint" },
  };
  const before = questionsOf(changedContract({ of: "sales" })).map(({ question }) => question);
  const after = questionsOf(changedContract({ of: "sales", put })).map(({ question }) => question);
  expect(after.filter((one) => !before.some((other) => keyOf(other) === keyOf(one)))).toEqual([
    { kind: "row", expression: "1", columns: {} },
  ]);
  for (const question of after)
    if (question.kind !== "replace") {
      const names = Object.keys(question.columns);
      expect(names).toEqual([...names].sort());
    }
});

test.each([
  ["n > 0 and N < 9", ["n"]],
  ["d >= date '2000-01-01' and t < timestamp '2100-01-01 00:00:00'", ["d", "t"]],
  ["date >= date '2000-01-01'", ["date"]],
  ["year(d) = 2010", ["d"]],
  ["length (n) > 1 and year > 2", ["n", "year"]],
  ["country = 'n' or 'd' = ''", ["country"]],
  ["n in (1, 2)", ["n"]],
  ["coalesce(Country, '') = ''", ["country"]],
  ["true", []],
])("%s names %j", (expression, names) => {
  const columns = ["country", "d", "date", "length", "n", "t", "timestamp", "year"];
  expect(columnsOf(expression, columns)).toEqual(names);
});

describe("an answer", () => {
  const row: Question = { kind: "row", expression: "n + 1", columns: { n: "bigint" } };
  const step: Question = { kind: "replace", pattern: "a", with: "" };
  const posedAs = (type: string): PosedQuestion => {
    return { question: row, file: "contract", place: "x-etl.computed.more", owner: "", type };
  };
  const rule: PosedQuestion = {
    ...posedAs("boolean"),
    file: "quality",
    place: "rules[3]",
    owner: "positive",
  };
  const field = "x-etl.computed.more.expression";

  test.each([
    ["bigint", "decimal(20,0)", undefined],
    ["decimal(4,2)", "double", undefined],
    ["double", "int", undefined],
    ["string", "string", undefined],
    ["boolean", "boolean", undefined],
    ["bigint", "string", "must be bigint, is string"],
    ["string", "decimal(20,0)", "must be string, is decimal(20,0)"],
    ["date", "timestamp", "must be date, is timestamp"],
    ["boolean", "int", "must be boolean, is int"],
    ["string", "void", "must be string, is void"],
  ])("declared as %s, is %s: %s", (declared, type, mistake) => {
    const { contract, quality } = sparkMistakes([posedAs(declared)], [{ ...row, type }], "c");
    expect(contract).toEqual(mistake === undefined ? [] : [[field, mistake]]);
    expect(quality).toEqual([]);
  });

  test("that is missing: one mistake in each file that asks, with the command to type", () => {
    const replaced: PosedQuestion = {
      question: step,
      file: "contract",
      place: "x-etl.shapes.old.Name.clean[0]",
      owner: "",
    };
    const sums = ["a", "b", "c"].map((name) => ({ ...posedAs("bigint"), place: `x-etl.computed.${name}` }));
    expect(sparkMistakes([replaced, ...sums, rule], [], "a.schema.json")).toEqual({
      contract: [
        [
          "",
          "4 expressions have not been judged by Spark yet (x-etl.shapes.old.Name.clean[0], x-etl.computed.a, " +
            "x-etl.computed.b, …): run npx cdktf-aws-etl contract compile a.schema.json",
        ],
      ],
      quality: [
        [
          "",
          "1 expression has not been judged by Spark yet (rules[3] of positive): " +
            "run npx cdktf-aws-etl contract compile a.schema.json",
        ],
      ],
    });
    const others: Answer[] = [
      { ...row, columns: { n: "double" }, type: "double" },
      { ...row, kind: "condition", type: "boolean" },
      { ...step, with: "b" },
    ];
    expect(unanswered([replaced, rule], others)).toEqual([replaced, rule]);
    expect(unusedAnswers([replaced, rule], others)).toEqual(others);
    expect(unanswered([replaced], [...others, step])).toEqual([]);
  });

  test("that is a mistake is one of its part", () => {
    const refused: Answer = { ...row, key: "expression", mistake: "is not valid for Spark: oh" };
    expect(sparkMistakes([posedAs("bigint"), rule], [refused], "c")).toEqual({
      contract: [[field, "is not valid for Spark: oh"]],
      quality: [["rules[3].expression", "of positive is not valid for Spark: oh"]],
    });
    const replaced: PosedQuestion = { question: step, file: "contract", place: "clean[0]", owner: "" };
    const wrongText: Answer = { ...step, key: "with", mistake: "names the group 1" };
    expect(sparkMistakes([replaced], [wrongText], "c").contract).toEqual([
      ["clean[0].with", "names the group 1"],
    ]);
  });
});

const name = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" });
const columns = fc.dictionary(name, fc.constantFrom("bigint", "decimal(4,2)", "array<struct<a:string>>"));
const type = fc.constantFrom("bigint", "string");
const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ kind: fc.constantFrom("row" as const, "condition" as const), expression: name, columns, type }),
  fc.record({
    kind: fc.constant("aggregate" as const),
    expression: name,
    groupBy: fc.uniqueArray(name, { minLength: 1, maxLength: 9 }),
    columns,
    type,
  }),
  fc.record({ kind: fc.constant("replace" as const), pattern: name, with: fc.string() }),
);

describe("a record", () => {
  const folder = mkdtempSync(join(tmpdir(), "spark-record-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("has the same bytes in whatever order the answers came, and gives them back", () => {
    const shuffled = fc
      .uniqueArray(answer, { minLength: 1, maxLength: 5, selector: keyOf })
      .chain((answers) =>
        fc.tuple(fc.constant(answers), fc.shuffledSubarray(answers, { minLength: answers.length })),
      );
    fc.assert(
      fc.property(shuffled, ([answers, others]) => {
        const text = recordText(answers);
        expect(recordText([...others, ...answers])).toBe(text);
        const read = readAnswers(text);
        expect(read.mistakes).toEqual([]);
        expect(new Map(read.answers.map((one) => [keyOf(one), one.type]))).toEqual(
          new Map(answers.map((one) => [keyOf(one), one.type])),
        );
      }),
    );
  });

  test("is formatted as Prettier does", () => {
    const groupBy = (length: number) => [`a${"b".repeat(length)}`, "c"];
    const sum: Answer = {
      kind: "aggregate",
      expression: "count(*)",
      groupBy: [],
      columns: {},
      type: "bigint",
    };
    const some: Answer[] = [
      ...[1, 75, 76, 77, 78, 79, 80, 200].map((length) => ({ ...sum, groupBy: groupBy(length) })),
      { kind: "row", expression: "'\t\"\\'", columns: { b: "string", a: "bigint" }, type: "string" },
      { kind: "replace", pattern: "\\.0$", with: "" },
    ];
    const files = [some, some.slice(-1)].map((answers, index) => {
      const file = join(folder, `${index}.spark.json`);
      writeFileSync(file, recordText(answers));
      return file;
    });
    const prettier = join(ROOT, "node_modules", "prettier", "bin", "prettier.cjs");
    const checked = spawnSync(
      process.execPath,
      [prettier, "--config", join(ROOT, ".prettierrc.json"), "--list-different", ...files],
      { encoding: "utf8" },
    );
    expect(checked).toMatchObject({ status: 0, stdout: "" });
    expect(recordText(some)).toMatch(/"groupBy": \[\n/);
  });

  const withAnswer = (one: object) => JSON.stringify({ answers: [one] });
  test.each([
    ["", "", "is not valid JSON: Unexpected end of JSON input"],
    ["[]", "", "must be an object, got []"],
    ["{}", "answers", "must be a list of at least one answer, got nothing"],
    [
      '{ "answers": [{ "kind": "x" }] }',
      "answers[0].kind",
      "must be one of row, aggregate, condition, replace",
    ],
    [
      withAnswer({ kind: "row", expression: "1", columns: {} }),
      "answers[0].type",
      "must be a text, got nothing",
    ],
    [
      withAnswer({ kind: "row", expression: "1", columns: [], type: "int" }),
      "answers[0].columns",
      "must be an",
    ],
    [
      withAnswer({ kind: "row", expression: "1", columns: { a: 1 }, type: "int" }),
      "answers[0].columns.a",
      "must be a text, got 1",
    ],
    [withAnswer({ kind: "replace", pattern: "a" }), "answers[0].with", "must be a text, it may be empty"],
    [
      withAnswer({ kind: "replace", pattern: "a", with: "", type: "int" }),
      "answers[0].type",
      "is unknown: an answer to a replace may hold kind, pattern, with",
    ],
    [
      withAnswer({ kind: "aggregate", expression: "1", columns: {}, type: "int" }),
      "answers[0].groupBy",
      "must be a list of at least one text, got nothing",
    ],
    ['{ "answers": [{}], "at": 1 }', "at", "is unknown: a record of answers may hold answers"],
  ])("%s is not taken: '%s' %s", (text, where, mistake) => {
    const [[field, words] = ["", ""]] = readAnswers(text).mistakes;
    expect(field).toBe(where);
    expect(words).toContain(mistake);
  });

  test("lies beside its contract", () => {
    expect(recordFile("pipelines/events/events.schema.json")).toBe("pipelines/events/events.spark.json");
    expect(recordFile("/a.json/contract.json")).toBe("/a.json/contract.spark.json");
    expect(besideContract("events", "quality")).toBe("events.quality.json");
  });
});

describe("what is shipped", () => {
  const SCANS = join(ROOT, "examples", "parcel-scans");
  const FILES = [
    ...SHIPPED.map((pipeline) => [contractFile(pipeline), rulesFile(pipeline)] as const),
    [join(SCANS, "scans.schema.json"), join(SCANS, "scans.quality.json")] as const,
  ];

  test.each(FILES)("%s: its record answers exactly its questions", (contract, rules) => {
    const record = recordFile(contract);
    const text = existsSync(record) ? readFileSync(record, "utf8") : undefined;
    const { answers, mistakes } = text === undefined ? { answers: [], mistakes: [] } : readAnswers(text);
    expect(mistakes).toEqual([]);
    const compiled = compilePlan(readJson(contract), readJson(rules), answers, contract);
    expect(compiled.mistakes).toEqual({ contract: [], quality: [] });
    expect(unusedAnswers(compiled.questions, answers)).toEqual([]);
    const wanted =
      compiled.questions.length === 0 ? undefined : recordText(answersTo(compiled.questions, answers));
    expect(text).toBe(wanted);
  });

  test("the contract of docs/add-a-pipeline.md needs no record", () => {
    const { files } = readPage(join("docs", "add-a-pipeline.md"));
    const [contract, rules] = ["schema", "quality"].map(
      (kind) => files[`pipelines/returns/returns.${kind}.json`]!,
    );
    const compiled = compilePlan(JSON.parse(contract!), JSON.parse(rules!), [], "returns.schema.json");
    expect(compiled.mistakes).toEqual({ contract: [], quality: [] });
    expect(compiled.questions).toEqual([]);
  });
});
