import { javaPatternMistake, replacementMistake } from "./java-pattern";
import { got, isNode, isText, type NodeReader } from "./node-reader";

/** Reads the optional parts of a contract: how files are read, and what is computed from their columns. */

export interface Format {
  readonly isCsv: boolean;
  /** Undeclared columns of a CSV header are kept, in one column of type map. */
  readonly keepsUnknown: boolean;
}

/** A CSV header that is accepted. */
export interface Shape {
  readonly name: string;
  /** Delivered name → the contract's column; `undefined` for a delivered column that is left out. */
  readonly sources: readonly (readonly [delivered: string, column: string | undefined])[];
}

/** A column computed by an SQL expression. `type` is spelt as in Glue's catalogue. */
export interface Computed {
  /** The field that declares it, e.g. `x-etl.computed.total`. */
  readonly place: string;
  readonly name: string;
  readonly expression: string;
  readonly type: string;
}

/** Adds up the rows of one run date that have the same `groupBy` values, to one row with `columns`. */
export interface Aggregate {
  readonly groupBy: readonly string[];
  readonly columns: readonly Computed[];
}

/** Keys that are allowed everywhere and have no effect: they are for readers. */
export const NOTES = ["title", "description", "$comment", "examples"];
export const JSON_LINES: Format = { isCsv: false, keepsUnknown: false };
export const MOST_DIGITS = 38;

const CSV_KEYS = ["delimiter", "unknownColumns", "multiLine", "quote"];
const TYPES = ["string", "bigint", "double", "date", "timestamp"];

/** Tells whether Spark and Glue have this decimal type. */
export function isDecimal(precision: unknown, scale: unknown): boolean {
  const isFrom = (value: unknown, low: number, high: number) =>
    Number.isInteger(value) && Number(value) >= low && Number(value) <= high;
  return isFrom(precision, 1, MOST_DIGITS) && isFrom(scale, 0, Number(precision));
}

export function readFormat(node: NodeReader | undefined): Format {
  const kind = node?.oneOf("kind", ["jsonLines", "csv"]);
  if (node === undefined || kind === undefined) return JSON_LINES;
  const isCsv = kind === "csv";
  node.refuseOthers(`a format ${kind}`, ["kind", ...(isCsv ? CSV_KEYS : [])], NOTES);
  if (!isCsv) return JSON_LINES;
  const delimiter = node.has("delimiter") ? node.value("delimiter") : ",";
  if (typeof delimiter !== "string" || !/^[\t -~]$/.test(delimiter) || ['"', "\\"].includes(delimiter)) {
    const demand = "one ASCII character, neither a quote nor a backslash";
    node.wrong("delimiter", `must be ${demand}, ${got(delimiter)}`);
  }
  const unknown = node.has("unknownColumns") && node.oneOf("unknownColumns", ["ignore", "keep", "refuse"]);
  readLinesAndQuotes(node);
  return { isCsv, keepsUnknown: unknown === "keep" };
}

/** Judges `multiLine` (a text may span lines) and `quote` (null: texts are never quoted). */
function readLinesAndQuotes(node: NodeReader): void {
  const multiLine = node.has("multiLine") ? node.value("multiLine") : false;
  const quote = node.has("quote") ? node.value("quote") : '"';
  if (typeof multiLine !== "boolean") node.wrong("multiLine", `must be true or false, ${got(multiLine)}`);
  if (quote !== null && quote !== '"')
    node.wrong("quote", `must be "\\"", or null where quotes are data, ${got(quote)}`);
  if (multiLine === true && quote === null)
    node.wrong("multiLine", "must be left out where quote is null: without quotes each line is a row");
}

export function readShapes(shapes: NodeReader | undefined): Shape[] {
  const entries = shapes?.objects() ?? [];
  return entries.flatMap(([name, node]) => {
    if (node === undefined) return [];
    return [{ name, sources: Object.keys(node.node).map((of) => [of, readSource(node, of)] as const) }];
  });
}

function readSource(shape: NodeReader, of: string): string | undefined {
  const value = shape.value(of);
  if (value === null || (isText(value) && value !== "")) return value ?? undefined;
  if (!isNode(value)) {
    shape.wrong(of, `must be a column, null, or an object with column and clean, ${got(value)}`);
    return undefined;
  }
  const node = shape.child(of)!;
  node.refuseOthers("a source", ["column", "clean"], NOTES);
  const steps = node.has("clean") ? node.list("clean", "step") : [];
  for (const [index, step] of steps.entries()) readStep(node, step, index);
  return node.text("column") || undefined;
}

function readStep(source: NodeReader, step: unknown, index: number): void {
  if (!isNode(step)) {
    if (!["trim", "upper", "lower"].some((known) => known === step))
      source.wrong(
        `clean[${index}]`,
        `must be trim, upper, lower or an object with replace and with, ${got(step)}`,
      );
    return;
  }
  const node = source.child(`clean[${index}]`, step)!;
  node.refuseOthers("a step", ["replace", "with"], NOTES);
  const pattern = node.text("replace");
  const mistake = pattern === "" ? undefined : javaPatternMistake(pattern);
  if (mistake !== undefined)
    node.wrong("replace", `must be a regular expression, ${got(pattern)}: ${mistake}`);
  const text = node.value("with");
  if (!isText(text)) node.wrong("with", `must be a text, it may be empty, ${got(text)}`);
  else if (replacementMistake(text) !== undefined)
    node.wrong("with", `${replacementMistake(text)!}, ${got(text)}`);
}

export function readComputed(columns: NodeReader | undefined): Computed[] {
  const entries = columns?.objects() ?? [];
  return entries.flatMap(([name, node]) => {
    if (node === undefined) return [];
    node.refuseOthers("a computed column", ["expression", "type"], NOTES);
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      node.wrong("", "must be named with small letters, digits and underscores, beginning with a letter");
    const type = node.value("type");
    if (!isType(type)) {
      const demand = `one of ${TYPES.join(", ")}, decimal(precision,scale)`;
      node.wrong("type", `must be ${demand}, ${got(type)}`);
    }
    return [{ place: node.place, name, expression: node.text("expression"), type: String(type) }];
  });
}

function isType(type: unknown): boolean {
  if (typeof type !== "string") return false;
  const [, precision, scale] = /^decimal\((\d{1,2}),(\d{1,2})\)$/.exec(type) ?? [];
  return TYPES.includes(type) || (precision !== undefined && isDecimal(Number(precision), Number(scale)));
}

export function readAggregate(node: NodeReader | undefined): Aggregate | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("an aggregate", ["groupBy", "columns"], NOTES);
  const groupBy = node.names("groupBy");
  const given = node.child("columns");
  if (given !== undefined && Object.keys(given.node).length === 0)
    given.wrong("", "must hold at least one column, got {}");
  const columns = readComputed(given);
  for (const { name } of columns)
    if (groupBy.includes(name))
      given?.wrong(name, "must have another name: it is in x-etl.aggregate.groupBy");
  return { groupBy, columns };
}
