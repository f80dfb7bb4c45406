import { type CalendarDay, type Cron } from "./cron-fields";
import { parseExpression } from "./schedule-expression";
import { instantOf, isPlainDay, timeZoneMistake, zoneDay } from "./time-zone";

/**
 * How long a schedule may be silent, from the expression alone. No clock is read, so that the same schedule gives the
 * same answer in every synth.
 */

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;
/** The start for schedules without one. The calendar with its weekdays repeats every 28 years. */
const FROM = "2020-01-01T00:00:00Z";
const YEARS_LOOKED_AT = 42;

/** The period in which a schedule is active, RFC 3339 in UTC. */
export interface ScheduleLimits {
  readonly start?: string;
  readonly end?: string;
}

/**
 * The longest time between two invocations in minutes, daylight saving included: a local time that the clock skips is not run, one that it
 * shows twice is run once. 0 for a single invocation. No clock is read, so that the same schedule gives the same answer in every synth.
 *
 * @param expression `cron(…)`, `rate(…)` or `at(…)`
 * @param timeZone a name of the IANA database
 * @param start the first instant of the schedule, RFC 3339 in UTC; 42 years from then (or from 2020) are examined
 * @throws Error if the expression or the zone cannot be read, or the schedule never fires
 */
export function longestGapMinutes(expression: string, timeZone: string, start?: string): number {
  const found = firingOf(expression, timeZone, { start });
  if (typeof found === "string") throw new Error(`the schedule ${found}`);
  return found.longestGap;
}

/** The mistake of an expression that never fires within its limits, as words that follow its field. */
export function neverFiresMistake(
  expression: string,
  timeZone: string,
  limits: ScheduleLimits = {},
): string | undefined {
  const found = firingOf(expression, timeZone, limits);
  return typeof found === "string" ? found : undefined;
}

interface Firing {
  readonly longestGap: number;
}

/** A cache: examining 42 years takes long, and settings, schedule and alarms ask for the same. */
const asked = new Map<string, Firing | string>();

function firingOf(expression: string, timeZone: string, limits: ScheduleLimits): Firing | string {
  const question = JSON.stringify([expression, timeZone, limits.start, limits.end]);
  const found = asked.get(question) ?? lookedUp(expression, timeZone, limits);
  asked.set(question, found);
  return found;
}

/** The firing of a schedule, or its mistake. */
function lookedUp(text: string, timeZone: string, { start, end }: ScheduleLimits): Firing | string {
  const { expression, mistakes } = parseExpression(text);
  const wrongZone = timeZoneMistake(timeZone);
  if (expression === undefined || wrongZone !== undefined) return [...mistakes, wrongZone ?? ""].join("; ");
  const from = Date.parse(start ?? FROM) / MINUTE;
  const until = end === undefined ? Infinity : Date.parse(end) / MINUTE;
  const never = `must fire at least once${limitsText({ start, end })} in ${timeZone}, got ${JSON.stringify(text)}, which never does`;
  switch (expression.kind) {
    case "rate":
      return from < until ? { longestGap: expression.everyMinutes } : never;
    case "at": {
      const { localMinutes } = expression;
      const midnight = localMinutes - (((localMinutes % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES);
      const instant = instantOf(localMinutes, zoneDay(timeZone, midnight));
      // Without a start, the year of `at` may be before 2020.
      const isWithin = instant !== undefined && (start === undefined || instant >= from) && instant <= until;
      return isWithin ? { longestGap: 0 } : never;
    }
    case "cron":
      return longestOf(expression.cron, timeZone, from, until) ?? never;
  }
}

const limitsText = ({ start, end }: ScheduleLimits): string =>
  (start === undefined ? "" : ` from ${start}`) + (end === undefined ? "" : ` until ${end}`);

function longestOf(cron: Cron, timeZone: string, from: number, until: number): Firing | undefined {
  const withinDay = Math.max(0, ...cron.minutesOfDay.slice(1).map((at, i) => at - cron.minutesOfDay[i]!));
  let before: number | undefined;
  let longest = 0;
  for (const midnight of daysOf(cron, from)) {
    const zone = zoneDay(timeZone, midnight);
    const noon = instantOf(midnight + DAY_MINUTES / 2, zone) ?? midnight;
    if (noon < from - DAY_MINUTES || noon > until + DAY_MINUTES) continue;
    const isWhole = noon - DAY_MINUTES > from && noon + DAY_MINUTES < until;
    // On a day without a clock change only the first and the last time matter; the gaps between are the same every day.
    const isPlain = isWhole && isPlainDay(midnight, zone);
    const times = isPlain ? [cron.minutesOfDay[0]!, cron.minutesOfDay.at(-1)!] : cron.minutesOfDay;
    const instants = times
      .map((at) => instantOf(midnight + at, zone))
      .filter((instant): instant is number => instant !== undefined && instant >= from && instant <= until)
      .sort((a, b) => a - b);
    for (const [index, instant] of instants.entries()) {
      const gap = isPlain && index === 1 ? withinDay : instant - (before ?? instant);
      longest = Math.max(longest, gap);
      before = instant;
    }
  }
  return before === undefined ? undefined : { longestGap: longest };
}

/** Local midnights of the days that match, in order. */
function* daysOf(cron: Cron, from: number): Generator<number> {
  const firstYear = new Date(from * MINUTE).getUTCFullYear();
  for (const year of cron.years.filter((one) => one >= firstYear - 1).slice(0, YEARS_LOOKED_AT)) {
    for (let month = 1; month <= 12; month++) {
      const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
      for (let day = 1; day <= days; day++) {
        const time = Date.UTC(year, month - 1, day);
        const date: CalendarDay = { year, month, day, days, weekday: new Date(time).getUTCDay() + 1 };
        if (cron.matches(date)) yield time / MINUTE;
      }
    }
  }
}
