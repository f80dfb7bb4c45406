import type { ContractColumn, ContractTable } from "./contract-tables";
import { selectMistakes } from "./model-sql";
import { asNode, got, isNode, NodeReader } from "./node-reader";
import type { Mistake } from "../modules/core/refusals";

/**
 * Models: tables made by one SELECT over a published table, and recomputed for the dates that a run touches. A model is two files:
 * `<table>.model.json`, which declares its table, and `<table>.sql`, the SELECT.
 */

/**
 * The version of the form in which the job gets models (`MODELS_VERSION` in `glue-scripts/etl/model/models.py`): raise it here and there
 * with every change of what a key means, or of which keys there are.
 */
export const MODELS_VERSION = 1;

/** A column of a model's table. */
export interface ModelColumn extends ContractColumn {
  /** @default - none */
  readonly comment?: string;
}

/** A model that has no mistakes. */
export interface Model {
  /** The name of its table, and of the folder of its files. */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** The published table that it reads. */
  readonly source: string;
  /** The date column, a partition key of both tables, for whose values it is recomputed. */
  readonly by: string;
  /** The columns that no two rows share. */
  readonly key: readonly string[];
  /** All columns, in their order. */
  readonly columns: readonly ModelColumn[];
  readonly sql: string;
}

/** The two files of a model. */
export interface ModelFiles {
  /** The name of its table, which its files have. */
  readonly name: string;
  /** The parsed declaration. */
  readonly document: unknown;
  readonly sql: string;
}

/** The table that a model reads. */
export interface PublishedTable {
  readonly name: string;
  readonly table: ContractTable;
}

/** Names of tables and columns. */
export const NAME = /^[a-z_][a-z0-9_]{0,254}$/;
const TYPE = /^(string|bigint|int|double|boolean|date|timestamp|decimal\((\d{1,2}),(\d{1,2})\))$/;
const TYPES = "string, bigint, int, double, boolean, date, timestamp, decimal(p,s)";
const MOST_DIGITS = 38;

/**
 * Reads a model strictly, and compares it with the table that it reads.
 *
 * @returns the model, valid only if there is no mistake; the mistakes of its declaration, by field, and those of its SELECT
 */
export function readModel(
  { name, document, sql }: ModelFiles,
  published: PublishedTable,
): { readonly model: Model; readonly declaration: readonly Mistake[]; readonly select: readonly string[] } {
  const mistakes: Mistake[] = [];
  const file = new NodeReader(asNode(document), "", "", mistakes);
  if (!isNode(document)) file.wrong("", `must be an object, ${got(document)}`);
  file.refuseOthers("a model", ["description", "inputs", "recomputeBy", "key", "columns"]);
  const columns = readColumns(file);
  const model = {
    name,
    description: file.has("description") ? file.text("description") : undefined,
    source: readSource(file, published.name),
    by: readBy(file, columns, published),
    key: file.names("key"),
    columns,
    sql,
  };
  const own = [...nameMistakes(model, published), ...keyMistakes(model)];
  return { model, declaration: [...mistakes, ...own], select: selectMistakes(sql, published.name) };
}

/** The declared columns of a table, by name. */
export function readColumns(file: NodeReader): ModelColumn[] {
  const columns = file.child("columns")?.objects() ?? [];
  return columns.flatMap(([name, reader]) => {
    if (reader === undefined) return [];
    reader.refuseOthers("a column", ["type", "description"]);
    if (!NAME.test(name))
      reader.wrong(
        "",
        "must be named in lower-case letters, digits and underscores, not beginning with a digit",
      );
    const type = reader.text("type");
    if (type !== "" && !isType(type)) reader.wrong("type", `must be one of ${TYPES}, ${got(type)}`);
    return [{ name, type, ...(reader.has("description") ? { comment: reader.text("description") } : {}) }];
  });
}

/** A list of columns that are declared. */
export function knownNames(
  reader: NodeReader,
  key: string,
  columns: readonly ModelColumn[],
): readonly string[] {
  const names = reader.names(key);
  const unknown = names.filter((name) => !columns.some((column) => column.name === name));
  if (unknown.length > 0) reader.wrong(key, `must name declared columns, got ${unknown.join(", ")}`);
  return names;
}

function isType(text: string): boolean {
  const [, name, digits, scale] = TYPE.exec(text) ?? [];
  if (digits === undefined) return name !== undefined;
  return Number(digits) >= 1 && Number(digits) <= MOST_DIGITS && Number(scale) <= Number(digits);
}

/** A list, because models over several tables will have more than one. */
function readSource(file: NodeReader, published: string): string {
  const inputs = file.names("inputs");
  if (inputs.length > 0 && (inputs.length > 1 || inputs[0] !== published))
    file.wrong("inputs", `must be ["${published}"], the table that the pipeline publishes, ${got(inputs)}`);
  return published;
}

function readBy(file: NodeReader, columns: readonly ModelColumn[], { name, table }: PublishedTable): string {
  const by = file.text("recomputeBy");
  if (by === "") return by;
  const keys = table.partitionKeys.filter(({ type }) => type === "date").map((key) => key.name);
  if (!keys.includes(by)) {
    const known =
      keys.length === 0 ? "it has none: add one to x-etl.partitionBy" : `which are ${keys.join(", ")}`;
    file.wrong("recomputeBy", `must be a date among the partition keys of ${name} (${known}), ${got(by)}`);
  }
  const own = columns.find((column) => column.name === by);
  if (own?.type !== "date")
    file.wrong(
      "columns",
      `must hold ${by} as a date, since the model is recomputed by it, ${got(own?.type)}`,
    );
  return by;
}

function nameMistakes({ name }: Model, published: PublishedTable): Mistake[] {
  if (!NAME.test(name))
    return [
      [
        "",
        `must be named <table>.model.json, the table in lower-case letters, digits and underscores, ${got(name)}`,
      ],
    ];
  return name === published.name ? [["", `must not have the name of the published table, ${got(name)}`]] : [];
}

function keyMistakes({ key, by, columns }: Model): Mistake[] {
  const names = columns.map(({ name }) => name);
  const unknown = key.filter((name) => !names.includes(name));
  const mistakes: Mistake[] = [];
  if (unknown.length > 0) mistakes.push(["key", `must name columns of the model, got ${unknown.join(", ")}`]);
  if (key.length > 0 && by !== "" && !key.includes(by))
    mistakes.push(["key", `must hold ${by}, by which the model is recomputed`]);
  if (names.length > 0 && names.every((name) => name === by))
    mistakes.push(["columns", `must hold a column beside ${by}`]);
  return mistakes;
}

/** The table of a model, as the job writes it. */
export function modelTable({ columns, by }: Model): {
  readonly columns: readonly ModelColumn[];
  readonly partitionKeys: readonly ModelColumn[];
} {
  return {
    columns: columns.filter(({ name }) => name !== by),
    partitionKeys: columns.filter(({ name }) => name === by),
  };
}

/** The text of models, as it is uploaded. Equal files give equal bytes. */
export function modelsText(models: readonly Model[]): string {
  const written = models.map(({ name, source, by, key, columns, sql }) => ({
    ...{ name, source, by, key },
    columns: columns.map((column) => ({ name: column.name, type: column.type })),
    sql,
  }));
  return `${JSON.stringify({ modelsVersion: MODELS_VERSION, models: written }, null, 2)}\n`;
}
