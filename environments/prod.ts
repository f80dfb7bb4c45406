import type { EnvironmentData } from "./settings";

/** Guarded: nothing that holds data can be destroyed by a deployment. */
export const prod: EnvironmentData = {
  environment: "prod",
  project: "etl",
  backend: { kind: "s3" },
  retainData: true,
  allowDataDestruction: false,
  glueVersion: "5.1",
  logRetentionDays: 365,
  logExecutionData: false,
  scanLimitBytes: 107_374_182_400,
  notificationEmails: [],
  tags: {},
  pipelines: {
    events: { workerType: "G.1X", maxWorkers: 10, jobTimeoutMinutes: 60, crawlDeadlineMinutes: 60 },
  },
};
