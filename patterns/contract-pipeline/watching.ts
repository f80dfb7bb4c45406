import type { Construct } from "constructs";
import { type EtlOrchestrator, PipelineAlarms, PipelineSchedule } from "../../index";
import type { PipelineProps } from "./contract-pipeline";

/** What starts a pipeline by itself, and what tells that it did not end as it should. */

export function defineSchedule(
  scope: Construct,
  { schedule, name, account, region }: PipelineProps,
  orchestrator: EtlOrchestrator,
): PipelineSchedule {
  return new PipelineSchedule(scope, "Schedule", {
    name,
    stateMachineArn: orchestrator.stateMachineArn,
    alias: orchestrator.aliasName,
    expression: schedule.cron,
    timeZone: schedule.timeZone,
    enabled: schedule.enabled,
    start: schedule.start,
    end: schedule.end,
    account,
    region,
  });
}

export function defineAlarms(
  scope: Construct,
  props: PipelineProps,
  pipeline: string,
  orchestrator: EtlOrchestrator,
  { longestGapMinutes, deadLetterQueueName, enabled }: PipelineSchedule,
): PipelineAlarms {
  const { missedRunGraceMinutes: graceMinutes, ...alarms } = props.alarms;
  // Nothing is due of a schedule that is off, or that starts one run only.
  const isDue = enabled && longestGapMinutes > 0 && graceMinutes !== undefined;
  return new PipelineAlarms(scope, "Alarms", {
    ...alarms,
    name: props.name,
    pipeline,
    environment: props.environment,
    stateMachineName: orchestrator.stateMachineName,
    crawlStateMachineName: orchestrator.crawlStateMachineName,
    alerts: props.alerts,
    missedRun: isDue ? { longestGapMinutes, graceMinutes } : undefined,
    deadLetterQueueName,
    runbookUrl: props.runbookUrl,
    account: props.account,
    region: props.region,
  });
}
