import {
  type AlarmDefinition,
  type AlarmScope,
  alarmTable,
} from "../../../modules/pipeline-alarms/alarm-table";

/** A pipeline that has everything an alarm may look at. */

const ARN = "arn:aws:states:eu-west-1:000000000000:stateMachine:etl-dev-events";

export const SCOPE: AlarmScope = {
  stateMachineName: "etl-dev-events",
  stateMachineArn: ARN,
  crawlStateMachineArn: `${ARN}-crawl`,
  deadLetterQueueName: "etl-dev-events-schedule-dead-letters",
  usualMinutes: 10,
  slowFactor: 2,
  quarantineSharePercent: 60,
  minimumRows: 1,
  missedRun: { longestGapMinutes: 1_500, graceMinutes: 120 },
};

export const everyAlarm = (): AlarmDefinition[] => alarmTable(SCOPE);
