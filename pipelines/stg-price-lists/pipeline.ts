import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../../index";
import type { VersionsSettings } from "../settings";

/** The folder of the deliveries in the raw zone. */
export const PRICE_LISTS = "price-lists/";

/** The price lists of two suppliers, one of CSV and one of XML: an Iceberg table that grows by their files. */
export function definePriceLists(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  settings: VersionsSettings,
): ContractPipeline {
  return new ContractPipeline(scope, id, {
    ...settings,
    platform,
    pipeline: "stg-price-lists",
    contractFile: join(__dirname, "stg-price-lists.schema.json"),
    rulesFile: join(__dirname, "stg-price-lists.quality.json"),
    deliveriesFolder: PRICE_LISTS,
    // Its files are judged one by one, and XML is not compared with a crawl.
    crawlRaw: false,
  });
}
