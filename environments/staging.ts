import type { EnvironmentData } from "./settings";

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
  notificationEmails: [],
  tags: {},
  pipelines: {
    events: { workerType: "G.1X", maxWorkers: 5, jobTimeoutMinutes: 60, crawlDeadlineMinutes: 60 },
  },
};
