import type { AppliedDay, Day } from "./shop-days";

/** Which days of the shop are applied and extracted, from what lies in the input, in the database and in the lake. */

/** One extract, and what happens to the database before it. */
export interface PlannedExtract {
  readonly date: string;
  /** The days that the database is filled with afresh. */
  readonly afresh?: readonly Day[];
  /** The days that are applied behind those that it has. */
  readonly further?: readonly Day[];
}

export interface ShopPlan {
  /** Why everything starts anew: the lake, the marks and the database. */
  readonly anew?: string;
  readonly extracts: readonly PlannedExtract[];
  /** The days that the database is filled with at the end, after corrections. */
  readonly end?: readonly Day[];
  /** Dates that were delivered before and are corrected. */
  readonly corrected: readonly string[];
}

export interface ShopState {
  /** The days of the input, in their order. */
  readonly days: readonly Day[];
  /** The days that the database has, in their order. */
  readonly applied: readonly AppliedDay[];
  /** The dates that have a delivery in the raw zone. */
  readonly delivered: ReadonlySet<string>;
  /** The input is another one than last time. */
  readonly isAnother: boolean;
  readonly runDate?: string;
}

/**
 * A day behind all others is applied and extracted. A changed file, or a date before the last one, is a correction: the database is filled afresh up
 * to it, extracted with its date, and filled with the rest; later days are not extracted again. With nothing new the last day is extracted
 * again.
 */
export function planShop(state: ShopState): ShopPlan {
  const { days, applied, delivered, runDate } = state;
  const anew = whyAnew(state);
  if (anew !== undefined) return { anew, ...ofNewDays(days, runDate), corrected: [] };
  const last = applied.at(-1);
  if (last === undefined) return { ...ofNewDays(days, runDate), corrected: [] };
  const found = new Map(applied.map((day) => [day.date, day]));
  const old = days.filter(({ date }) => date <= last.date);
  const changed = old.filter((day) => found.get(day.date)?.sha256 !== day.sha256);
  const unfinished = old.filter(({ date }) => date < last.date && found.get(date)?.isExtracted === false);
  const wanted = new Set([...changed, ...unfinished].map(({ date }) => date));
  const asked = runDate !== undefined && runDate < last.date ? [runDate] : [];
  const corrected = (runDate === undefined ? [...wanted] : [...wanted].filter((date) => date === runDate))
    .concat(asked)
    .filter((date, index, all) => all.indexOf(date) === index)
    .sort();
  const corrections = corrected.map((date) => ({ date, afresh: days.filter((day) => day.date <= date) }));
  const further = ofNewDays(
    days.filter(({ date }) => date > last.date),
    runDate === undefined || runDate > last.date ? runDate : "",
  ).extracts;
  const isLastDue = !last.isExtracted && !corrected.includes(last.date) && runDate === undefined;
  const extracts = [...corrections, ...(isLastDue ? [{ date: last.date }] : []), ...further];
  const again = extracts.length === 0 && (runDate === undefined || runDate === last.date);
  const isRefilled = corrected.length > 0 && corrected.at(-1) !== last.date;
  return {
    extracts: again ? [{ date: last.date }] : extracts,
    // Corrections come first, and days behind the last one are applied to the whole.
    end: isRefilled ? old : undefined,
    corrected: corrected.filter((date) => delivered.has(date)),
  };
}

function whyAnew({ days, applied, delivered, isAnother }: ShopState): string | undefined {
  if (applied.length === 0) return isAnother ? "another input than last time" : undefined;
  if (isAnother) return "another input than last time";
  const gone = applied.find(({ date }) => days.every((day) => day.date !== date));
  if (gone !== undefined) return `the input no longer has ${gone.date}`;
  const lost = applied.find(({ date, isExtracted }) => isExtracted && !delivered.has(date));
  return lost === undefined ? undefined : `the lake has no delivery of ${lost.date} any more`;
}

/** Each day is applied and extracted; of a run date, the days up to it are applied, and it alone is extracted. */
function ofNewDays(days: readonly Day[], runDate: string | undefined) {
  if (runDate === undefined) return { extracts: days.map((day) => ({ date: day.date, further: [day] })) };
  const upTo = days.filter(({ date }) => date <= runDate);
  return { extracts: upTo.length === 0 ? [] : [{ date: runDate, further: upTo }] };
}
