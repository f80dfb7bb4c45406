import { FILE } from "./changes";
import { type Column, placeOf } from "./columns";
import type { Contract } from "./contract";
import { type Dms, hasDeletes, OP, SEQUENCE_DIGITS } from "./dms";
import { isCsv } from "./format";
import type { Mistake } from "../modules/core/refusals";

/** Judges `x-etl.dms`: settings of AWS DMS with which its files cannot be read safely, together and against the contract. */

type Find = (dms: Dms, contract: Contract) => Mistake[];

const ENDPOINT = "x-etl.dms.endpoint";
const TASK = "x-etl.dms.task";

export function wrongDms(contract: Contract): Mistake[] {
  const { dms } = contract;
  if (dms === undefined) return [];
  return CHECKS.flatMap((find) => find(dms, contract));
}

const CHECKS: readonly Find[] = [
  ...[wrongFlags, wrongFolders, wrongTask, wrongFormat, wrongNulls],
  ...[wrongChanges, wrongOp, wrongOrder, wrongSequence, wrongTimestamp],
  wrongAdded,
];

/** Flags that contradict one another, or lose what the job needs. */
function wrongFlags({ endpoint }: Dms): Mistake[] {
  const { IncludeOpForFullLoad, CdcInsertsOnly, CdcInsertsAndUpdates } = endpoint;
  const mistakes: Mistake[] = [];
  const wrong = (key: string, words: string) => mistakes.push([`${ENDPOINT}.${key}`, words]);
  if (CdcInsertsOnly && CdcInsertsAndUpdates)
    wrong("CdcInsertsOnly", "must not be true beside CdcInsertsAndUpdates: DMS takes one of them");
  else if (CdcInsertsOnly && IncludeOpForFullLoad)
    wrong(
      "CdcInsertsOnly",
      "must not be true beside IncludeOpForFullLoad: the pages of DMS differ on which of its files then have the column of operations; all rows are inserts, so leave IncludeOpForFullLoad out",
    );
  if (CdcInsertsAndUpdates && !IncludeOpForFullLoad)
    wrong(
      "IncludeOpForFullLoad",
      "must be true beside CdcInsertsAndUpdates: the pages of DMS differ on whether rows have the column of operations without it",
    );
  if (endpoint.PreserveTransactions)
    wrong(
      "PreserveTransactions",
      "must be false: the files of CdcPath hold the changes of all tables, and a contract reads one table",
    );
  if (endpoint.CdcPath !== "")
    wrong("CdcPath", "must be left out: it is for PreserveTransactions, whose files hold all tables");
  if (endpoint.UseCsvNoSupValue)
    wrong(
      "UseCsvNoSupValue",
      "must be false: a column that was not logged would count as a value; log every column in the source instead",
    );
  return mistakes;
}

function wrongFolders({ endpoint }: Dms): Mistake[] {
  const { DatePartitionEnabled, DatePartitionSequence, DatePartitionTimezone } = endpoint;
  const mistakes: Mistake[] = [];
  if (DatePartitionEnabled && DatePartitionSequence === "YYYYMM")
    mistakes.push([
      `${ENDPOINT}.DatePartitionSequence`,
      "must have the day, such as YYYYMMDD, got 'YYYYMM': the folder of a month does not say which delivery a file belongs to",
    ]);
  if (DatePartitionTimezone !== "UTC")
    mistakes.push([
      `${ENDPOINT}.DatePartitionTimezone`,
      `must be UTC or left out, got '${DatePartitionTimezone}': the names of files follow it too, and where clocks go back a later file has an earlier name`,
    ]);
  return mistakes;
}

function wrongTask({ task, fullLoadDate }: Dms): Mistake[] {
  const mistakes: Mistake[] = [];
  const wrong = (key: string, words: string) => mistakes.push([`${TASK}.${key}`, words]);
  if (task.BatchApplyEnabled)
    wrong("BatchApplyEnabled", "must be false: with it changes may be lost, and lie in no order");
  if (task.FullLobMode)
    wrong("FullLobMode", "must be false: the S3 endpoint does not support it; use limited LOB mode");
  for (const [key, what] of [
    ["HandleSourceTableTruncated", "TRUNCATE"],
    ["HandleSourceTableDropped", "DROP"],
  ] as const)
    if (task[key])
      wrong(key, `must be false (the default of DMS is true): with it a ${what} in the source removes files`);
  if (fullLoadDate !== undefined && task.TargetTablePrepMode !== "DO_NOTHING")
    wrong(
      "TargetTablePrepMode",
      `must be DO_NOTHING, got '${task.TargetTablePrepMode}': when the table is loaded again, the files of earlier changes are removed`,
    );
  return mistakes;
}

/** The facts that the endpoint and `x-etl.format` both state must agree. */
function wrongFormat({ endpoint }: Dms, { format, shapes }: Contract): Mistake[] {
  const mistakes: Mistake[] = [];
  const wrong = (key: string, words: string) => mistakes.push([`${ENDPOINT}.${key}`, words]);
  if (endpoint.DataFormat !== format.kind) {
    wrong(
      "DataFormat",
      `must be the kind of x-etl.format, got '${endpoint.DataFormat}' and '${format.kind}'`,
    );
    return mistakes;
  }
  if (shapes.length > 0)
    mistakes.push(["x-etl.shapes", "must be left out beside x-etl.dms: its files have one shape"]);
  if (!isCsv(format)) return mistakes;
  if (endpoint.CsvDelimiter !== format.delimiter)
    wrong(
      "CsvDelimiter",
      `must be that of x-etl.format, got ${JSON.stringify(endpoint.CsvDelimiter)} and ${JSON.stringify(format.delimiter)}`,
    );
  if (endpoint.CsvRowDelimiter !== "\n")
    wrong("CsvRowDelimiter", `must be a line feed, got ${JSON.stringify(endpoint.CsvRowDelimiter)}`);
  if (endpoint.AddColumnName && format.columns !== null)
    wrong("AddColumnName", "must be false where x-etl.format has columns: the first line is no header");
  if (!endpoint.AddColumnName && format.columns === null)
    mistakes.push([
      "x-etl.format.columns",
      "must name the columns in their order, got nothing: without AddColumnName files have no header",
    ]);
  const own: readonly [field: string, isOther: boolean][] = [
    ["escape", format.escape !== null],
    ["skipTop", format.skipTop > 0],
    ["skipBottom", format.skipBottom > 0],
    ["comment", format.comment !== null],
    ["encoding", format.encoding !== "UTF-8"],
    ["unknownColumns", format.unknownColumns === "keep"],
  ];
  mistakes.push(
    ...own
      .filter(([, isOther]) => isOther)
      .map(([key]): Mistake => [`x-etl.format.${key}`, "must be left out beside x-etl.dms: DMS writes none"]),
  );
  return mistakes;
}

const isPlainText = ({ kind, dateFormats, moments, allowed }: Column): boolean =>
  kind === "string" && dateFormats.length === 0 && moments === undefined && allowed.length === 0;

/** Tells whether a column can hold the letters of operations alone, which are never null. */
const isOfOperations = ({ allowed }: Column): boolean =>
  allowed.length > 0 && allowed.every((value) => ["I", "U", "D"].includes(String(value)));

/** How nulls and texts are told apart in CSV. */
function wrongNulls({ endpoint, changeSequence }: Dms, contract: Contract): Mistake[] {
  if (!isCsv(contract.format) || endpoint.DataFormat !== "csv") return [];
  const { CsvNullValue, Rfc4180 } = endpoint;
  const mistakes: Mistake[] = [];
  const texts = contract.columns.filter((one) => isPlainText(one) && one.name !== changeSequence);
  const free = texts.filter(({ name }) => name !== contract.changes?.op?.column);
  if (Rfc4180 === (contract.format.quote === null))
    mistakes.push([
      `${ENDPOINT}.Rfc4180`,
      Rfc4180
        ? 'must be false where x-etl.format says "quote": null'
        : 'must be true, or x-etl.format must say "quote": null: without it quotes are data',
    ]);
  if (!Rfc4180 && free.length > 0)
    mistakes.push([
      `${ENDPOINT}.Rfc4180`,
      `must be true, since ${namesOf(free)} are texts: one that holds the delimiter or a line end is not quoted without it`,
    ]);
  const lacking = contract.columns.filter(({ nulls }) => nulls.some((word) => word !== CsvNullValue));
  const others = contract.columns.filter(
    (one) => CsvNullValue !== "" && !one.nulls.includes(CsvNullValue) && !isOfOperations(one),
  );
  mistakes.push(
    ...[...new Set([...lacking, ...others])].map(({ place, nulls }): Mistake => [
      `${place}.x-null`,
      `must be [${JSON.stringify(CsvNullValue)}], the CsvNullValue of x-etl.dms.endpoint, got ${JSON.stringify(nulls)}`,
    ]),
  );
  if (isWordOfTexts(CsvNullValue) && free.length > 0)
    mistakes.push([
      `${ENDPOINT}.CsvNullValue`,
      `must be a word that no text is, such as '\\N', got ${JSON.stringify(CsvNullValue)}: DMS quotes a text only where it holds the delimiter, a quote or a line end, so a text ${JSON.stringify(CsvNullValue)} of ${namesOf(free)} would be read as null, quoted or not; or use DataFormat parquet`,
    ]);
  return mistakes;
}

/** A text of letters, digits and spaces may stand in any column of texts. */
const isWordOfTexts = (word: string): boolean => /^[\p{L}\p{N} ._/-]*$/u.test(word);

const namesOf = (columns: readonly Column[]): string => columns.map(({ name }) => `'${name}'`).join(", ");

function wrongChanges(_: Dms, { changes }: Contract): Mistake[] {
  if (changes === undefined)
    return [
      [
        "x-etl.changes",
        "must be there beside x-etl.dms, got nothing: its files are changes (write mode changes)",
      ],
    ];
  if (changes.delivery !== "whole") return [];
  return [
    [
      "x-etl.changes.delivery",
      "must be increment beside x-etl.dms, got 'whole': files of ongoing changes do not hold every key",
    ],
  ];
}

/** The column of operations: that there is one, that it says the deletes, and that it comes first. */
function wrongOp(dms: Dms, contract: Contract): Mistake[] {
  const { changes, format, columns } = contract;
  if (changes === undefined || changes.delivery === "whole") return [];
  const { op } = changes;
  if (!hasDeletes(dms)) {
    const flag = dms.endpoint.CdcInsertsOnly ? "CdcInsertsOnly" : "CdcInsertsAndUpdates";
    return op === undefined
      ? []
      : [["x-etl.changes.deletes", `must be left out: with ${flag} no delete is delivered`]];
  }
  if (op === undefined)
    return [
      [
        "x-etl.changes.deletes",
        `must name the column of operations, e.g. { "column": "${OP}", "values": ["D"] }, got nothing: DMS delivers deletes`,
      ],
    ];
  const mistakes: Mistake[] = [];
  if (op.values.length !== 1 || op.values[0] !== "D")
    mistakes.push([
      "x-etl.changes.deletes.values",
      `must be ["D"], as DMS writes it, got ${JSON.stringify(op.values)}`,
    ]);
  if (format.columns !== null && format.columns[0] !== op.column)
    mistakes.push([
      "x-etl.format.columns",
      `must begin with '${op.column}', the column of operations, got '${format.columns[0] ?? ""}'`,
    ]);
  const column = columns.find(({ name }) => name === op.column);
  if (format.columns === null && column !== undefined && placeOf(column).join(".") !== OP)
    mistakes.push([
      "x-etl.changes.deletes.column",
      `must be the column '${OP}', as DMS names it in headers and in Parquet, got '${op.column}'`,
    ]);
  return mistakes;
}

/** The order of changes must be total. */
function wrongOrder(dms: Dms, { changes }: Contract): Mistake[] {
  if (changes === undefined || changes.delivery === "whole") return [];
  const { changeSequence, tieBreak, endpoint } = dms;
  const timestamp = endpoint.TimestampColumnName;
  const mistakes: Mistake[] = [];
  if (changeSequence === undefined && tieBreak === undefined) {
    const commit =
      timestamp === "" ? "there is no commit time" : "all rows of a transaction have one commit time";
    mistakes.push([
      "x-etl.dms.changeSequence",
      `must name the column with $AR_H_CHANGE_SEQ, got nothing: ${commit}. Or say "tieBreak": "fileAndLine": a task writes the changes of one table in their order, to one file after the other; but what it writes again after a restart is then no repetition`,
    ]);
  }
  if (changeSequence !== undefined && tieBreak !== undefined)
    mistakes.push([
      "x-etl.dms.tieBreak",
      "must be left out beside changeSequence, in which no two changes tie",
    ]);
  const { validFrom } = changes;
  if (validFrom !== undefined && validFrom !== timestamp)
    mistakes.push([
      "x-etl.changes.validFrom",
      `must be the TimestampColumnName of x-etl.dms.endpoint, got '${validFrom}' and '${timestamp}': a delete may hold its key alone`,
    ]);
  const first = changeSequence ?? (timestamp === "" ? undefined : timestamp);
  const wanted = [...(first === undefined ? [] : [first]), FILE];
  if (JSON.stringify(changes.order) !== JSON.stringify(wanted))
    mistakes.push([
      "x-etl.changes.order",
      `must be ${JSON.stringify(wanted)} beside x-etl.dms, got ${JSON.stringify(changes.order)}`,
    ]);
  return mistakes;
}

function wrongSequence({ changeSequence }: Dms, { columns }: Contract): Mistake[] {
  const column = columns.find(({ name }) => name === changeSequence);
  if (changeSequence === undefined) return [];
  if (column === undefined)
    return [["x-etl.dms.changeSequence", `must name a property, got '${changeSequence}'`]];
  const digits = column.decimal === undefined ? 0 : column.decimal[1] === 0 ? column.decimal[0] : 0;
  if (isPlainText(column) || digits >= SEQUENCE_DIGITS) return [];
  return [
    [
      "x-etl.dms.changeSequence",
      `must name a string, or a number with "x-decimal": [38, 0], got '${changeSequence}': the sequence has ${SEQUENCE_DIGITS} digits`,
    ],
  ];
}

function wrongTimestamp({ endpoint, fullLoadDate }: Dms, { changes, columns }: Contract): Mistake[] {
  const { TimestampColumnName: name, UseTaskStartTimeForFullLoadTimestamp } = endpoint;
  if (name === "") return [];
  const column = columns.find((one) => one.name === name);
  if (column?.moments === undefined)
    return [
      [
        `${ENDPOINT}.TimestampColumnName`,
        `must name a property with x-timestamp, got '${name}': DMS writes "yyyy-MM-dd HH:mm:ss.SSSSSS"`,
      ],
    ];
  const isUsed = changes?.order[0] === name || changes?.validFrom === name;
  if (fullLoadDate === undefined || !isUsed || UseTaskStartTimeForFullLoadTimestamp) return [];
  return [
    [
      `${ENDPOINT}.UseTaskStartTimeForFullLoadTimestamp`,
      `must be true, since '${name}' orders the rows: otherwise a row of the full load has the time of its transfer, which may be later than that of a change after it`,
    ],
  ];
}

/** A row without an added column must still be one. */
function wrongAdded({ addedColumns }: Dms, { columns, required, businessKey }: Contract): Mistake[] {
  const needed = new Set([...required, ...businessKey]);
  return addedColumns
    .filter((name) => needed.has(name) || !columns.some((one) => one.name === name))
    .map((name) => [
      "x-etl.dms.addedColumns",
      `must name properties that are not required, got '${name}': the files of before lack it`,
    ]);
}
