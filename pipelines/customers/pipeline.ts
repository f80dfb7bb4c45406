import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../../index";
import type { DeclaredTableSettings } from "../settings";

/** The customers that sales name: CSV in, Parquet by date out. */
export function defineCustomers(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  settings: DeclaredTableSettings,
): ContractPipeline {
  return new ContractPipeline(scope, id, {
    ...settings,
    platform,
    pipeline: "customers",
    contractFile: join(__dirname, "customers.schema.json"),
    rulesFile: join(__dirname, "customers.quality.json"),
  });
}
