/**
 * Judges the datetime patterns of a contract, and divides them by whether a text says its zone. Spark 3.5 and 4.1 read the same patterns:
 * those of Java without the letters of weeks and quarters, and with a fraction of a second of one digit up to as many as there are `S`.
 *
 * Source: https://spark.apache.org/docs/3.5.6/sql-ref-datetime-pattern.html
 * and https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/format/DateTimeFormatter.html
 */

/** A pattern and whether each text that fits it says its zone or its offset. */
export interface DatetimePattern {
  /** The pattern. */
  readonly pattern: string;
  /** True if each text that fits says its zone, false if none does. */
  readonly hasZone: boolean;
}

interface Letters {
  readonly kind: "letters";
  readonly letter: string;
  readonly count: number;
  readonly source: string;
}

/** A text with its quotes. */
interface Text {
  readonly kind: "text";
  readonly source: string;
}

interface Optional {
  readonly kind: "optional";
  readonly parts: Part[];
}

type Part = Letters | Text | Optional;

/** A letter of the pattern and the optional parts that it is in, the outermost first. */
interface Field extends Letters {
  readonly within: readonly Optional[];
}

const upTo = (most: number): readonly number[] => Array.from({ length: most }, (_, index) => index + 1);

/** How often a letter may stand in a row. Spark reads `y` once to six times, but then 24 is the year 24, and a long year ends the run. */
const COUNTS: Readonly<Record<string, readonly number[]>> = {
  ...{ G: upTo(4), y: [2, 4], M: upTo(4), L: upTo(4), d: upTo(2), D: upTo(3) },
  ...{ a: [1], H: upTo(2), h: upTo(2), k: upTo(2), K: upTo(2), m: upTo(2), s: upTo(2), S: upTo(9) },
  ...{ V: [2], z: upTo(4), O: [1, 4], X: upTo(5), x: upTo(5), Z: upTo(5) },
};
/** Letters of Java: parts of a week, quarters, units of a day, padding, and two that Spark takes but does not describe (`g`, `v`). */
const ONLY_JAVA = "ABEFNQWcegnpqvw";
const ZONES = "VzOXxZ";
const ZONE_IN_QUOTES = /^' ?(?:Z|UTC|GMT)'$/;

/** Spark fills in what a pattern lacks: the first month, the first day, midnight, the morning. So these letters need others. */
const NEEDS: readonly {
  readonly of: string;
  readonly what: string;
  readonly one: string;
  readonly needs: string;
}[] = [
  { of: "m", what: "a minute (a month is M)", one: "HhKk", needs: "an hour (H)" },
  { of: "d", what: "a day of a month", one: "ML", needs: "a month (M)" },
  { of: "hK", what: "an hour of half a day (one of the whole day is H)", one: "aHk", needs: "AM or PM (a)" },
  { of: "HhKka", what: "a time of day", one: "dD", needs: "a day (d)" },
  { of: "a", what: "AM or PM", one: "HhKk", needs: "an hour (h)" },
  { of: "s", what: "a second", one: "m", needs: "a minute (m)" },
  { of: "S", what: "a fraction of a second", one: "s", needs: "a second (s)" },
];

/** The first mistake of a pattern by which dates or moments are read, or `undefined`. */
export function datetimePatternMistake(pattern: string): string | undefined {
  const parts = readParts(pattern);
  if (typeof parts === "string") return parts;
  const fields = fieldsIn(parts);
  return (
    firstOf(fields, formMistake) ??
    yearMistake(fields) ??
    firstOf(fields, (field) => needMistake(field, fields)) ??
    dayMistake(fields) ??
    digitsMistake(parts)
  );
}

/** The first mistake of a pattern by which dates alone are read, or `undefined`. */
export function datePatternMistake(pattern: string): string | undefined {
  const mistake = datetimePatternMistake(pattern);
  const parts = readParts(pattern);
  if (mistake !== undefined || typeof parts === "string") return mistake;
  const zone = fieldsIn(parts).find(({ letter }) => ZONES.includes(letter));
  if (zone === undefined) return undefined;
  return `${zone.source} reads a zone, and the date would be that of UTC: read a moment instead`;
}

/**
 * The patterns that a pattern stands for. An optional part in which a text may say its zone is written with and without it, so that each
 * result either always says a zone or never does. Other optional parts stay. `Z`, `UTC` and `GMT` in quotes say a zone.
 *
 * Each pattern that does not fit costs Spark ten times as much as one that does. Where times without a zone are UTC, the pattern as it is
 * gives the same instants.
 *
 * @param pattern a pattern without a mistake
 */
export function datetimePatterns(pattern: string): DatetimePattern[] {
  const parts = readParts(pattern);
  const found = typeof parts === "string" ? [] : variantsOf(parts);
  const zones = new Map(found.map((variant) => [sourceOf(variant), variant.some(saysZone)]));
  return [...zones].map(([source, hasZone]) => ({ pattern: source, hasZone }));
}

const TOKEN =
  /(?<quoted>'(?:[^']|'')*')|(?<letters>([A-Za-z])\3*)|(?<opening>\[)|(?<closing>\])|(?<reserved>[{}#'])|[^A-Za-z'[\]{}#]+/g;

/** The parts of a pattern, or the mistake by which it has no parts. */
function readParts(pattern: string): Part[] | string {
  if (pattern === "") return "it is empty";
  const open: Part[][] = [[]];
  for (const { 0: source, groups: kind } of pattern.matchAll(TOKEN)) {
    const parts = open.at(-1)!;
    if (kind?.reserved === "'") return "a quote is not closed";
    if (kind?.reserved !== undefined) return `${source} must be in quotes`;
    if (kind?.opening !== undefined) {
      const optional: Optional = { kind: "optional", parts: [] };
      parts.push(optional);
      open.push(optional.parts);
    } else if (kind?.closing !== undefined) {
      open.pop();
      if (open.length === 0) return "a bracket is closed that was not opened";
    } else if (kind?.letters !== undefined) {
      parts.push({ kind: "letters", letter: source[0]!, count: source.length, source });
    } else parts.push({ kind: "text", source });
  }
  return open.length > 1 ? "a bracket is not closed" : open[0]!;
}

function fieldsIn(parts: readonly Part[], within: readonly Optional[] = []): Field[] {
  return parts.flatMap((part) => {
    if (part.kind === "optional") return fieldsIn(part.parts, [...within, part]);
    return part.kind === "letters" ? [{ ...part, within }] : [];
  });
}

function firstOf(
  fields: readonly Field[],
  mistakeOf: (field: Field) => string | undefined,
): string | undefined {
  for (const field of fields) {
    const mistake = mistakeOf(field);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

function formMistake({ letter, count, source }: Field): string | undefined {
  const counts = COUNTS[letter];
  if (counts === undefined) {
    if ("Yu".includes(letter)) return `Spark does not read ${letter}: the year is y`;
    if (ONLY_JAVA.includes(letter)) return `Spark does not read ${letter}`;
    return `${letter} is not a letter of patterns: put a text in quotes, '${source}'`;
  }
  if (counts.includes(count)) return undefined;
  return `${source} is not a form of ${letter}: write ${counts.map((times) => letter.repeat(times)).join(" or ")}`;
}

function yearMistake(fields: readonly Field[]): string | undefined {
  const years = fields.filter(({ letter }) => letter === "y");
  if (years.length === 0) return "it has no year: write yyyy, or yy for the years from 2000 to 2099";
  const doubtful = [years, fields.filter(({ letter }) => letter === "G")].find(
    (of) => of.length > 0 && of.every(({ within }) => within.length > 0),
  );
  if (doubtful === undefined) return undefined;
  return `${doubtful[0]!.source} is in an optional part, and without it Spark reads the year 1970: write two patterns`;
}

function needMistake(field: Field, fields: readonly Field[]): string | undefined {
  const need = NEEDS.find(({ of, one }) => of.includes(field.letter) && !isBeside(field, one, fields));
  if (need === undefined) return undefined;
  return `${field.letter} is ${need.what}, and the pattern does not always have ${need.needs} with it`;
}

/** Tells whether a text that has the field always has one of the letters. */
function isBeside(field: Field, letters: string, fields: readonly Field[]): boolean {
  return fields.some(
    ({ letter, within }) =>
      letters.includes(letter) && within.every((optional, index) => optional === field.within[index]),
  );
}

function dayMistake(fields: readonly Field[]): string | undefined {
  const has = (letters: string): boolean => fields.some(({ letter }) => letters.includes(letter));
  if (!has("D") || !has("MLd")) return undefined;
  return "D is a day of the year, and the pattern has M or d as well: a day of the month is d";
}

/** A number of any length takes all digits up to the next text, less those of the numbers of a fixed length that follow it directly. */
function digitsMistake(parts: readonly Part[], before?: string): string | undefined {
  let greedy = before;
  let isFirstInside = before !== undefined;
  for (const part of parts) {
    if (part.kind === "optional") {
      const mistake = digitsMistake(part.parts, greedy);
      if (mistake !== undefined) return mistake;
      greedy = undefined;
    } else if (part.kind === "text" || !isNumber(part)) greedy = undefined;
    else if (greedy === undefined) greedy = isGreedy(part) ? part.source : undefined;
    else if (isFirstInside || isGreedy(part) || part.letter === "S")
      return `Spark cannot find where ${greedy} ends and ${part.source} begins: put something between them`;
    isFirstInside = false;
  }
  return undefined;
}

const isNumber = ({ letter, count }: Letters): boolean =>
  "yDdHhKkmsS".includes(letter) || ("ML".includes(letter) && count < 3);

function isGreedy({ letter, count }: Letters): boolean {
  const fixed: Readonly<Record<string, number>> = { D: 3, S: count };
  return count !== (fixed[letter] ?? 2);
}

function variantsOf(parts: readonly Part[]): Part[][] {
  return parts.reduce<Part[][]>(
    (variants, part) => {
      const isExpanded = part.kind === "optional" && mayZone(part);
      const choices = isExpanded ? [...variantsOf(part.parts), []] : [[part]];
      return variants.flatMap((variant) => choices.map((choice) => [...variant, ...choice]));
    },
    [[]],
  );
}

const mayZone = (optional: Optional): boolean =>
  optional.parts.some((part) => (part.kind === "optional" ? mayZone(part) : saysZone(part)));

function saysZone(part: Part): boolean {
  if (part.kind === "optional") return false;
  return part.kind === "text" ? ZONE_IN_QUOTES.test(part.source) : ZONES.includes(part.letter);
}

function sourceOf(parts: readonly Part[]): string {
  return parts.reduce((before, part, index) => {
    const source = part.kind === "optional" ? `[${sourceOf(part.parts)}]` : part.source;
    // Two texts in quotes become one: side by side, their quotes would mean a quote.
    const isJoined = index > 0 && isQuoted(parts[index - 1]!) && isQuoted(part);
    return isJoined ? before.slice(0, -1) + source.slice(1) : before + source;
  }, "");
}

const isQuoted = (part: Part): boolean =>
  part.kind === "text" && part.source.startsWith("'") && part.source !== "''";
