import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../../index";
import type { ContractPipelineSettings } from "../settings";

/** The events of the shop: JSON lines in, Parquet by date out, crawled. */
export function defineEvents(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  settings: ContractPipelineSettings,
): ContractPipeline {
  return new ContractPipeline(scope, id, {
    ...settings,
    platform,
    pipeline: "events",
    contractFile: join(__dirname, "events.schema.json"),
    rulesFile: join(__dirname, "events.quality.json"),
    crawlProcessed: true,
    // The first pipeline's artifacts lie at the top of the zone.
    artifactsPrefix: "",
  });
}
