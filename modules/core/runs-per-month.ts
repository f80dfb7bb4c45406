import { type Cron } from "./cron-fields";
import { parseExpression } from "./schedule-expression";

const DAY = 86_400_000;
const LONGEST_MONTH_MINUTES = 31 * 24 * 60;
/** The calendar and its weekdays come again every 28 years. */
const FIRST_YEAR = 2020;
const YEARS = 28;

/**
 * The most runs that a schedule starts in one calendar month. Daylight saving is left out: it moves runs and adds none.
 *
 * @returns `undefined` where the expression cannot be read
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
      return mostOf(expression.cron);
  }
}

function mostOf(cron: Cron): number {
  const months = Array.from({ length: YEARS * 12 }, (_, month) => matchingDays(cron, FIRST_YEAR, month));
  return Math.max(...months) * cron.minutesOfDay.length;
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
