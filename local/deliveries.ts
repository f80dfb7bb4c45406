import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { UserError } from "./user-error";

/** One file of a delivery. */
export interface DeliveredFile {
  readonly path: string;
  /** Below the pipeline's prefix, e.g. `dt=2010-12-01/events.json`. */
  readonly name: string;
  readonly sha256: string;
}

/** What an input delivers: its dates in order, and their files. */
export interface Deliveries {
  readonly dates: readonly string[];
  readonly files: readonly DeliveredFile[];
}

/** What may be asked of an input. */
export interface Asked {
  /** The pipeline that it is for; messages name it. */
  readonly pipeline: string;
  readonly runDate?: string;
}

/**
 * Finds the deliveries of an input: a folder with `dt=YYYY-MM-DD/` folders or with files named by their date
 * (`2010-12-01.csv`, `2010-12-01.csv.gz`), or one such file. Files and folders of other names are left alone.
 *
 * @throws UserError when there is none, none of `runDate`, or dates in both forms
 */
export function findDeliveries(input: string, { pipeline, runDate }: Asked): Deliveries {
  const refuse = (what: string) => new UserError(`--input: ${what}: ${expectedOf(pipeline)}`);
  if (!existsSync(input)) throw refuse(`there is no folder or file '${input}'`);
  const files = statSync(input).isDirectory() ? inFolder(input) : dated([input]);
  if (files.length === 0) {
    const what = statSync(input).isDirectory() ? "holds no delivery" : "is a file whose name is no date";
    throw refuse(`'${input}' ${what}`);
  }
  const dates = [...new Set(files.map(({ name }) => name.slice("dt=".length, "dt=YYYY-MM-DD".length)))];
  if (runDate !== undefined && !dates.includes(runDate)) {
    const found =
      dates.length > 3 ? `${dates[0]} to ${dates.at(-1)} (${dates.length} dates)` : dates.join(", ");
    throw new UserError(
      `--run-date: '${input}' holds no delivery of ${pipeline} for ${runDate}; it holds ${found}`,
    );
  }
  return { dates, files };
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function expectedOf(pipeline: string): string {
  return (
    `expected for ${pipeline} folders dt=YYYY-MM-DD/ with files in them, e.g. dt=2010-12-01/${pipeline}.json, ` +
    "or files named by their date, e.g. 2010-12-01.csv or 2010-12-01.csv.gz"
  );
}

function inFolder(folder: string): DeliveredFile[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const inDays = entries
    .filter((entry) => entry.isDirectory() && /^dt=/.test(entry.name) && isDate(entry.name.slice(3)))
    .flatMap((day) => filesBelow(folder, join(folder, day.name)));
  const byName = dated(entries.filter((entry) => entry.isFile()).map(({ name }) => join(folder, name)));
  if (inDays.length > 0 && byName.length > 0) {
    const [file] = byName;
    throw new UserError(
      `--input: '${folder}' holds folders (${inDays[0]!.name.split("/")[0]}/) and files named by their date ` +
        `(${basename(file!.path)}): use one form, e.g. move the file to ${file!.name}`,
    );
  }
  return [...inDays, ...byName];
}

/** Those of some files that are named by a date and an ending. */
function dated(paths: readonly string[]): DeliveredFile[] {
  return paths.flatMap((path) => {
    const [day, ending] = [basename(path).slice(0, 10), basename(path).slice(10)];
    return isDate(day) && /^\.\w/.test(ending) ? [delivered(path, `dt=${day}/${basename(path)}`)] : [];
  });
}

function filesBelow(root: string, folder: string): DeliveredFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => delivered(path, relative(root, path).split(sep).join("/")));
}

function delivered(path: string, name: string): DeliveredFile {
  return { path, name, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
}
