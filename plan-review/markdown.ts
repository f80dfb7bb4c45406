import { UNKNOWN } from "./change";

const LONGEST = 120;

/** A code span, safe for any text of a plan: its fence is longer than any run of backticks within (https://spec.commonmark.org/0.31.2/#code-spans). */
export function code(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  const cut = flat.length > LONGEST ? `${flat.slice(0, LONGEST - 1)}…` : flat;
  const longest = Math.max(0, ...[...cut.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${cut || " "}${fence}` : `${fence} ${cut} ${fence}`;
}

/** A value as text for readers. */
export function shown(value: unknown): string {
  if (value === UNKNOWN) return "not known until apply";
  if (value === undefined || value === null || value === "") return "none";
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_, inner: unknown) => (inner === UNKNOWN ? "not known until apply" : inner));
}

export const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

export const folded = (summary: string, body: string): string =>
  `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;

export const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
