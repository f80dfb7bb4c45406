import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../index";
import type { ExtractedVersionsSettings } from "./settings";

/** The folder of the deliveries that the extract of the shop writes of a table; ends in a slash. */
export const folderOfTable = (table: string): string => `shop/${table}/`;

/**
 * Composes the history of a table of the shop, from the deliveries that `shop` extracts.
 *
 * @param table its name in the database; with hyphens and `stg-` before it, the pipeline's
 * @param files absolute path of contract and rules, without `.schema.json` and `.quality.json`
 */
export const defineTableOf =
  (table: string, files: string) =>
  (
    scope: Construct,
    id: string,
    platform: EtlPlatform,
    settings: ExtractedVersionsSettings,
  ): ContractPipeline =>
    new ContractPipeline(scope, id, {
      ...settings,
      platform,
      pipeline: `stg-${table.replaceAll("_", "-")}`,
      contractFile: `${files}.schema.json`,
      rulesFile: `${files}.quality.json`,
      deliveriesFolder: folderOfTable(table),
      // The extract has declared these deliveries, and each run compares the types in their files.
      crawlRaw: false,
    });
