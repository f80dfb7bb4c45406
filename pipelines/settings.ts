import { z } from "zod";
import { connectionSchema } from "./connection-settings";
import { alarmsSchema } from "./alarm-settings";
import { arrivalSchema } from "./arrival-settings";
import { ORCHESTRATIONS } from "../modules/core/orchestrations";
import { jobSettings } from "./job-settings";
import { scheduleSchema } from "./schedule-settings";

/** The settings that pipelines of one contract share. */
export const contractPipelineSettings = z.strictObject({
  ...jobSettings,
  /** How long one crawl may take before the run fails, minutes. */
  crawlDeadlineMinutes: z.int().min(1).max(1_440),
  /** When its alarms are crossed, and whether they send messages. */
  alarms: alarmsSchema,
  /** When it starts by itself. */
  schedule: scheduleSchema,
  /** How arriving files start it; not at all when left out. `ETL_<ENVIRONMENT>_ARRIVAL` turns it on. */
  arrival: arrivalSchema.optional(),
  /** The orchestrator of its runs; stepFunctions when left out. `ETL_<ENVIRONMENT>_ORCHESTRATION` wins. */
  orchestration: z.enum(ORCHESTRATIONS).optional(),
});

/** Settings of pipelines whose published table is declared from the contract, unless it is crawled. */
export const declaredTableSettings = contractPipelineSettings.extend({
  /**
   * `true`: the table is crawled after each job run, and not declared. Turning it drops the table from the catalogue and makes it
   * anew; files stay. `false` when left out.
   */
  crawlProcessed: z.boolean().optional(),
});

/** A pipeline that a Glue workflow cannot run. */
const onlyStepFunctions = { orchestration: z.literal("stepFunctions").optional() };

/** The same, of pipelines whose deliveries are not crawled: a Glue workflow would begin with crawls of them. */
export const uncrawledSettings = declaredTableSettings.extend(onlyStepFunctions);

/** Settings of tables of every version, which are written in one way. */
export const versionsSettings = uncrawledSettings.omit({ orderColumn: true }).extend({
  tableFormat: z.literal("iceberg"),
  writeMode: z.literal("changes"),
});

/** The same, of deliveries that an extract writes: they start nothing when they arrive. */
export const extractedVersionsSettings = versionsSettings.omit({ arrival: true });

/** Settings of pipelines with models, which read the folders of dates of Parquet. */
export const modelledSettings = contractPipelineSettings.omit({
  tableFormat: true,
  writeMode: true,
  orderColumn: true,
});

export type ContractPipelineSettings = z.infer<typeof contractPipelineSettings>;
export type DeclaredTableSettings = z.infer<typeof declaredTableSettings>;
export type VersionsSettings = z.infer<typeof versionsSettings>;
export type ExtractedVersionsSettings = z.infer<typeof extractedVersionsSettings>;

/** Settings of extracts, which read a database and write deliveries. */
export const extractSettings = contractPipelineSettings
  .pick({
    workerType: true,
    maxWorkers: true,
    jobTimeoutMinutes: true,
    executionClass: true,
    jobRunQueuingEnabled: true,
    runOverrides: true,
    alarms: true,
    schedule: true,
  })
  .extend({
    ...onlyStepFunctions,
    /** From variables or the context (`environments/given-connections.ts`): an environment without it has no such pipeline. */
    connection: connectionSchema.optional(),
  });

export type ExtractSettings = z.infer<typeof extractSettings>;
