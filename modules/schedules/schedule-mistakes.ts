import { type Mistake } from "../core/refusals";
import { neverFiresMistake } from "./longest-gap";
import { parseExpression } from "./schedule-expression";
import { timeZoneMistake } from "./time-zone";

/** The settings of a schedule's times and retries. */
export interface ScheduleTimes {
  readonly expression: string;
  readonly timeZone?: string;
  readonly start?: string;
  readonly end?: string;
  readonly retryAttempts?: number;
  readonly retrySeconds?: number;
  readonly flexibleMinutes?: number;
}

/** Lists the mistakes in a schedule: `[field, mistake]`. */
export function scheduleMistakes(times: ScheduleTimes): Mistake[] {
  const { expression, timeZone = "UTC", start, end } = times;
  const wrongZone = timeZoneMistake(timeZone);
  const mistakes: Mistake[] = [
    ...parseExpression(expression).mistakes.map((mistake): Mistake => ["expression", mistake]),
    ...(wrongZone === undefined ? [] : [["timeZone", wrongZone] as const]),
    ...instantMistakes("start", start),
    ...instantMistakes("end", end),
  ];
  if (mistakes.length === 0) mistakes.push(...limitMistakes(times));
  return [
    ...mistakes,
    ...wholeBetween("retryAttempts", times.retryAttempts, 0, 185),
    ...wholeBetween("retrySeconds", times.retrySeconds, 60, 86_400),
    ...wholeBetween("flexibleMinutes", times.flexibleMinutes, 1, 1_440),
  ];
}

function limitMistakes({ expression, timeZone = "UTC", start, end }: ScheduleTimes): Mistake[] {
  if (start !== undefined && end !== undefined && start >= end) {
    return [["end", `must be after start ${start}, got ${JSON.stringify(end)}`]];
  }
  const never = neverFiresMistake(expression, timeZone, { start, end });
  return never === undefined ? [] : [["expression", never]];
}

function instantMistakes(field: string, text: string | undefined): Mistake[] {
  if (text === undefined) return [];
  const time = Date.parse(text);
  const isInstant = !Number.isNaN(time) && new Date(time).toISOString().replace(".000Z", "Z") === text;
  return isInstant
    ? []
    : [[field, `must be an instant as YYYY-MM-DDThh:mm:ssZ, got ${JSON.stringify(text)}`]];
}

function wholeBetween(field: string, value: number | undefined, from: number, to: number): Mistake[] {
  if (value === undefined || (Number.isInteger(value) && value >= from && value <= to)) return [];
  return [[field, `must be a whole number from ${from} to ${to}, got ${value}`]];
}
