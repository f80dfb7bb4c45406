import { type TerraformStack } from "cdktf";
import { CatalogView, type CatalogViewProps } from "../../../modules/catalog-view/catalog-view";
import { prestoType } from "../../../modules/catalog-view/presto-types";
import { refusal, synth, unknownText } from "../../support/synth";

const minimum: CatalogViewProps = {
  name: "stock_current",
  database: { name: "shop" },
  sql: 'SELECT "sku" FROM "stock"',
  columns: [{ name: "sku", type: "string" }],
};
const make = (stack: TerraformStack, props: Partial<CatalogViewProps> = {}, id = "View") =>
  new CatalogView(stack, id, { ...minimum, ...props });

test("minimum: a view as Athena keeps it, encoded by Terraform", () => {
  const { at, counts } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_glue_catalog_table: 1 });
  const { view_original_text: text, ...rest } = at("View/Resource");
  expect(rest).toEqual({
    name: "stock_current",
    database_name: "shop",
    table_type: "VIRTUAL_VIEW",
    parameters: { presto_view: "true", comment: "Presto View" },
    view_expanded_text: "/* Presto View */",
    storage_descriptor: { columns: [{ name: "sku", type: "string" }] },
  });
  expect(text).toMatch(/^\/\* Presto View: \$\{base64encode\(jsonencode\(\{.*\}\)\)\} \*\/$/);
  expect(text).toContain('"originalSql" = "SELECT \\"sku\\" FROM \\"stock\\""');
  for (const part of ['"schema" = "shop"', '"catalog" = "awsdatacatalog"', '"type" = "varchar"'])
    expect(text).toContain(part);
});

test("every prop changed, and what refers to the resource", () => {
  const { at } = synth((stack) => {
    const view = make(stack, {
      name: "other",
      description: "The present",
      database: { name: unknownText() },
      sql: "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
      columns: [{ name: "n", type: "bigint" }],
    });
    expect([view.viewName, view.databaseName].every((one) => one.startsWith("${"))).toBe(true);
  });
  expect(at("View/Resource")).toMatchObject({
    name: "other",
    description: "The present",
    storage_descriptor: { columns: [{ name: "n", type: "bigint" }] },
  });
});

test("every mistake at once", () => {
  const props = {
    name: "Stock",
    sql: "DROP TABLE stock",
    columns: [
      { name: "a", type: "string" },
      { name: "a", type: "map<string,string>" },
    ],
  };
  expect(refusal((stack) => make(stack, props))).toBe(
    "CatalogView 'etl-dev/View': 'name' must be at most 255 lower-case letters, digits and underscores, not beginning with a digit, got \"Stock\"; " +
      "'sql' must be one SELECT, got \"DROP TABLE stock\"; 'columns[1].name' must not repeat 'a'; " +
      "'columns[1].type' must be a type of Hive that Athena's views have, got \"map<string,string>\"",
  );
  expect(refusal((stack) => make(stack, { columns: [] }))).toContain("'columns' must not be empty");
});

test.each([
  ["string", "varchar"],
  ["int", "integer"],
  ["timestamp", "timestamp(6)"],
  ["decimal(10,4)", "decimal(10,4)"],
  ["array<double>", "array(double)"],
  ["array<struct<sku:string,price:decimal(10,2)>>", "array(row(sku varchar, price decimal(10,2)))"],
  ["map<string,string>", undefined],
  ["array<toString>", undefined],
])("%s is %s", (hive, presto) => {
  expect(prestoType(hive)).toBe(presto);
});
