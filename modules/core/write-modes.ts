import type { Mistake } from "./refusals";

/** In what tables are written, and how: what goes together, for jobs and for the settings of environments. Pure. */

export const TABLE_FORMATS = ["parquet", "iceberg"] as const;
/** Files of Parquet in folders, or a table of Iceberg. */
export type TableFormat = (typeof TABLE_FORMATS)[number];

/**
 * `rebuild` replaces a delivery date, `merge` puts the latest row of a key in place of the others, `append` takes each delivered object
 * once.
 */
export const WRITE_MODES = ["rebuild", "merge", "append"] as const;
export type WriteMode = (typeof WRITE_MODES)[number];

interface Judged {
  readonly tableFormat?: string;
  readonly writeMode?: string;
  readonly orderColumn?: string;
  readonly isOrderDeclared?: boolean;
  readonly isAddedUp?: boolean;
  readonly maxConcurrentRuns?: number;
}

/** What would lose or double rows: `[field, mistake]`, of values that are right one by one. */
export function writeModeMistakes({
  tableFormat = "parquet",
  writeMode = "rebuild",
  orderColumn,
  isOrderDeclared = false,
  isAddedUp = false,
  maxConcurrentRuns: runs = 1,
}: Judged): Mistake[] {
  const mistakes: Mistake[] = [];
  if (writeMode !== "rebuild" && tableFormat !== "iceberg") {
    mistakes.push([
      "writeMode",
      `must be rebuild with tableFormat ${tableFormat}, got ${writeMode}: files of Parquet can only be replaced; set tableFormat to iceberg`,
    ]);
  }
  if (writeMode === "merge" && orderColumn === undefined && !isOrderDeclared) {
    mistakes.push([
      "orderColumn",
      "must be given with writeMode merge, got nothing: without it nobody knows which row is the latest; name a column, or run_date",
    ]);
  }
  if (writeMode !== "merge" && orderColumn !== undefined) {
    mistakes.push([
      "orderColumn",
      `is of writeMode merge alone, got ${orderColumn} with ${writeMode}; leave it out`,
    ]);
  }
  if (writeMode === "merge" && isAddedUp) {
    mistakes.push([
      "writeMode",
      "must be rebuild or append where the contract has an aggregate, got merge: a merge takes rows from dates that were added up",
    ]);
  }
  // Of two merges the second to commit fails with nothing written; two appends could both find an object new.
  if (writeMode === "append" && runs > 1) {
    mistakes.push([
      "maxConcurrentRuns",
      `must be 1 for a job that appends, got ${runs}: two runs could both append the same object; lower it to 1`,
    ]);
  }
  if (writeMode === "rebuild" && runs > 1) {
    const replaced = tableFormat === "iceberg" ? "dates" : "folders";
    mistakes.push([
      "maxConcurrentRuns",
      `must be 1 for a job that rebuilds, got ${runs}: two runs would replace the same ${replaced}; lower it to 1`,
    ]);
  }
  return mistakes;
}
