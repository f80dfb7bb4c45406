import { stripVTControlCharacters } from "node:util";

/** Lines that fit a terminal. They wrap and are never cut, so that people can read and copy all of the text. */

export const WIDTH = 80;
/** A word without spaces, such as an ARN, breaks after one of these where it can. */
const BREAKS = /[/:,;=&?._-]/;
/** Columns that a break may leave unused. */
const SLACK = 20;

const widthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Wraps each line at `width` columns. Continued lines are indented by `hanging` more. */
export function wrap(text: string, width = WIDTH, hanging = "  "): string {
  return text
    .split("\n")
    .flatMap((line) => (widthOf(line) <= width ? [line] : wrapLine(line, width, hanging)))
    .join("\n");
}

/**
 * Wraps a shell command at `width` columns with backslashes. Continued lines are not indented: pasted, the lines are one command,
 * even where a word was broken.
 */
export function wrapCommand(text: string, width = WIDTH): string {
  // Room for a space and the backslash.
  return wrapLine(text, width - 2, "", false).join("\\\n");
}

function wrapLine(text: string, width: number, hanging: string, isTrimmed = true): string[] {
  const indent = /^ */.exec(text)![0].slice(0, Math.floor(width / 2));
  const lines: string[] = [];
  let line = indent;
  let begun = false;
  const next = () => {
    lines.push(isTrimmed ? line.trimEnd() : line);
    line = hanging === "" ? "" : `${indent}${hanging}`;
    begun = false;
  };
  for (let word of text.slice(indent.length).split(/(?<= )(?=[^ ])/)) {
    if (begun && widthOf(line) + widthOf(word.trimEnd()) > width) next();
    while (widthOf(line) + widthOf(word.trimEnd()) > width) {
      const room = breakAt(word, width - widthOf(line));
      line += word.slice(0, room);
      word = word.slice(room);
      next();
    }
    line += word;
    begun = true;
  }
  return [...lines, line.trimEnd()];
}

/** Characters of a long word that stay on the line. */
function breakAt(word: string, room: number): number {
  for (let end = room; end > Math.max(1, room - SLACK); end--)
    if (BREAKS.test(word.charAt(end - 1))) return end;
  const end = Math.max(1, room);
  // Do not split a surrogate pair.
  return end > 1 && /[\ud800-\udbff]/.test(word.charAt(end - 1)) ? end - 1 : end;
}

type Write = (text: string, done?: (error?: Error | null) => void) => boolean;
const unfitted = new Map<NodeJS.WriteStream, Write>();
const writeOf = (stream: NodeJS.WriteStream): Write => unfitted.get(stream) ?? stream.write.bind(stream);

/** Wraps all text that is written to the stream from now on. */
export function fit(stream: NodeJS.WriteStream): void {
  if (unfitted.has(stream)) return;
  const write = stream.write.bind(stream);
  unfitted.set(stream, write);
  const fitted = (chunk: string | Uint8Array, ...rest: never[]): boolean =>
    write(typeof chunk === "string" ? wrap(chunk) : chunk, ...rest);
  stream.write = fitted;
}

/** Writes data without wrapping it, and waits for a slow reader. */
export async function writeData(text: string, stream: NodeJS.WriteStream = process.stdout): Promise<void> {
  await new Promise<void>((done, failed) => {
    writeOf(stream)(text, (error) => (error ? failed(error) : done()));
  });
}
