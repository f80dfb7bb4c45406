import type { S3Location } from "../modules/core/s3-location";
import type { WriteMode } from "../modules/core/write-modes";
import type { Zone } from "../modules/data-lake/zone";

/** A table that a task writes. */
export interface Table {
  readonly zone: Zone;
  /** Name of the catalogue's database. */
  readonly database: string;
  readonly name: string;
  readonly location: S3Location;
  /**
   * Who registers it in the catalogue: a crawler after each job run; the pipeline, which declares it, and the job its partitions; or the
   * job alone, for a table of Iceberg.
   */
  readonly registeredBy: "crawler" | "declaration" | "iceberg";
  readonly writeMode: WriteMode;
}
