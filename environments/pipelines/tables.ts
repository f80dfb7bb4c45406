import type { Construct } from "constructs";
import { CatalogTable, type ContractTable, type DataLake, type Zone } from "../../modules/index";

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

/** Rejects must be queryable from the first one on, whatever they look like. */
export function declareQuarantine(scope: Construct, { lake, zone, prefix, name }: TablePlace): void {
  new CatalogTable(scope, "QuarantineTable", {
    name,
    description: `Rows that the ${name} job refused, with the reason`,
    database: lake.database(zone),
    location: lake.location(zone, prefix),
    columns: [
      { name: "raw_line", type: "string", comment: "The line as it was delivered" },
      { name: "reason", type: "string", comment: "The first of the contract's reasons that applies" },
      { name: "source_file", type: "string", comment: "URI of the delivered file" },
      { name: "run_id", type: "string", comment: "The execution that refused it" },
    ],
    partition: { name: "run_date", from: "2000-01-01" },
  });
}
