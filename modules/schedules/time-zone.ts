/**
 * Local times of a zone as instants, from the rules of zones that Node carries. Minutes count from 1970-01-01T00:00,
 * local ones as if the clock on the wall were UTC.
 */

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  formatters.set(timeZone, made);
  return made;
}

/** The mistake in the name of a time zone, as words that follow its field. AWS and Java distinguish capitals, Node does not. */
export function timeZoneMistake(timeZone: string): string | undefined {
  const wanted = "must be a time zone of the IANA database such as Europe/Berlin or UTC";
  const got = `got ${JSON.stringify(timeZone)}`;
  // Offsets such as +01:00 are Intl's, but not AWS's.
  if (!/^[A-Za-z]/.test(timeZone) || FORMER.includes(timeZone)) return `${wanted}, ${got}`;
  try {
    formatter(timeZone);
  } catch {
    return `${wanted}, ${got}`;
  }
  return withCapitals(timeZone) === timeZone ? undefined : `${wanted}, with its capitals, ${got}`;
}

/** Names that Node knows, and the IANA database no longer has. */
const FORMER = ["Canada/East-Saskatchewan", "US/Pacific-New"];
/** Words of names that have more than one capital, or no capital. */
const WORDS = new Map(
  [
    ...["ACT", "BajaNorte", "BajaSur", "CET", "CHAT", "CST6CDT", "ComodRivadavia", "DeNoronha"],
    ...["DumontDUrville", "EET", "EST", "EST5EDT", "EasterIsland", "GB", "GMT", "GMT0", "HST", "IN", "LHI"],
    ...["MET", "MST", "MST7MDT", "McMurdo", "NSW", "NZ", "PRC", "PST8PDT", "ROK", "SU", "UCT", "US", "UTC"],
    ...["WET", "au", "es", "of"],
  ].map((word) => [word.toLowerCase(), word]),
);

function withCapitals(timeZone: string): string {
  return timeZone.replace(/[A-Za-z0-9]+/g, (word) => {
    const small = word.toLowerCase();
    return WORDS.get(small) ?? `${small.charAt(0).toUpperCase()}${small.slice(1)}`;
  });
}

/** How far the zone's clock is before UTC at an instant, minutes. */
export function offsetAt(timeZone: string, instantMinutes: number): number {
  const parts = formatter(timeZone).formatToParts(instantMinutes * MINUTE);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)!.value);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute")) / MINUTE - instantMinutes;
}

/** No zone changes its clock twice within so many days. */
const BLOCK_MINUTES = 8 * DAY_MINUTES;
const blockOffsets = new Map<string, Map<number, number>>();

function offsetAtBlock(timeZone: string, block: number): number {
  const known = blockOffsets.get(timeZone) ?? new Map<number, number>();
  blockOffsets.set(timeZone, known);
  const offset = known.get(block) ?? offsetAt(timeZone, block * BLOCK_MINUTES);
  known.set(block, offset);
  return offset;
}

/** The clock about a local day: `before` and from `changesAt` on `after`, which are the same where it does not change. */
export interface ZoneDay {
  readonly before: number;
  readonly after: number;
  /** An instant. */
  readonly changesAt: number;
}

/** @param localMidnight the day's first minute, local */
export function zoneDay(timeZone: string, localMidnight: number): ZoneDay {
  const first = Math.floor((localMidnight - DAY_MINUTES) / BLOCK_MINUTES);
  const last = Math.ceil((localMidnight + 2 * DAY_MINUTES) / BLOCK_MINUTES);
  for (let block = first; block < last; block++) {
    const before = offsetAtBlock(timeZone, block);
    const after = offsetAtBlock(timeZone, block + 1);
    if (before !== after) return { before, after, changesAt: changeWithin(timeZone, block, before) };
  }
  const offset = offsetAtBlock(timeZone, first);
  return { before: offset, after: offset, changesAt: first * BLOCK_MINUTES };
}

const changes = new Map<string, number>();

/** The first instant of a block at which the zone no longer has the offset `before`. */
function changeWithin(timeZone: string, block: number, before: number): number {
  const key = `${timeZone} ${block}`;
  const known = changes.get(key);
  if (known !== undefined) return known;
  let [still, changed] = [block * BLOCK_MINUTES, (block + 1) * BLOCK_MINUTES];
  while (changed - still > 1) {
    const middle = Math.floor((still + changed) / 2);
    if (offsetAt(timeZone, middle) === before) still = middle;
    else changed = middle;
  }
  changes.set(key, changed);
  return changed;
}

/**
 * When the clock shows a local time of that day. A time that the clock skips has no instant; of one that it shows twice it
 * is the first, as EventBridge Scheduler skips the one and runs the other once:
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
 */
export function instantOf(localMinutes: number, { before, after, changesAt }: ZoneDay): number | undefined {
  if (localMinutes - before < changesAt) return localMinutes - before;
  return localMinutes - after >= changesAt ? localMinutes - after : undefined;
}

/** Tells whether the clock has one offset from the start to the end of a local day. */
export function isPlainDay(localMidnight: number, { before, after, changesAt }: ZoneDay): boolean {
  return (
    before === after || localMidnight + DAY_MINUTES - before < changesAt || localMidnight - after >= changesAt
  );
}
