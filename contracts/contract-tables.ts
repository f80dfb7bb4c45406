import { readContract } from "./contract";
import { contractMistakes } from "./contract-mistakes";
import { outputTypes } from "./contract-types";
import { type ContractSource, placesOf } from "./source-contracts";
import { mistakeText } from "../modules/core/refusals";

/** A column, its type spelt as in Glue's catalogue (Hive's types). */
export interface ContractColumn {
  /** The column's name. */
  readonly name: string;
  /** The type, e.g. `bigint`, `array<struct<id:string>>`. */
  readonly type: string;
}

/** A table as the job writes it: `columns` leaves out the partition keys, `partitionKeys` follows the order of the folders. */
export interface ContractTable {
  /** The columns without the partition keys. */
  readonly columns: readonly ContractColumn[];
  /** The partition keys in the order of the folders; the first is `run_date`. */
  readonly partitionKeys: readonly ContractColumn[];
}

/** The tables that a contract's job writes. */
export interface ContractTables {
  /** The published rows. */
  readonly output: ContractTable;
  /**
   * The sums of `x-etl.aggregate`.
   * @default - the contract has no aggregate
   */
  readonly aggregate?: ContractTable;
  /** The places that the deliveries come from; at least one. */
  readonly sources: readonly ContractSource[];
}

/** The first partition key of every table: the run's date as a text `YYYY-MM-DD`. */
const RUN_DATE: ContractColumn = { name: "run_date", type: "string" };

/**
 * Derives the tables that a job writes from its contract (a JSON Schema with `x-etl`).
 *
 * @param document the parsed file
 * @throws Error naming every mistake of the contract
 */
export function contractTables(document: unknown): ContractTables {
  const mistakes = contractMistakes(document);
  if (mistakes.length > 0) throw new Error(`the contract: ${mistakes.map(mistakeText).join("; ")}`);
  const { contract } = readContract(document);
  const { output, partitionBy: keys, aggregate } = contract;
  const types = outputTypes(contract);
  const columns = (of: readonly string[]) => of.map((name) => ({ name, type: types.get(name)! }));
  const published = {
    columns: columns(output.filter((name) => !keys.includes(name))),
    partitionKeys: [RUN_DATE, ...columns(keys)],
  };
  const sources = placesOf(contract);
  if (aggregate === undefined) return { output: published, sources };
  const added = aggregate.columns.map(({ name, type }) => ({ name, type }));
  return {
    output: published,
    sources,
    aggregate: { columns: [...columns(aggregate.groupBy), ...added], partitionKeys: [RUN_DATE] },
  };
}
