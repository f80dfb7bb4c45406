import { parseCron } from "./cron-fields";
import { parseExpression } from "./schedule-expression";
import { offsetAt, timeZoneMistake } from "./time-zone";

/** Two years in steps of eight days: no zone changes its clock twice within so many. The years are fixed, so that each synth says the same. */
const FROM_MINUTES = Date.UTC(2027, 0, 1) / 60_000;
const [STEP_MINUTES, STEPS] = [8 * 24 * 60, 92];
const DAY_MINUTES = 24 * 60;

/** How far a zone's clock is before UTC in the course of two years, minutes; the standard time of winter first. */
export function offsetsOf(timeZone: string): number[] {
  const all = Array.from({ length: STEPS }, (_, step) =>
    offsetAt(timeZone, FROM_MINUTES + step * STEP_MINUTES),
  );
  return [...new Set(all)];
}

/**
 * An expression of a zone's clock in UTC, for one offset. `undefined` if one expression cannot say it: hours or minutes that are no lists of numbers, or
 * a start that falls on another day in UTC while the expression names days.
 *
 * @param expression `cron(…)` with six fields
 * @param offsetMinutes how far the zone's clock is before UTC
 */
export function cronInUtc(expression: string, offsetMinutes: number): string | undefined {
  const [, inner = ""] = /^cron\((.*)\)$/.exec(expression) ?? [];
  const [minute = "", hour = "", ...days] = inner.trim().split(/\s+/);
  if (parseCron(inner).cron === undefined || !/^\d+$/.test(minute) || !/^\d+(,\d+)*$/.test(hour))
    return undefined;
  const starts = hour.split(",").map((one) => Number(one) * 60 + Number(minute) - offsetMinutes);
  const isOtherDay = starts.some((start) => start < 0 || start >= DAY_MINUTES);
  const isEveryDay = days.every((field) => field === "*" || field === "?");
  if (isOtherDay && !isEveryDay) return undefined;
  const inDay = starts
    .map((start) => ((start % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES)
    .sort((a, b) => a - b);
  const hours = inDay.map((start) => Math.floor(start / 60));
  return `cron(${inDay[0]! % 60} ${hours.join(",")} ${days.join(" ")})`;
}

/** The mistake in the zone of an expression that is read in UTC, as words that follow its field. */
export function otherZoneMistake(expression: string, timeZone: string): string | undefined {
  const wrong = timeZoneMistake(timeZone);
  if (wrong !== undefined) return wrong;
  const offsets = offsetsOf(timeZone);
  if (offsets.every((offset) => offset === 0)) return undefined;
  const wanted = `must be UTC, because Glue's schedules are in UTC, got ${JSON.stringify(timeZone)}`;
  if (parseExpression(expression).mistakes.length > 0) return wanted;
  if (offsets.length === 1) return `${wanted}: ${inUtc(expression, offsets[0]!)}, and leave it out`;
  const each = offsets.map(
    (offset) => `${inUtc(expression, offset)} while its clock is at ${clockText(offset)}`,
  );
  return `${wanted}, whose clock changes: ${each.join(", ")}`;
}

function inUtc(expression: string, offset: number): string {
  const written = cronInUtc(expression, offset);
  return written === undefined
    ? `write the expression ${offset < 0 ? `${hoursText(-offset)} later` : `${hoursText(offset)} earlier`}`
    : `write ${written}`;
}

const two = (value: number): string => String(value).padStart(2, "0");
const hoursText = (minutes: number): string => `${Math.floor(minutes / 60)}:${two(minutes % 60)} hours`;
const clockText = (offset: number): string =>
  `UTC${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;

/**
 * The shortest time between two starts on one day, minutes; `undefined` with fewer than two. The time over midnight counts too, because the
 * next day may be one of the expression's.
 */
export function shortestGapMinutes(expression: string): number | undefined {
  const { expression: parsed } = parseExpression(expression);
  if (parsed?.kind !== "cron" || parsed.cron.minutesOfDay.length < 2) return undefined;
  const starts = parsed.cron.minutesOfDay;
  return Math.min(...starts.map((start, index) => (starts[index + 1] ?? starts[0]! + DAY_MINUTES) - start));
}
