import type { Construct } from "constructs";
import { CatalogTable, type ContractTable, type DataLake, type TableColumn, type Zone } from "../../index";

/** The tables of a pipeline that are declared: nobody has to crawl what the job's own files say. */

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

/** Of a rejected row. `reason_values` came last, so that files which lack it have their columns where they were. */
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

/** Rejects must be queryable from the first one on, whatever they look like. */
export function declareQuarantine(scope: Construct, place: TablePlace): void {
  declareRejected(
    scope,
    "QuarantineTable",
    place,
    `Rows that the ${place.name} job refused, with the reason`,
  );
}

/** The rejected rows of refused runs, which nobody must take for quarantine: nothing of their deliveries was published. */
export function declareRefused(scope: Construct, place: TablePlace): void {
  const kept = `kept ${place.lake.refusedDays} days, or until the date is run again`;
  declareRejected(
    scope,
    "RefusedTable",
    place,
    `Rejected rows of refused runs, ${kept}; nothing was published`,
  );
}

function declareRejected(
  scope: Construct,
  id: string,
  { lake, zone, prefix, name }: TablePlace,
  description: string,
): void {
  new CatalogTable(scope, id, {
    name,
    description,
    database: lake.database(zone),
    location: lake.location(zone, prefix),
    columns: REJECTED,
    partition: { name: "run_date", from: "2000-01-01" },
  });
}
