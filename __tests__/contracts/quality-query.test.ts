import { compileQuery, MOST_QUERY_BYTES, type QueriedTables } from "../../contracts/quality-query";
import { type QualityRule } from "../../contracts/quality-rules";
import { runTrino } from "./judged-rows";

const tables: QueriedTables = {
  table: { database: "lake", name: "events" },
  quarantineTable: { database: "refused", name: "rows" },
  partitionColumn: "run_date",
};
const common = { name: "rule", action: "warn", weight: 1 } as const;
const compile = (rules: readonly QualityRule[], some: Partial<QueriedTables> = {}) =>
  compileQuery({ threshold: 80, rules }, { ...tables, ...some });

const ROW_COUNT: QualityRule = { ...common, type: "rowCount", atLeast: 1 };
const FRESHNESS: QualityRule = { ...common, type: "freshness", column: "at", atMostHours: 1 };
const LIMIT: QualityRule = { ...common, type: "quarantineLimit", reason: "malformed", atMost: 0.5 };

test("the whole query of one rule", () => {
  const rule: QualityRule = { ...common, type: "completeness", column: "country", atLeast: 0.95, weight: 3 };
  expect(compile([rule])).toEqual({
    sql: `SELECT seen, CASE WHEN halted OR score < 80 THEN 'FAILED' WHEN failed <> '' THEN 'WARNED' ELSE 'PASSED' END AS verdict, score, failed
FROM (
  SELECT seen, halted, failed, CAST(CASE WHEN passed_weight >= 3 THEN 100 WHEN passed_weight >= 2 THEN 66 WHEN passed_weight >= 1 THEN 33 ELSE 0 END AS bigint) AS score
  FROM (
    SELECT seen,
      (NOT visible) AS halted,
      CASE WHEN passed_0 THEN 3 ELSE 0 END AS passed_weight,
      concat_ws('; ', CASE WHEN NOT visible THEN 'rows_are_visible: ' || CAST(seen AS varchar) || ' of ' || CAST(rows_written AS varchar) END,
        CASE WHEN NOT passed_0 THEN 'rule: ' || CAST(count_0 AS varchar) || ' of ' || CAST(seen AS varchar) END) AS failed
    FROM (
      SELECT *,
        seen >= rows_written AS visible,
        (count_0 * 1000000 >= 950000 * seen) AS passed_0
      FROM (
        SELECT count(*) AS seen,
          count(CASE WHEN "country" IS NOT NULL THEN 1 END) AS count_0
        FROM "lake"."events"
        WHERE "run_date" BETWEEN ? AND ?
      ) AS judged
      CROSS JOIN (SELECT CAST(? AS bigint) AS rows_written) AS run
    )
  )
)`,
    parameters: ["fromDate", "toDate", "written"],
  });
});

test.each<[string, QualityRule[], string[]]>([
  ["rows", [ROW_COUNT], ["fromDate", "toDate", "written"]],
  ["freshness", [FRESHNESS], ["fromDate", "toDate", "written", "toDate"]],
  ["quarantine", [LIMIT], ["fromDate", "toDate", "fromDate", "toDate", "written", "read"]],
  [
    "both, however many",
    [LIMIT, FRESHNESS, LIMIT, FRESHNESS],
    ["fromDate", "toDate", "fromDate", "toDate", "written", "read", "toDate"],
  ],
])("the parameters of rules on %s stand in the order of the question marks", (_, rules, parameters) => {
  const query = compile(rules);
  expect(query.parameters).toEqual(parameters);
  expect(query.sql.match(/\?/g)).toHaveLength(parameters.length);
});

test("each table is read once, the quarantine's only where a rule counts its rows", () => {
  const values: QualityRule[] = [
    { ...common, type: "allowedValues", column: "country", values: ["a"], atLeast: 1 },
    { ...common, type: "customSql", expression: "country = 'a'", atLeast: 1 },
    { ...common, type: "uniqueness", columns: ["country", "at"], atLeast: 1 },
    { ...common, type: "completeness", column: "country", atLeast: 1 },
    ROW_COUNT,
    FRESHNESS,
  ];
  expect(scansOf([...values, LIMIT, LIMIT])).toEqual(["lake.events", "refused.rows"]);
  expect(scansOf(values)).toEqual(["lake.events"]);
});

test("no quarantineLimit rule without a quarantine table", () => {
  expect(() => compile([LIMIT], { quarantineTable: undefined })).toThrow(
    "a quarantineLimit rule needs a quarantine table",
  );
});

test("names and texts are quoted, and no text looks like Terraform's own", () => {
  const values = [`it's`, `"x"`, "a\\b", "a?b", "${x}", "%{x}", "$${x}${", "plain"];
  const { sql, parameters } = compile(
    [
      { ...common, type: "allowedValues", column: 'co"l', values, atLeast: 1 },
      { ...common, type: "customSql", expression: "at <> '${y}' and at like '%{z'", atLeast: 1 },
      { ...LIMIT, reason: "it's" },
    ],
    {
      table: { database: 'la"ke', name: "ev-ents" },
      quarantineTable: { database: "re.fused", name: "ro ws" },
      partitionColumn: "run date",
    },
  );
  for (const part of [
    `"co""l" IN ('it''s', '"x"', 'a\\b', 'a?b', ('$' || '{x}'), ('%' || '{x}'), ('$$' || '{x}$' || '{'), 'plain')`,
    `(at <> ('$' || '{y}') and at like ('%' || '{z'))`,
    `"reason" = 'it''s'`,
    `FROM "la""ke"."ev-ents"`,
    `FROM "re.fused"."ro ws"`,
    `WHERE "run date" BETWEEN ? AND ?`,
  ]) {
    expect(sql).toContain(part);
  }
  expect(sql).not.toMatch(/[$%]\{/);
  expect(parameters).toHaveLength(6);
});

test("a share is the millionth that it is written as, though a million of it is a little less", () => {
  const share = 0.524287;
  expect(share * 1_000_000).toBeLessThan(524_287);
  const { sql } = compile([{ ...common, type: "completeness", column: "country", atLeast: share }]);
  expect(sql).toContain("(count_0 * 1000000 >= 524287 * seen)");
});

test("a rule's own or does not reach beyond it", () => {
  const { sql } = compile([{ ...common, type: "customSql", expression: "true or n > 0", atLeast: 1 }]);
  expect(sql).toContain("count(CASE WHEN (true or n > 0) THEN 1 END)");
});

test("a query as long as Athena may be handed leaves room for the other parameters", () => {
  expect(MOST_QUERY_BYTES).toBe(256 * 1024 - 1024);
});

function scansOf(rules: readonly QualityRule[]): readonly string[] {
  const { sql, parameters } = compile(rules);
  const columns = { country: "string", at: "timestamp", run_date: "string" };
  const [answer] = runTrino([
    {
      sql,
      parameters: parameters.map((name) => (name.endsWith("Date") ? "'2010-12-03'" : "0")),
      tables: [
        { database: "lake", name: "events", columns, rows: [] },
        { database: "refused", name: "rows", columns: { reason: "string", run_date: "string" }, rows: [] },
      ],
    },
  ]);
  return answer!.scans;
}
