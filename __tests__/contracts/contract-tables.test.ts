import { contractTables } from "../../contracts/contract-tables";
import { changedContract, shippedContract } from "../support/contracts";

/** The tables that a contract makes, of the shipped ones and of the smallest. */

const shipped = (name: string) => contractTables(shippedContract(name));
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
  const put = { "x-etl/format/unknownColumns": "keep", "x-etl/output/10": "unknown_columns" };
  const { output } = contractTables(changedContract({ of: "sales", put }));
  expect(written(output.columns)).toContain("unknown_columns map<string,string>");
});

test("a contract with mistakes makes no tables, and is refused with all of them", () => {
  const document = changedContract({
    of: "sales",
    put: { "x-etl/output/0": "nobody", "x-etl/lookbackDays": -1, "x-etl/aggregate/groupBy": ["region"] },
  });
  expect(() => contractTables(document)).toThrow(
    "the contract: 'x-etl.lookbackDays' must be a whole number from 0 to 36500, got -1; " +
      "'x-etl.output' must name a delivered, derived or computed column, got 'nobody'; the columns are transaction_id, " +
      "customer_id, product_id, quantity, unit_price, transaction_date, region, transaction_time, total_amount, " +
      "transaction_type; 'x-etl.output' must hold 'transaction_id' of x-etl.businessKey",
  );
});
