import { GlueCatalogTable } from "@cdktf/provider-aws/lib/glue-catalog-table";
import { Fn, Token } from "cdktf";
import { Construct } from "constructs";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { prestoType } from "./presto-types";

/** A column of a {@link CatalogView}. */
export interface ViewColumn {
  /** The name in the answer of the query. */
  readonly name: string;
  /** A type of Hive, e.g. `bigint`, `decimal(10,2)`, `array<string>`. */
  readonly type: string;
}

/** Props of {@link CatalogView}. */
export interface CatalogViewProps {
  /** Lower-case letters, digits and underscores, at most 255. */
  readonly name: string;
  /** @default - none */
  readonly description?: string;
  /** The database of the view, and of the tables that the query names without one. */
  readonly database: { readonly name: string };
  /** One SELECT in Athena's SQL. */
  readonly sql: string;
  /** The columns of its answer, in order. */
  readonly columns: readonly ViewColumn[];
}

/**
 * A view that Athena reads. It holds no rows, so what it shows and what its tables hold are never apart. A caller needs the rights to its
 * tables too. Spark cannot read it.
 *
 * The catalogue keeps it as Athena's own `CREATE VIEW` does.
 * Source: https://docs.aws.amazon.com/athena/latest/ug/views.html
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class CatalogView extends Construct {
  /** The view. */
  readonly resource: GlueCatalogTable;
  /** The view's name; refers to the resource. */
  readonly viewName: string;
  /** The database's name; refers to the resource. */
  readonly databaseName: string;

  constructor(scope: Construct, id: string, props: CatalogViewProps) {
    super(scope, id);
    refuse(this, props);
    const { name, description, database, columns } = props;
    this.resource = new GlueCatalogTable(this, "Resource", {
      name,
      description,
      databaseName: database.name,
      tableType: "VIRTUAL_VIEW",
      parameters: { presto_view: "true", comment: "Presto View" },
      viewOriginalText: `/* Presto View: ${encoded(props)} */`,
      viewExpandedText: "/* Presto View */",
      // Athena asks for a storage descriptor with columns, and for no place.
      storageDescriptor: { columns: columns.map((column) => ({ name: column.name, type: column.type })) },
    });
    this.viewName = this.resource.name;
    this.databaseName = this.resource.databaseName;
  }
}

/** Encoded by Terraform, because the database's name may not be known at synth. */
const encoded = ({ sql, database, columns }: CatalogViewProps): string =>
  Fn.base64encode(
    Fn.jsonencode({
      originalSql: quotable(sql),
      catalog: "awsdatacatalog",
      schema: database.name,
      columns: columns.map(({ name, type }) => ({ name: quotable(name), type: prestoType(type) ?? type })),
    }),
  );

/** cdktf escapes nothing in the arguments of functions. */
const quotable = (text: string): string => (Token.isUnresolved(text) ? text : Fn.rawString(text));

function refuse(scope: Construct, props: CatalogViewProps): void {
  const { name, sql, columns } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("CatalogView", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.check(
    !isKnown(name) || /^[a-z_][a-z0-9_]{0,254}$/.test(name),
    "name",
    `must be at most 255 lower-case letters, digits and underscores, not beginning with a digit, got ${JSON.stringify(name)}`,
  );
  refusals.check(
    !isKnown(sql) || /^\s*(select|with)\b/i.test(sql),
    "sql",
    `must be one SELECT, got ${JSON.stringify(isKnown(sql) ? sql.slice(0, 40) : "")}`,
  );
  refusals.check(columns.length > 0, "columns", "must not be empty");
  const names = columns.map((column) => column.name);
  columns.forEach(({ name: column, type }, index) => {
    const isFirst = !isKnown(column) || names.indexOf(column) === index;
    refusals.check(isFirst, `columns[${index}].name`, `must not repeat '${column}'`);
    refusals.check(
      !isKnown(type) || prestoType(type) !== undefined,
      `columns[${index}].type`,
      `must be a type of Hive that Athena's views have, got ${JSON.stringify(type)}`,
    );
  });
  refusals.throwIfAny();
}
