import { type Candidate } from "./environment-candidates";

/**
 * The form of a refusal that somebody can act on: `environment 'dev': 'field' what it must be, got value; what to do`. The field
 * is one of the settings, the value is what was given there, and what must be or what to do is said.
 */

const LINE = /^environment '[^\n]*?': '([\w.-]+)' (.+)$/;
/** A message about a whole that is too much: its sum has every factor. */
const SUM =
  /(?:give|take) \d+ workers × \d+ DPU \([\w.]+\) × \d+ min \/ 60 = [\d.]+ DPU-hours, the limit is [\d.]+/;
const REMEDY = /\bmust\b|\b[Ee]xpected\b|\bset ETL_|\btakes? .* only|; [a-z]+ /;

/** Why a line is not of that form; `undefined` when it is. */
export function formMistake(line: string, candidate: Candidate): string | undefined {
  const unknown = /^environment '[^']*': has unknown settings '([^']+)', got (.+); remove/.exec(line);
  if (unknown !== null) return unknown[1]! in candidate ? undefined : `'${unknown[1]}' was not given`;
  const match = LINE.exec(line);
  if (match === null) return "it names no field";
  const [, field, said] = match as unknown as [string, string, string];
  if (!REMEDY.test(said)) return "it says neither what must be nor what to do";
  const isMissing = / is not set; set ETL_/.test(` ${said}`);
  if (SUM.test(said) || isMissing) return undefined;
  const path = field.split(".");
  const given = at(candidate, path);
  const beside = leaves(at(candidate, path.slice(0, -2)));
  return isNamed(given, said, beside) ? undefined : `it does not say that ${JSON.stringify(given)} was given`;
}

function at(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined || typeof value !== "object" || value === null)
    return name === undefined ? value : undefined;
  return at((value as Record<string, unknown>)[name], rest);
}

/** The value itself, a part of it that is wrong, or the one beside it that it does not go together with. */
function isNamed(given: unknown, said: string, beside: readonly unknown[]): boolean {
  const got = /\bgot (?:(\d+) in )?("(?:[^"\\]|\\.)*"|[^\s;:,]+)/.exec(said)?.[2];
  if (given === undefined && got !== undefined && /^(nothing|undefined|\{)/.test(got)) return true;
  if (typeof given === "object" && given !== null)
    return got?.startsWith("{") === true || got?.startsWith("[") === true;
  if (given !== undefined && said.includes(JSON.stringify(given))) return true;
  if (["string", "number", "boolean"].includes(typeof given) && said.includes(`'${given as string}'`))
    return true;
  if (got === undefined) return false;
  const text = got.replace(/^"|"$/g, "");
  return (JSON.stringify(given) ?? "").includes(text) || beside.some((value) => String(value) === text);
}

function leaves(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leaves) : [value];
}
