import { partitionOf } from "../core/partition";
import { type S3Location, s3Uri } from "../core/s3-location";
import type { WriteMode } from "../core/write-modes";
import type { PolicyStatement } from "../iam/policy-statement";

/**
 * What a table of Iceberg needs of Glue.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html
 */

/** A table of Iceberg in Glue's catalogue, which the job makes with its first run. */
export interface IcebergTable {
  readonly database: string;
  readonly name: string;
  /** Where it lies; one of the job's outputs. */
  readonly location: S3Location;
  readonly writeMode: WriteMode;
  /**
   * By which column the rows of a key are older or newer; `run_date` means by delivery. Of `merge` alone.
   * @default - the contract's `orderColumn`
   */
  readonly orderColumn?: string;
}

/** What the script calls Spark's catalogue. */
const CATALOGUE = "glue_catalog";

/** Spark's settings for it, in their order. */
export function icebergConf({ location }: IcebergTable): Record<string, string> {
  const of = `spark.sql.catalog.${CATALOGUE}`;
  return {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    [of]: "org.apache.iceberg.spark.SparkCatalog",
    [`${of}.catalog-impl`]: "org.apache.iceberg.aws.glue.GlueCatalog",
    [`${of}.io-impl`]: "org.apache.iceberg.aws.s3.S3FileIO",
    [`${of}.warehouse`]: s3Uri(location),
  };
}

/** What the script is told. */
export function scriptArguments({
  database,
  name,
  writeMode,
  orderColumn,
}: IcebergTable): Record<string, string> {
  return {
    table_format: "iceberg",
    write_mode: writeMode,
    output_database: database,
    output_table: name,
    ...(orderColumn === undefined ? {} : { order_column: orderColumn }),
  };
}

/** Finding, making and committing to the table: a commit is an update of the catalogue's entry. */
export function tableStatements(
  { database, name }: IcebergTable,
  { account, region }: { readonly account: string; readonly region: string },
): PolicyStatement[] {
  const glue = `arn:${partitionOf(region)}:glue:${region}:${account}`;
  const [catalog, ofDatabase] = [`${glue}:catalog`, `${glue}:database/${database}`];
  return [
    { actions: ["glue:GetDatabase"], resources: [catalog, ofDatabase] },
    {
      actions: ["glue:CreateTable", "glue:GetTable", "glue:UpdateTable"],
      resources: [catalog, ofDatabase, `${glue}:table/${database}/${name}`],
    },
  ];
}
