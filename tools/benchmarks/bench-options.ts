import { type DeploymentsOptions } from "./deployments";

export interface BenchOptions {
  /** Rounds that are counted; one more comes before them and fills caches. */
  readonly rounds: number;
  /** Folder of deliveries that the job's bench multiplies. */
  readonly input: string;
  /** How many times the deliveries, with ids of their own each time. */
  readonly copies: readonly number[];
  /** The bench of the start counts first deployments instead. */
  readonly counted?: DeploymentsOptions;
}
