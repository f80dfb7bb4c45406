import { stateMachineRun, workflowRun } from "../../../modules/core/run";
import {
  type AlarmDefinition,
  type AlarmScope,
  alarmTable,
} from "../../../modules/pipeline-alarms/alarm-table";

/** A pipeline that has everything an alarm may look at. */

const machine = (name: string) => stateMachineRun({ name, account: "000000000000", region: "eu-west-1" });

export const SCOPE: AlarmScope = {
  run: machine("etl-dev-events"),
  crawlsFailed: machine("etl-dev-events-crawl").metrics.failed,
  deadLetterQueueName: "etl-dev-events-schedule-dead-letters",
  usualMinutes: 10,
  slowFactor: 2,
  quarantineSharePercent: 60,
  minimumRows: 1,
  minimumOf: "written",
  hasSources: true,
  missedRun: { longestGapMinutes: 1_500, graceMinutes: 120 },
};

export const everyAlarm = (): AlarmDefinition[] => alarmTable(SCOPE);

/** The same for the runs of a Glue workflow, whose schedule is its own trigger. */
export const WORKFLOW_SCOPE: AlarmScope = {
  ...SCOPE,
  run: workflowRun({ name: "etl-dev-mobile-users", account: "000000000000", region: "eu-west-1" }),
  crawlsFailed: undefined,
};

export const everyWorkflowAlarm = (): AlarmDefinition[] => alarmTable(WORKFLOW_SCOPE);
