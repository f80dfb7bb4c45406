import type { Mistake } from "../modules/core/refusals";
import { type MartInput, readInputs } from "./mart-inputs";
import { type MartTable, readTables } from "./mart-tables";
import type { ModelColumn } from "./models";
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
