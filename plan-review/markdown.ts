import { UNKNOWN } from "./change";

const LONGEST = 120;

/** Addresses of a local AWS mean nothing to a reader: `http://127.0.0.1:4566/000000000000/shop` is the queue `shop`. */
const LOCAL =
  /https?:\/\/(?:[a-z0-9.-]+\.)?(?:localhost\.localstack\.cloud|localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?(?:\/\d{12}(?=\/))?\/?/gi;
const QUEUE_URL = /https:\/\/(?:sqs\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)\/\d{12}\//g;

/** A text of a plan without the addresses of servers. */
export const withoutServers = (text: string): string =>
  text.includes("://") ? text.replaceAll(LOCAL, "").replaceAll(QUEUE_URL, "") : text;

/** A code span, safe for any text of a plan: its fence is longer than any run of backticks within (https://spec.commonmark.org/0.31.2/#code-spans). */
export function code(text: string): string {
  const flat = withoutServers(text).replaceAll(/\s+/g, " ").trim();
  const cut = flat.length > LONGEST ? `${flat.slice(0, LONGEST - 1)}…` : flat;
  const longest = Math.max(0, ...[...cut.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${cut || " "}${fence}` : `${fence} ${cut} ${fence}`;
}

/** A value as text for readers. */
export function shown(value: unknown): string {
  if (value === UNKNOWN) return "not known until apply";
  if (value === undefined || value === null || value === "") return "none";
  if (Array.isArray(value) && value.length === 0) return "none";
  if (typeof value === "string") return withoutServers(value);
  return withoutServers(
    JSON.stringify(value, (_, inner: unknown) => (inner === UNKNOWN ? "not known until apply" : inner)),
  );
}

export const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

export const folded = (summary: string, body: string): string =>
  `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;

export const count = (number: number, word: string, words = `${word}s`): string =>
  `${number} ${number === 1 ? word : words}`;
