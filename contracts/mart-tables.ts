import type { MartInput } from "./mart-inputs";
import { selectMistakes, tablesRead } from "./model-sql";
import { knownNames, type ModelColumn, NAME, readColumns } from "./models";
import { got, isNode, type NodeReader } from "./node-reader";
import { qualityPlan } from "./plan";
import { readQuality } from "./quality-reader";

/** The tables of a mart, by their kinds. */

export const MART_KINDS = ["asOf", "scd2", "calendar", "select", "facts"] as const;
export type MartKind = (typeof MART_KINDS)[number];

/** A table of a mart that has no mistakes. */
export interface MartTable {
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  readonly kind: MartKind;
  /** The inputs that it is made of. */
  readonly reads: readonly string[];
  /** The columns that no two rows share. */
  readonly key: readonly string[];
  /** All columns but `loaded_at` and `run_id`, which every mart has at its end. */
  readonly columns: readonly ModelColumn[];
  readonly partitionBy: readonly string[];
  /** The part of the plan that the kind reads. */
  readonly plan: Readonly<Record<string, unknown>>;
  /** The compiled rules; null without rules. */
  readonly quality: object | null;
}

/** The part of a table that follows from its kind. */
type OfKind = Pick<MartTable, "reads" | "key" | "plan"> & { readonly partitionBy?: readonly string[] };

/** Columns that every mart has at its end. */
const LOADED = ["loaded_at", "run_id"];
const COMMON = ["description", "kind", "columns", "partitionBy", "quality"];
const VALIDITY = { is_current: "boolean", version: "int" };
const CALENDAR: Readonly<Record<string, string>> = {
  ...{ date_key: "int", date: "date", year: "int", quarter: "int", month: "int", day: "int" },
  ...{ iso_week: "int", weekday: "int", fiscal_year: "int", fiscal_quarter: "int" },
};
const MOST_DAYS = 36_500;
const MOST_UNKNOWN = 1_000_000;

/** Reads a table; `earlier` are those that are published before it. */
interface Reading {
  readonly name: string;
  readonly reader: NodeReader;
  readonly columns: readonly ModelColumn[];
  readonly inputs: readonly MartInput[];
  readonly earlier: readonly MartTable[];
  readonly sql: string | undefined;
}

const READERS: Readonly<Record<MartKind, (reading: Reading) => OfKind>> = {
  asOf: readAsOf,
  scd2: readScd2,
  calendar: readCalendar,
  select: readSelect,
  facts: readFacts,
};

/** Reads the tables of a mart in their order. */
export function readTables(
  file: NodeReader,
  inputs: readonly MartInput[],
  selects: Readonly<Record<string, string>>,
): MartTable[] {
  const entries = file.child("tables")?.objects() ?? [];
  if (entries.length === 0 && isNode(file.value("tables"))) file.wrong("tables", "must hold a table");
  const tables: MartTable[] = [];
  for (const [name, reader] of entries) {
    if (reader === undefined) continue;
    const table = readTable(name, reader, inputs, tables, selects[name]);
    if (table !== undefined) tables.push(table);
  }
  const unused = Object.keys(selects).filter((name) => !usesSelect(tables, name));
  for (const name of unused)
    file.wrong("tables", `must hold ${name} of the kind select or facts, whose SELECT is in ${name}.sql`);
  return tables;
}

const usesSelect = (tables: readonly MartTable[], name: string): boolean =>
  tables.some((table) => table.name === name && ["select", "facts"].includes(table.kind));

function readTable(
  name: string,
  reader: NodeReader,
  inputs: readonly MartInput[],
  earlier: readonly MartTable[],
  sql: string | undefined,
): MartTable | undefined {
  if (!NAME.test(name)) reader.wrong("", `must be named in lower-case letters, digits and underscores`);
  const kind = reader.oneOf("kind", MART_KINDS);
  const columns = readColumns(reader);
  const reserved = columns.filter((column) => LOADED.includes(column.name)).map((column) => column.name);
  if (reserved.length > 0)
    reader.wrong(
      "columns",
      `must not hold ${reserved.join(", ")}: every mart ends with ${LOADED.join(", ")}`,
    );
  if (kind === undefined) return undefined;
  const of = READERS[kind]({ name, reader, columns, inputs, earlier, sql });
  const partitionBy = reader.has("partitionBy") ? knownNames(reader, "partitionBy", columns) : [];
  if (of.partitionBy !== undefined && reader.has("partitionBy"))
    reader.wrong("partitionBy", `follows from the kind ${kind}: leave it out`);
  return {
    ...{ name, kind, columns, reads: of.reads, key: of.key },
    ...(reader.has("description") ? { description: reader.text("description") } : {}),
    partitionBy: of.partitionBy ?? partitionBy,
    plan: { kind, ...of.plan },
    quality: readRules(reader, columns),
  };
}

function readRules(reader: NodeReader, columns: readonly ModelColumn[]): object | null {
  if (!reader.has("quality")) return null;
  const kinds = columns.map(({ name, type }) => [name, type.replace(/\(.*/, "")] as const);
  const { quality, mistakes } = readQuality(reader.value("quality"), {
    columns: new Map(kinds),
    reasons: [],
  });
  for (const [field, mistake] of mistakes)
    reader.wrong(field === "" ? "quality" : `quality.${field}`, mistake);
  const taking = quality.rules.filter(({ action }) => action === "quarantine").map(({ name }) => name);
  if (taking.length > 0)
    reader.wrong("quality", `must warn or halt: a mart has no quarantine, got it for ${taking.join(", ")}`);
  const names = columns.map(({ name }) => name);
  return mistakes.length > 0 ? null : qualityPlan(quality, names, []);
}

/** The input of a kind that needs versions. */
function readInputOf({ reader, inputs }: Reading): MartInput | undefined {
  const name = reader.text("input");
  const input = inputs.find((one) => one.name === name && one.reads !== "rows");
  if (name !== "" && input === undefined)
    reader.wrong("input", `must name an input that is a table of every version, ${got(name)}`);
  return input;
}

function readAsOf(reading: Reading): OfKind {
  const { reader, columns } = reading;
  reader.refuseOthers("an as-of table", [...COMMON, "input", "dayColumn", "retentionDays"]);
  const input = readInputOf(reading);
  const dayColumn = reader.has("dayColumn") ? reader.text("dayColumn") : "as_of_date";
  if (columns.find(({ name }) => name === dayColumn)?.type !== "date")
    reader.wrong("columns", `must hold ${dayColumn} as a date`);
  const others = columns.filter(({ name }) => name !== dayColumn);
  if (input !== undefined) typesMustFit(reader, others, input.columns, `the input ${input.name}`);
  const key = [dayColumn, ...(input?.key ?? [])];
  mustHold(reader, columns, key);
  const retentionDays = reader.whole("retentionDays", 1, MOST_DAYS);
  return {
    ...{ key, partitionBy: [dayColumn], reads: input === undefined ? [] : [input.name] },
    plan: { input: input?.name, dayColumn, retentionDays },
  };
}

function readScd2(reading: Reading): OfKind {
  const { reader, columns } = reading;
  reader.refuseOthers("an SCD2 table", [
    ...COMMON,
    ...["input", "versionColumns", "overwrittenColumns", "surrogateKey", "validFrom", "unknownMember"],
  ]);
  const input = readInputOf(reading);
  const known = input?.columns ?? columns;
  const versionColumns = knownNames(reader, "versionColumns", known);
  const overwrittenColumns = reader.has("overwrittenColumns")
    ? knownNames(reader, "overwrittenColumns", known)
    : [];
  const twice = [...versionColumns, ...(input?.key ?? [])].filter((name) =>
    overwrittenColumns.includes(name),
  );
  if (twice.length > 0)
    reader.wrong(
      "overwrittenColumns",
      `must not hold ${twice.join(", ")}, which makes versions or is of the key`,
    );
  const ofKey = versionColumns.filter((name) => input?.key.includes(name));
  if (ofKey.length > 0)
    reader.wrong("versionColumns", `must not hold ${ofKey.join(", ")}, which is of the key`);
  const surrogateKey = reader.text("surrogateKey");
  const validFrom = reader.has("validFrom")
    ? (reader.oneOf("validFrom", ["date", "timestamp"]) ?? "date")
    : "date";
  const types = new Map(known.map(({ name, type }) => [name, type]));
  const own = [...(input?.key ?? []), ...versionColumns, ...overwrittenColumns];
  mustBe(reader, columns, {
    ...Object.fromEntries(own.map((name) => [name, types.get(name) ?? ""])),
    ...{ valid_from: validFrom, valid_to: validFrom, ...VALIDITY, [surrogateKey]: "bigint" },
  });
  const unknownMember = reader.has("unknownMember") ? reader.whole("unknownMember", -MOST_UNKNOWN, -1) : null;
  return {
    ...{ key: [surrogateKey], reads: input === undefined ? [] : [input.name] },
    plan: {
      ...{ input: input?.name, versionColumns, overwrittenColumns, surrogateKey, validFrom, unknownMember },
    },
  };
}

function readCalendar({ reader, columns, inputs }: Reading): OfKind {
  reader.refuseOthers("a calendar", [...COMMON, "input", "column", "fiscalYear"]);
  const name = reader.text("input");
  const input = inputs.find((one) => one.name === name);
  if (name !== "" && input === undefined) reader.wrong("input", `must name an input, ${got(name)}`);
  const column = reader.text("column");
  const type = input?.columns.find((one) => one.name === column)?.type;
  if (input !== undefined && column !== "" && type !== "date" && type !== "timestamp")
    reader.wrong("column", `must name a date or timestamp of the input ${name}, ${got(column)}`);
  mustBe(reader, columns, CALENDAR);
  const fiscal = reader.has("fiscalYear") ? reader.child("fiscalYear") : undefined;
  fiscal?.refuseOthers("a fiscal year", ["firstMonth", "namedBy"]);
  const fiscalYear = {
    firstMonth: fiscal?.whole("firstMonth", 1, 12) ?? 1,
    namedBy: fiscal?.oneOf("namedBy", ["end", "beginning"]) ?? "end",
  };
  return {
    ...{ key: ["date_key"], reads: input === undefined ? [] : [name] },
    plan: { input: name, column, fiscalYear },
  };
}

function readSelect(reading: Reading): OfKind {
  const { reader, columns } = reading;
  reader.refuseOthers("a table by a SELECT", [...COMMON, "key", "counts"]);
  const { sql, reads, counts } = readSql(reading);
  return { key: knownNames(reader, "key", columns), reads, plan: { sql, counts } };
}

function readSql({ name, reader, inputs, sql = "" }: Reading): {
  readonly sql: string;
  readonly reads: readonly string[];
  readonly counts: Readonly<Record<string, string>>;
} {
  const names = inputs.map((input) => input.name);
  if (sql === "") reader.wrong("", `needs its SELECT in ${name}.sql, which does not exist or is empty`);
  else
    for (const mistake of selectMistakes(sql, names))
      reader.wrong("", `has a mistake in ${name}.sql, which ${mistake}`);
  const counted = reader.has("counts") ? (reader.child("counts")?.node ?? {}) : {};
  const counts = Object.entries(counted).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  if (counts.length < Object.keys(counted).length)
    reader.wrong("counts", "must hold a condition for each name");
  for (const [key, condition] of counts) {
    // Judged as part of a SELECT, so that it reads nothing else.
    const mistakes = selectMistakes(`select 1 from rows where (${condition})`, "rows");
    for (const mistake of mistakes) reader.wrong(`counts.${key}`, mistake);
  }
  return { sql, reads: tablesRead(sql), counts: Object.fromEntries(counts) };
}

function readFacts(reading: Reading): OfKind {
  const { reader, columns, earlier } = reading;
  reader.refuseOthers("a table of facts", [...COMMON, "key", "counts", "moment", "calendar", "dimensions"]);
  const { sql, reads, counts } = readSql(reading);
  const calendar = reader.text("calendar");
  if (calendar !== "" && !earlier.some(({ name, kind }) => name === calendar && kind === "calendar"))
    reader.wrong("calendar", `must name a calendar that is declared before it, ${got(calendar)}`);
  const dimensions = readDimensions(reading);
  const surrogates = dimensions.map(({ surrogate }) => surrogate);
  const made = { date_key: "int", ...Object.fromEntries(surrogates.map((name) => [name, "bigint"])) };
  for (const [name, type] of Object.entries(made))
    if (columns.find((column) => column.name === name)?.type !== type)
      reader.wrong("columns", `must hold ${name} as ${type}`);
  return {
    ...{ key: knownNames(reader, "key", columns), reads },
    plan: {
      ...{ sql, counts, moment: reader.text("moment"), dateKey: "date_key", calendar },
      dimensions: dimensions.map(({ dimension, by }) => ({ dimension, by })),
    },
  };
}

interface DimensionOfFacts {
  readonly dimension: string;
  readonly surrogate: string;
  readonly by: Readonly<Record<string, string>>;
}

function readDimensions({ reader, earlier, inputs }: Reading): DimensionOfFacts[] {
  const entries = reader.child("dimensions")?.objects() ?? [];
  return entries.flatMap(([dimension, one]): DimensionOfFacts[] => {
    if (one === undefined) return [];
    one.refuseOthers("a dimension of facts", ["by"]);
    const table = earlier.find(({ name, kind }) => name === dimension && kind === "scd2");
    if (typeof table?.plan["unknownMember"] !== "number") {
      one.wrong("", "must be an SCD2 table with an unknownMember that is declared before the facts");
      return [];
    }
    const by = one.child("by")?.node ?? {};
    const key = inputs.find(({ name }) => name === table.plan["input"])?.key ?? [];
    const isWhole =
      key.every((name) => typeof by[name] === "string") && Object.keys(by).length === key.length;
    if (!isWhole) one.wrong("by", `must give a column of the SELECT for each of ${key.join(", ")}`);
    const surrogate = String(table.plan["surrogateKey"]);
    return [{ dimension, surrogate, by: by as Readonly<Record<string, string>> }];
  });
}

function typesMustFit(
  reader: NodeReader,
  columns: readonly ModelColumn[],
  known: readonly ModelColumn[],
  what: string,
): void {
  for (const { name, type } of columns) {
    const found = known.find((one) => one.name === name)?.type;
    if (found !== type)
      reader.wrong(
        `columns.${name}`,
        `must be as in ${what}, which has ${found ?? "no such column"}, got ${type}`,
      );
  }
}

function mustHold(reader: NodeReader, columns: readonly ModelColumn[], names: readonly string[]): void {
  const missing = names.filter((name) => !columns.some((column) => column.name === name));
  if (missing.length > 0) reader.wrong("columns", `must hold ${missing.join(", ")}, which is of the key`);
}

/** The columns follow from the kind; they are declared so that readers find them in one place. */
function mustBe(
  reader: NodeReader,
  columns: readonly ModelColumn[],
  wanted: Readonly<Record<string, string>>,
): void {
  const found = new Map(columns.map(({ name, type }) => [name, type]));
  for (const [name, type] of Object.entries(wanted).filter(([one]) => one !== ""))
    if (found.get(name) !== type)
      reader.wrong("columns", `must hold ${name} as ${type}, ${got(found.get(name))}`);
  const others = [...found.keys()].filter((name) => !(name in wanted));
  if (others.length > 0)
    reader.wrong("columns", `must hold ${Object.keys(wanted).join(", ")} only, got ${others.join(", ")}`);
}
