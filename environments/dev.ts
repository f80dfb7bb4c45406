import type { DeclaredTableSettings, ExtractSettings, VersionsSettings } from "../pipelines/settings";
import type { EnvironmentData } from "./settings";

/** Pipelines of one delivery a day: at most an hour. */
const daily = {
  workerType: "G.1X",
  maxWorkers: 2,
  jobTimeoutMinutes: 60,
  crawlDeadlineMinutes: 30,
  schedule: { enabled: false, cron: "cron(0 6 * * ? *)", timeZone: "UTC", lagDays: 1 },
  alarms: {
    actionsEnabled: false,
    usualMinutes: 15,
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

/** Small and disposable: data may be destroyed with the stack, state is a file beside the clone. */
export const dev: EnvironmentData = {
  environment: "dev",
  project: "etl",
  backend: { kind: "local" },
  retainData: false,
  allowDataDestruction: true,
  glueVersion: "5.1",
  logRetentionDays: 14,
  logExecutionData: true,
  scanLimitBytes: 1_073_741_824,
  // Nobody: alarms do not act and schedules are off.
  subscriptions: { notifications: [], alerts: [] },
  budget: { dpuHoursPerRun: 2 },
  tags: {},
  pipelines: {
    events: {
      // Off: `npm start` delivers and starts runs itself. ETL_DEV_ARRIVAL=events turns it on.
      arrival: { enabled: false, complete: { rule: "quiet", seconds: 20 } },
      workerType: "G.1X",
      maxWorkers: 2,
      jobTimeoutMinutes: 30,
      crawlDeadlineMinutes: 30,
      schedule: { enabled: false, cron: "cron(0 4 * * ? *)", timeZone: "UTC", lagDays: 1 },
      alarms: {
        actionsEnabled: false,
        usualMinutes: 15,
        quarantineSharePercent: 50,
        minimumRows: 1,
        missedRunGraceMinutes: 120,
      },
    },
    sales: daily,
    customers: daily,
    products: daily,
    // At one in the afternoon in UTC it is early morning in Los Angeles, and the day that ended is there.
    "mobile-users": { ...daily, schedule: { ...daily.schedule, cron: "cron(0 13 * * ? *)" } },
    // Only with a connection, which comes from outside: ETL_DEV_SHOP_HOST and its companions.
    shop: extract,
    "stg-customers": versions,
    "stg-products": versions,
    "stg-invoices": versions,
    "stg-invoice-lines": versions,
    // Suppliers deliver file by file.
    "stg-price-lists": {
      ...{ ...versions, schedule: daily.schedule },
      // Off; ETL_DEV_ARRIVAL turns it on.
      arrival: { enabled: false, complete: { rule: "quiet", seconds: 20 } },
    },
  },
};
