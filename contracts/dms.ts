import { got, isText, NOTES, type NodeReader } from "./node-reader";

/**
 * Files that AWS DMS writes to S3: `x-etl.dms`. `endpoint` holds settings of the S3 endpoint and `task` settings of the task, as DMS names
 * them; what is left out has the default of DMS. See https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.S3.html
 */
export interface Dms {
  /** The schema and the table in the source: DMS names the folders after them. */
  readonly schema: string;
  readonly table: string;
  /** The day on which the task began, whose delivery has the files of the full load. Left out where the task only replicates changes. */
  readonly fullLoadDate?: string;
  /** The column with `$AR_H_CHANGE_SEQ`, which is different for any two changes. */
  readonly changeSequence?: string;
  /** The word for an order that leaves changes of one moment to their files and lines. */
  readonly tieBreak?: (typeof TIE_BREAKS)[number];
  /** Columns that the table in the source got later, in the order in which it got them: files of before lack them. */
  readonly addedColumns: readonly string[];
  readonly endpoint: Endpoint;
  readonly task: Task;
}

export interface Endpoint {
  readonly DataFormat: (typeof DATA_FORMATS)[number];
  readonly IncludeOpForFullLoad: boolean;
  readonly CdcInsertsOnly: boolean;
  readonly CdcInsertsAndUpdates: boolean;
  readonly AddColumnName: boolean;
  /** "": no column. */
  readonly TimestampColumnName: string;
  readonly UseTaskStartTimeForFullLoadTimestamp: boolean;
  readonly CsvNullValue: string;
  readonly CsvDelimiter: string;
  readonly CsvRowDelimiter: string;
  readonly Rfc4180: boolean;
  readonly UseCsvNoSupValue: boolean;
  readonly DatePartitionEnabled: boolean;
  readonly DatePartitionSequence: (typeof SEQUENCES)[number];
  readonly DatePartitionDelimiter: keyof typeof DELIMITERS;
  readonly DatePartitionTimezone: string;
  readonly PreserveTransactions: boolean;
  readonly CdcPath: string;
}

export interface Task {
  readonly BatchApplyEnabled: boolean;
  readonly FullLobMode: boolean;
  readonly HandleSourceTableTruncated: boolean;
  readonly HandleSourceTableDropped: boolean;
  readonly TargetTablePrepMode: (typeof PREPARATIONS)[number];
}

const TIE_BREAKS = ["fileAndLine"] as const;
const DATA_FORMATS = ["csv", "parquet"] as const;
const SEQUENCES = ["YYYYMMDD", "YYYYMMDDHH", "YYYYMM", "MMYYYYDD", "DDMMYYYY"] as const;
const DELIMITERS = { SLASH: "/", DASH: "-", UNDERSCORE: "_", NONE: "" } as const;
const PREPARATIONS = ["DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"] as const;
const KEYS = [
  ...["schema", "table", "fullLoadDate", "changeSequence", "tieBreak", "addedColumns"],
  ...["endpoint", "task"],
];

/** The defaults of DMS. `TargetTablePrepMode` differs between its API and its console. */
const DEFAULTS: { readonly endpoint: Endpoint; readonly task: Task } = {
  endpoint: {
    DataFormat: "csv",
    IncludeOpForFullLoad: false,
    CdcInsertsOnly: false,
    CdcInsertsAndUpdates: false,
    AddColumnName: false,
    TimestampColumnName: "",
    UseTaskStartTimeForFullLoadTimestamp: false,
    CsvNullValue: "NULL",
    CsvDelimiter: ",",
    CsvRowDelimiter: "\n",
    Rfc4180: true,
    UseCsvNoSupValue: false,
    DatePartitionEnabled: false,
    DatePartitionSequence: "YYYYMMDD",
    DatePartitionDelimiter: "SLASH",
    DatePartitionTimezone: "UTC",
    PreserveTransactions: false,
    CdcPath: "",
  },
  task: {
    BatchApplyEnabled: false,
    FullLobMode: false,
    HandleSourceTableTruncated: true,
    HandleSourceTableDropped: true,
    TargetTablePrepMode: "DO_NOTHING",
  },
};
const WORDS: Readonly<Record<string, readonly string[]>> = {
  DataFormat: DATA_FORMATS,
  DatePartitionSequence: SEQUENCES,
  DatePartitionDelimiter: Object.keys(DELIMITERS),
  TargetTablePrepMode: PREPARATIONS,
};
/** The name of the column of operations, where files have names. */
export const OP = "Op";
/** A sequence below that of every change: a row of a full load comes first. DMS writes 35 digits. */
export const SEQUENCE_DIGITS = 35;

export function readDms(node: NodeReader | undefined): Dms | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("dms", KEYS, NOTES);
  const sequence = node.has("changeSequence") ? node.text("changeSequence") : undefined;
  return {
    schema: readName(node, "schema"),
    table: readName(node, "table"),
    fullLoadDate: node.has("fullLoadDate") ? readDate(node) : undefined,
    changeSequence: sequence,
    tieBreak: node.has("tieBreak") ? node.oneOf("tieBreak", TIE_BREAKS) : undefined,
    addedColumns: node.has("addedColumns") ? node.names("addedColumns") : [],
    endpoint: readSettings(node.child("endpoint"), "an endpoint", DEFAULTS.endpoint),
    task: readSettings(node.child("task"), "a task", DEFAULTS.task),
  };
}

/** Reads settings over their defaults, each as its default is: a flag, a word of a list, or a text. */
function readSettings<T extends object>(node: NodeReader | undefined, what: string, defaults: T): T {
  if (node === undefined) return defaults;
  node.refuseOthers(what, Object.keys(defaults), NOTES);
  const given = Object.entries(defaults)
    .filter(([key]) => node.has(key))
    .map(([key, value]) => [key, readSetting(node, key, value)]);
  return { ...defaults, ...(Object.fromEntries(given) as Partial<T>) };
}

function readSetting(node: NodeReader, key: string, otherwise: unknown): unknown {
  const value = node.value(key);
  const words = WORDS[key];
  if (words !== undefined) return node.oneOf(key, words) ?? otherwise;
  if (typeof otherwise === "boolean") {
    if (typeof value !== "boolean") node.wrong(key, `must be true or false, ${got(value)}`);
    return value === true;
  }
  if (isText(value)) return value;
  node.wrong(key, `must be a text, ${got(value)}`);
  return otherwise;
}

/** A name as it stands in a key of S3. */
function readName(node: NodeReader, key: "schema" | "table"): string {
  const name = node.value(key);
  if (isText(name) && /^[A-Za-z0-9][A-Za-z0-9_.$-]*$/.test(name) && name.length <= 256) return name;
  node.wrong(key, `must be the name of the ${key} in the source, as DMS names the folder, ${got(name)}`);
  return "";
}

function readDate(node: NodeReader): string | undefined {
  const text = node.value("fullLoadDate");
  if (isText(text) && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)))
    if (new Date(`${text}T00:00:00Z`).toISOString().startsWith(text)) return text;
  node.wrong("fullLoadDate", `must be a date like "2025-11-21", ${got(text)}`);
  return undefined;
}

/** The folder of the table below the pipeline's own, which is the `BucketFolder` of the endpoint. */
export const folderOf = ({ schema, table }: Dms): string => `${schema}/${table}/`;

/** Tells whether rows of ongoing changes may be deletes. */
export const hasDeletes = ({ endpoint }: Dms): boolean =>
  !endpoint.CdcInsertsOnly && !endpoint.CdcInsertsAndUpdates;

/** The part of the plan by which the job finds the files and reads those of the full load. `op` is the column of operations. */
export function dmsPlan(dms: Dms, op: string | undefined): object {
  const { fullLoadDate, changeSequence, addedColumns, endpoint } = dms;
  const { DatePartitionEnabled, DatePartitionSequence, DatePartitionDelimiter } = endpoint;
  const lacks = op === undefined || endpoint.IncludeOpForFullLoad ? [] : [op];
  const values = {
    ...Object.fromEntries(lacks.map((name) => [name, "I"])),
    ...(changeSequence === undefined ? {} : { [changeSequence]: "0".repeat(SEQUENCE_DIGITS) }),
  };
  return {
    fullLoad: fullLoadDate === undefined ? null : { date: fullLoadDate, lacks, values },
    dateFolders: DatePartitionEnabled
      ? { sequence: DatePartitionSequence, delimiter: DELIMITERS[DatePartitionDelimiter] }
      : null,
    addedColumns,
  };
}
