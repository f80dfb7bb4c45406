import { parseCron, type Cron } from "./cron-fields";

/** The three kinds of expressions of EventBridge Scheduler: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html */
export type ScheduleExpression =
  | { readonly kind: "cron"; readonly cron: Cron }
  | { readonly kind: "rate"; readonly everyMinutes: number }
  /** A local time, minutes since 1970-01-01T00:00 of the zone's clock. */
  | { readonly kind: "at"; readonly localMinutes: number };

const UNIT_MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 24 * 60 };

export interface ParsedExpression {
  readonly expression?: ScheduleExpression;
  /** Mistakes as words that follow the field's name; empty if there is an expression. */
  readonly mistakes: readonly string[];
}

/** Reads `cron(…)`, `rate(…)` or `at(…)`; all mistakes at once. */
export function parseExpression(text: string): ParsedExpression {
  const [, kind, inner = ""] = /^(cron|rate|at)\((.*)\)$/.exec(text) ?? [];
  if (kind === "cron") {
    const { cron, mistakes } = parseCron(inner);
    return cron ? { expression: { kind, cron }, mistakes } : { mistakes };
  }
  if (kind === "rate") return parseRate(inner);
  if (kind === "at") return parseAt(inner);
  return {
    mistakes: [
      "must be cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss), " +
        `got ${JSON.stringify(text)}`,
    ],
  };
}

function parseRate(inner: string): ParsedExpression {
  const [, value = "", unit = ""] = /^([1-9]\d{0,5}) (minute|hour|day)s?$/.exec(inner) ?? [];
  const minutes = UNIT_MINUTES[unit];
  if (minutes === undefined) {
    return {
      mistakes: [
        `must be a rate of a whole number and minutes, hours or days, got ${JSON.stringify(`rate(${inner})`)}`,
      ],
    };
  }
  return { expression: { kind: "rate", everyMinutes: Number(value) * minutes }, mistakes: [] };
}

function parseAt(inner: string): ParsedExpression {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(inner) ? Date.parse(`${inner}Z`) : NaN;
  // Date.parse rolls 30 February into March; AWS refuses it.
  if (Number.isNaN(time) || new Date(time).toISOString() !== `${inner}.000Z`) {
    return {
      mistakes: [`must be a time as at(yyyy-mm-ddThh:mm:ss), got ${JSON.stringify(`at(${inner})`)}`],
    };
  }
  return { expression: { kind: "at", localMinutes: Math.floor(time / 60_000) }, mistakes: [] };
}
