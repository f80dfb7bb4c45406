import { type Changes, FILE, VERSION_COLUMNS } from "./changes";
import type { Contract } from "./contract";
import { outputTypes } from "./contract-types";
import type { ContractColumn } from "./contract-tables";

/** The present of a table of every version: the last version of each key, unless it is a delete. */
export interface CurrentView {
  /** One SELECT in Athena's dialect. */
  readonly sql: string;
  /** The columns of its answer. */
  readonly columns: readonly ContractColumn[];
}

const TYPES: Readonly<Record<string, string>> = { sequence: "int", loaded_at: "timestamp" };

/** The columns of a version in the order of the table, with their types in Glue's catalogue. */
function versionColumns(contract: Contract, { validFrom }: Changes): ContractColumn[] {
  const types = outputTypes(contract);
  const validType = (validFrom === undefined ? undefined : types.get(validFrom)) ?? "date";
  return [
    ...[...types].map(([name, type]) => ({ name, type })),
    ...VERSION_COLUMNS.map((name) => ({
      name,
      type: name === "valid_from" ? validType : (TYPES[name] ?? "string"),
    })),
    { name: "run_date", type: "string" },
  ];
}

/** @param table the table of versions, in the database of the view */
export function currentView(contract: Contract, changes: Changes, table: string): CurrentView {
  // No column of a contract has this name.
  const place = quoted("x-etl place");
  const columns = versionColumns(contract, changes);
  const order = changes.delivery === "whole" ? [] : changes.order.filter((name) => name !== FILE);
  const newest = [...order, "run_date", "sequence"].map((name) => `${quoted(name)} DESC`);
  const sql = [
    `SELECT ${columns.map(({ name }) => quoted(name)).join(", ")}`,
    "FROM (",
    `  SELECT *, row_number() OVER (PARTITION BY ${contract.businessKey.map(quoted).join(", ")}`,
    `    ORDER BY ${newest.join(", ")}) AS ${place}`,
    `  FROM ${quoted(table)}`,
    ")",
    `WHERE ${place} = 1 AND "change" <> 'delete'`,
  ].join("\n");
  return { sql, columns };
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
