import { GlueCatalogTable } from "@cdktf/provider-aws/lib/glue-catalog-table";
import { Fn, Token } from "cdktf";
import { Construct } from "constructs";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { prefixMistake, type S3Location, s3Uri } from "../core/s3-location";

/** A column in Hive's types. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  /** @default - none */
  readonly comment?: string;
}

/** A partition per day, `<name>=YYYY-MM-DD/`, known to Athena without being registered. */
export interface DailyPartition {
  readonly name: string;
  /** The first day that may hold data, `YYYY-MM-DD`. */
  readonly from: string;
}

export interface CatalogTableProps {
  /** Lower-case letters, digits and underscores. */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /**
   * The database, which may be another account's: the table then goes into the catalogue that `catalogArn` names, and whoever deploys
   * needs rights there: https://docs.aws.amazon.com/glue/latest/dg/cross-account-access.html.
   */
  readonly database: {
    readonly name: string;
    /** @default - the catalogue of the account that is deployed to */
    readonly catalogArn?: string;
  };
  /** Parquet files below it, in folders of the partition. */
  readonly location: S3Location;
  readonly columns: readonly TableColumn[];
  /**
   * A partition per day that nobody registers. Either this or `partitionKeys`.
   * @default - none
   */
  readonly partition?: DailyPartition;
  /**
   * The keys of partitions that the writer registers in the catalogue, in the order of the folders. Either these or `partition`.
   * @default - none
   */
  readonly partitionKeys?: readonly TableColumn[];
}

/**
 * A declared table of Parquet files for a writer whose schema is known: it needs no crawl and is there before its first row.
 * Its partitions are projected days, which Athena honours and Spark ignores, or what the writer registers, which both honour.
 *
 * Source: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class CatalogTable extends Construct {
  readonly resource: GlueCatalogTable;
  readonly tableName: string;
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

/** The account of a catalogue is its id. Terraform takes it out of an ARN that it alone knows. */
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
      `must not be the partition '${column}': it lies in the folder's name`,
    );
  });
  refusals.check(
    (partition === undefined) !== (partitionKeys === undefined || partitionKeys.length === 0),
    "partition",
    "must be given or else 'partitionKeys', and not both: a table's partitions are projected or registered",
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

/** Of tables and columns in Glue's catalogue. */
const NAME_MAX = 255;

/** Without quoting, Athena takes lower-case letters, digits and underscores. */
function identifierMistake(name: string): string | undefined {
  const got = `got ${JSON.stringify(name)}`;
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
    return `must be lower-case letters, digits and underscores, not beginning with a digit, ${got}`;
  }
  if (name.length <= NAME_MAX) return undefined;
  return `must have at most ${NAME_MAX} characters, ${got} with ${name.length}`;
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`; `Date` alone takes 30 February for one in March. */
function isDay(text: string): boolean {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
