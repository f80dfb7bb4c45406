import type { S3Location } from "../modules/core/s3-location";

/** The origin of a task's rows. */
export type Source = DeliveriesSource;

/** Files in S3, in folders `dt=YYYY-MM-DD/` below a location: one folder a delivery date. */
export interface DeliveriesSource {
  readonly kind: "deliveries";
  readonly location: S3Location;
  /** The catalogue's database and table that a crawl of the location keeps: the job reads there what it looked like before. */
  readonly database: string;
  readonly table: string;
}
