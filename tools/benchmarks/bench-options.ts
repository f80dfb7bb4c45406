import { type DeploymentsOptions } from "./deployments";

export interface BenchOptions {
  /** Counted rounds. One more round comes first and fills caches. */
  readonly rounds: number;
  /** Folder of deliveries that the job benchmark multiplies. */
  readonly input: string;
  /** Sizes, as multiples of the deliveries; each copy has ids of its own. */
  readonly copies: readonly number[];
  /** Folder of days of the shop, `YYYY-MM-DD.csv`, that fill the database of the jdbc benchmark. */
  readonly days: string;
  /** How many files arrive in the arrival benchmark. */
  readonly files: number;
  /** Determines the order of their events. */
  readonly seed: number;
  /** The start benchmark counts first deployments instead. */
  readonly counted?: DeploymentsOptions;
}
