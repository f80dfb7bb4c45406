import type { S3Location } from "../modules/core/s3-location";
import type { QualityQuery } from "../contracts/quality-query";
import type { GlueSparkJob } from "../modules/glue-spark-job/glue-spark-job";
import type { Source } from "./source";
import type { Table } from "./table";

/** The work of one job in a run. An ingest task makes one table of one or several sources, and what the contract adds up from it. */
export interface Task {
  /** Which task it is. */
  readonly kind: "ingest";
  /** The origins of its rows; at least one. */
  readonly sources: readonly Source[];
  /** The published table. */
  readonly table: Table;
  /** The table of the contract's aggregate, if it has one. */
  readonly aggregate?: Table;
  /** The folder of the books that the job writes. */
  readonly books: S3Location;
  /** The job of a run. */
  readonly job: GlueSparkJob;
  /** The query that judges what readers see. */
  readonly qualityQuery: QualityQuery;
}
