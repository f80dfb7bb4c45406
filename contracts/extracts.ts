import { timeZoneMistake } from "../modules/schedules/time-zone";
import type { Mistake } from "../modules/core/refusals";
import type { ContractColumn } from "./contract-tables";
import { asNode, got, isNode, NodeReader } from "./node-reader";

/**
 * Extracts: tables of a database that become deliveries in the raw zone. The file `<pipeline>.extract.json` declares them: every column with its
 * type, the key, how the rows are shared between connections, and whether a run reads the whole table or what a mark says is new.
 */

/**
 * The version of the form in which the job gets an extract (`EXTRACT_VERSION` in `glue-scripts/etl/extract/document.py`): raise it here and
 * there with every change of what a key means, or of which keys there are.
 */
export const EXTRACT_VERSION = 1;

/** A column of the source. */
export interface ExtractColumn {
  readonly name: string;
  /** One of the declared types, e.g. `text` or `decimal(10,4)`. */
  readonly type: string;
  /** Infinite dates and times end the run, or become null. */
  readonly infinity: "refuse" | "null";
  /** @default - none */
  readonly comment?: string;
}

/** A high-water mark. */
export interface ExtractMark {
  /** The column that grows with every insert and update. */
  readonly column: string;
  /** How far behind the mark a run reads again, minutes: for rows that were committed late. */
  readonly overlapMinutes: number;
}

/** A table of the source. */
export interface ExtractTable {
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** The columns that no two rows share. */
  readonly key: readonly string[];
  /** All columns that are read, in their order. */
  readonly columns: readonly ExtractColumn[];
  /**
   * The column by which several connections share the rows.
   * @default - one connection reads the table
   */
  readonly partitionColumn?: string;
  /** @default - the whole table is read */
  readonly mark?: ExtractMark;
}

/** An extract that has no mistakes. */
export interface Extract {
  /** The database's schema that has the tables. */
  readonly schema: string;
  /** The time zone of its sessions. */
  readonly timeZone: string;
  /** The most connections at the same time, with the one that lends its point in time to the others. */
  readonly maxConnections: number;
  /** How many rows a connection holds at a time. */
  readonly fetchSize: number;
  /** All tables are read at one point in time. */
  readonly consistent: boolean;
  readonly tables: readonly ExtractTable[];
}

const NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const NAMED =
  "must be named in at most 63 lower-case letters, digits and underscores, not beginning with a digit";
const TYPE =
  /^(text|integer|bigint|double|boolean|date|timestamp|instant|uuid|json|array|decimal\((\d{1,2}),(\d{1,2})\))$/;
const TYPES =
  "text, integer, bigint, double, boolean, date, timestamp, instant, uuid, json, array, decimal(p,s)";
const WITH_INFINITY = ["date", "timestamp", "instant"];
const MOST_DIGITS = 38;
const MOST_CONNECTIONS = 64;
const MOST_ROWS = 1_000_000;
const MOST_OVERLAP_MINUTES = 10_080;

/** The columns of a mark that the job can compare. */
const MARKS = ["timestamp", "instant"];

/**
 * Reads an extract strictly.
 *
 * @returns the extract, valid only if there is no mistake, and the mistakes by field
 */
export function readExtract(document: unknown): {
  readonly extract: Extract;
  readonly mistakes: readonly Mistake[];
} {
  const mistakes: Mistake[] = [];
  const file = new NodeReader(asNode(document), "", "", mistakes);
  if (!isNode(document)) file.wrong("", `must be an object, ${got(document)}`);
  file.refuseOthers(
    "an extract",
    ["schema", "timeZone", "maxConnections", "fetchSize", "consistent", "tables"],
    ["title", "description", "$comment"],
  );
  const schema = file.text("schema");
  if (schema !== "" && !NAME.test(schema)) file.wrong("schema", `${NAMED}, ${got(schema)}`);
  const extract = {
    schema,
    timeZone: readZone(file),
    // One of them is the session's own.
    maxConnections: file.whole("maxConnections", 2, MOST_CONNECTIONS),
    fetchSize: file.whole("fetchSize", 1, MOST_ROWS),
    consistent: !file.has("consistent") || readFlag(file, "consistent"),
    tables: readTables(file),
  };
  return { extract, mistakes };
}

function readZone(file: NodeReader): string {
  const zone = file.text("timeZone");
  const mistake = zone === "" ? undefined : timeZoneMistake(zone);
  if (mistake !== undefined) file.wrong("timeZone", mistake);
  return zone;
}

function readFlag(reader: NodeReader, key: string): boolean {
  const value = reader.value(key);
  if (typeof value !== "boolean") reader.wrong(key, `must be true or false, ${got(value)}`);
  return value === true;
}

function readTables(file: NodeReader): ExtractTable[] {
  const tables = file.child("tables")?.objects() ?? [];
  if (tables.length === 0 && isNode(file.value("tables"))) file.wrong("tables", "must hold a table");
  return tables.flatMap(([name, reader]) => (reader === undefined ? [] : [readTable(name, reader)]));
}

function readTable(name: string, reader: NodeReader): ExtractTable {
  reader.refuseOthers("a table", ["description", "key", "columns", "partitionColumn", "mode", "mark"]);
  if (!NAME.test(name)) reader.wrong("", NAMED);
  const columns = readColumns(reader);
  const names = columns.map((column) => column.name);
  const key = reader.names("key");
  const unknown = key.filter((one) => !names.includes(one));
  if (unknown.length > 0) reader.wrong("key", `must name columns of the table, got ${unknown.join(", ")}`);
  return {
    name,
    description: reader.has("description") ? reader.text("description") : undefined,
    key,
    columns,
    partitionColumn: readPartitionColumn(reader, columns),
    mark: readMode(reader, columns),
  };
}

function readColumns(table: NodeReader): ExtractColumn[] {
  const columns = table.child("columns")?.objects() ?? [];
  if (columns.length === 0 && isNode(table.value("columns"))) table.wrong("columns", "must hold a column");
  return columns.flatMap(([name, reader]) => {
    if (reader === undefined) return [];
    reader.refuseOthers("a column", ["type", "infinity", "description"]);
    if (!NAME.test(name)) reader.wrong("", NAMED);
    const type = reader.text("type");
    if (type !== "" && !isType(type)) reader.wrong("type", `must be one of ${TYPES}, ${got(type)}`);
    return [
      {
        name,
        type,
        infinity: readInfinity(reader, type),
        ...(reader.has("description") ? { comment: reader.text("description") } : {}),
      },
    ];
  });
}

function isType(text: string): boolean {
  const [, name, digits, scale] = TYPE.exec(text) ?? [];
  if (digits === undefined) return name !== undefined;
  return Number(digits) >= 1 && Number(digits) <= MOST_DIGITS && Number(scale) <= Number(digits);
}

function readInfinity(column: NodeReader, type: string): "refuse" | "null" {
  if (!column.has("infinity")) return "refuse";
  if (!WITH_INFINITY.includes(type))
    column.wrong(
      "infinity",
      `is for the types ${WITH_INFINITY.join(", ")}, got it with ${got(type).slice(4)}`,
    );
  return column.oneOf("infinity", ["refuse", "null"]) ?? "refuse";
}

function readPartitionColumn(table: NodeReader, columns: readonly ExtractColumn[]): string | undefined {
  if (!table.has("partitionColumn")) return undefined;
  const name = table.text("partitionColumn");
  const type = columns.find((column) => column.name === name)?.type;
  // The database must have an order of its values, which json has not.
  if (name !== "" && (type === undefined || type === "json"))
    table.wrong("partitionColumn", `must name a column of the table that has an order, ${got(name)}`);
  return name;
}

function readMode(table: NodeReader, columns: readonly ExtractColumn[]): ExtractMark | undefined {
  const mode = table.oneOf("mode", ["whole", "mark"]);
  if (mode !== "mark") {
    if (table.has("mark")) table.wrong("mark", "is for the mode mark; remove it, or change the mode");
    return undefined;
  }
  const mark = table.child("mark");
  if (mark === undefined) return undefined;
  mark.refuseOthers("a mark", ["column", "overlapMinutes", "deletes"]);
  const column = mark.text("column");
  const found = columns.find(({ name }) => name === column);
  if (column !== "" && (found === undefined || !MARKS.includes(found.type) || found.infinity !== "refuse"))
    mark.wrong(
      "column",
      `must name a column of type ${MARKS.join(" or ")} that refuses infinity, ${got(column)}`,
    );
  // A deleted row has no value that grows, so that a run never sees it again.
  if (mark.value("deletes") !== "none")
    mark.wrong(
      "deletes",
      `must be "none", which says that nobody deletes rows: a mark cannot see deletes; else use the mode whole, ${got(mark.value("deletes"))}`,
    );
  return { column, overlapMinutes: mark.whole("overlapMinutes", 0, MOST_OVERLAP_MINUTES) };
}

const IN_THE_LAKE: Readonly<Record<string, string>> = {
  text: "string",
  uuid: "string",
  json: "string",
  array: "string",
  integer: "int",
  instant: "timestamp",
};

/** The columns of a delivery, with types as Glue spells them (`written_type` in `glue-scripts/etl/extract/columns.py`). */
export const deliveredColumns = ({ columns }: ExtractTable): ContractColumn[] =>
  columns.map(({ name, type, comment }) => ({
    name,
    type: IN_THE_LAKE[type] ?? type,
    ...(comment === undefined ? {} : { comment }),
  }));

/** The text of an extract, as it is uploaded. Equal files give equal bytes. */
export function extractText({ tables, ...settings }: Extract): string {
  const written = tables.map(({ name, key, columns, partitionColumn, mark }) => ({
    ...{ name, key, partitionColumn, mark },
    columns: columns.map((column) => ({ name: column.name, type: column.type, infinity: column.infinity })),
  }));
  return `${JSON.stringify({ extractVersion: EXTRACT_VERSION, ...settings, tables: written }, null, 2)}\n`;
}
