import { withLiterals } from "./expression";
import {
  DEFAULT_RULE,
  DEFAULT_RULE_FAILED,
  isFatal,
  type Quality,
  type QualityRule,
  VISIBILITY_RULE,
} from "./quality-rules";

/** The value for a `?`: one of the run's dates, or the number of rows the job read or wrote. */
export type QualityParameter = "fromDate" | "toDate" | "read" | "written";

/** A query and the values for its `?`s in order. Dates are passed as quoted texts, counts as bare numbers. */
export interface QualityQuery {
  /** The query in Athena's dialect; it returns one row: `seen`, `verdict`, `score`, `failed`. */
  readonly sql: string;
  /** The values for the query's `?`s, in order. */
  readonly parameters: readonly QualityParameter[];
}

/** The name of a table in Glue's catalogue. */
export interface TableName {
  /** The catalogue database's name. */
  readonly database: string;
  /** The table's name. */
  readonly name: string;
}

/** The tables that a quality query reads. */
export interface QueriedTables {
  /** The published table. */
  readonly table: TableName;
  /**
   * The table of quarantined rows, with a column `reason`.
   * @default - quarantineLimit rules are refused
   */
  readonly quarantineTable?: TableName;
  /** The partition column of both tables, a text `YYYY-MM-DD`. */
  readonly partitionColumn: string;
}

/**
 * The largest query as a JSON string, in bytes. Step Functions passes at most 256 KiB to a service; 1 KiB of it is kept for the other
 * parameters. Athena accepts 262,144.
 *
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 * and https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
 */
export const MOST_QUERY_BYTES = 261_120;

/** Shares are compared as whole millionths, because each engine rounds a division in its own way. */
const MILLION = 1_000_000;

/**
 * Compiles rules to one query in Athena's dialect that returns one row: `seen` (rows), `verdict`, `score`, `failed`.
 * Each table is named once, because Trino scans a table once per mention and inlines a WITH.
 *
 * Names and texts of the rules are quoted. The expression of a customSql rule is not: `expressionMistakes` has checked it.
 */
export function compileQuery({ threshold, rules }: Quality, tables: QueriedTables): QualityQuery {
  const measured = rules.map(measure);
  const sources = [judgedRows(measured, tables), ...quarantinedRows(rules, tables), runFigures(rules)];
  const sql = lines(
    `SELECT seen, ${verdict(threshold)} AS verdict, score, failed`,
    "FROM (",
    `  SELECT seen, halted, failed, ${score(rules)} AS score`,
    "  FROM (",
    "    SELECT seen,",
    `      ${halted(rules)} AS halted,`,
    `      ${passedWeight(rules)} AS passed_weight,`,
    `      ${failures(measured)} AS failed`,
    "    FROM (",
    "      SELECT *,",
    "        seen >= rows_written AS visible,",
    `        ${measured.map(({ passed }, index) => `${passed} AS passed_${index}`).join(",\n        ")}`,
    `      FROM ${sources.map((source) => source.sql).join("\n      CROSS JOIN ")}`,
    "    )",
    "  )",
    ")",
  );
  return { sql, parameters: sources.flatMap(({ parameters }) => parameters) };
}

/** A rule in SQL. */
interface Measured {
  readonly rule: QualityRule;
  /** Over the judged rows, e.g. `count_if(…) AS count_0`. */
  readonly aggregate?: string;
  /** SQL over the aggregates: `count` of `of` is reported if the rule fails. */
  readonly count: string;
  readonly of: string;
  /** A condition that is never null. */
  readonly passed: string;
}

function measure(rule: QualityRule, index: number): Measured {
  const count = `count_${index}`;
  switch (rule.type) {
    case "completeness":
      return share(rule, count, countIf(`${identifier(rule.column)} IS NOT NULL`));
    case "uniqueness":
      // ROW, because a count of distinct values leaves out nulls.
      return share(rule, count, `count(DISTINCT ROW(${rule.columns.map(identifier).join(", ")}))`);
    case "allowedValues": {
      const column = identifier(rule.column);
      return share(
        rule,
        count,
        countIf(`${column} IS NULL OR ${column} IN (${rule.values.map(literal).join(", ")})`),
      );
    }
    case "customSql":
      return share(rule, count, countIf(`(${withLiterals(rule.expression, literal)})`));
    case "rowCount": {
      const upper = rule.atMost === undefined ? "" : ` AND seen <= ${rule.atMost}`;
      return { rule, count: "seen", of: "seen", passed: `(seen >= ${rule.atLeast}${upper})` };
    }
    case "freshness": {
      const oldest = `date_add('hour', -${rule.atMostHours}, end_of_run)`;
      const passed = `coalesce(newest_${index} >= ${oldest}, false)`;
      const aggregate = `max(${identifier(rule.column)}) AS newest_${index}`;
      return { rule, aggregate, count: "0", of: "1", passed };
    }
    case "quarantineLimit": {
      const passed = `(${count} * ${MILLION} <= ${millionths(rule.atMost)} * rows_read)`;
      return { rule, count, of: "rows_read", passed };
    }
  }
}

function share(rule: QualityRule & { readonly atLeast: number }, count: string, aggregate: string): Measured {
  const passed = `(${count} * ${MILLION} >= ${millionths(rule.atLeast)} * seen)`;
  return { rule, aggregate: `${aggregate} AS ${count}`, count, of: "seen", passed };
}

/** `count_if` is avoided: over no rows it is 0 in Trino and null in other engines. */
const countIf = (condition: string): string => `count(CASE WHEN ${condition} THEN 1 END)`;

interface Source {
  readonly sql: string;
  readonly parameters: readonly QualityParameter[];
}

function judgedRows(measured: readonly Measured[], { table, partitionColumn }: QueriedTables): Source {
  const aggregates = measured.flatMap(({ aggregate }) => aggregate ?? []);
  return aggregation("judged", ["count(*) AS seen", ...aggregates], table, partitionColumn);
}

function quarantinedRows(rules: readonly QualityRule[], tables: QueriedTables): Source[] {
  const counts = rules.flatMap((rule, index) =>
    rule.type === "quarantineLimit"
      ? [`${countIf(`"reason" = ${literal(rule.reason)}`)} AS count_${index}`]
      : [],
  );
  if (counts.length === 0) return [];
  if (tables.quarantineTable === undefined)
    throw new Error("a quarantineLimit rule needs a quarantine table");
  return [aggregation("quarantined", counts, tables.quarantineTable, tables.partitionColumn)];
}

/** One row of aggregates over the rows of the run's dates. */
function aggregation(
  alias: string,
  aggregates: readonly string[],
  table: TableName,
  partition: string,
): Source {
  const sql = lines(
    "(",
    `        SELECT ${aggregates.join(",\n          ")}`,
    `        FROM ${identifier(table.database)}.${identifier(table.name)}`,
    `        WHERE ${identifier(partition)} BETWEEN ? AND ?`,
    `      ) AS ${alias}`,
  );
  return { sql, parameters: ["fromDate", "toDate"] };
}

/** The job's figures of the run, as one row. */
function runFigures(rules: readonly QualityRule[]): Source {
  const uses = (type: QualityRule["type"]): boolean => rules.some((rule) => rule.type === type);
  const figures: [sql: string, parameter: QualityParameter][] = [
    ["CAST(? AS bigint) AS rows_written", "written"],
  ];
  if (uses("quarantineLimit")) figures.push(["CAST(? AS bigint) AS rows_read", "read"]);
  if (uses("freshness")) {
    figures.push(["date_add('day', 1, CAST(CAST(? AS date) AS timestamp)) AS end_of_run", "toDate"]);
  }
  const sql = `(SELECT ${figures.map(([figure]) => figure).join(", ")}) AS run`;
  return { sql, parameters: figures.map(([, parameter]) => parameter) };
}

/** A condition: some rule failed that fails the run regardless of the score. */
function halted(rules: readonly QualityRule[]): string {
  const fatal = rules.flatMap((rule, index) => (isFatal(rule) ? [`NOT passed_${index}`] : []));
  return `(${["NOT visible", ...fatal].join(" OR ")})`;
}

const verdict = (threshold: number): string =>
  `CASE WHEN halted OR score < ${threshold} THEN 'FAILED' WHEN failed <> '' THEN 'WARNED' ELSE 'PASSED' END`;

const passedWeight = (rules: readonly QualityRule[]): string =>
  rules.map(({ weight }, index) => `CASE WHEN passed_${index} THEN ${weight} ELSE 0 END`).join(" + ");

/** The score in whole percent, looked up by the lowest weight that reaches it, because a division would round. */
function score(rules: readonly QualityRule[]): string {
  const whole = rules.reduce((sum, { weight }) => sum + weight, 0);
  const lowest = new Map<number, number>();
  for (let percent = 1; percent <= 100; percent++) lowest.set(Math.ceil((percent * whole) / 100), percent);
  const steps = [...lowest]
    .reverse()
    .map(([weight, percent]) => `WHEN passed_weight >= ${weight} THEN ${percent}`);
  return `CAST(CASE ${steps.join(" ")} ELSE 0 END AS bigint)`;
}

/** `<rule>: <count> of <of>` for each failed rule, in the order of the file; the visibility check comes first. */
function failures(measured: readonly Measured[]): string {
  const visible = failure("visible", VISIBILITY_RULE, "seen", "rows_written");
  const texts = measured.map(({ rule, count, of }, index) =>
    failure(`passed_${index}`, rule.name, count, of),
  );
  return `concat_ws('; ', ${[visible, ...texts].join(",\n        ")})`;
}

function failure(passed: string, name: string, count: string, of: string): string {
  const counts = `CAST(${count} AS varchar) || ' of ' || CAST(${of} AS varchar)`;
  const more = name === DEFAULT_RULE ? ` || ${literal(DEFAULT_RULE_FAILED)}` : "";
  return `CASE WHEN NOT ${passed} THEN ${literal(`${name}: `)} || ${counts}${more} END`;
}

const millionths = (value: number): number => Math.round(value * MILLION);

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text in quotes. Doubling quotes is Trino's only escape; `${` and `%{` are split, because Terraform would interpolate them. */
function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return /[$%]\{/.test(text) ? `(${quoted.replace(/([$%])(?=\{)/g, "$1' || '")})` : quoted;
}

const lines = (...parts: readonly string[]): string => parts.join("\n");
