import type { DeclaredTableSettings, ExtractSettings, VersionsSettings } from "../pipelines/settings";
import type { EnvironmentData } from "./settings";

/** Pipelines of one delivery a day: at most an hour. */
const daily = {
  workerType: "G.1X",
  maxWorkers: 2,
  jobTimeoutMinutes: 60,
  crawlDeadlineMinutes: 60,
  schedule: { enabled: true, cron: "cron(0 6 * * ? *)", timeZone: "UTC", lagDays: 1 },
  alarms: {
    actionsEnabled: true,
    usualMinutes: 30,
    quarantineSharePercent: 10,
    minimumRows: 1,
    missedRunGraceMinutes: 120,
  },
} satisfies DeclaredTableSettings;

/** A run an hour before the pipelines that read what it delivers. */
const extract: ExtractSettings = {
  workerType: daily.workerType,
  maxWorkers: daily.maxWorkers,
  jobTimeoutMinutes: daily.jobTimeoutMinutes,
  alarms: daily.alarms,
  schedule: { ...daily.schedule, cron: "cron(0 5 * * ? *)", timeZone: "Europe/London", lagDays: 1 },
};

/** The histories of the tables that the extract delivers, an hour after it. */
const versions: VersionsSettings = {
  ...daily,
  tableFormat: "iceberg",
  writeMode: "changes",
  schedule: { ...daily.schedule, timeZone: "Europe/London" },
};

/** The shape of prod with less of it. */
export const staging: EnvironmentData = {
  environment: "staging",
  project: "etl",
  backend: { kind: "s3" },
  retainData: true,
  allowDataDestruction: false,
  glueVersion: "5.1",
  logRetentionDays: 30,
  logExecutionData: false,
  scanLimitBytes: 10_737_418_240,
  // Nobody yet: name them here, or in ETL_STAGING_ALERTS and ETL_STAGING_NOTIFICATIONS.
  subscriptions: { notifications: [], alerts: [] },
  budget: { dpuHoursPerRun: 8 },
  tags: {},
  pipelines: {
    events: {
      workerType: "G.1X",
      maxWorkers: 5,
      jobTimeoutMinutes: 60,
      crawlDeadlineMinutes: 60,
      schedule: { enabled: true, cron: "cron(0 4 * * ? *)", timeZone: "UTC", lagDays: 1 },
      alarms: {
        actionsEnabled: true,
        usualMinutes: 30,
        quarantineSharePercent: 50,
        minimumRows: 10,
        missedRunGraceMinutes: 120,
      },
    },
    sales: daily,
    customers: daily,
    products: daily,
    // At one in the afternoon in UTC it is early morning in Los Angeles, and the day that ended is there.
    "mobile-users": { ...daily, schedule: { ...daily.schedule, cron: "cron(0 13 * * ? *)" } },
    // Only with a connection, which comes from outside: ETL_STAGING_SHOP_HOST and its companions.
    shop: extract,
    "stg-customers": versions,
    "stg-products": versions,
    "stg-invoices": versions,
    "stg-invoice-lines": versions,
    // Suppliers deliver file by file.
    "stg-price-lists": { ...versions, schedule: daily.schedule },
  },
};
