/**
 * A field of AWS's cron. The common cron packages read another dialect: they accept an asterisk for both kinds of day, count weekdays
 * from 0 or Monday, roll 31 February into March, or stop at the first mistake.
 *
 * Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based,
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
 */
interface Field {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** Names of the values from `first` on. */
  readonly names?: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MINUTES: Field = { name: "minutes", first: 0, last: 59 };
const HOURS: Field = { name: "hours", first: 0, last: 23 };
const DAYS: Field = { name: "day of month", first: 1, last: 31 };
const MONTH: Field = { name: "month", first: 1, last: 12, names: MONTHS };
const WEEKDAY: Field = { name: "day of week", first: 1, last: 7, names: WEEKDAYS };
const YEARS: Field = { name: "year", first: 1970, last: 2199 };

/** A day of the calendar: `month` 1–12, `weekday` 1–7 from Sunday, `days` the number of days of its month. */
export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly days: number;
}

export interface Cron {
  /** Minutes since midnight, ascending; the same on every matching day. */
  readonly minutesOfDay: readonly number[];
  /** Years, ascending; all years that AWS supports if the field is an asterisk. */
  readonly years: readonly number[];
  matches(day: CalendarDay): boolean;
}

type DayRule = (day: CalendarDay) => boolean;

/** Reads the six fields of a cron expression, or lists their mistakes, as words that follow the expression's name. */
export function parseCron(text: string): { readonly cron?: Cron; readonly mistakes: readonly string[] } {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 6) {
    return {
      mistakes: [
        "must have six fields (minutes, hours, day of month, month, day of week, year), " +
          `got ${fields.length} in ${JSON.stringify(text)}`,
      ],
    };
  }
  const [minute, hour, day, month, weekday, year] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const mistakes: string[] = [];
  const minutes = values(minute, MINUTES, mistakes);
  const hours = values(hour, HOURS, mistakes);
  const ofMonth = dayOfMonth(day, mistakes);
  const months = new Set(values(month, MONTH, mistakes));
  const ofWeek = dayOfWeek(weekday, mistakes);
  const years = values(year, YEARS, mistakes);
  if ((day === "?") === (weekday === "?")) {
    mistakes.push(
      "must have ? for exactly one of day of month and day of week, " +
        `got ${JSON.stringify(day)} and ${JSON.stringify(weekday)}`,
    );
  }
  if (mistakes.length > 0) return { mistakes };
  return {
    mistakes,
    cron: {
      minutesOfDay: hours.flatMap((of) => minutes.map((at) => of * 60 + at)),
      years,
      matches: (date) => months.has(date.month) && ofMonth(date) && ofWeek(date),
    },
  };
}

const anyDay: DayRule = () => true;

function dayOfMonth(text: string, mistakes: string[]): DayRule {
  if (text === "?") return anyDay;
  const rules = text.split(",").map((part): DayRule => {
    if (part === "L") return ({ day, days }) => day === days;
    if (part === "LW") return (date) => date.day === nearestWeekday(date.days, date);
    const fromEnd = /^L-(\d+)$/.exec(part);
    if (fromEnd && isIn(Number(fromEnd[1]), 1, 30))
      return ({ day, days }) => day === days - Number(fromEnd[1]);
    const nearest = /^(\d+)W$/.exec(part);
    if (nearest && isIn(Number(nearest[1]), DAYS.first, DAYS.last)) {
      const wanted = Number(nearest[1]);
      return (date) => wanted <= date.days && date.day === nearestWeekday(wanted, date);
    }
    const days = new Set(values(part, DAYS, mistakes));
    return ({ day }) => days.has(day);
  });
  return (date) => rules.some((rule) => rule(date));
}

function dayOfWeek(text: string, mistakes: string[]): DayRule {
  if (text === "?") return anyDay;
  const [, name = "", nth = ""] = /^(\w+)#([1-5])$/.exec(text) ?? [];
  const only = valueOf(name, WEEKDAY);
  // The field may hold only one such expression.
  if (only !== undefined) {
    return ({ weekday, day }) => weekday === only && Math.ceil(day / 7) === Number(nth);
  }
  const rules = text.split(",").map((part): DayRule => {
    // The last day of the week is Saturday.
    if (part === "L") return ({ weekday }) => weekday === WEEKDAY.last;
    const last = valueOf(/^(\w+)L$/.exec(part)?.[1] ?? "", WEEKDAY);
    if (last !== undefined) return ({ weekday, day, days }) => weekday === last && day > days - 7;
    const days = new Set(values(part, WEEKDAY, mistakes));
    return ({ weekday }) => days.has(weekday);
  });
  return (date) => rules.some((rule) => rule(date));
}

/** The Monday to Friday nearest to a day, within its month. */
function nearestWeekday(wanted: number, date: CalendarDay): number {
  const weekday = ((((date.weekday - 1 + wanted - date.day) % 7) + 7) % 7) + 1;
  if (weekday === 7) return wanted === 1 ? 3 : wanted - 1;
  if (weekday === 1) return wanted === date.days ? wanted - 2 : wanted + 1;
  return wanted;
}

/** The values of a list of numbers, names, ranges and steps; ascending. */
function values(text: string, field: Field, mistakes: string[]): number[] {
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const range = rangeOf(part, field);
    if (range === undefined) {
      const named = field.names ? ` or ${field.names[0]} to ${field.names.at(-1)}` : "";
      mistakes.push(
        `must have ${field.first} to ${field.last}${named} in ${field.name}, as a list, a range or a step, ` +
          `got ${JSON.stringify(part)}`,
      );
      continue;
    }
    for (let value = range.from; value <= range.to; value += range.step) found.add(value);
  }
  return [...found].sort((a, b) => a - b);
}

function rangeOf(part: string, field: Field): { from: number; to: number; step: number } | undefined {
  const [, body = "", stepText] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step < 1) return undefined;
  if (body === "*") return { from: field.first, to: field.last, step };
  const [first = "", last, ...more] = body.split("-");
  const from = valueOf(first, field);
  // A single value with a step continues to the end of the field.
  const to = last === undefined ? (stepText === undefined ? from : field.last) : valueOf(last, field);
  if (from === undefined || to === undefined || to < from || more.length > 0) return undefined;
  return { from, to, step };
}

function valueOf(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return field.first + named;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  return isIn(value, field.first, field.last) ? value : undefined;
}

const isIn = (value: number, first: number, last: number): boolean => value >= first && value <= last;
