import { z } from "zod";
import { MOST_LAG_DAYS } from "../modules/schedules/lag-days";
import { longestGapMinutes } from "../modules/schedules/longest-gap";
import { DEFAULT_SLOW_FACTOR, missedRunMistakes } from "../modules/schedules/missed-run";
import { type ScheduleTimes, scheduleMistakes } from "../modules/schedules/schedule-mistakes";
import { text } from "./filled-text";

/** A pipeline's schedule: a part of an environment's schema. */
export const scheduleSchema = z.strictObject({
  /** `false` leaves the schedule in place, DISABLED, so that a plan shows it either way. */
  enabled: z.boolean(),
  /** `cron(minutes hours day-of-month month day-of-week year)` in the time zone. */
  cron: text().refine((value) => value.startsWith("cron("), "must be cron(…)"),
  /** A name of the IANA database: the zone of the schedule, and of the run date that the job derives from it. */
  timeZone: text(),
  /** How many days before its start a run's delivery date lies; 0 to 366. */
  lagDays: z.int().min(0).max(MOST_LAG_DAYS),
  /** First and last instant, `YYYY-MM-DDThh:mm:ssZ`. AWS takes no start that has passed when the schedule is created. */
  start: text().optional(),
  end: text().optional(),
});

interface Scheduled {
  readonly pipelines?: Readonly<
    Record<string, { readonly schedule?: Partial<z.infer<typeof scheduleSchema>> } | undefined>
  >;
}

interface Watched extends Scheduled {
  readonly pipelines?: Readonly<
    Record<
      string,
      | {
          readonly schedule?: Partial<z.infer<typeof scheduleSchema>>;
          readonly alarms?: { readonly usualMinutes?: number; readonly missedRunGraceMinutes?: number };
        }
      | undefined
    >
  >;
}

/** Mistakes in watching for missed runs: schedules and alarms that are right by themselves and do not go together. */
export function missedRunSettingMistakes(candidate: Watched): string[] {
  return Object.entries(candidate.pipelines ?? {}).flatMap(([name, { schedule = {}, alarms = {} } = {}]) => {
    const { cron, timeZone, start, enabled } = schedule;
    const { usualMinutes, missedRunGraceMinutes: graceMinutes } = alarms;
    if (enabled !== true || graceMinutes === undefined || usualMinutes === undefined) return [];
    if (cron === undefined || timeZone === undefined) return [];
    const gap = longestGapMinutes(cron, timeZone, start);
    // Nothing is due of a schedule that starts one run only.
    if (gap === 0) return [];
    const missedRun = { longestGapMinutes: gap, graceMinutes };
    const field = `'pipelines.${name}.alarms.missedRunGraceMinutes'`;
    return missedRunMistakes({ missedRun, usualMinutes, slowFactor: DEFAULT_SLOW_FACTOR }).map(
      ([of, mistake]) =>
        of === "missedRun"
          ? `${field} must leave it and the longest gap of ${gap} minutes within seven days, over which CloudWatch cannot ` +
            `look, got ${graceMinutes}; let it run more often, shorten the grace, or leave it out`
          : `${field} ${mistake}`,
    );
  });
}

/** Mistakes in schedules; the schema judges the types. */
export function scheduleSettingMistakes({ pipelines = {} }: Scheduled): string[] {
  return Object.entries(pipelines).flatMap(([name, { schedule = {} } = {}]) => {
    const { cron: expression, timeZone, start, end } = schedule;
    if (typeof expression !== "string" || !expression.startsWith("cron(") || typeof timeZone !== "string")
      return [];
    const times: ScheduleTimes = { expression, timeZone, start, end };
    return scheduleMistakes(times).map(([field, mistake]) => {
      const setting = field === "expression" ? "cron" : field;
      return `'pipelines.${name}.schedule.${setting}' ${mistake}`;
    });
  });
}
