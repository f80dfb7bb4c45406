import Table from "cli-table3";
import { type Answer, type Column, type Value } from "./athena";
import { WIDTH, wrap } from "./lines";
import { UserError } from "./user-error";

/** Answers of Athena as text: a table for people, CSV and JSON for programs. */

export const FORMATS = ["table", "csv", "json"] as const;
export type Format = (typeof FORMATS)[number];

/** Writes an answer as a head, a part for each page, and a foot. */
export interface Writer {
  head(columns: readonly Column[]): string;
  page(answer: Answer, isFirst: boolean): string;
  readonly foot: string;
}

/**
 * CSV, quoted as in RFC 4180: a header, then the rows. Lines end with a line feed. A null is an empty field, an empty text is `""`.
 */
export const CSV: Writer = {
  head: (columns) => csvLine(columns.map(({ name }) => name)),
  page: ({ rows }) => rows.map(csvLine).join(""),
  foot: "",
};

/** One array with a line for each row; a row is an object keyed by column name. */
export const JSON_ROWS: Writer = {
  head(columns) {
    const names = columns.map(({ name }) => name);
    const twice = [...new Set(names.filter((name, place) => names.indexOf(name) !== place))];
    if (twice.length > 0)
      throw new UserError(
        `--format json: ${twice.length === 1 ? "more than one column is" : "several columns are"} named ` +
          `${twice.map((name) => `'${name}'`).join(", ")}; rename them with AS`,
      );
    return "[";
  },
  page: ({ columns, rows }, isFirst) =>
    rows.map((row, place) => `${isFirst && place === 0 ? "" : ","}\n${jsonObject(columns, row)}`).join(""),
  foot: "\n]\n",
};

const csvLine = (values: readonly Value[]): string => {
  // A line of one null would be an empty line, which readers skip.
  const only = values.length === 1 && values[0] === null;
  return `${only ? '""' : values.map(csvValue).join(",")}\n`;
};

function csvValue(value: Value): string {
  if (value === null) return "";
  return value === "" || /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const jsonObject = (columns: readonly Column[], row: readonly Value[]): string =>
  `{${columns.map(({ name, type }, place) => `${JSON.stringify(name)}:${jsonValue(type, row[place] ?? null)}`).join(",")}}`;

const WHOLE = new Set(["tinyint", "smallint", "integer", "bigint"]);
const FLOATING = new Set(["float", "real", "double"]);

/**
 * Whole numbers up to 2^53 and floating-point numbers stay numbers, because every JSON reader keeps them. Decimals and larger whole
 * numbers become text, so that no reader drops their zeros or digits. NaN and Infinity become text because JSON lacks them.
 */
function jsonValue(type: string, value: Value): string {
  if (value === null) return "null";
  if (type === "boolean") return value;
  if (WHOLE.has(type) && Number.isSafeInteger(Number(value))) return value;
  if (FLOATING.has(type) && Number.isFinite(Number(value))) return value;
  return JSON.stringify(value);
}

/** When a column would be narrower than this, each row is drawn as a table of its own. */
const LEAST_WIDTH = 12;
/** The width of a cell's two spaces and its right border. */
const BORDER = 3;

/** The answer as a table that wraps. Where the columns do not fit side by side, each row is a table of its own. */
export function answerTable({ columns, rows, more }: Answer, width = WIDTH): string {
  const cells = rows.map((row) => row.map(cell));
  const head = columns.map(({ name }) => name);
  const widths = fittedWidths(head, cells, width);
  const drawn = widths === undefined ? records(head, cells, width) : grid(columns, cells, widths);
  return more
    ? `${drawn}\n… only the first ${rows.length} rows; --format csv or json gives all of them`
    : drawn;
}

function grid(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
): string {
  const isNumber = ({ type }: Column) => WHOLE.has(type) || FLOATING.has(type) || type === "decimal";
  const wrapped = (values: readonly string[]) => values.map((value, place) => inCell(value, widths[place]!));
  const table = new Table({
    head: wrapped(columns.map(({ name }) => name)),
    colAligns: columns.map((column) => (isNumber(column) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(wrapped(row));
  return table.toString();
}

/** One block for each row, one line for each column. */
function records(head: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const names = Math.min(Math.max(...head.map((name) => name.length), 3), Math.floor(width / 3));
  const values = width - names - 2 * BORDER - 1;
  const table = new Table({ style: { head: [], border: [], compact: true } });
  rows.forEach((row, place) => {
    table.push([{ colSpan: 2, content: `row ${place + 1} of ${rows.length}` }]);
    for (const [column, value] of row.entries())
      table.push([inCell(head[column]!, names), inCell(value, values)]);
  });
  return rows.length === 0 ? `no rows; the columns are ${head.join(", ")}` : table.toString();
}

/** Widths of the columns, the widest reduced first. `undefined` when they would be too narrow to read. */
function fittedWidths(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] | undefined {
  const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));
  const natural = head.map((name, place) =>
    Math.max(...[name, ...rows.map((row) => row[place]!)].map(widest), 1),
  );
  const room = width - 1 - BORDER * head.length;
  const least = natural.map((value) => Math.min(value, LEAST_WIDTH));
  if (sum(least) > room) return undefined;
  let most = Math.max(...natural);
  const bound = () => natural.map((value, place) => Math.max(Math.min(value, most), least[place]!));
  while (sum(bound()) > room) most--;
  return bound();
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** A value as shown: a null as `NULL`, control characters escaped so that the terminal does not obey them. */
const cell = (value: Value): string =>
  value === null
    ? "NULL"
    : value.replace(
        /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g,
        (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`,
      );

/** A cell's lines. Continued lines are not indented, so that the value can be put together again. */
const inCell = (text: string, width: number): string => wrap(text, width, "");
