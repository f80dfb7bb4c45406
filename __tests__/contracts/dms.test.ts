import { contractMistakes } from "../../contracts/contract-mistakes";
import { readContract } from "../../contracts/contract";
import { planOf } from "../../contracts/plan";
import { deliveredByDms, WHOLE_CHANGES } from "../support/whole-contracts";

/** Settings of AWS DMS: those that are taken, the plan of them, and those that are refused. */

type Node = Record<string, unknown>;
const WHOLE = WHOLE_CHANGES["files of DMS"] as Node;

/** The whole contract with other values at some places; `undefined` takes a key away. */
function changed(edits: Readonly<Record<string, unknown>>): Node {
  const copy = structuredClone(WHOLE);
  for (const [path, value] of Object.entries(edits)) {
    const keys = path.split("/");
    const parent = keys.slice(0, -1).reduce<Node>((node, key) => node[key] as Node, copy);
    if (value === undefined) delete parent[keys.at(-1)!];
    else parent[keys.at(-1)!] = value;
  }
  return copy;
}

const [DMS, ENDPOINT, TASK] = ["x-etl/dms", "x-etl/dms/endpoint", "x-etl/dms/task"] as const;
const CHANGES = "x-etl/changes";
const said = (edits: Readonly<Record<string, unknown>>): string[] =>
  contractMistakes(changed(edits)).map(([field, message]) => `${field} ${message}`);

const endpoint = (settings: Node) =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${ENDPOINT}/${key}`, value]));
const task = (settings: Node) =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${TASK}/${key}`, value]));

/** Without a sequence: changes are ordered by their commit, then by file and line. */
const BY_COMMIT = {
  [`${DMS}/changeSequence`]: undefined,
  [`${DMS}/tieBreak`]: "fileAndLine",
  [`${CHANGES}/order`]: ["at", "file"],
};

const TAKEN: [name: string, edits: Node][] = [
  ["a sequence", {}],
  ["an order by commit time, and a tie-break", BY_COMMIT],
  [
    "an order by file and line alone",
    {
      ...BY_COMMIT,
      [`${CHANGES}/order`]: ["file"],
      [`${CHANGES}/validFrom`]: undefined,
      ...endpoint({ TimestampColumnName: "" }),
    },
  ],
  ["only ongoing changes", { [`${DMS}/fullLoadDate`]: undefined }],
  [
    "only ongoing changes, without the start of the task",
    { [`${DMS}/fullLoadDate`]: undefined, ...endpoint({ UseTaskStartTimeForFullLoadTimestamp: false }) },
  ],
  ["operations in the full load", endpoint({ IncludeOpForFullLoad: true })],
  ["a header", { ...endpoint({ AddColumnName: true }), "x-etl/format/columns": undefined }],
  [
    "inserts alone, without their column",
    { ...endpoint({ CdcInsertsOnly: true }), [`${CHANGES}/deletes`]: undefined },
  ],
  [
    "inserts and updates",
    {
      ...endpoint({ CdcInsertsAndUpdates: true, IncludeOpForFullLoad: true }),
      [`${CHANGES}/deletes`]: undefined,
    },
  ],
  [
    "the number of a sequence",
    { "properties/seq": { type: "number", "x-decimal": [38, 0], "x-null": ["\\N"] } },
  ],
  [
    "no text, and no quotes",
    {
      ...endpoint({ Rfc4180: false, CsvNullValue: "NULL" }),
      "x-etl/format/quote": null,
      ...Object.fromEntries(["at", "id", "seq"].map((name) => [`properties/${name}/x-null`, ["NULL"]])),
      "properties/name": { type: "string", enum: ["a", "b"], "x-null": ["NULL"] },
    },
  ],
];

test.each(TAKEN)("%s: taken", (_, edits) => {
  expect(said(edits)).toEqual([]);
});

const REFUSED: [name: string, edits: Node, says: RegExp[]][] = [
  [
    "both flags",
    { ...endpoint({ CdcInsertsOnly: true, CdcInsertsAndUpdates: true, IncludeOpForFullLoad: true }) },
    [
      /CdcInsertsOnly must not be true beside CdcInsertsAndUpdates: DMS takes one of them$/,
      /changes.deletes/,
    ],
  ],
  [
    "inserts and updates without operations in the full load",
    { ...endpoint({ CdcInsertsAndUpdates: true }), [`${CHANGES}/deletes`]: undefined },
    [/endpoint.IncludeOpForFullLoad must be true beside CdcInsertsAndUpdates: the pages of DMS differ/],
  ],
  [
    "inserts alone, with operations in the full load",
    {
      ...endpoint({ CdcInsertsOnly: true, IncludeOpForFullLoad: true }),
      [`${CHANGES}/deletes`]: undefined,
    },
    [/CdcInsertsOnly must not be true beside IncludeOpForFullLoad/],
  ],
  [
    "deletes that are not delivered",
    endpoint({ CdcInsertsAndUpdates: true, IncludeOpForFullLoad: true }),
    [/^x-etl.changes.deletes must be left out: with CdcInsertsAndUpdates no delete is delivered$/],
  ],
  [
    "deletes that nobody reads",
    { [`${CHANGES}/deletes`]: undefined },
    [
      /^x-etl.changes.deletes must name the column of operations, e.g. .*, got nothing: DMS delivers deletes$/,
    ],
  ],
  [
    "another letter for deletes",
    { [`${CHANGES}/deletes/values`]: ["D", "U"] },
    [/^x-etl.changes.deletes.values must be \["D"\], as DMS writes it, got \["D","U"\]$/],
  ],
  [
    "the column of operations in another place",
    { "x-etl/format/columns": ["at", "Op", "id", "name", "seq"] },
    [/^x-etl.format.columns must begin with 'Op', the column of operations, got 'at'$/],
  ],
  [
    "no order of ties",
    { ...BY_COMMIT, [`${DMS}/tieBreak`]: undefined },
    [
      /^x-etl.dms.changeSequence must name the column with \$AR_H_CHANGE_SEQ, got nothing: all rows of a transaction have one commit time\. Or say "tieBreak": "fileAndLine"/,
    ],
  ],
  [
    "no order at all",
    {
      [`${DMS}/changeSequence`]: undefined,
      [`${CHANGES}/order`]: ["file"],
      [`${CHANGES}/validFrom`]: undefined,
      ...endpoint({ TimestampColumnName: "" }),
    },
    [/got nothing: there is no commit time\. Or say/],
  ],
  [
    "a sequence and a tie-break",
    { [`${DMS}/tieBreak`]: "fileAndLine" },
    [/^x-etl.dms.tieBreak must be left out beside changeSequence/],
  ],
  [
    "another order than that of the files",
    { [`${CHANGES}/order`]: ["at", "file"] },
    [/^x-etl.changes.order must be \["seq","file"\] beside x-etl.dms, got \["at","file"\]$/],
  ],
  [
    "a sequence that a number cannot hold",
    { "properties/seq": { type: "integer", "x-null": ["\\N"] } },
    [/^x-etl.dms.changeSequence must name a string, or a number with "x-decimal": \[38, 0\], got 'seq'/],
  ],
  [
    "the time of transfer in the full load",
    endpoint({ UseTaskStartTimeForFullLoadTimestamp: false }),
    [/UseTaskStartTimeForFullLoadTimestamp must be true, since 'at' orders the rows/],
  ],
  [
    "a commit time that is no timestamp",
    endpoint({ TimestampColumnName: "name" }),
    [
      /^x-etl.changes.validFrom must be the TimestampColumnName of x-etl.dms.endpoint, got 'at' and 'name'/,
      /TimestampColumnName must name a property with x-timestamp, got 'name'/,
    ],
  ],
  [
    "the null word of DMS beside a text",
    {
      ...endpoint({ CsvNullValue: undefined }),
      ...Object.fromEntries(
        ["at", "id", "name", "seq"].map((name) => [`properties/${name}/x-null`, ["NULL"]]),
      ),
    },
    [
      /CsvNullValue must be a word that no text is, such as '\\N', got "NULL": .*would be read as null, quoted or not/,
    ],
  ],
  [
    "an empty null word beside a text",
    {
      ...endpoint({ CsvNullValue: "" }),
      ...Object.fromEntries(
        ["at", "id", "name", "seq"].map((name) => [`properties/${name}/x-null`, undefined]),
      ),
    },
    [/CsvNullValue must be a word that no text is, .*got ""/],
  ],
  [
    "another null word in the contract",
    { "properties/name/x-null": ["\\N", "-"], "properties/id/x-null": undefined },
    [
      /^properties.name.x-null must be \["\\\\N"\], the CsvNullValue of x-etl.dms.endpoint, got \["\\\\N","-"\]$/,
      /^properties.id.x-null must be/,
    ],
  ],
  [
    "texts without quotes",
    { ...endpoint({ Rfc4180: false }), "x-etl/format/quote": null },
    [/Rfc4180 must be true, since 'name' are texts/],
  ],
  [
    "quotes that are data",
    { "x-etl/format/quote": null },
    [/Rfc4180 must be false where x-etl.format says "quote": null/],
  ],
  [
    "the parts of the format that DMS has not",
    { "x-etl/format/skipTop": 1, "x-etl/format/comment": "#" },
    [/^x-etl.format.skipTop must be left out/, /^x-etl.format.comment must be left out/],
  ],
  [
    "another format",
    endpoint({ DataFormat: "parquet" }),
    [/DataFormat must be the kind of x-etl.format, got 'parquet' and 'csv'$/],
  ],
  [
    "another delimiter",
    endpoint({ CsvDelimiter: "|" }),
    [/CsvDelimiter must be that of x-etl.format, got "\|" and ";"$/],
  ],
  ["another end of rows", endpoint({ CsvRowDelimiter: "\r\n" }), [/CsvRowDelimiter must be a line feed/]],
  [
    "a header and columns",
    endpoint({ AddColumnName: true }),
    [/AddColumnName must be false where x-etl.format has columns/],
  ],
  [
    "neither a header nor columns",
    { "x-etl/format/columns": undefined },
    [/^x-etl.format.columns must name the columns in their order, got nothing/],
  ],
  [
    "transactions of all tables",
    endpoint({ PreserveTransactions: true, CdcPath: "cdc" }),
    [/PreserveTransactions must be false/, /CdcPath must be left out/],
  ],
  [
    "a word for what was not logged",
    endpoint({ UseCsvNoSupValue: true }),
    [/UseCsvNoSupValue must be false/],
  ],
  [
    "folders of months, and another zone",
    endpoint({ DatePartitionSequence: "YYYYMM", DatePartitionTimezone: "Europe/Berlin" }),
    [
      /DatePartitionSequence must have the day, such as YYYYMMDD, got 'YYYYMM'/,
      /DatePartitionTimezone must be UTC or left out, got 'Europe\/Berlin': .* where clocks go back a later file has an earlier name$/,
    ],
  ],
  [
    "a task that loses changes and files",
    task({
      ...{ BatchApplyEnabled: true, FullLobMode: true, TargetTablePrepMode: "DROP_AND_CREATE" },
      ...{ HandleSourceTableTruncated: undefined, HandleSourceTableDropped: true },
    }),
    [
      /task.BatchApplyEnabled must be false: with it changes may be lost/,
      /task.FullLobMode must be false/,
      /task.HandleSourceTableTruncated must be false \(the default of DMS is true\): with it a TRUNCATE in the source removes files$/,
      /task.HandleSourceTableDropped must be false/,
      /task.TargetTablePrepMode must be DO_NOTHING, got 'DROP_AND_CREATE'/,
    ],
  ],
  [
    "added columns that rows need, or that nobody knows",
    { [`${DMS}/addedColumns`]: ["name", "at", "colour"] },
    [
      /^x-etl.dms.addedColumns must name properties that are not required, got 'at': the files of before lack it$/,
      /got 'colour'/,
    ],
  ],
  ["no changes", { [CHANGES]: undefined }, [/^x-etl.changes must be there beside x-etl.dms, got nothing/]],
  [
    "whole deliveries",
    {
      [CHANGES]: {
        ...{ delivery: "whole", order: ["file"] },
        deletes: { provedBy: "marker", file: "_END" },
      },
    },
    [/^x-etl.changes.delivery must be increment beside x-etl.dms, got 'whole'/],
  ],
  [
    "values of no kind",
    {
      ...endpoint({ Rfc4180: "y", CsvDelimiter: 7, DatePartitionDelimiter: "DOT", BucketName: "lake" }),
      [`${DMS}/fullLoadDate`]: "2025-02-30",
      [`${DMS}/table`]: "a/b",
    },
    [
      /table must be the name of the table in the source, as DMS names the folder, got "a\/b"$/,
      /fullLoadDate must be a date like "2025-11-21", got "2025-02-30"$/,
      /BucketName is unknown: an endpoint may hold DataFormat, /,
      /CsvDelimiter must be a text, got 7$/,
      /Rfc4180 must be true or false, got "y"$/,
      /DatePartitionDelimiter must be one of SLASH, DASH, UNDERSCORE, NONE, got "DOT"$/,
    ],
  ],
];

test.each(REFUSED)("%s: refused", (_, edits, patterns) => {
  const found = said(edits);
  expect(found).toHaveLength(patterns.length);
  for (const [at, pattern] of patterns.entries()) expect(found[at]).toMatch(pattern);
});

const planned = (edits: Node = {}) =>
  (planOf(readContract(changed(edits)).contract, { threshold: 0, rules: [] }).contract as Node).dms;

test("the plan says where the files are, and what a full load lacks", () => {
  const zeros = "0".repeat(35);
  expect(planned()).toEqual({
    fullLoad: { date: "2025-11-20", lacks: ["Op"], values: { Op: "I", seq: zeros } },
    dateFolders: { sequence: "YYYYMMDDHH", delimiter: "-" },
    addedColumns: ["name"],
  });
  expect(planned({ ...endpoint({ IncludeOpForFullLoad: true, DatePartitionEnabled: false }) })).toEqual({
    fullLoad: { date: "2025-11-20", lacks: [], values: { seq: zeros } },
    dateFolders: null,
    addedColumns: ["name"],
  });
  const { contract } = readContract(deliveredByDms((WHOLE["x-etl"] as Node).dms as Node));
  const plan = planOf(contract, { threshold: 0, rules: [] }).contract as { sources: Node[] };
  expect(plan.sources[0]).toMatchObject({ folder: "shop/things/", layout: "dms" });
});
