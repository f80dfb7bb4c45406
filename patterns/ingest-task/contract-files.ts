import { readContract } from "../../contracts/contract";
import { type ContractTables, contractTables } from "../../contracts/contract-tables";
import { type CurrentView, currentView } from "../../contracts/current-view";
import type { Model } from "../../contracts/models";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { type PlanFiles, readPlan } from "../../modules/contract-plan/plan-files";
import { type Mistake, mistakeText } from "../../modules/core/refusals";
import { writeModeMistakes } from "../../modules/core/write-modes";
import { readModelFiles } from "./model-files";

/** The files of a pipeline, judged together with the props that must fit them. */

export interface PipelineFiles extends PlanFiles {
  /** Name of the table that holds the contract's aggregate. */
  readonly aggregateTable?: string;
  /** Name of the published table. */
  readonly table: string;
  /** Absolute paths of the models. */
  readonly models?: readonly string[];
  /** How the published table is written. */
  readonly written: {
    readonly tableFormat?: string;
    readonly writeMode?: string;
    readonly orderColumn?: string;
    readonly maxConcurrentRuns?: number;
  };
}

export interface ReadFiles {
  /** The tables that the contract makes; `undefined` after a mistake. */
  readonly tables?: ContractTables;
  /** The present of a table of every version. */
  readonly current?: CurrentView;
  /** The models of the pipeline. */
  readonly models: readonly Model[];
  /** Every mistake as a sentence: by file and field, then what does not fit the contract. */
  readonly sentences: readonly string[];
}

/** Reads and judges all files. Models are compared with a contract that has no mistakes. */
export function readPipelineFiles(files: PipelineFiles): ReadFiles {
  const { contract, sentences } = readPlan(files);
  const own = contract === undefined ? [] : propMistakes(contract, files);
  const ofFiles = [...sentences, ...(own.length > 0 ? [own.map(mistakeText).join("; ")] : [])];
  if (contract === undefined || sentences.length > 0) return { models: [], sentences: ofFiles };
  const tables = contractTables(contract);
  const models = readModelFiles(files.models ?? [], { ...files, tables });
  const all = [...ofFiles, ...models.sentences];
  const { contract: read } = readContract(contract);
  const current = read.changes === undefined ? undefined : currentView(read, read.changes, files.table);
  return { tables: all.length > 0 ? undefined : tables, current, models: models.models, sentences: all };
}

/** Compares the props with a contract that is right in itself. */
function propMistakes(document: unknown, { aggregateTable, models = [], written }: PipelineFiles): Mistake[] {
  const { orderColumn } = written;
  const contract = document as {
    readonly "x-etl": {
      readonly aggregate?: object;
      readonly orderColumn?: string;
      readonly changes?: object;
    };
  };
  const extension = contract["x-etl"];
  const mistakes: Mistake[] = [];
  if (extension.aggregate !== undefined && aggregateTable === undefined)
    mistakes.push([
      "aggregateTable",
      "must be given: the contract has an aggregate, whose table needs a name",
    ]);
  if (extension.aggregate === undefined && aggregateTable !== undefined)
    mistakes.push([
      "aggregateTable",
      `must be left out: the contract has no aggregate, got '${aggregateTable}'`,
    ]);
  if (models.length > 0 && written.tableFormat === "iceberg")
    mistakes.push(["models", "must be left out with tableFormat iceberg: models read the folders of dates"]);
  const isOrderDeclared = extension.orderColumn !== undefined;
  mistakes.push(
    ...writeModeMistakes({
      ...written,
      isOrderDeclared,
      isAddedUp: extension.aggregate !== undefined,
      hasChanges: extension.changes !== undefined,
    }),
  );
  if (orderColumn === undefined) return mistakes;
  if (extension.orderColumn !== undefined && extension.orderColumn !== orderColumn) {
    const demand = `must be '${extension.orderColumn}', the contract's x-etl.orderColumn`;
    return [...mistakes, ["orderColumn", `${demand}, got '${orderColumn}'`]];
  }
  const ordered = { ...contract, "x-etl": { ...extension, orderColumn } };
  return [...mistakes, ...contractMistakes(ordered).map(([, words]): Mistake => ["orderColumn", words])];
}
