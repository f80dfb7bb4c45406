/**
 * Judges datetime patterns as Spark does when it reads texts, and takes their optional sections apart. A test compares the judgement with
 * Spark 3.5 and 4.1.
 *
 * Source: https://spark.apache.org/docs/3.5.6/sql-ref-datetime-pattern.html
 */

/** A pattern, of which the texts either all say their zone or offset, or none does. */
export interface DatetimePattern {
  readonly pattern: string;
  readonly hasZone: boolean;
}

/** How often each letter may stand side by side. Letters for the quarter, the week and its day are for writing only. */
const COUNTS: Readonly<Record<string, readonly number[] | "any">> = {
  G: [1, 2, 3, 4],
  y: [1, 2, 3, 4, 5, 6],
  M: [1, 2, 3, 4],
  L: [1, 2, 3, 4],
  D: [1, 2, 3],
  d: [1, 2],
  g: "any",
  a: [1],
  h: [1, 2],
  K: [1, 2],
  k: [1, 2],
  H: [1, 2],
  m: [1, 2],
  s: [1, 2],
  S: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  V: [2],
  v: [1, 4],
  z: [1, 2, 3, 4],
  O: [1, 4],
  X: [1, 2, 3, 4, 5],
  x: [1, 2, 3, 4, 5],
  Z: [1, 2, 3, 4, 5],
};

/** Letters that are often taken for others, with advice. */
const MISTAKEN: Readonly<Record<string, string>> = {
  Y: "y is the year (Y is that of the week)",
  u: "y is the year",
  e: "a text's day of the week cannot be read",
  E: "a text's day of the week cannot be read",
  n: "S is a fraction of the second",
  A: "a is AM or PM",
  I: "quote words, e.g. 'T'",
  T: "write 'T' in quotes",
};

const ZONE = /[VvzOXxZ]/;

type Part =
  | { readonly kind: "letters" | "text" | "wrong"; readonly text: string }
  | { readonly kind: "optional"; readonly parts: readonly Part[] };

/** The first mistake of a pattern, as words that follow it, or `undefined`. */
export function datetimePatternMistake(pattern: string): string | undefined {
  const { parts, rest } = partsOf(pattern);
  if (rest !== "") return "a bracket is closed that was not opened";
  const all = flat(parts);
  const wrong = all.find(({ kind }) => kind === "wrong");
  if (wrong?.text.startsWith("'") === true) return "a quote is not closed";
  if (wrong !== undefined) return `${wrong.text} is reserved; put it in quotes`;
  const runs = all.filter(({ kind }) => kind === "letters").map(({ text }) => text);
  for (const run of runs) {
    const letter = run[0]!;
    const counts = COUNTS[letter];
    if (counts === undefined) {
      const advice = MISTAKEN[letter];
      return `${run} cannot be read${advice === undefined ? "; put words in quotes, e.g. 'at'" : `: ${advice}`}`;
    }
    if (counts !== "any" && !counts.includes(run.length))
      return `${run} has ${run.length} letters, and ${letter} may stand ${counts.join(", ")} times`;
  }
  const has = (letters: string) => runs.some((run) => letters.includes(run[0]!));
  if (!has("yg")) return "it has no year (y), so every text would be of 1970";
  if (has("hK") && !has("a")) return "h and K need a: without AM or PM the afternoon is lost";
  return undefined;
}

/** The pattern, with optional sections that hold a zone taken apart: first with the zone, then without. */
export function datetimePatterns(pattern: string): DatetimePattern[] {
  return variants(partsOf(pattern).parts);
}

function variants(parts: readonly Part[]): DatetimePattern[] {
  return parts.reduce<DatetimePattern[]>(
    (before, part) =>
      before.flatMap((start) =>
        variantsOf(part).map(({ pattern, hasZone }) => ({
          pattern: `${start.pattern}${pattern}`,
          hasZone: start.hasZone || hasZone,
        })),
      ),
    [{ pattern: "", hasZone: false }],
  );
}

function variantsOf(part: Part): DatetimePattern[] {
  if (part.kind !== "optional")
    return [{ pattern: part.text, hasZone: part.kind === "letters" && ZONE.test(part.text) }];
  const inside = variants(part.parts);
  const bare = inside.filter(({ hasZone }) => !hasZone);
  const without =
    bare.length === 0 ? [""] : bare.map(({ pattern }) => (pattern === "" ? "" : `[${pattern}]`));
  return [
    ...inside.filter(({ hasZone }) => hasZone),
    ...without.map((pattern) => ({ pattern, hasZone: false })),
  ];
}

const flat = (parts: readonly Part[]): Exclude<Part, { kind: "optional" }>[] =>
  parts.flatMap((part) => (part.kind === "optional" ? flat(part.parts) : [part]));

/** The parts up to the bracket that closes them, or to the end; `rest` begins with that bracket. */
function partsOf(pattern: string): { parts: readonly Part[]; rest: string } {
  const parts: Part[] = [];
  let rest = pattern;
  while (rest !== "" && !rest.startsWith("]")) {
    if (rest.startsWith("[")) {
      const inside = partsOf(rest.slice(1));
      parts.push({ kind: "optional", parts: inside.parts });
      rest = inside.rest.slice(1);
      continue;
    }
    const quoted = /^'(?:[^']|'')*'/.exec(rest)?.[0];
    const letters = /^([A-Za-z])\1*/.exec(rest)?.[0];
    const text = quoted ?? letters ?? rest[0]!;
    const isWrong = quoted === undefined && /['{}#]/.test(text);
    parts.push({ kind: isWrong ? "wrong" : letters === undefined ? "text" : "letters", text });
    rest = rest.slice(text.length);
  }
  return { parts, rest };
}
