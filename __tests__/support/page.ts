import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./clone";

/** A page of docs/ as somebody follows it: the files that it has written down, and the commands that it has typed. */
export interface Page {
  /** Name → text, of each block below a line that holds nothing but the file's name. */
  readonly files: Readonly<Record<string, string>>;
  /** The blocks of commands, in order. */
  readonly commands: readonly string[];
  /** The blocks of text that follow a block of commands: their output. */
  readonly answers: readonly string[];
}

export function readPage(file: string): Page {
  const text = readFileSync(join(ROOT, file), "utf8");
  const files = [...text.matchAll(/^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$/gms)];
  const commands = [...text.matchAll(/^```sh\n(.*?)^```$/gms)];
  const answers = [...text.matchAll(/^```\n\n```text\n(.*?)^```$/gms)];
  return {
    files: Object.fromEntries(files.map(([, name, content]) => [name!, content!])),
    commands: commands.map(([, block]) => block!),
    answers: answers.map(([, block]) => block!),
  };
}
