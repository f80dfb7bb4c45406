import { timeZoneMistake } from "../modules/schedules/time-zone";
import { type DatetimePattern, datetimePatterns } from "./datetime-pattern";
import { NOTES, type NodeReader } from "./node-reader";

/** How a text becomes an instant: in the first of the patterns that fits. A text without a zone is a local time in `timeZone`. */
export interface Moments {
  /** The field that declares them, e.g. `x-etl.timestamp`. */
  readonly place: string;
  readonly patterns: readonly DatetimePattern[];
  /** An IANA name. */
  readonly timeZone: string;
  /** False if UTC is assumed, because the contract names no zone. */
  readonly isZoneDeclared: boolean;
  /** The instant of a local time that occurs twice. */
  readonly ambiguous: (typeof AMBIGUOUS)[number];
  /** The fate of a local time that is skipped; `later`: the clock goes on as if it had not been put forward. */
  readonly nonexistent: (typeof NONEXISTENT)[number];
}

const AMBIGUOUS = ["first", "second", "quarantine"] as const;
const NONEXISTENT = ["quarantine", "later"] as const;

/** @param others further keys that the node may hold */
export function readMoments(node: NodeReader, what: string, others: readonly string[] = []): Moments {
  node.refuseOthers(what, [...others, "formats", "timeZone", "ambiguous", "nonexistent"], NOTES);
  const formats = node.patterns("formats");
  const timeZone = node.has("timeZone") ? node.text("timeZone") : "UTC";
  const mistake = timeZone === "" ? undefined : zoneMistake(timeZone);
  if (mistake !== undefined) node.wrong("timeZone", mistake);
  return {
    place: node.place,
    patterns: formats.flatMap((format) => patternsIn(format, timeZone)),
    timeZone,
    isZoneDeclared: node.has("timeZone"),
    ambiguous: (node.has("ambiguous") ? node.oneOf("ambiguous", AMBIGUOUS) : undefined) ?? "first",
    nonexistent:
      (node.has("nonexistent") ? node.oneOf("nonexistent", NONEXISTENT) : undefined) ?? "quarantine",
  };
}

/** In UTC a text without a zone is read like one with it, so that a pattern need not be taken apart. */
function patternsIn(format: string, timeZone: string): DatetimePattern[] {
  const variants = datetimePatterns(format);
  if (timeZone !== "UTC") return variants;
  return [{ pattern: format, hasZone: variants.every(({ hasZone }) => hasZone) }];
}

/** Zones of 2025. The Java of a Glue version is older, and would fail on its first row. */
const TOO_NEW = ["America/Coyhaique"];

function zoneMistake(timeZone: string): string | undefined {
  if (!TOO_NEW.includes(timeZone)) return timeZoneMistake(timeZone);
  return `must be a zone that the Java of Glue knows, got ${JSON.stringify(timeZone)}; name one with the same clock`;
}
