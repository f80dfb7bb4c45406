import type { S3Location } from "../modules/core/s3-location";
import type { WriteMode } from "../modules/core/write-modes";
import type { Zone } from "../modules/data-lake/zone";

/** A table that a task writes. */
export interface Table {
  /** The zone of its database and its files. */
  readonly zone: Zone;
  /** Name of the catalogue's database. */
  readonly database: string;
  /** Its name in the catalogue. */
  readonly name: string;
  /** The folder of its files. */
  readonly location: S3Location;
  /**
   * How it gets into the catalogue. `crawler`: a crawler registers it after each job run. `declaration`: the pipeline declares it, and the job
   * registers its partitions. `iceberg`: the job makes it.
   */
  readonly registeredBy: "crawler" | "declaration" | "iceberg";
  /** How runs write it. */
  readonly writeMode: WriteMode;
}
