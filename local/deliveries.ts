import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { UserError } from "./user-error";

/** One file of a delivery. */
export interface DeliveredFile {
  readonly path: string;
  /** Below the pipeline's prefix, e.g. `dt=2010-12-01/events.json`. */
  readonly name: string;
  readonly sha256: string;
}

/** What a folder delivers: its dates in order, and their files. */
export interface Deliveries {
  readonly dates: readonly string[];
  readonly files: readonly DeliveredFile[];
}

const EXPECTED = "expected folders dt=YYYY-MM-DD/ with files in them, e.g. dt=2010-12-01/events.json";

/**
 * Finds the deliveries in a folder.
 *
 * @throws UserError when there is none, or none of `runDate`
 */
export function findDeliveries(folder: string, runDate?: string): Deliveries {
  if (!existsSync(folder)) throw new UserError(`--input: there is no folder '${folder}': ${EXPECTED}`);
  if (!statSync(folder).isDirectory()) throw new UserError(`--input: '${folder}' is no folder: ${EXPECTED}`);
  const files = readdirSync(folder, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isDirectory() && isDate(entry.name.replace(/^dt=/, "")) && entry.name.startsWith("dt="),
    )
    .map((entry) => entry.name)
    .sort()
    .flatMap((day) => filesOf(folder, join(folder, day)));
  const dates = [...new Set(files.map(({ name }) => name.slice("dt=".length, "dt=YYYY-MM-DD".length)))];
  if (dates.length === 0) throw new UserError(`--input: '${folder}' holds no delivery: ${EXPECTED}`);
  if (runDate !== undefined && !dates.includes(runDate)) {
    const found =
      dates.length > 3 ? `${dates[0]} to ${dates.at(-1)} (${dates.length} dates)` : dates.join(", ");
    throw new UserError(`--run-date: '${folder}' holds no delivery for ${runDate}; it holds ${found}`);
  }
  return { dates, files };
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function filesOf(root: string, folder: string): DeliveredFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({
      path,
      name: relative(root, path).split(sep).join("/"),
      sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
    }));
}
