import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { ContractTables } from "../../contracts/contract-tables";
import { type Model, readModel } from "../../contracts/models";
import { nameOf, readJson, sentence } from "../../modules/contract-plan/plan-files";

/** The models of a pipeline: the declaration and the SELECT of each, read and judged against the table that the pipeline publishes. */

export interface ReadModels {
  readonly models: readonly Model[];
  /** One sentence for each file with mistakes, by its path from the root of its repository. */
  readonly sentences: readonly string[];
}

/** The table that the models read, and what names beside theirs are taken. */
export interface ModelsPlace {
  readonly table: string;
  readonly tables: ContractTables;
  readonly aggregateTable?: string;
}

const ENDING = ".model.json";

/** @param files absolute paths, `<table>.model.json` */
export function readModelFiles(files: readonly string[], place: ModelsPlace): ReadModels {
  const published = { name: place.table, table: place.tables.output };
  const read = files.map((file) => {
    const name = basename(file).replace(/\.model\.json$/, "");
    const { name: path, document, mistakes } = readJson(file);
    const [select, sql] = readSelect(file);
    const { model, ...found } = readModel({ name, document, sql: sql ?? "" }, published);
    const ending: readonly string[] = file.endsWith(ENDING) ? [] : [`must be named <table>${ENDING}`];
    const taken = takenName(name, files, place);
    const declaration = mistakes.length > 0 ? mistakes : found.declaration;
    return {
      model,
      sentences: [
        ...sentence(path, [
          ...[...ending, ...taken].map((mistake) => ["", mistake] as const),
          ...declaration,
        ]),
        ...sentence(
          select,
          (sql === undefined ? NO_FILE : found.select).map((mistake) => ["", mistake] as const),
        ),
      ],
    };
  });
  return { models: read.map(({ model }) => model), sentences: read.flatMap(({ sentences }) => sentences) };
}

const NO_FILE = ["file not found; create it, with the SELECT of the model"];

/** The SELECT lies beside the declaration. */
function readSelect(file: string): readonly [name: string, sql: string | undefined] {
  const path = file.replace(/\.model\.json$/, "") + ".sql";
  return [nameOf(path), existsSync(path) ? readFileSync(path, "utf8") : undefined];
}

function takenName(name: string, files: readonly string[], { aggregateTable }: ModelsPlace): string[] {
  const same = files.filter((file) => basename(file) === `${name}${ENDING}`);
  return [
    ...(name === aggregateTable ? [`must not have the name of the aggregate's table, got '${name}'`] : []),
    ...(same.length > 1 ? [`is given ${same.length} times`] : []),
  ];
}
