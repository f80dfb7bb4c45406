import { readFileSync } from "node:fs";
import { parseArgs, type ParseArgsConfig } from "node:util";

/** Parts of the library's commands that print to a terminal of 80 columns. */

const COLUMNS = 80;

/** A mistake in the command line, a file that cannot be read, or a tool that is missing. */
export class UsageError extends Error {}

/** Parses the words of a command. @throws UsageError for an unknown option */
export function parseWords<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The text of a file that the command line names. @throws UsageError */
export function readNamedFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${codeOf(error)})`);
  }
}

/** The code of a file system's error, e.g. `ENOENT`. */
export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** `1 file`, `2 files`. */
export const counted = (number: number, word: string): string =>
  `${number} ${word}${number === 1 ? "" : "s"}`;

/**
 * Breaks a text between words; a word longer than a line gets a line of its own.
 *
 * @param first the beginning of the first line
 * @param further the beginning of each further line
 */
export function wrap(text: string, first: string, further: string): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = further + word;
    } else line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}
