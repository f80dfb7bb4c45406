import { acceptedShapes } from "./shape-checks";
import { comparedColumns } from "./change-checks";
import { BOUNDS, type Column, placeOf } from "./columns";
import { FILE } from "./changes";
import type { Contract } from "./contract";
import { dmsPlan, folderOf } from "./dms";
import { glueType, outputTypes } from "./contract-types";
import { columnsOf } from "./expression";
import { type Format, hasTexts, isCsv, isXml } from "./format";
import type { Moments } from "./moments";
import type { Quality, QualityRule } from "./quality-rules";
import { type SourceContract, sourceContracts } from "./source-contracts";
import { crawledName } from "./sources";

/**
 * The version of the plan's form. The job refuses another one (`PLAN_VERSION` in `glue-scripts/etl/ingest/load_plan.py`): raise it here and
 * there with every change of what a key means, or of which keys there are.
 */
export const PLAN_VERSION = 4;

/** A contract and its quality rules, compiled: what the job loads. It has every default, and nothing in it is judged again. */
export interface Plan {
  /** The version of this form. */
  readonly planVersion: number;
  /** The rules by which the job makes rows of a delivery. */
  readonly contract: object;
  /** The rules that the rows must meet. */
  readonly quality: object;
}

/** Writes down what has been judged already. The order of keys is fixed, so that equal files give equal bytes. */
export function planOf(contract: Contract, quality: Quality): Plan {
  return {
    planVersion: PLAN_VERSION,
    contract: contractPlan(contract),
    quality: qualityPlan(
      quality,
      [...outputTypes(contract).keys()],
      [...new Set(contract.rules.map(({ reason }) => reason))],
    ),
  };
}

/** The text of a plan, as it is uploaded. */
export const planText = (plan: Plan): string => `${JSON.stringify(plan, null, 2)}\n`;

function contractPlan(contract: Contract): object {
  const { timestamp, aggregate } = contract;
  return {
    sources: sourceContracts(contract).map(sourcePlan),
    sourceColumn: contract.sourceColumn ?? null,
    unknownSources: contract.sources.length === 0 ? "ignore" : contract.unknownSources,
    businessKey: contract.businessKey,
    lookbackDays: contract.lookbackDays,
    onDrift: contract.onDrift,
    reasons: contract.rules.map(({ reason, kind, column, columns }) => ({
      reason,
      rule: kind,
      column: column ?? null,
      columns,
    })),
    timestamp:
      timestamp === undefined
        ? null
        : {
            source: timestamp.source,
            column: timestamp.column,
            dateColumn: timestamp.dateColumn,
            ...momentsPlan(timestamp.moments),
            dateFormats: timestamp.dateFormats,
          },
    category: contract.category ?? null,
    computed: contract.computed.map(computedPlan),
    output: [...outputTypes(contract)].map(([name, type]) => ({ name, type })),
    partitionBy: contract.partitionBy,
    aggregate:
      aggregate === undefined
        ? null
        : { groupBy: aggregate.groupBy, columns: aggregate.columns.map(computedPlan) },
    orderColumn: contract.orderColumn ?? null,
    changes: changesPlan(contract),
    dms: contract.dms === undefined ? null : dmsPlan(contract.dms, contract.changes?.op?.column),
    dropped: contract.dropped,
  };
}

function changesPlan(contract: Contract): object | null {
  const { changes } = contract;
  if (changes === undefined) return null;
  const { delivery, order, validFrom, proof, op } = changes;
  return {
    delivery,
    order: order.filter((name) => name !== FILE),
    validFrom: validFrom ?? null,
    compare: comparedColumns(contract),
    proof: proof ?? null,
    op: op ?? null,
  };
}

/** A source with its part of the contract. Without declared sources, the pipeline's folder is the only one, and nobody looks beside its dates. */
function sourcePlan({ source, contract }: SourceContract): object {
  const { columns, format, given, dms } = contract;
  const place =
    source === undefined
      ? {
          ...{ name: null, table: null, folder: dms === undefined ? "" : folderOf(dms), endings: [] },
          layout: dms === undefined ? "dt" : "dms",
          ...{ unknownFolders: "ignore", whenMissing: "fail" },
        }
      : {
          name: source.name,
          table: crawledName(source),
          folder: source.folder,
          endings: source.endings,
          layout: source.layout,
          unknownFolders: source.unknownFolders,
          whenMissing: source.whenMissing,
        };
  return {
    ...place,
    format: formatPlan(format),
    shapes: acceptedShapes(contract),
    columns: columns.map((column) => columnPlan(column, format)),
    given: given.map(({ name, type, value }) => ({ name, type, value })),
  };
}

const computedPlan = ({ name, expression, type }: { name: string; expression: string; type: string }) => ({
  name,
  expression,
  type,
});

function formatPlan(format: Format): object {
  if (isXml(format)) return { kind: format.kind, rowTag: format.rowTag, encoding: format.encoding };
  if (!isCsv(format)) return { kind: format.kind };
  const { kind, delimiter, quote, escape, multiLine, unknownColumns, encoding } = format;
  const { skipTop, skipBottom, comment, columns } = format;
  return {
    ...{ kind, delimiter, quote, escape, multiLine, unknownColumns, encoding },
    ...{ skipTop, skipBottom, comment, columns },
  };
}

const momentsPlan = ({ patterns, timeZone, ambiguous, nonexistent }: Moments) => ({
  patterns: patterns.map(({ pattern, hasZone }) => ({ pattern, hasZone })),
  timeZone,
  ambiguous,
  nonexistent,
});

/** A column with the keys that its kind can have. */
function columnPlan(column: Column, format: Format): object {
  const { name, kind, fields, entries, decimal, dateFormats, moments, nulls, allowed, bounds } = column;
  const inObject = isCsv(format) || kind === "array" ? {} : placePlan(column);
  const common = { name, kind, type: glueType(column), ...inObject };
  if (kind === "object") return common;
  if (kind === "array")
    return {
      ...common,
      entries: entries ?? null,
      fields: fields.map((field) => ({ name: field.name, kind: field.kind, type: glueType(field) })),
    };
  const isNumber = kind === "integer" || kind === "number";
  return {
    ...common,
    ...(kind === "string" || hasTexts(format) ? { nulls } : {}),
    ...(kind === "string"
      ? { dateFormats, moments: moments === undefined ? null : momentsPlan(moments) }
      : {}),
    ...(kind === "number" ? { decimal: decimal ?? null } : {}),
    ...(isNumber && hasTexts(format) ? { number: column.number ?? { decimal: ".", thousands: "" } } : {}),
    ...(kind === "boolean" && hasTexts(format)
      ? { words: column.words ?? { true: ["true"], false: ["false"] } }
      : {}),
    ...(kind === "string" || kind === "integer" ? { allowed } : {}),
    // As texts, so that no reader makes a binary fraction of 0.1.
    ...(isNumber
      ? { bounds: Object.fromEntries(BOUNDS.map((key) => [key, bounds[key]?.toString() ?? null])) }
      : {}),
  };
}

/** The place of a value in a delivered object, and what it may be there. */
function placePlan(column: Column): object {
  const { kind, accepts, isCount, isBlankNull } = column;
  return {
    path: placeOf(column),
    ...(kind === "boolean" ? {} : { accepts }),
    ...(kind === "integer" ? { isCount } : {}),
    ...(kind === "string" ? { isBlankNull } : {}),
  };
}

/** @param columns the published columns. @param reasons those of the contract */
export function qualityPlan(
  { threshold, rules }: Quality,
  columns: readonly string[],
  reasons: readonly string[],
): object {
  const taking = rules.filter(({ action }) => action === "quarantine").map(({ name }) => name);
  return {
    threshold,
    reasons: [...reasons, ...taking],
    rules: rules.map((rule) => rulePlan(rule, columns)),
  };
}

/** A rule with the columns that it is about. Shares are from 0 to 1. */
function rulePlan(rule: QualityRule, columns: readonly string[]): object {
  const { name, type, action, weight } = rule;
  const common = { name, type, action, weight };
  switch (rule.type) {
    case "completeness":
      return { ...common, columns: [rule.column], atLeast: rule.atLeast };
    case "uniqueness":
      return { ...common, columns: rule.columns, atLeast: rule.atLeast };
    case "allowedValues":
      return { ...common, columns: [rule.column], values: rule.values, atLeast: rule.atLeast };
    case "customSql":
      return {
        ...common,
        columns: columnsOf(rule.expression, columns),
        expression: rule.expression,
        atLeast: rule.atLeast,
      };
    case "rowCount":
      return { ...common, atLeast: rule.atLeast, atMost: rule.atMost ?? null };
    case "freshness":
      return { ...common, columns: [rule.column], atMostHours: rule.atMostHours };
    case "quarantineLimit":
      return { ...common, reason: rule.reason, atMost: rule.atMost };
  }
}
