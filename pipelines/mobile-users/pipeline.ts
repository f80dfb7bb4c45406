import { join } from "node:path";
import type { Construct } from "constructs";
import { ContractPipeline, type EtlPlatform } from "../../index";
import type { ContractPipelineSettings } from "../settings";

/** The calls of two mobile apps, as Segment delivers them: JSON lines in, Parquet by local day out, crawled; people counted by day. */
export function defineMobileUsers(
  scope: Construct,
  id: string,
  platform: EtlPlatform,
  settings: ContractPipelineSettings,
): ContractPipeline {
  return new ContractPipeline(scope, id, {
    ...settings,
    platform,
    pipeline: "mobile-users",
    contractFile: join(__dirname, "mobile-users.schema.json"),
    rulesFile: join(__dirname, "mobile-users.quality.json"),
    models: [join(__dirname, "mobile_daily_users.model.json")],
    crawlProcessed: true,
    jobName: "mobile-user-daily",
    rawCrawlerNames: { ios: "segmentlogs-IOS", android: "segmentlogs-Android" },
    processedCrawlerName: "segmentlogs-Mobile",
    triggerNames: {
      ios: "mobile-user-start",
      android: "android-crawler-trigger",
      job: "mobile-user-etl-trigger",
      processed: "mobile-crawler-trigger",
    },
  });
}
