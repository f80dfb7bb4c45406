import type { Construct } from "constructs";
import type { Run } from "../../modules/core/run";
import { PipelineAlarms } from "../../modules/pipeline-alarms/pipeline-alarms";
import { PipelineSchedule } from "../../modules/pipeline-schedule/pipeline-schedule";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import type { ScheduleTrigger } from "../trigger";

/** When a pipeline's alarms are crossed. */
export interface PipelineAlarmSettings {
  /**
   * `false`: alarms show their state and send nothing.
   * @default true
   */
  readonly actionsEnabled?: boolean;
  /**
   * The usual duration of a run, minutes; a run of more than twice as long is slow.
   * @default 30
   */
  readonly usualMinutes?: number;
  /**
   * The share of a run's rows that may be quarantined, percent; 0 to below 100.
   * @default 10
   */
  readonly quarantineSharePercent?: number;
  /**
   * The fewest rows that a run writes; of the write mode `changes`, that it reads.
   * @default 1
   */
  readonly minimumRows?: number;
  /**
   * How long a scheduled run may take and be late before it counts as missed, minutes; at least what still counts as not slow.
   * @default - nobody watches for missed runs
   */
  readonly missedRunGraceMinutes?: number;
}

export const DEFAULT_USUAL_MINUTES = 30;

interface Watched {
  readonly platform: EtlPlatform;
  readonly pipeline: string;
  /** First part of the physical names. */
  readonly name: string;
  readonly run: Run;
  /** Physical name of the state machine that crawls, where there is one. */
  readonly crawlStateMachineName?: string;
  /** The contract names sources. */
  readonly hasSources: boolean;
  /** The rows that must not be too few; those written when left out. */
  readonly minimumOf?: "written" | "read";
}

/** The clock that starts runs, as the alarm for missed runs sees it. */
export interface Clock {
  readonly enabled: boolean;
  readonly longestGapMinutes: number;
  readonly deadLetterQueueName?: string;
}

export function defineSchedule(
  scope: Construct,
  { platform, name, run }: Watched,
  { cron, timeZone, enabled, start, end }: ScheduleTrigger,
): PipelineSchedule {
  return new PipelineSchedule(scope, "Schedule", {
    name,
    run,
    expression: cron,
    timeZone,
    enabled,
    start,
    end,
    account: platform.account,
    region: platform.region,
  });
}

export function defineAlarms(
  scope: Construct,
  { platform, pipeline, name, run, crawlStateMachineName, hasSources, minimumOf }: Watched,
  {
    missedRunGraceMinutes: graceMinutes,
    usualMinutes = DEFAULT_USUAL_MINUTES,
    ...alarms
  }: PipelineAlarmSettings,
  clock: Clock | undefined,
): PipelineAlarms {
  const gap = clock?.longestGapMinutes ?? 0;
  // Nothing is due of a schedule that is off, or that starts one run only.
  const isDue = clock?.enabled === true && gap > 0 && graceMinutes !== undefined;
  return new PipelineAlarms(scope, "Alarms", {
    ...alarms,
    usualMinutes,
    hasSources,
    minimumOf,
    name,
    pipeline,
    environment: platform.environment,
    run,
    crawlStateMachineName,
    alerts: platform.alerts,
    missedRun: isDue ? { longestGapMinutes: gap, graceMinutes } : undefined,
    deadLetterQueueName: clock?.deadLetterQueueName,
    runbookUrl: platform.runbookUrl,
    account: platform.account,
    region: platform.region,
  });
}
