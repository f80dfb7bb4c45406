import { type Cron } from "./cron-fields";
import { parseExpression } from "./schedule-expression";

const DAY = 86_400_000;
const LONGEST_MONTH_MINUTES = 31 * 24 * 60;
const AVERAGE_MONTH_MINUTES = (365.25 / 12) * 24 * 60;
/** The calendar with its weekdays repeats every 28 years. */
const CALENDAR = { firstYear: 2020, years: 28 };
/** Four years with one leap day hold every length of month. */
const LEAP_CYCLE = { firstYear: 2025, years: 4 };

/**
 * The most runs that a schedule starts in one calendar month. Daylight saving is ignored: it moves runs, but adds none.
 *
 * @returns `undefined` if the expression cannot be read
 */
export function mostRunsPerMonth(text: string): number | undefined {
  const { expression } = parseExpression(text);
  switch (expression?.kind) {
    case undefined:
      return undefined;
    case "at":
      return 1;
    case "rate":
      return Math.ceil(LONGEST_MONTH_MINUTES / expression.everyMinutes);
    case "cron":
      return Math.max(...runsOfMonths(expression.cron, CALENDAR));
  }
}

/**
 * The number of runs in an average month; 0 for a single run.
 *
 * @returns `undefined` if the expression cannot be read
 */
export function runsPerMonth(text: string): number | undefined {
  const { expression } = parseExpression(text);
  switch (expression?.kind) {
    case undefined:
      return undefined;
    case "at":
      return 0;
    case "rate":
      return AVERAGE_MONTH_MINUTES / expression.everyMinutes;
    case "cron": {
      const months = runsOfMonths(expression.cron, LEAP_CYCLE);
      return months.reduce((sum, runs) => sum + runs, 0) / months.length;
    }
  }
}

function runsOfMonths(cron: Cron, { firstYear, years }: typeof CALENDAR): number[] {
  return Array.from(
    { length: years * 12 },
    (_, month) => matchingDays(cron, firstYear, month) * cron.minutesOfDay.length,
  );
}

function matchingDays(cron: Cron, firstYear: number, month: number): number {
  const first = Date.UTC(firstYear, month, 1);
  const days = (Date.UTC(firstYear, month + 1, 1) - first) / DAY;
  const matching = Array.from({ length: days }, (_, index) => new Date(first + index * DAY)).filter((date) =>
    cron.matches({
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      weekday: date.getUTCDay() + 1,
      days,
    }),
  );
  return matching.length;
}
