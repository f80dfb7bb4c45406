import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { martText, readMart } from "../../contracts/marts";
import { selectMistakes, tablesRead } from "../../contracts/model-sql";
import { ROOT } from "../support/clone";

/** Marts are judged at synth: every mistake by its field, and SELECTs as far as that is possible without Spark. */

const CASES = join(ROOT, "glue-scripts", "tests", "cases", "marts");
const NAMES = readdirSync(CASES).filter((name) => name.endsWith(".mart.json"));

type Node = Record<string, unknown>;
interface Document extends Node {
  inputs: Record<string, Node>;
  tables: Record<string, Node>;
}

const documentOf = (name: string): Document =>
  JSON.parse(readFileSync(join(CASES, name), "utf8")) as Document;

const selectsOf = ({ tables }: Document): Record<string, string> =>
  Object.fromEntries(
    Object.keys(tables)
      .map((table) => [table, join(CASES, `${table}.sql`)] as const)
      .filter(([, path]) => existsSync(path))
      .map(([table, path]) => [table, readFileSync(path, "utf8")]),
  );

function mistakesOf(change: (star: Document, selects: Record<string, string>) => void): string[] {
  const star = documentOf("star.mart.json");
  const selects = selectsOf(star);
  change(star, selects);
  return readMart({ document: star, selects }).mistakes.map(([field, words]) => `${field} ${words}`);
}

const input =
  (name: string, change: Node) =>
  ({ inputs }: Document): void => {
    inputs[name] = { ...inputs[name], ...change };
  };
const table =
  (name: string, change: Node) =>
  ({ tables }: Document): void => {
    tables[name] = { ...tables[name], ...change };
  };
const sql =
  (text: string) =>
  (_: Document, selects: Record<string, string>): void => {
    selects["fact_sales"] = text;
  };

test.each(NAMES)("%s has no mistake, and the same text each time", (name) => {
  const document = documentOf(name);
  const files = { document, selects: selectsOf(document) };
  const { mart, mistakes } = readMart(files);
  expect(mistakes).toEqual([]);
  expect(martText(readMart(files).mart)).toBe(martText(mart));
});

test("a mart becomes the text that the job loads", () => {
  const document = documentOf("customers-scd2.mart.json");
  const text = JSON.parse(martText(readMart({ document, selects: {} }).mart)) as Document;
  expect(text["martVersion"]).toBe(1);
  expect(text.tables).toEqual([
    {
      name: "customers_scd2",
      kind: "scd2",
      input: "customers",
      versionColumns: ["country"],
      overwrittenColumns: ["first_seen", "last_seen"],
      surrogateKey: "customer_key",
      validFrom: "date",
      unknownMember: null,
      key: ["customer_key"],
      partitionBy: [],
      quality: null,
      columns: [
        { name: "customer_id", type: "string" },
        { name: "country", type: "string" },
        { name: "valid_from", type: "date" },
        { name: "valid_to", type: "date" },
        { name: "is_current", type: "boolean" },
        { name: "version", type: "int" },
        { name: "customer_key", type: "bigint" },
        { name: "first_seen", type: "date" },
        { name: "last_seen", type: "date" },
      ],
    },
  ]);
});

test.each<[string, (star: Document, selects: Record<string, string>) => void, string[]]>([
  [
    "an unknown key",
    (star) => void (star["owner"] = "me"),
    ["owner is unknown: a mart may hold description, inputs, tables"],
  ],
  [
    "an input that nothing reads",
    (star) => void (star.inputs["more"] = { ...star.inputs["products"] }),
    ["inputs.more is read by no table: leave it out"],
  ],
  [
    "a zone without tables",
    input("products", { zone: "raw" }),
    ['inputs.products.zone must be one of processed, curated, got "raw"'],
  ],
  [
    "a key that is not read",
    input("lines", { key: ["invoice_id", "line"] }),
    ["inputs.lines.key must name declared columns, got line"],
  ],
  [
    "a window of what has no days",
    input("lines", { windowDays: 3 }),
    ["inputs.lines.windowDays has no meaning where 'reads' is current: leave it out"],
  ],
  [
    "days of an input that is not there",
    input("lines", { reads: "states", days: ["invoices", "lists"] }),
    [
      "inputs.lines.days must name inputs that are tables of every version (of customers, products, invoices, lines), got lists",
    ],
  ],
  [
    "an unknown kind",
    table("dim_date", { kind: "dates" }),
    [
      'tables.dim_date.kind must be one of asOf, scd2, calendar, select, facts, got "dates"',
      'tables.fact_sales.calendar must name a calendar that is declared before it, got "dim_date"',
    ],
  ],
  [
    "a version of the key",
    table("dim_product", { versionColumns: ["product_id", "description", "unit_price"] }),
    ["tables.dim_product.versionColumns must not hold product_id, which is of the key"],
  ],
  [
    "a column both ways",
    table("dim_product", { overwrittenColumns: ["description"] }),
    [
      "tables.dim_product.overwrittenColumns must not hold description, which makes versions or is of the key",
    ],
  ],
  [
    "a dimension without the member that facts need",
    ({ tables }) => void delete tables["dim_product"]!["unknownMember"],
    [
      "tables.fact_sales.dimensions.dim_product must be an SCD2 table with an unknownMember that is declared before the facts",
    ],
  ],
  [
    "a month that is not there",
    table("dim_date", { fiscalYear: { firstMonth: 13, namedBy: "end" } }),
    ["tables.dim_date.fiscalYear.firstMonth must be a whole number from 1 to 12, got 13"],
  ],
  [
    "a calendar of a text",
    table("dim_date", { column: "kind" }),
    ['tables.dim_date.column must name a date or timestamp of the input invoices, got "kind"'],
  ],
  [
    "facts that find a dimension by less than its key",
    table("fact_sales", {
      dimensions: { dim_customer: { by: {} }, dim_product: { by: { product_id: "code" } } },
    }),
    ["tables.fact_sales.dimensions.dim_customer.by must give a column of the SELECT for each of customer_id"],
  ],
  [
    "a rule that would take rows away",
    table("fact_sales", {
      quality: {
        threshold: 100,
        rules: [{ name: "known", type: "completeness", column: "amount", action: "quarantine" }],
      },
    }),
    ["tables.fact_sales.quality must warn or halt: a mart has no quarantine, got it for known"],
  ],
  [
    "a rule about a column that is not there",
    table("fact_sales", {
      quality: {
        threshold: 100,
        rules: [{ name: "known", type: "completeness", column: "sum", atLeast: 1, action: "halt" }],
      },
    }),
    ["tables.fact_sales.quality.rules[0].column"],
  ],
  [
    "a SELECT of the moment",
    sql("select current_date() as day from lines"),
    [
      "tables.fact_sales has a mistake in fact_sales.sql, which must give the same rows whenever it is run, and uses current_date",
    ],
  ],
  [
    "a SELECT of another table",
    sql("select 1 as one from lines join invoices using (invoice_id), stg_customers"),
    [
      "tables.fact_sales has a mistake in fact_sales.sql, which must read no tables but customers, products, invoices, lines, got stg_customers",
    ],
  ],
  [
    "a SELECT that is missing",
    (_, selects) => void delete selects["fact_sales"],
    [
      "inputs.lines is read by no table: leave it out",
      "tables.fact_sales needs its SELECT in fact_sales.sql, which does not exist or is empty",
    ].reverse(),
  ],
  [
    "a SELECT of no table",
    (_, selects) => void (selects["dim_date"] = "select 1 as one from lines"),
    ["tables must hold dim_date of the kind select or facts, whose SELECT is in dim_date.sql"],
  ],
  [
    "a condition that is more",
    table("fact_sales", { counts: { all: "1 in (select 1 from lines)" } }),
    ["tables.fact_sales.counts.all must read rows alone, got lines"],
  ],
])("%s is refused", (_, change, mistakes) => {
  const found = mistakesOf(change);
  expect(found.map((text, index) => text.slice(0, mistakes[index]?.length))).toEqual(mistakes);
});

test.each<[Node, string]>([
  [{ retentionDays: 0 }, "tables.products_as_of.retentionDays must be a whole number from 1 to 36500, got 0"],
  [{ dayColumn: "day" }, "tables.products_as_of.columns must hold day as a date"],
  [
    { partitionBy: ["product_id"] },
    "tables.products_as_of.partitionBy follows from the kind asOf: leave it out",
  ],
  [
    { input: "customers" },
    'tables.products_as_of.input must name an input that is a table of every version, got "customers"',
  ],
])("%j of an as-of table is refused", (change, mistake) => {
  const document = documentOf("products-as-of.mart.json");
  table("products_as_of", change)(document);
  const mistakes = readMart({ document, selects: {} }).mistakes.map(([field, words]) => `${field} ${words}`);
  expect(mistakes).toContain(mistake);
});

test.each<[string, string[]]>([
  ["select 1 from a, b as c, (select 2 from d, e) f where x in (1, 2)", ["a", "b", "d", "e"]],
  ["with g as (select 1 from a) select x, y from g, b order by x, y", ["a", "b"]],
])("the tables of %s are found", (text, tables) => {
  expect(tablesRead(text).sort()).toEqual(tables);
  expect(selectMistakes(text, tables)).toEqual([]);
  expect(selectMistakes(text, tables.slice(1))).toHaveLength(1);
});

test("all mistakes come at once", () => {
  const mistakes = mistakesOf((star) => {
    star["owner"] = "me";
    input("lines", { table: "Lines" })(star);
    table("dim_date", { column: "kind" })(star);
  });
  expect(mistakes).toHaveLength(3);
});
