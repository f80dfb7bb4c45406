import { parseExpression } from "../modules/core/schedule-expression";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Four years from a year after a leap day: every length of month, one leap day. */
const [FROM, TO] = [Date.UTC(2025, 0, 1), Date.UTC(2029, 0, 1)];
const MONTHS = 48;
const MONTH_MINUTES = (365.25 / 12) * 24 * 60;

/** How often a schedule runs in an average month; `undefined` where that cannot be read, 0 for a single time. */
export function runsPerMonth(expression: string): number | undefined {
  const { expression: parsed } = parseExpression(expression);
  if (parsed === undefined) return undefined;
  if (parsed.kind === "rate") return MONTH_MINUTES / parsed.everyMinutes;
  if (parsed.kind === "at") return 0;
  const { cron } = parsed;
  let runs = 0;
  for (let time = FROM; time < TO; time += DAY_MS) {
    const date = new Date(time);
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
    if (cron.matches({ year, month, day, days, weekday: date.getUTCDay() + 1 }))
      runs += cron.minutesOfDay.length;
  }
  return runs / MONTHS;
}
