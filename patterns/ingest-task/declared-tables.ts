import type { Construct } from "constructs";
import type { ContractTable } from "../../contracts/contract-tables";
import { CatalogTable, type TableColumn } from "../../modules/catalog-table/catalog-table";
import type { DataLake } from "../../modules/data-lake/data-lake";
import type { Zone } from "../../modules/data-lake/zone";

/** The tables that a pipeline declares: the job's own files say their columns, so nobody crawls them. */

export interface TablePlace {
  readonly lake: DataLake;
  readonly zone: Zone;
  readonly prefix: string;
  readonly name: string;
}

/** Its partitions are the job's to register. */
export function declareTable(
  scope: Construct,
  id: string,
  { lake, zone, prefix, name }: TablePlace,
  table: ContractTable,
  description: string,
): void {
  new CatalogTable(scope, id, {
    name,
    description,
    database: lake.database(zone),
    location: lake.location(zone, prefix),
    ...table,
  });
}

/** The columns of a rejected row. `reason_values` came last, so that files which lack it have their columns where they were. */
const REJECTED: readonly TableColumn[] = [
  { name: "raw_line", type: "string", comment: "The line as it was delivered" },
  { name: "reason", type: "string", comment: "The first of the contract's reasons that applies" },
  { name: "source_file", type: "string", comment: "URI of the delivered file" },
  { name: "run_id", type: "string", comment: "The execution that refused it" },
  {
    name: "reason_values",
    type: "map<string,string>",
    comment: "The columns that the reason is about, with the first 200 characters delivered for each",
  },
];

/** Further column where sources have names. It is the last, so that older files have their columns where they were. */
const SOURCE: TableColumn = { name: "source", type: "string", comment: "The source that delivered it" };

/** Rejects must be queryable from the first one on, whatever they look like. */
export function declareQuarantine(scope: Construct, place: TablePlace, hasNamedSources: boolean): void {
  declareRejected(
    scope,
    "QuarantineTable",
    { ...place, hasNamedSources },
    `Rows that the ${place.name} job refused, with the reason`,
  );
}

/** The rejected rows of refused runs, which nobody must take for quarantine: nothing of their deliveries was published. */
export function declareRefused(scope: Construct, place: TablePlace, hasNamedSources: boolean): void {
  const kept = `kept ${place.lake.refusedDays} days, or until the date is run again`;
  declareRejected(
    scope,
    "RefusedTable",
    { ...place, hasNamedSources },
    `Rejected rows of refused runs, ${kept}; nothing was published`,
  );
}

function declareRejected(
  scope: Construct,
  id: string,
  { lake, zone, prefix, name, hasNamedSources }: TablePlace & { readonly hasNamedSources: boolean },
  description: string,
): void {
  new CatalogTable(scope, id, {
    name,
    description,
    database: lake.database(zone),
    location: lake.location(zone, prefix),
    columns: hasNamedSources ? [...REJECTED, SOURCE] : REJECTED,
    partition: { name: "run_date", from: "2000-01-01" },
  });
}
