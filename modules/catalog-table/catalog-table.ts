import { GlueCatalogTable } from "@cdktf/provider-aws/lib/glue-catalog-table";
import { Fn, Token } from "cdktf";
import { Construct } from "constructs";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { prefixMistake, type S3Location, s3Uri } from "../core/s3-location";

/** A column of a {@link CatalogTable}. */
export interface TableColumn {
  /** Lower-case letters, digits and underscores, at most 255. */
  readonly name: string;
  /** A type of Hive, e.g. `bigint`, `decimal(10,2)`. */
  readonly type: string;
  /** @default - none */
  readonly comment?: string;
}

/** One partition per day, in folders `<name>=YYYY-MM-DD/`, which Athena finds without registration. */
export interface DailyPartition {
  /** The partition column's name. */
  readonly name: string;
  /** The first day that may hold data, `YYYY-MM-DD`. */
  readonly from: string;
}

/** Props of {@link CatalogTable}. */
export interface CatalogTableProps {
  /** Lower-case letters, digits and underscores, at most 255. */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /**
   * The database. It may belong to another account: the table is then created in the catalogue of `catalogArn`, where the deploying role
   * needs rights: https://docs.aws.amazon.com/glue/latest/dg/cross-account-access.html
   */
  readonly database: {
    readonly name: string;
    /** @default - the catalogue of the deployment's account */
    readonly catalogArn?: string;
  };
  /** The location of the Parquet files, which lie in folders by partition. */
  readonly location: S3Location;
  /** At least one column, without the partition columns. */
  readonly columns: readonly TableColumn[];
  /**
   * Projected daily partitions, which need no registration. Give either this or `partitionKeys`.
   * @default - none
   */
  readonly partition?: DailyPartition;
  /**
   * The keys of partitions that the writer registers in the catalogue, in the order of the folders. Give either these or `partition`.
   * @default - none
   */
  readonly partitionKeys?: readonly TableColumn[];
}

/**
 * A declared table of Parquet files for a writer whose schema is known: it needs no crawl, and can be queried before the first row.
 * Its partitions are either projected days, which Athena reads and Spark ignores, or registered by the writer, which both read.
 *
 * Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class CatalogTable extends Construct {
  /** The table. */
  readonly resource: GlueCatalogTable;
  /** The table's name; refers to the resource. */
  readonly tableName: string;
  /** The database's name; refers to the resource. */
  readonly databaseName: string;

  constructor(scope: Construct, id: string, props: CatalogTableProps) {
    super(scope, id);
    refuse(this, props);
    const location = s3Uri(props.location);
    this.resource = new GlueCatalogTable(this, "Resource", {
      name: props.name,
      catalogId: catalogOf(props.database),
      databaseName: props.database.name,
      description: props.description,
      tableType: "EXTERNAL_TABLE",
      parameters: {
        classification: "parquet",
        EXTERNAL: "TRUE",
        ...(props.partition && projection(props.partition, location)),
      },
      partitionKeys: keysOf(props).map((key) => ({ ...key })),
      storageDescriptor: {
        location,
        inputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        outputFormat: "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        serDeInfo: {
          serializationLibrary: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
          parameters: { "serialization.format": "1" },
        },
        columns: props.columns.map((column) => ({ ...column })),
      },
    });
    this.tableName = this.resource.name;
    this.databaseName = this.resource.databaseName;
  }
}

/** The id of a catalogue is its account. Terraform extracts it from an ARN that is not known at synth. */
function catalogOf({ catalogArn }: CatalogTableProps["database"]): string | undefined {
  if (catalogArn === undefined) return undefined;
  if (Token.isUnresolved(catalogArn)) return Token.asString(Fn.element(Fn.split(":", catalogArn), 4));
  return CATALOGUE.exec(catalogArn)?.[1];
}

const CATALOGUE = /^arn:[^:]+:glue:[^:]+:(\d{12}):catalog$/;

function keysOf({ partition, partitionKeys = [] }: CatalogTableProps): readonly TableColumn[] {
  return partition === undefined ? partitionKeys : [{ name: partition.name, type: "string" }];
}

function projection({ name, from }: DailyPartition, location: string): Record<string, string> {
  return {
    "projection.enabled": "true",
    [`projection.${name}.type`]: "date",
    [`projection.${name}.format`]: "yyyy-MM-dd",
    [`projection.${name}.range`]: `${from},NOW+1DAYS`,
    // Filled in by Athena: `$\${…}` is Terraform's way to write `\${…}`.
    "storage.location.template": `${location}${name}=$\${${name}}/`,
  };
}

function refuse(scope: Construct, props: CatalogTableProps): void {
  const { name, location, columns, partition, partitionKeys } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("CatalogTable", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  if (isKnown(name)) refusals.note("name", identifierMistake(name));
  const { catalogArn } = props.database;
  refusals.check(
    catalogArn === undefined || !isKnown(catalogArn) || CATALOGUE.test(catalogArn),
    "database.catalogArn",
    `must be the ARN of a catalogue, arn:aws:glue:<region>:<account>:catalog, got ${JSON.stringify(catalogArn)}`,
  );
  if (isKnown(location.prefix)) refusals.note("location.prefix", prefixMistake(location.prefix));
  refusals.check(columns.length > 0, "columns", "must not be empty");
  const names = columns.map((column) => column.name);
  const keys = keysOf(props).map((key) => key.name);
  names.forEach((column, index) => {
    if (!isKnown(column)) return;
    const field = `columns[${index}].name`;
    refusals.note(field, identifierMistake(column));
    refusals.check(names.indexOf(column) === index, field, `must not repeat '${column}'`);
    refusals.check(
      !keys.includes(column),
      field,
      `must not be the partition '${column}': its value is in the folder's name`,
    );
  });
  refusals.check(
    (partition === undefined) !== (partitionKeys === undefined || partitionKeys.length === 0),
    "partition",
    "must be given if 'partitionKeys' is not, and not both: a table's partitions are either projected or registered",
  );
  if (partition !== undefined) refusePartition(refusals, partition, isKnown);
  (partitionKeys ?? []).forEach(({ name: key }, index) => {
    const field = `partitionKeys[${index}].name`;
    if (!isKnown(key)) return;
    refusals.note(field, identifierMistake(key));
    const first = partitionKeys?.findIndex(({ name: other }) => other === key);
    refusals.check(first === index, field, `must not repeat '${key}'`);
  });
  refusals.throwIfAny();
}

function refusePartition(
  refusals: Refusals,
  { name, from }: DailyPartition,
  isKnown: (value: unknown) => boolean,
): void {
  if (isKnown(name)) refusals.note("partition.name", identifierMistake(name));
  refusals.check(
    !isKnown(from) || isDay(from),
    "partition.from",
    `must be a date YYYY-MM-DD, got ${JSON.stringify(from)}`,
  );
}

/** The longest name of a table or column in Glue's catalogue. */
const NAME_MAX = 255;

/** Athena reads lower-case letters, digits and underscores without quoting. */
function identifierMistake(name: string): string | undefined {
  const got = `got ${JSON.stringify(name)}`;
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
    return `must be lower-case letters, digits and underscores, not beginning with a digit, ${got}`;
  }
  if (name.length <= NAME_MAX) return undefined;
  return `must have at most ${NAME_MAX} characters, ${got} with ${name.length}`;
}

/** Tells whether a text is a calendar day `YYYY-MM-DD`; `Date` alone reads 30 February as a day in March. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
