import type { Mistake } from "../modules/core/refusals";
import { type MartTable, readTables } from "./mart-tables";
import { knownNames, type ModelColumn, NAME, readColumns } from "./models";
import { asNode, got, isNode, NodeReader } from "./node-reader";

/**
 * Marts: tables made of other tables, by a SELECT or by a kind: as-of, SCD2, calendar, facts. The file `<mart>.mart.json` declares what is
 * read and which tables are made, in the order in which they are published; `<table>.sql` beside it has the SELECT of a table.
 */

/**
 * The version of the form in which the job gets a mart (`MART_VERSION` in `glue-scripts/etl/marts/plan.py`): raise it here and there with
 * every change of what a key means, or of which keys there are.
 */
export const MART_VERSION = 1;

/** The zones that a mart reads. */
export const INPUT_ZONES = ["processed", "curated"] as const;
/** The parts of a table that a SELECT sees: see `MartInput.reads`. */
export const READS = ["current", "versions", "states", "rows"] as const;

/** A table that a mart reads. */
export interface MartInput {
  /** The name under which SELECTs read it. */
  readonly name: string;
  readonly zone: (typeof INPUT_ZONES)[number];
  readonly table: string;
  /**
   * The rows that a SELECT sees of a table of every version: the present, all versions, or the states at the end of days, with their `date`.
   * `rows` is for a table without versions.
   */
  readonly reads: (typeof READS)[number];
  /** The key of its versions; empty for `rows`. */
  readonly key: readonly string[];
  /** The columns that order versions of a key with equal `valid_from`, before their deliveries do. */
  readonly order: readonly string[];
  /** The columns that are read, with their types. */
  readonly columns: readonly ModelColumn[];
  /** The inputs whose versions say on which days there are states; empty but for `states`. */
  readonly days: readonly string[];
  /** @default - all days */
  readonly windowDays?: number;
}

/** A mart that has no mistakes. */
export interface Mart {
  /** @default - none */
  readonly description?: string;
  readonly inputs: readonly MartInput[];
  readonly tables: readonly MartTable[];
}

/** The files of a mart. */
export interface MartFiles {
  /** The parsed declaration. */
  readonly document: unknown;
  /** The text of each `<table>.sql` in its folder, by table. */
  readonly selects: Readonly<Record<string, string>>;
}

const MOST_DAYS = 36_500;

/**
 * Reads a mart strictly.
 *
 * @returns the mart, valid only if there is no mistake, and the mistakes by field
 */
export function readMart({ document, selects }: MartFiles): {
  readonly mart: Mart;
  readonly mistakes: readonly Mistake[];
} {
  const mistakes: Mistake[] = [];
  const file = new NodeReader(asNode(document), "", "", mistakes);
  if (!isNode(document)) file.wrong("", `must be an object, ${got(document)}`);
  file.refuseOthers("a mart", ["description", "inputs", "tables"], ["title", "$comment"]);
  const inputs = readInputs(file);
  const tables = readTables(file, inputs, selects);
  const unread = inputs.filter(({ name }) => !isRead(name, inputs, tables));
  for (const { name } of unread) file.wrong(`inputs.${name}`, "is read by no table: leave it out");
  const description = file.has("description") ? file.text("description") : undefined;
  return { mart: { description, inputs, tables }, mistakes };
}

const isRead = (name: string, inputs: readonly MartInput[], tables: readonly MartTable[]): boolean =>
  tables.some(({ reads }) => reads.includes(name)) || inputs.some(({ days }) => days.includes(name));

function readInputs(file: NodeReader): MartInput[] {
  const entries = file.child("inputs")?.objects() ?? [];
  if (entries.length === 0 && isNode(file.value("inputs"))) file.wrong("inputs", "must hold a table");
  const names = entries.map(([name]) => name);
  const inputs = entries.flatMap(([name, reader]) => (reader === undefined ? [] : [readInput(name, reader)]));
  for (const { name, days } of inputs) {
    const others = days.filter((one) => !isVersioned(inputs, one));
    if (others.length > 0)
      file.wrong(
        `inputs.${name}.days`,
        `must name inputs that are tables of every version (of ${names.join(", ")}), got ${others.join(", ")}`,
      );
  }
  return inputs;
}

const isVersioned = (inputs: readonly MartInput[], name: string): boolean =>
  inputs.some((one) => one.name === name && one.reads !== "rows");

function readInput(name: string, reader: NodeReader): MartInput {
  reader.refuseOthers("an input", [
    ...["description", "zone", "table", "reads", "key", "order", "columns", "days", "windowDays"],
  ]);
  if (!NAME.test(name)) reader.wrong("", `must be named in lower-case letters, digits and underscores`);
  const reads = reader.has("reads") ? (reader.oneOf("reads", READS) ?? "current") : "current";
  const columns = readColumns(reader);
  if (columns.length === 0 && isNode(reader.value("columns"))) reader.wrong("columns", "must hold a column");
  const table = reader.text("table");
  if (table !== "" && !NAME.test(table)) reader.wrong("table", `must be the name of a table, ${got(table)}`);
  return {
    ...{ name, table, reads, columns },
    zone: reader.has("zone") ? (reader.oneOf("zone", INPUT_ZONES) ?? "processed") : "processed",
    key: reads === "rows" ? refused(reader, "key", reads) : knownNames(reader, "key", columns),
    order: readOrder(reader, reads, columns),
    ...readDays(reader, reads, columns),
  };
}

function readOrder(reader: NodeReader, reads: string, columns: readonly ModelColumn[]): readonly string[] {
  if (reads === "rows") return refused(reader, "order", reads);
  return reader.has("order") ? knownNames(reader, "order", columns) : [];
}

function readDays(
  reader: NodeReader,
  reads: string,
  columns: readonly ModelColumn[],
): Pick<MartInput, "days" | "windowDays"> {
  if (reads !== "states") {
    refused(reader, "windowDays", reads);
    return { days: refused(reader, "days", reads) };
  }
  if (columns.some(({ name }) => name === "date"))
    reader.wrong("columns", "must not hold date, which is the day of a state");
  const days = reader.names("days");
  return reader.has("windowDays") ? { days, windowDays: reader.whole("windowDays", 1, MOST_DAYS) } : { days };
}

function refused(reader: NodeReader, key: string, reads: string): readonly string[] {
  if (reader.has(key)) reader.wrong(key, `has no meaning where 'reads' is ${reads}: leave it out`);
  return [];
}

/** The text of a mart, as it is uploaded. Equal files give equal bytes. */
export function martText({ inputs, tables }: Mart): string {
  const types = (columns: readonly ModelColumn[]): object[] =>
    columns.map(({ name, type }) => ({ name, type }));
  const document = {
    martVersion: MART_VERSION,
    inputs: inputs.map(({ columns, windowDays, ...input }) => ({
      ...input,
      windowDays: windowDays ?? null,
      columns: types(columns),
    })),
    tables: tables.map(({ name, plan, key, columns, partitionBy, quality }) => ({
      ...{ name, ...plan, key, partitionBy, columns: types(columns), quality },
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
