import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { LOGS, ROOT } from "./places";

/** `npm start -- logs`: the ends of the logs, the last job run first. */

const TAIL_LINES = 15;

export function logs(): void {
  for (const line of logLines(LOGS)) console.log(line);
}

/** The lines to show, one file after the other. */
export function logLines(folder: string): string[] {
  const files = existsSync(folder) ? filesOf(folder) : [];
  if (files.length === 0) return ["no logs yet: type npm start"];
  const shown = [
    ...lastRunOf(folder).map((file) => [file, "the last job run"] as const),
    ...newest(files.filter((file) => file === join(folder, "aws.log"))).map(
      (file) => [file, "the embedded AWS"] as const,
    ),
    ...newest(
      files.filter((file) => /terraform-[\w-]+\.log$/.test(file) && !file.endsWith("-output.log")),
    ).map((file) => [file, "Terraform's last command"] as const),
  ];
  return [
    ...shown.flatMap(([file, what]) => [`== ${relative(ROOT, file)}`, `   ${what}`, ...end(file), ""]),
    `${files.length} files below ${relative(ROOT, folder)}`,
  ];
}

/** The files of the last job run: its output, then its errors, so that a failure comes last. */
function lastRunOf(folder: string): string[] {
  const runs = join(folder, "job-runs");
  if (!existsSync(runs)) return [];
  const all = filesOf(runs).filter((file) => /(output|error)\.log$/.test(file));
  const last = newest(all).map((file) => join(file, ".."))[0];
  return ["output.log", "error.log"]
    .map((name) => join(last ?? runs, name))
    .filter((file) => all.includes(file));
}

/** Files at any depth. */
function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The file that was written last, if there is a file. */
function newest(files: readonly string[]): string[] {
  const written = (file: string) => statSync(file).mtimeMs;
  return [...files].sort((one, other) => written(other) - written(one)).slice(0, 1);
}

function end(file: string): string[] {
  const text = readFileSync(file, "utf8").trimEnd();
  return text === "" ? ["(empty)"] : text.split("\n").slice(-TAIL_LINES);
}
