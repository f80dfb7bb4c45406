import { readContract } from "./contract";
import { contractMistakes } from "./contract-mistakes";
import { outputTypes } from "./contract-types";
import { mistakeText } from "../modules/core/refusals";

/** The tables that a contract (a JSON Schema with `x-etl`) makes: what the job writes by it, as Glue's catalogue spells it. Pure. */

/** A column in Hive's types. */
export interface ContractColumn {
  readonly name: string;
  readonly type: string;
}

/** Columns without the keys, which lie in the folders' names; keys in the order of the folders. */
export interface ContractTable {
  readonly columns: readonly ContractColumn[];
  readonly partitionKeys: readonly ContractColumn[];
}

export interface ContractTables {
  /** What is published. */
  readonly output: ContractTable;
  /** What is added up, where the contract adds up anything. */
  readonly aggregate?: ContractTable;
}

/** The run's date comes first in every folder, as a text `YYYY-MM-DD`. */
const RUN_DATE: ContractColumn = { name: "run_date", type: "string" };

/**
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
  if (aggregate === undefined) return { output: published };
  const added = aggregate.columns.map(({ name, type }) => ({ name, type }));
  return {
    output: published,
    aggregate: { columns: [...columns(aggregate.groupBy), ...added], partitionKeys: [RUN_DATE] },
  };
}
