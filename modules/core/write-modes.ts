import type { Mistake } from "./refusals";

/** The file formats of output tables. */
export const TABLE_FORMATS = ["parquet", "iceberg"] as const;
/** The file format of an output table. */
export type TableFormat = (typeof TABLE_FORMATS)[number];

/**
 * Write modes: `rebuild` replaces all rows of a delivery date, `merge` keeps the latest row of each key, `append` adds the rows of each
 * delivered object once, `changes` keeps every version of each key.
 */
export const WRITE_MODES = ["rebuild", "merge", "append", "changes"] as const;
/**
 * How a job writes its table: `rebuild` replaces all rows of a delivery date, `merge` keeps the latest row of each key, `append` adds the
 * rows of each delivered object once, `changes` keeps every version of each key (the contract's `x-etl.changes` says how). All but
 * `rebuild` need Iceberg.
 */
export type WriteMode = (typeof WRITE_MODES)[number];

interface Judged {
  readonly tableFormat?: string;
  readonly writeMode?: string;
  readonly orderColumn?: string;
  readonly isOrderDeclared?: boolean;
  readonly isAddedUp?: boolean;
  /** Tells whether the contract has `x-etl.changes`; not known where only settings are judged. */
  readonly hasChanges?: boolean;
  readonly maxConcurrentRuns?: number;
}

/** Lists combinations of valid settings that would lose or double rows: `[field, mistake]`. */
export function writeModeMistakes({
  tableFormat = "parquet",
  writeMode = "rebuild",
  orderColumn,
  isOrderDeclared = false,
  isAddedUp = false,
  hasChanges,
  maxConcurrentRuns: runs = 1,
}: Judged): Mistake[] {
  const mistakes: Mistake[] = [];
  if (writeMode !== "rebuild" && tableFormat !== "iceberg") {
    mistakes.push([
      "writeMode",
      `must be rebuild with tableFormat ${tableFormat}, got ${writeMode}: Parquet files can only be replaced; set tableFormat to iceberg`,
    ]);
  }
  if (writeMode === "merge" && orderColumn === undefined && !isOrderDeclared) {
    mistakes.push([
      "orderColumn",
      "must be given with writeMode merge, got nothing: it decides which row of a key is the latest; name a column, or run_date",
    ]);
  }
  if (writeMode !== "merge" && orderColumn !== undefined) {
    mistakes.push([
      "orderColumn",
      `is for writeMode merge only, got ${orderColumn} with ${writeMode}; leave it out`,
    ]);
  }
  if (writeMode === "merge" && isAddedUp) {
    mistakes.push([
      "writeMode",
      "must be rebuild or append if the contract has an aggregate, got merge: a merge removes rows from dates that were already aggregated",
    ]);
  }
  if (writeMode === "changes" && hasChanges === false) {
    mistakes.push([
      "writeMode",
      "must not be changes without x-etl.changes in the contract: it says what a delivery holds, and the order of a key's rows",
    ]);
  }
  if (writeMode !== "changes" && hasChanges === true) {
    mistakes.push([
      "writeMode",
      `must be changes, got ${writeMode}: the contract has x-etl.changes, which no other mode reads`,
    ]);
  }
  // The second of two concurrent merges fails and writes nothing; two appends could both append the same object.
  if (writeMode === "changes" && runs > 1) {
    mistakes.push([
      "maxConcurrentRuns",
      `must be 1 for a job that writes changes, got ${runs}: two runs would derive versions from the same history; lower it to 1`,
    ]);
  }
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
