import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import type { ContractSource } from "../contracts/source-contracts";
import { UserError } from "./user-error";

/** One file of a delivery. */
export interface DeliveredFile {
  readonly path: string;
  /** Below the pipeline's prefix, e.g. `dt=2010-12-01/events.json`. */
  readonly name: string;
  readonly sha256: string;
}

/** The dates of an input in order, their files, and the files that are ignored. */
export interface Deliveries {
  readonly dates: readonly string[];
  readonly files: readonly DeliveredFile[];
  readonly leftOut: readonly LeftOut[];
}

/** A file or folder of the input that is not a delivery. */
export interface LeftOut {
  /** Below the input. */
  readonly name: string;
  readonly why: string;
}

/**
 * Endings of files that are named by their date. A packing such as `.gz` may follow. The job refuses packings that it cannot read,
 * so that nothing which looks like a delivery is ignored.
 */
const ENDINGS = ["csv", "tsv", "txt", "json", "jsonl", "ndjson"];
/** Names with a known ending, packed or not. */
const ENDS = new RegExp(String.raw`\.(?:${ENDINGS.join("|")})(?:\.\w+)?$`, "i");
const TAKEN = new RegExp(String.raw`^\.(?:${ENDINGS.join("|")})(?:\.\w+)*$`, "i");

/** The deliveries to look for. */
export interface Asked {
  /** Messages name it. */
  readonly pipeline: string;
  readonly runDate?: string;
  /**
   * The places of the pipeline's contract.
   * @default - one: folders of dates, or files named by their date
   */
  readonly places?: readonly ContractSource[];
}

/**
 * Finds the deliveries of an input: a folder with `dt=YYYY-MM-DD/` folders or with files named by their date
 * (`2010-12-01.csv`, `2010-12-01.csv.gz`), or one such file. Of a pipeline with several sources it is a folder with their folders. Other
 * files and folders are ignored.
 *
 * @throws UserError without a delivery, without one for `runDate`, or with dates in both forms
 */
export function findDeliveries(input: string, { pipeline, runDate, places = [] }: Asked): Deliveries {
  const named = places.filter(({ name }) => name !== undefined);
  const expected = named.length === 0 ? expectedOf(pipeline) : expectedOfSources(pipeline, named);
  const refuse = (what: string) => new UserError(`--input: ${what}: ${expected}`);
  if (!existsSync(input)) throw refuse(`'${input}' does not exist`);
  const isFolder = statSync(input).isDirectory();
  if (!isFolder && named.length > 0) throw refuse(`'${input}' is not a folder`);
  const { files, leftOut } =
    named.length > 0
      ? inSources(input, named)
      : isFolder
        ? inFolder(input)
        : sorted(dirname(input), [basename(input)]);
  const dates = datesOf(files, named.length > 0 ? named : [{ folder: "", layout: "dt", table: "" }]);
  if (dates.length === 0) {
    const beside = leftOutLines(leftOut).join("; ");
    if (isFolder) throw refuse(`no delivery found in '${input}'${beside && ` (${beside})`}`);
    throw refuse(`'${input}' is not a delivery (${leftOut[0]!.why})`);
  }
  if (runDate !== undefined && !dates.includes(runDate)) {
    const found =
      dates.length > 3 ? `${dates[0]} to ${dates.at(-1)} (${dates.length} dates)` : dates.join(", ");
    throw new UserError(
      `--run-date: no delivery of ${pipeline} for ${runDate} in '${input}'; found ${found}`,
    );
  }
  return { dates, files, leftOut };
}

/** The first ignored files, one line each. */
export function leftOutLines(leftOut: readonly LeftOut[]): string[] {
  const more = leftOut.length - MOST_NAMED;
  return [
    ...leftOut.slice(0, MOST_NAMED).map(({ name, why }) => `ignored: ${shown(name)} (${why})`),
    ...(more > 0 ? [`ignored: ${more} more`] : []),
  ];
}

const MOST_NAMED = 5;

/** A name as one short line, control characters escaped. */
function shown(name: string): string {
  const text = JSON.stringify(name).slice(1, -1);
  return text.length <= 28 ? text : `${text.slice(0, 15)}…${text.slice(-12)}`;
}

/** `true` for a calendar day, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

function expectedOf(pipeline: string): string {
  return (
    `${pipeline} expects folders dt=YYYY-MM-DD/ with files in them, e.g. dt=2010-12-01/${pipeline}.json, ` +
    "or files named by their date, e.g. 2010-12-01.csv or 2010-12-01.csv.gz"
  );
}

function expectedOfSources(pipeline: string, places: readonly ContractSource[]): string {
  const shown = places.map(
    ({ folder, layout }) => `${folder}${layout === "dt" ? "dt=2025-11-21" : "1763683200000"}/`,
  );
  const different = [...new Set(shown)];
  const millis = places.some(({ layout }) => layout === "epochMillis");
  const why = millis ? ", where the number is the milliseconds of a UTC midnight" : "";
  return `${pipeline} expects folders like ${different.join(" and ")} with files in them${why}`;
}

/** The dates of the folders that files lie in, in order. */
function datesOf(files: readonly DeliveredFile[], places: readonly ContractSource[]): string[] {
  const found = new Set<string>();
  for (const { name } of files)
    for (const { folder, layout } of places) {
      const day = name.startsWith(folder) ? name.slice(folder.length).split("/", 1)[0]! : "";
      const date = layout === "dt" ? day.slice("dt=".length) : dateOfMillis(day);
      if (date !== undefined && isDate(date) && (layout !== "dt" || day === `dt=${date}`)) found.add(date);
    }
  return [...found].sort();
}

const DAY_MILLIS = 86_400_000;

/** The date of a UTC midnight in milliseconds; `undefined` for any other text. */
function dateOfMillis(text: string): string | undefined {
  const millis = Number(text);
  const isMidnight = /^(?:0|[1-9]\d{0,14})$/.test(text) && millis % DAY_MILLIS === 0;
  return isMidnight ? new Date(millis).toISOString().slice(0, "YYYY-MM-DD".length) : undefined;
}

/** All files below the folders that hold those of the sources: the job judges what lies beside them. */
function inSources(folder: string, places: readonly ContractSource[]): Found {
  const parents = new Set(places.map((place) => place.folder.split("/").slice(0, -2).join("/")));
  const found = [...parents].sort().map((parent) => filesBelow(folder, join(folder, parent)));
  const roots = [...parents].map((parent) => parent.split("/", 1)[0]!);
  const beside = roots.includes("")
    ? []
    : readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !roots.includes(name));
  return {
    files: [
      ...new Map(found.flatMap(({ files }) => files.map((file) => [file.name, file] as const))).values(),
    ],
    leftOut: [
      ...found.flatMap(({ leftOut }) => leftOut),
      ...beside
        .map((entry) => ({ name: entry.isDirectory() ? `${entry.name}/` : entry.name, why: "of no source" }))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    ],
  };
}

interface Found {
  readonly files: readonly DeliveredFile[];
  readonly leftOut: readonly LeftOut[];
}

function inFolder(folder: string): Found {
  const names = readdirSync(folder).sort();
  const folders = names.filter((name) => kindOf(join(folder, name)) === "folder");
  const isDay = (name: string) => name.startsWith("dt=") && isDate(name.slice(3));
  const days = folders.filter(isDay).map((day) => filesBelow(folder, join(folder, day)));
  const inDays = days.flatMap(({ files }) => files);
  const named = sorted(
    folder,
    names.filter((name) => !folders.includes(name)),
  );
  const byName = named.files;
  if (inDays.length > 0 && byName.length > 0) {
    const [file] = byName;
    throw new UserError(
      `--input: '${folder}' holds folders (${inDays[0]!.name.split("/")[0]}/) and files named by their date ` +
        `(${basename(file!.path)}): use one form, e.g. move the file to ${file!.name}`,
    );
  }
  const otherFolders = folders.filter((name) => !isDay(name));
  return {
    files: [...inDays, ...byName],
    leftOut: [
      ...days.flatMap(({ leftOut }) => leftOut),
      ...otherFolders.map((name) => ({ name: `${name}/`, why: "not named dt=YYYY-MM-DD" })),
      ...named.leftOut,
    ],
  };
}

/** Sorts files: those named by a date and a known ending are deliveries. */
function sorted(folder: string, names: readonly string[]): Found {
  const judged = names.map((name) => ({ name, why: whyLeftOut(folder, name) }));
  return {
    files: judged
      .filter(({ why }) => why === undefined)
      .map(({ name }) => delivered(join(folder, name), `dt=${name.slice(0, 10)}/${name}`)),
    leftOut: judged.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }])),
  };
}

function whyLeftOut(folder: string, name: string): string | undefined {
  if (name.startsWith(".")) return HIDDEN;
  if (!isDate(name.slice(0, 10))) return "no date in its name";
  if (!TAKEN.test(name.slice(10)))
    return ENDS.test(name)
      ? "name has more than date and ending; put it below dt=YYYY-MM-DD/"
      : `not ${ENDINGS.join(", ")}`;
  return kindOf(join(folder, name)) === "file" ? undefined : NO_FILE;
}

const HIDDEN = "hidden";
const NO_FILE = "not a file";

function filesBelow(root: string, folder: string): Found {
  if (kindOf(folder) !== "folder") return { files: [], leftOut: [] };
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const judged = paths.map((path) => {
    const why = basename(path).startsWith(".") ? HIDDEN : kindOf(path) === "file" ? undefined : NO_FILE;
    return { path, name: relative(root, path).split(sep).join("/"), why };
  });
  return {
    files: judged.flatMap(({ path, name, why }) => (why === undefined ? [delivered(path, name)] : [])),
    leftOut: judged.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }])),
  };
}

/** Links are followed. */
function kindOf(path: string): "file" | "folder" | "neither" {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return "file";
  return found?.isDirectory() ? "folder" : "neither";
}

function delivered(path: string, name: string): DeliveredFile {
  return { path, name, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
}
