import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deliveredColumns, EXTRACT_VERSION, extractText, readExtract } from "../../contracts/extracts";
import { ROOT } from "../support/clone";

/** The declared tables of an extract: read strictly, every mistake by its field. */

const good = {
  schema: "shop",
  timeZone: "Europe/London",
  maxConnections: 4,
  fetchSize: 100,
  tables: {
    customers: {
      mode: "mark",
      mark: { column: "updated_at", overlapMinutes: 60, deletes: "none" },
      key: ["id"],
      partitionColumn: "id",
      columns: {
        id: { type: "bigint" },
        born: { type: "date", infinity: "null", description: "By the clock of the shop." },
        updated_at: { type: "timestamp" },
      },
    },
  },
};
const withTable = (change: object) => ({
  ...good,
  tables: { customers: { ...good.tables.customers, ...change } },
});
const withColumn = (column: unknown) =>
  withTable({ columns: { ...good.tables.customers.columns, other: column } });
const withMark = (change: object) => withTable({ mark: { ...good.tables.customers.mark, ...change } });

test("an extract without mistakes", () => {
  const { extract, mistakes } = readExtract(good);
  expect(mistakes).toEqual([]);
  expect(extract).toEqual({
    schema: "shop",
    timeZone: "Europe/London",
    maxConnections: 4,
    fetchSize: 100,
    consistent: true,
    tables: [
      {
        name: "customers",
        description: undefined,
        key: ["id"],
        partitionColumn: "id",
        mark: { column: "updated_at", overlapMinutes: 60 },
        columns: [
          { name: "id", type: "bigint", infinity: "refuse" },
          { name: "born", type: "date", infinity: "null", comment: "By the clock of the shop." },
          { name: "updated_at", type: "timestamp", infinity: "refuse" },
        ],
      },
    ],
  });
});

test("consistency can be given up, and a whole table has no mark", () => {
  const { customers } = good.tables;
  const { key, partitionColumn, columns } = customers;
  const whole = { mode: "whole", key, partitionColumn, columns };
  const { extract, mistakes } = readExtract({ ...good, consistent: false, tables: { customers: whole } });
  expect(mistakes).toEqual([]);
  expect(extract.consistent).toBe(false);
  expect(extract.tables[0]!.mark).toBeUndefined();
});

test.each<[string, unknown, string, string]>([
  ["no object", [], "", "must be an object, got []"],
  ["an unknown setting", { ...good, tls: true }, "tls", "is unknown: an extract may hold schema"],
  ["no schema", { ...good, schema: undefined }, "schema", "must be a text, got nothing"],
  ["a schema in capitals", { ...good, schema: "Shop" }, "schema", "must be named in at most 63"],
  ["an unknown zone", { ...good, timeZone: "London" }, "timeZone", "must be a time zone of the IANA"],
  ["one connection", { ...good, maxConnections: 1 }, "maxConnections", "must be a whole number from 2 to 64"],
  ["no fetch size", { ...good, fetchSize: 0 }, "fetchSize", "must be a whole number from 1 to 1000000"],
  ["consistent as text", { ...good, consistent: "yes" }, "consistent", "must be true or false"],
  ["no table", { ...good, tables: {} }, "tables", "must hold a table"],
  ["an unknown mode", withTable({ mode: "log" }), "tables.customers.mode", "must be one of whole, mark"],
  ["a mark of a whole table", withTable({ mode: "whole" }), "tables.customers.mark", "is for the mode mark"],
  ["no mark", withTable({ mark: undefined }), "tables.customers.mark", "must be an object"],
  [
    "a key of no column",
    withTable({ key: ["no"] }),
    "tables.customers.key",
    "must name columns of the table",
  ],
  [
    "a partition column of no order",
    withTable({
      partitionColumn: "doc",
      columns: { ...good.tables.customers.columns, doc: { type: "json" } },
    }),
    "tables.customers.partitionColumn",
    "must name a column of the table that has an order",
  ],
  ["no column", withTable({ columns: {} }), "tables.customers.columns", "must hold a column"],
  ["an unknown type", withColumn({ type: "money" }), "tables.customers.columns.other.type", "must be one of"],
  [
    "too many digits",
    withColumn({ type: "decimal(39,2)" }),
    "tables.customers.columns.other.type",
    "must be one of",
  ],
  [
    "more decimals than digits",
    withColumn({ type: "decimal(2,3)" }),
    "tables.customers.columns.other.type",
    "must be one of",
  ],
  [
    "infinity of a text",
    withColumn({ type: "text", infinity: "null" }),
    "tables.customers.columns.other.infinity",
    'is for the types date, timestamp, instant, got it with "text"',
  ],
  [
    "an unknown infinity",
    withColumn({ type: "date", infinity: "9999" }),
    "tables.customers.columns.other.infinity",
    "must be one of refuse, null",
  ],
  [
    "a mark by a number",
    withMark({ column: "id" }),
    "tables.customers.mark.column",
    "must name a column of type timestamp or instant",
  ],
  [
    "a mark that may be infinite",
    withTable({
      columns: {
        ...good.tables.customers.columns,
        updated_at: { type: "timestamp", infinity: "null" },
      },
    }),
    "tables.customers.mark.column",
    "that refuses infinity",
  ],
  [
    "a mark that says nothing of deletes",
    withMark({ deletes: undefined }),
    "tables.customers.mark.deletes",
    'must be "none", which says that nobody deletes rows: a mark cannot see deletes; else use the mode whole, got nothing',
  ],
  [
    "a negative overlap",
    withMark({ overlapMinutes: -1 }),
    "tables.customers.mark.overlapMinutes",
    "must be a whole number from 0",
  ],
])("refused: %s", (_what, document, field, message) => {
  const { mistakes } = readExtract(document);
  const found = mistakes.find(([place]) => place === field);
  expect(found?.[1]).toContain(message);
});

test("all mistakes at once", () => {
  const { mistakes } = readExtract({ ...good, fetchSize: 0, maxConnections: 0, timeZone: "" });
  expect(mistakes.map(([field]) => field)).toEqual(["timeZone", "maxConnections", "fetchSize"]);
});

test("the types of the lake", () => {
  const [table] = readExtract(
    withTable({
      columns: Object.fromEntries(
        ["text", "integer", "double", "instant", "uuid", "json", "array", "decimal(5,2)", "timestamp"].map(
          (type, index) => [`c${index}`, { type }],
        ),
      ),
    }),
  ).extract.tables;
  expect(deliveredColumns(table!).map(({ type }) => type)).toEqual([
    "string",
    "int",
    "double",
    "timestamp",
    "string",
    "string",
    "string",
    "decimal(5,2)",
    "timestamp",
  ]);
});

test("the text that the job loads: of the version that it reads, without what only people read", () => {
  const text = extractText(readExtract(good).extract);
  expect(JSON.parse(text)).toMatchObject({
    extractVersion: EXTRACT_VERSION,
    consistent: true,
    tables: [{ name: "customers", mark: { column: "updated_at", overlapMinutes: 60 } }],
  });
  expect(text).not.toContain("By the clock");
  const job = readFileSync(join(ROOT, "glue-scripts", "etl", "extract", "document.py"), "utf8");
  expect(job).toContain(`EXTRACT_VERSION = ${EXTRACT_VERSION} `);
});

test("the shop's tables are declared without mistakes", () => {
  const file = join(ROOT, "pipelines", "shop", "shop.extract.json");
  const { extract, mistakes } = readExtract(JSON.parse(readFileSync(file, "utf8")));
  expect(mistakes).toEqual([]);
  expect(extract.tables.map(({ name, mark }) => [name, mark !== undefined])).toEqual([
    ["customers", true],
    ["products", false],
    ["invoices", false],
    ["invoice_lines", false],
  ]);
});
