import { type Mistake } from "../core/refusals";

/** When a scheduled run counts as missed, and what cannot be watched for. For the alarms and for settings. */

/**
 * How far back an alarm may look, minutes: its periods together are at most seven days, and that only with periods of an hour
 * or more; https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (`EvaluationPeriods`).
 */
const MOST_MINUTES = 7 * 24 * 60;

/** Twice the usual is slow, unless it is said otherwise. */
export const DEFAULT_SLOW_FACTOR = 2;

/** Whole hours that hold the longest gap between two runs and the grace. */
export const missedRunHours = (longestGapMinutes: number, graceMinutes: number): number =>
  Math.ceil((longestGapMinutes + graceMinutes) / 60);

export interface WatchedRun {
  readonly missedRun?: { readonly longestGapMinutes: number; readonly graceMinutes: number };
  readonly usualMinutes: number;
  readonly slowFactor: number;
}

export function missedRunMistakes({ missedRun, usualMinutes, slowFactor }: WatchedRun): Mistake[] {
  if (missedRun === undefined) return [];
  const { longestGapMinutes: gap, graceMinutes: grace } = missedRun;
  const unless = (ok: boolean, field: string, mistake: string): Mistake[] => (ok ? [] : [[field, mistake]]);
  const whole = (field: string, value: number) =>
    unless(
      Number.isInteger(value) && value >= 1,
      `missedRun.${field}`,
      `must be a whole number of at least 1, got ${value}`,
    );
  const slow = slowFactor * usualMinutes;
  return [
    ...whole("longestGapMinutes", gap),
    ...whole("graceMinutes", grace),
    ...unless(
      !(grace < slow),
      "missedRun.graceMinutes",
      `must be at least ${slow}, which a run may take without being slow, got ${grace}`,
    ),
    ...unless(
      !(missedRunHours(gap, grace) * 60 > MOST_MINUTES),
      "missedRun",
      `must be at most ${MOST_MINUTES} minutes together, got ${gap} + ${grace}: CloudWatch looks back at most seven days, ` +
        "in periods of an hour or more. Let it run more often, shorten the grace, or watch for the missed run elsewhere and leave this out",
    ),
  ];
}
