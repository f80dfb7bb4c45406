import { readFileSync } from "node:fs";
import { join } from "node:path";
import { contractTables } from "../../../modules/core/contract-tables";
import { ROOT } from "../../support/clone";

/** The tables that a contract makes, of the shipped ones and of the smallest. */

const shipped = (name: string) =>
  contractTables(
    JSON.parse(readFileSync(join(ROOT, "glue-scripts", "contracts", `${name}.schema.json`), "utf8")),
  );
const written = (columns: readonly { name: string; type: string }[]) =>
  columns.map(({ name, type }) => `${name} ${type}`);

test("sales: what is published, without its keys, and what is added up", () => {
  const { output, aggregate } = shipped("sales");
  expect(written(output.columns)).toEqual([
    "transaction_id string",
    "customer_id string",
    "product_id string",
    "quantity bigint",
    "unit_price decimal(10,4)",
    "transaction_date date",
    "transaction_time timestamp",
    "transaction_type string",
    "total_amount decimal(14,2)",
  ]);
  expect(written(output.partitionKeys)).toEqual(["run_date string", "region string"]);
  expect(written(aggregate!.columns)).toEqual([
    "transaction_date date",
    "region string",
    "product_id string",
    "revenue decimal(20,2)",
    "units bigint",
    "lines bigint",
  ]);
  expect(written(aggregate!.partitionKeys)).toEqual(["run_date string"]);
});

test.each([
  ["customers", ["customer_id string", "customer_name string", "region string", "registered_on date"]],
  ["products", ["product_id string", "product_name string", "category string", "unit_price decimal(10,4)"]],
])("%s: by date alone, and nothing added up", (name, columns) => {
  const { output, aggregate } = shipped(name);
  expect(written(output.columns)).toEqual(columns);
  expect(written(output.partitionKeys)).toEqual(["run_date string"]);
  expect(aggregate).toBeUndefined();
});

test("events: arrays of objects, and columns that are derived", () => {
  const columns = new Map(shipped("events").output.columns.map(({ name, type }) => [name, type]));
  expect(columns.get("items")).toBe("array<struct<product_id:string,quantity:bigint,unit_price:double>>");
  expect(columns.get("event_timestamp")).toBe("timestamp");
  expect(columns.get("event_date")).toBe("date");
  expect(columns.get("event_category")).toBe("string");
});

test("columns that are kept though nobody declared them are a map", () => {
  const { output } = contractTables({ properties: {}, "x-etl": { output: ["unknown_columns"] } });
  expect(written(output.columns)).toEqual(["unknown_columns map<string,string>"]);
});

test("what is published and neither delivered nor derived is refused, all of it by name", () => {
  const document = {
    properties: { a: { type: "string" }, odd: { type: ["string", "integer"] } },
    "x-etl": {
      output: ["a", "b", "odd"],
      partitionBy: ["c"],
      aggregate: { groupBy: ["a", "d"], columns: {} },
    },
  };
  expect(() => contractTables(document)).toThrow(
    "the contract publishes what is neither delivered nor derived: b, odd, c, d",
  );
});
