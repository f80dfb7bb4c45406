import type { Construct } from "constructs";
import type { SalesSettings } from "../../environments/settings";
import { AGGREGATE_TABLES } from "../aggregate-tables";
import { Pipeline, type PipelineProps } from "../../patterns/contract-pipeline/contract-pipeline";

export type SalesPipelineProps = PipelineProps &
  SalesSettings & {
    /** Which of them. */
    readonly pipeline: "sales" | "customers" | "products";
  };

/**
 * Sales, and the customers and products they name: CSV in, Parquet by date (and region) out, each by its own contract, with its own
 * folder, lock and books. The published table is declared from the contract, or crawled where the settings say so.
 */
export class SalesPipeline extends Pipeline {
  constructor(scope: Construct, id: string, { pipeline, crawlProcessed, ...props }: SalesPipelineProps) {
    const aggregateTable = AGGREGATE_TABLES[pipeline];
    const andAddsUp = aggregateTable === undefined ? "" : ", and adds them up";
    super(scope, id, props, {
      pipeline,
      description: `Checks, quarantines, deduplicates and rebuilds the ${pipeline} of the delivery dates it is given${andAddsUp}`,
      crawlsProcessed: crawlProcessed ?? false,
      aggregateTable,
    });
  }
}
