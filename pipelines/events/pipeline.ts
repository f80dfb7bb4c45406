import type { Construct } from "constructs";
import { Pipeline, type PipelineProps } from "../../patterns/contract-pipeline/contract-pipeline";

/** The events of the shop: JSON lines in, Parquet by date out. */
export class EventsPipeline extends Pipeline {
  constructor(scope: Construct, id: string, props: PipelineProps) {
    super(scope, id, props, {
      pipeline: "events",
      description:
        "Checks, quarantines, deduplicates and rebuilds the events of the delivery dates it is given",
      crawlsProcessed: true,
      artifactsPrefix: "",
    });
  }
}
