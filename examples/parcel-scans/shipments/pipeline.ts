import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "cdktf-aws-etl";

/** Shipments of the German partner: CSV as a German office writes it. */
export function defineShipments(scope: Construct, id: string, platform: EtlPlatform): ContractPipeline {
  return new ContractPipeline(scope, id, {
    platform,
    pipeline: "shipments",
    contractFile: join(__dirname, "shipments.schema.json"),
    rulesFile: join(__dirname, "shipments.quality.json"),
  });
}
