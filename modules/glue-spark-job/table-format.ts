import { partitionOf } from "../core/partition";
import { type S3Location, s3Uri } from "../core/s3-location";
import type { WriteMode } from "../core/write-modes";
import type { PolicyStatement } from "../iam/policy-statement";

/** An Iceberg table in Glue's catalogue. The job creates it in its first run. */
export interface IcebergTable {
  /** The catalogue database's name. */
  readonly database: string;
  /** The table's name. */
  readonly name: string;
  /** The location of its files; one of the job's `outputs`. */
  readonly location: S3Location;
  /** How runs write the table. */
  readonly writeMode: WriteMode;
  /**
   * The column that orders the rows of a key, the greatest being the latest; `run_date` orders by delivery. For `merge` only.
   * @default - the contract's `orderColumn`
   */
  readonly orderColumn?: string;
}

/** A table in Glue's catalogue. */
export interface TableInCatalogue {
  /** The catalogue database's name. */
  readonly database: string;
  /** The table's name. */
  readonly name: string;
}

/** Iceberg tables in Glue's catalogue, of a job that reads some and writes others. The job creates those that it writes. */
export interface IcebergTables {
  /** The location below which the tables lie that the job writes; one of its `outputs`. */
  readonly warehouse: S3Location;
  /** The tables that the job reads; the locations of their files are among its `inputs`. */
  readonly reads: readonly TableInCatalogue[];
  /** The tables that the job writes, at least one. */
  readonly writes: readonly TableInCatalogue[];
}

/** The name of Spark's catalogue in the script. */
const CATALOGUE = "glue_catalog";

/**
 * Spark's settings for Iceberg tables, in order; `location` is that of the tables it creates.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html
 */
export function icebergConf(location: S3Location): Record<string, string> {
  const of = `spark.sql.catalog.${CATALOGUE}`;
  return {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    [of]: "org.apache.iceberg.spark.SparkCatalog",
    [`${of}.catalog-impl`]: "org.apache.iceberg.aws.glue.GlueCatalog",
    [`${of}.io-impl`]: "org.apache.iceberg.aws.s3.S3FileIO",
    [`${of}.warehouse`]: s3Uri(location),
  };
}

/** The script's arguments for the table. */
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

/** The rights to find, create and commit to the table; a commit updates its entry in the catalogue. */
export function tableStatements(
  { database, name }: TableInCatalogue,
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

/** The rights to find the tables that are read, and to find, create and commit to those that are written. */
export function tablesStatements(
  { reads, writes }: IcebergTables,
  place: { readonly account: string; readonly region: string },
): PolicyStatement[] {
  const glue = `arn:${partitionOf(place.region)}:glue:${place.region}:${place.account}`;
  const found = reads.map(({ database, name }): PolicyStatement => ({
    actions: ["glue:GetTable"],
    resources: [`${glue}:catalog`, `${glue}:database/${database}`, `${glue}:table/${database}/${name}`],
  }));
  return [...found, ...writes.flatMap((table) => tableStatements(table, place))];
}
