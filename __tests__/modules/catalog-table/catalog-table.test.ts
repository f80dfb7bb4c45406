import { TerraformOutput, type TerraformStack } from "cdktf";
import { CatalogTable, type CatalogTableProps } from "../../../modules/catalog-table/catalog-table";
import { place } from "../../support/places";
import { type Block, refusal, synth, unknownText } from "../../support/synth";

const minimum: CatalogTableProps = {
  name: "events",
  database: { name: "etl_dev_quarantine" },
  location: place("quarantine-bucket", "events/"),
  columns: [
    { name: "raw_line", type: "string", comment: "As delivered" },
    { name: "reason", type: "string" },
  ],
  partition: { name: "run_date", from: "2010-12-01" },
};
const make = (stack: TerraformStack, props: Partial<CatalogTableProps> = {}, id = "Table") =>
  new CatalogTable(stack, id, { ...minimum, ...props });

test("minimum: an external Parquet table whose days Athena finds without registration", () => {
  const { at, counts } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_glue_catalog_table: 1 });
  expect(at("Table/Resource")).toEqual({
    name: "events",
    database_name: "etl_dev_quarantine",
    table_type: "EXTERNAL_TABLE",
    parameters: {
      EXTERNAL: "TRUE",
      classification: "parquet",
      "projection.enabled": "true",
      "projection.run_date.format": "yyyy-MM-dd",
      "projection.run_date.range": "2010-12-01,NOW+1DAYS",
      "projection.run_date.type": "date",
      // `$${` makes Terraform leave `${` alone.
      "storage.location.template": "s3://quarantine-bucket/events/run_date=$${run_date}/",
    },
    partition_keys: [{ name: "run_date", type: "string" }],
    storage_descriptor: {
      location: "s3://quarantine-bucket/events/",
      input_format: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
      output_format: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
      ser_de_info: {
        serialization_library: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        parameters: { "serialization.format": "1" },
      },
      columns: [
        { name: "raw_line", type: "string", comment: "As delivered" },
        { name: "reason", type: "string" },
      ],
    },
  });
});

test("every prop changed", () => {
  const all: CatalogTableProps = {
    name: "rejects",
    description: "Rows that were refused",
    database: { name: "other" },
    location: place("other", "x/"),
    columns: [{ name: "line", type: "bigint" }],
    partition: { name: "day", from: "2020-02-29" },
  };
  const { at } = synth((stack) => make(stack, all));
  expect(at("Table/Resource")).toMatchObject({
    name: "rejects",
    description: "Rows that were refused",
    database_name: "other",
    partition_keys: [{ name: "day", type: "string" }],
    storage_descriptor: { location: "s3://other/x/", columns: [{ name: "line", type: "bigint" }] },
  });
  expect(at("Table/Resource").parameters).toMatchObject({
    "projection.day.range": "2020-02-29,NOW+1DAYS",
    "storage.location.template": "s3://other/x/day=$${day}/",
  });
});

test("keys whose partitions the writer registers: nothing is projected, which would hide them", () => {
  const partitionKeys = [
    { name: "run_date", type: "string" },
    { name: "region", type: "string", comment: "Where the customer is" },
  ];
  const { at } = synth((stack) => make(stack, { partition: undefined, partitionKeys }));
  expect(at("Table/Resource")).toMatchObject({ partition_keys: partitionKeys });
  expect(at("Table/Resource").parameters).toEqual({ EXTERNAL: "TRUE", classification: "parquet" });
});

const EITHER =
  "CatalogTable 'etl-dev/Table': 'partition' must be given if 'partitionKeys' is not, and not both: " +
  "a table's partitions are either projected or registered";

test.each([
  ["neither", { partition: undefined }],
  ["no keys", { partition: undefined, partitionKeys: [] }],
  ["both", { partitionKeys: [{ name: "region", type: "string" }] }],
])("of projected and registered partitions %s are refused", (_what, props) => {
  expect(refusal((stack) => make(stack, props))).toBe(EITHER);
});

test("keys that cannot be are refused", () => {
  const partitionKeys = ["run_date", "run_date", "Region", "reason"].map((name) => ({
    name,
    type: "string",
  }));
  expect(refusal((stack) => make(stack, { partition: undefined, partitionKeys }))).toBe(
    "CatalogTable 'etl-dev/Table': 'columns[1].name' must not be the partition 'reason': its value is in the folder's name; " +
      "'partitionKeys[1].name' must not repeat 'run_date'; " +
      "'partitionKeys[2].name' must be lower-case letters, digits and underscores, not beginning with a digit, got \"Region\"",
  );
});

test("two in one stack, and what was made can be read back", () => {
  const { all, outputs, reference } = synth((stack) => {
    make(stack, { name: "other" }, "Other");
    const { databaseName, tableName } = make(stack);
    new TerraformOutput(stack, "table", { value: { databaseName, tableName } });
  });
  expect(all("aws_glue_catalog_table").map(({ name }: Block) => name)).toEqual(["other", "events"]);
  expect(outputs.table?.value).toEqual({
    databaseName: reference("Table/Resource", "database_name"),
    tableName: reference("Table/Resource", "name"),
  });
});

test("refusals, all at once", () => {
  expect(
    refusal((stack) =>
      make(stack, {
        name: "Events",
        description: "<what>",
        location: place("x", "events"),
        columns: [
          { name: "run_date", type: "string" },
          { name: "reason", type: "string" },
          { name: "reason", type: "string" },
          { name: "raw-line", type: "string" },
        ],
        partition: { name: "run_date", from: "2010-13-01" },
      }),
    ),
  ).toBe(
    "CatalogTable 'etl-dev/Table': 'description' still holds a placeholder, got \"<what>\"; fill it in; " +
      "'name' must be lower-case letters, digits and underscores, not beginning with a digit, got \"Events\"; " +
      "'location.prefix' must end in a slash, got \"events\"; without it a sibling such as 'events-old/' matches too; " +
      "'columns[0].name' must not be the partition 'run_date': its value is in the folder's name; " +
      "'columns[2].name' must not repeat 'reason'; " +
      "'columns[3].name' must be lower-case letters, digits and underscores, not beginning with a digit, got \"raw-line\"; " +
      "'partition.from' must be a date YYYY-MM-DD, got \"2010-13-01\"",
  );
  expect(refusal((stack) => make(stack, { partition: { name: "run-date", from: "2010-12-01" } }))).toBe(
    "CatalogTable 'etl-dev/Table': 'partition.name' must be lower-case letters, digits and underscores, " +
      'not beginning with a digit, got "run-date"',
  );
  expect(refusal((stack) => make(stack, { columns: [] }))).toBe(
    "CatalogTable 'etl-dev/Table': 'columns' must not be empty",
  );
});

test("a name that is too long", () => {
  const name = "a".repeat(256);
  expect(refusal((stack) => make(stack, { name }))).toBe(
    `CatalogTable 'etl-dev/Table': 'name' must have at most 255 characters, got ${JSON.stringify(name)} with 256`,
  );
});

test.each(["2010-02-30", "2010-1-01", "2010-12-01T00:00", "today"])("%s is no day", (from) => {
  expect(refusal((stack) => make(stack, { partition: { name: "run_date", from } }))).toBe(
    `CatalogTable 'etl-dev/Table': 'partition.from' must be a date YYYY-MM-DD, got "${from}"`,
  );
});

test("what only Terraform can resolve is left alone", () => {
  const props = {
    name: unknownText(),
    database: { name: unknownText() },
    location: place(unknownText(), unknownText()),
    columns: [
      { name: unknownText(), type: unknownText() },
      { name: unknownText(), type: "string" },
    ],
    partition: { name: unknownText(), from: unknownText() },
  };
  const { at } = synth((stack) => make(stack, props));
  expect(at("Table/Resource").parameters).toMatchObject({
    "projection.${local.elsewhere}.range": "${local.elsewhere},NOW+1DAYS",
    // Terraform leaves the outer one to Athena and fills in the inner one.
    "storage.location.template":
      "s3://${local.elsewhere}/${local.elsewhere}${local.elsewhere}=$${${local.elsewhere}}/",
  });
});

test("a table of another account's database lies in that account's catalogue", () => {
  const catalogArn = "arn:aws:glue:eu-west-1:999988887777:catalog";
  const { at } = synth((stack) => make(stack, { database: { name: "shop", catalogArn } }));
  expect(at("Table/Resource")).toMatchObject({ catalog_id: "999988887777", database_name: "shop" });
  const unknown = synth((stack) => make(stack, { database: { name: "shop", catalogArn: unknownText() } }));
  expect(unknown.at("Table/Resource").catalog_id).toMatch(/^\$\{element\(split\(":", .+\), 4\)\}$/);
});

test("an ARN of no catalogue is refused", () => {
  const database = { name: "shop", catalogArn: "arn:aws:glue:eu-west-1:999988887777:database/shop" };
  expect(refusal((stack) => make(stack, { database }))).toBe(
    "CatalogTable 'etl-dev/Table': 'database.catalogArn' must be the ARN of a catalogue, arn:aws:glue:<region>:<account>:catalog, " +
      'got "arn:aws:glue:eu-west-1:999988887777:database/shop"',
  );
});
