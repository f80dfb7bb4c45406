import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../../index";
import type { DeclaredTableSettings } from "../settings";

/** The products that sales name: CSV in, Parquet by date out. */
export function defineProducts(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  settings: DeclaredTableSettings,
): ContractPipeline {
  return new ContractPipeline(scope, id, {
    ...settings,
    platform,
    pipeline: "products",
    contractFile: join(__dirname, "products.schema.json"),
    rulesFile: join(__dirname, "products.quality.json"),
  });
}
