import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../../index";
import type { DeclaredTableSettings } from "../settings";

/** The lines of the shop's invoices: CSV in, Parquet by date and region out, and revenue added up from it. */
export function defineSales(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  settings: DeclaredTableSettings,
): ContractPipeline {
  return new ContractPipeline(scope, id, {
    ...settings,
    platform,
    pipeline: "sales",
    contractFile: join(__dirname, "sales.schema.json"),
    rulesFile: join(__dirname, "sales.quality.json"),
    description:
      "Checks, quarantines, deduplicates and rebuilds the sales of the delivery dates it is given, and adds them up",
    aggregateTable: "sales_revenue",
  });
}
