import { join } from "node:path";
import type { Construct } from "constructs";
import { DatabaseExtract, type EtlPlatform } from "../../index";
import { defineConnection } from "../database-connection";
import type { ExtractSettings } from "../settings";

/** The shop's database: its tables become deliveries in the raw zone, as they are at one point in time. */
export function defineShop(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  { connection, ...settings }: ExtractSettings,
): DatabaseExtract {
  return new DatabaseExtract(scope, id, {
    ...settings,
    platform,
    pipeline: "shop",
    extractFile: join(__dirname, "shop.extract.json"),
    connection: defineConnection(scope, `${id}Connection`, platform, { pipeline: "shop", connection }),
  });
}
