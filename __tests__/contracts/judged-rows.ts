import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { compileQuery, type QualityParameter } from "../../contracts/quality-query";
import { readQuality } from "../../contracts/quality-reader";
import { isFatal, type Quality, type QualityRule } from "../../contracts/quality-rules";
import { ROOT } from "../support/clone";

/** Rows, rules and the verdict on them: by a query that really runs, and by the definitions in plain words. */

type Value = string | number | null;

/** In the format of `glue-scripts/tests/cases/quality.json`. */
export interface Case {
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly (readonly Value[])[];
  readonly read: number;
  readonly quarantined: Readonly<Record<string, number>>;
  readonly toDate: string;
  readonly quality: { readonly threshold: number; readonly rules: readonly object[] };
  readonly reasons: readonly string[];
}

export interface Verdict {
  readonly seen: number;
  readonly verdict: string;
  readonly score: number;
  readonly failed: string;
}

export interface Run {
  readonly sql: string;
  /** SQL literals. */
  readonly parameters: readonly string[];
  readonly tables: readonly {
    readonly database: string;
    readonly name: string;
    readonly columns: Readonly<Record<string, string>>;
    readonly rows: readonly (readonly Value[])[];
  }[];
}

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
  /** The tables that the query names, each as often as it does. */
  readonly scans: readonly string[];
}

const PYTHON = join(ROOT, ".setup", "venv", "bin", "python");

/** Runs a Python script of this repository on JSON. */
export function runPython(script: string, input: unknown): unknown {
  if (!existsSync(PYTHON)) throw new Error(`${PYTHON} is missing: npm test sets it up`);
  const options = { input: JSON.stringify(input), encoding: "utf8", maxBuffer: 1e8, cwd: ROOT } as const;
  return JSON.parse(execFileSync(PYTHON, [join(ROOT, script)], options));
}

/** All runs in one process. */
export function runTrino(runs: readonly Run[]): Answer[] {
  const answers = runPython("__tests__/support/run_trino_sql.py", runs) as (Answer | { error: string })[];
  return answers.map((answer, index) => {
    if ("error" in answer) throw new Error(`${answer.error}\nin ${runs[index]!.sql}`);
    return answer;
  });
}

const DAY = 86_400_000;
const dayBefore = (day: string, days = 1): string =>
  new Date(Date.parse(day) - days * DAY).toISOString().slice(0, 10);

/** The rules of a case as they are read; a mistake fails the test. */
export function qualityOf({ quality, columns, reasons }: Case): Quality {
  const read = readQuality(quality, { columns: new Map(Object.entries(columns)), reasons });
  if (read.mistakes.length > 0) throw new Error(JSON.stringify(read.mistakes));
  return read.quality;
}

/** The query of a case on tables that hold its rows on three dates, and the same rows on the dates before and after. */
export function runOf(given: Case, written = given.rows.length): Run {
  const { columns, rows, quarantined, toDate, read } = given;
  const fromDate = dayBefore(toDate, 2);
  const inside = [fromDate, dayBefore(toDate), toDate];
  const outside = [dayBefore(fromDate), dayBefore(toDate, -1)];
  const spread = (some: readonly (readonly Value[])[]): (readonly Value[])[] => [
    ...some.map((row, index) => [...row, inside[index % inside.length]!]),
    ...some.flatMap((row) => outside.map((day) => [...row, day])),
  ];
  const refused = Object.entries(quarantined).flatMap(([reason, count]) =>
    Array.from({ length: count }, () => [reason]),
  );
  const { sql, parameters } = compileQuery(qualityOf(given), {
    table: { database: "lake", name: "events" },
    quarantineTable: { database: "refused", name: "events" },
    partitionColumn: "run_date",
  });
  const literals: Readonly<Record<QualityParameter, string>> = {
    fromDate: `'${fromDate}'`,
    toDate: `'${toDate}'`,
    read: String(read),
    written: String(written),
  };
  return {
    sql,
    parameters: parameters.map((parameter) => literals[parameter]),
    tables: [
      { database: "lake", name: "events", columns: { ...columns, run_date: "string" }, rows: spread(rows) },
      {
        database: "refused",
        name: "events",
        columns: { reason: "string", run_date: "string" },
        rows: spread(refused),
      },
    ],
  };
}

/** The answers of the query of each case. */
export function verdictsOf(runs: readonly Run[]): Verdict[] {
  return runTrino(runs).map(({ columns, rows }) => {
    if (rows.length !== 1) throw new Error(`expected one row, got ${rows.length}`);
    return Object.fromEntries(columns.map((name, index) => [name, rows[0]![index]])) as unknown as Verdict;
  });
}

/** Tells whether a row meets an expression; null if SQL does. */
export type Conditions = Readonly<Record<string, (row: Readonly<Record<string, Value>>) => boolean | null>>;

/** The verdict by the definitions, without SQL. */
export function judge(given: Case, conditions: Conditions, written = given.rows.length): Verdict {
  const { threshold, rules } = qualityOf(given);
  const results = rules.map((rule) => ({ rule, ...resultOf(rule, given, conditions) }));
  const failed = results.filter(({ passed }) => !passed);
  const byDefault = " (at most 10 % by default; a quarantineLimit rule sets another share)";
  const texts = failed.map(
    ({ rule: { name }, count, of }) =>
      `${name}: ${count} of ${of}${name === "lines_are_readable" ? byDefault : ""}`,
  );
  const seen = given.rows.length;
  if (seen < written) texts.unshift(`rows_are_visible: ${seen} of ${written}`);
  const weightOf = (some: readonly { rule: QualityRule }[]): number =>
    some.reduce((sum, { rule }) => sum + rule.weight, 0);
  const score = Number((100n * BigInt(weightOf(results) - weightOf(failed))) / BigInt(weightOf(results)));
  const isFailed = seen < written || score < threshold || failed.some(({ rule }) => isFatal(rule));
  const verdict = isFailed ? "FAILED" : texts.length > 0 ? "WARNED" : "PASSED";
  return { seen, verdict, score, failed: texts.join("; ") };
}

function resultOf(
  rule: QualityRule,
  { columns, rows, quarantined, read, toDate }: Case,
  conditions: Conditions,
): { count: number; of: number; passed: boolean } {
  const names = Object.keys(columns);
  const column = (name: string): Value[] => rows.map((row) => row[names.indexOf(name)]!);
  const atLeast = (share: number, count: number) => {
    const wanted = BigInt(Math.round(share * 1e6)) * BigInt(rows.length);
    return { count, of: rows.length, passed: BigInt(count) * 1_000_000n >= wanted };
  };
  switch (rule.type) {
    case "completeness":
      return atLeast(rule.atLeast, column(rule.column).filter((value) => value !== null).length);
    case "uniqueness": {
      const keys = rows.map((row) => JSON.stringify(rule.columns.map((name) => row[names.indexOf(name)])));
      return atLeast(rule.atLeast, new Set(keys).size);
    }
    case "allowedValues": {
      const allowed: readonly Value[] = [...rule.values, null];
      return atLeast(rule.atLeast, column(rule.column).filter((value) => allowed.includes(value)).length);
    }
    case "customSql": {
      const named = rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]!])));
      return atLeast(rule.atLeast, named.filter((row) => conditions[rule.expression]!(row) === true).length);
    }
    case "rowCount": {
      const count = rows.length;
      return { count, of: count, passed: count >= rule.atLeast && count <= (rule.atMost ?? Infinity) };
    }
    case "freshness": {
      const moments = column(rule.column).flatMap((value) =>
        value === null ? [] : [Date.parse(String(value))],
      );
      const oldest = Date.parse(toDate) + DAY - rule.atMostHours * 3_600_000;
      const passed = moments.some((moment) => moment >= oldest);
      return { count: passed ? 1 : 0, of: 1, passed };
    }
    case "quarantineLimit": {
      const count = quarantined[rule.reason] ?? 0;
      const most = BigInt(Math.round(rule.atMost * 1e6)) * BigInt(read);
      return { count, of: read, passed: BigInt(count) * 1_000_000n <= most };
    }
  }
}
