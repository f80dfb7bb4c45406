import { type Mistake } from "../core/refusals";

/**
 * The longest time that an alarm may look back, in minutes: seven days, and only with periods of an hour or more:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (`EvaluationPeriods`).
 */
const MOST_MINUTES = 7 * 24 * 60;

/** By default a run is slow if it takes more than twice the usual. */
export const DEFAULT_SLOW_FACTOR = 2;

/** The longest gap between two runs plus the grace, rounded up to whole hours. */
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
      `must be at least ${slow}, the minutes that a run may take without being slow, got ${grace}`,
    ),
    ...unless(
      !(missedRunHours(gap, grace) * 60 > MOST_MINUTES),
      "missedRun",
      `must be at most ${MOST_MINUTES} minutes together, got ${gap} + ${grace}: CloudWatch looks back at most seven days, ` +
        "in periods of an hour or more. Let it run more often, shorten the grace, or leave this out and watch for missed runs elsewhere",
    ),
  ];
}
