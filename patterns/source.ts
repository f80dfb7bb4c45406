import type { S3Location } from "../modules/core/s3-location";

/** The origin of a task's rows. */
export type Source = DeliveriesSource;

/** Files in S3, in folders below a location: one folder a delivery date. */
export interface DeliveriesSource {
  /** Which source it is. */
  readonly kind: "deliveries";
  /**
   * Its name in the contract.
   * @default - the task has no other source
   */
  readonly name?: string;
  /** The names of the folders: `dt=YYYY-MM-DD`, or the milliseconds of a UTC midnight; `dms`: files as AWS DMS names them. */
  readonly layout: "dt" | "epochMillis" | "dms";
  /** The folder above those of the dates. */
  readonly location: S3Location;
  /**
   * A file beside the folders of the dates ends a run: `unknownFolders` of the contract.
   * @default false
   */
  readonly refusesStrangers?: boolean;
  /** The catalogue's database of the crawled table: the job reads there what the deliveries looked like before. */
  readonly database: string;
  /** The table that a crawl of the location keeps. */
  readonly table: string;
}
