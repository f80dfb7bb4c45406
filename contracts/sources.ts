import { type Column, readColumns } from "./columns";
import { type Format, KEPT, KEPT_TYPE, readFormat } from "./format";
import { got, isText, NOTES, type NodeReader } from "./node-reader";
import { readShapes, type Shape } from "./shapes";

/** A place that deliveries come from, with the schema that it delivers: what it says itself, and the rest as the contract says it. */
export interface DeliverySource {
  /** The field that declares it, e.g. `x-etl.sources.ios`. */
  readonly place: string;
  readonly name: string;
  /** Below the pipeline's folder; ends in a slash. "" is that folder itself, for a source with `endings`. */
  readonly folder: string;
  /** The ends of the names of its files, where sources share a folder; empty: every file there is its own. */
  readonly endings: readonly string[];
  readonly layout: SourceLayout;
  /** The end of folders and files below it that are no day. */
  readonly unknownFolders: OnUnknown;
  /** The end of a run on a date that other sources have delivered and this one has not. */
  readonly whenMissing: "fail" | "report";
  readonly columns: readonly Column[];
  readonly format: Format;
  readonly shapes: readonly Shape[];
  /** The parts of the contract that the source has of its own. */
  readonly own: readonly ("format" | "shapes")[];
}

/** A column that a source does not deliver, with the one text that all its rows have; `null`: they have nothing. */
export interface Given {
  readonly name: string;
  /** Spelt as in Glue's catalogue. */
  readonly type: string;
  readonly value: string | null;
}

/** Names of the folders of days: `dt=2025-11-21`, or the milliseconds of a UTC midnight, `1763683200000`; `dms`: files as AWS DMS names them. */
export type SourceLayout = "dt" | "epochMillis" | "dms";
export type OnUnknown = (typeof ON_UNKNOWN)[number];

const LAYOUTS: readonly SourceLayout[] = ["dt", "epochMillis"];
const ON_UNKNOWN = ["refuse", "skip"] as const;
const WHEN_MISSING = ["fail", "report"] as const;
const KEYS = [
  "folder",
  "endings",
  "layout",
  "unknownFolders",
  "whenMissing",
  "properties",
  "format",
  "shapes",
];
const MOST_SOURCES = 20;
/** A source's name is part of the names of states, crawlers and tables. */
const LONGEST_NAME = 20;

/** The parts of a contract that a source may have of its own. */
interface Common {
  readonly columns: readonly Column[];
  readonly format: Format;
  readonly shapes: readonly Shape[];
}

/** @param common what the contract says for every source */
export function readSources(sources: NodeReader | undefined, common: Common): DeliverySource[] {
  if (sources === undefined) return [];
  const entries = sources.objects();
  if (entries.length < 1 || entries.length > MOST_SOURCES)
    sources.wrong("", `must hold 1 to ${MOST_SOURCES} sources, got ${entries.length}`);
  const read = entries.flatMap(([name, node]) =>
    node === undefined ? [] : [readSource(name, node, common)],
  );
  refuseTogether(sources, read);
  return read;
}

function readSource(name: string, node: NodeReader, common: Common): DeliverySource {
  if (!/^[a-z][a-z0-9]*(?:_[a-z][a-z0-9]*)*$/.test(name) || name.length > LONGEST_NAME)
    node.wrong(
      "",
      `must be named by words of small letters and digits, joined by '_', of at most ${LONGEST_NAME} characters, ${got(name)}`,
    );
  node.refuseOthers("a source", KEYS, NOTES);
  const own = (["format", "shapes"] as const).filter((key) => node.has(key));
  const shapes = node.has("shapes") ? readShapes(node.child("shapes")) : common.shapes;
  return {
    place: node.place,
    name,
    folder: node.has("folder") || !node.has("endings") ? readFolder(node) : "",
    endings: node.has("endings") ? readEndings(node) : [],
    layout: (node.has("layout") ? node.oneOf("layout", LAYOUTS) : undefined) ?? "dt",
    unknownFolders: readOnUnknown(node, "unknownFolders"),
    whenMissing: (node.has("whenMissing") ? node.oneOf("whenMissing", WHEN_MISSING) : undefined) ?? "fail",
    columns: merged(common.columns, node.has("properties") ? readColumns(node.child("properties")) : []),
    format: node.has("format") ? readFormat(node.child("format")) : common.format,
    // The contract's shapes describe files of its own format.
    shapes: own.includes("format") && !own.includes("shapes") ? [] : shapes,
    own,
  };
}

/** Reads whether folders that no source and no day has are refused or skipped. */
export function readOnUnknown(node: NodeReader, key: "unknownFolders" | "unknownSources"): OnUnknown {
  return (node.has(key) ? node.oneOf(key, ON_UNKNOWN) : undefined) ?? "refuse";
}

function readFolder(node: NodeReader): string {
  const folder = node.value("folder");
  if (isText(folder) && /^(?:[A-Za-z0-9][A-Za-z0-9_.-]*\/)+$/.test(folder) && folder.length <= 512)
    return folder;
  const demand = "one or more folders of letters, digits, '_', '-' and '.', each ending in '/'";
  node.wrong(
    "folder",
    `must be ${demand}, e.g. "segment-logs/${node.place.split(".").at(-1)}/", ${got(folder)}`,
  );
  return "";
}

function readEndings(node: NodeReader): readonly string[] {
  const endings = node.names("endings");
  const wrong = endings.find((one) => !/^\.[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(one) || one.length > 100);
  if (wrong !== undefined)
    node.wrong("endings", `must hold ends of names like ".xml" or ".csv.bz2", ${got(wrong)}`);
  return endings;
}

/** Compares the places of sources. A source with a mistake in its folder is not compared. */
function refuseTogether(node: NodeReader, sources: readonly DeliverySource[]): void {
  const known = sources.filter(({ folder, endings }) => folder !== "" || endings.length > 0);
  for (const [index, { name, folder, endings }] of known.entries())
    for (const earlier of known.slice(0, index)) {
      const [one, other] = [folder, earlier.folder];
      if (one === other && endings.length > 0 && earlier.endings.length > 0)
        refuseSharedEndings(node, name, endings, earlier);
      else if (one.startsWith(other) || other.startsWith(one))
        node.wrong(
          `${name}.folder`,
          `must not be or lie in that of ${earlier.name}, '${other}', ${got(one)}`,
        );
      else if (crawledName({ name, folder }) === crawledName(earlier))
        node.wrong(
          `${name}.folder`,
          `must end in another name than that of ${earlier.name}, '${other}', ${got(one)}: a crawler names a table after it`,
        );
    }
}

/** Sources of one folder are told apart by the ends of names, so no name may have ends of both. */
function refuseSharedEndings(
  node: NodeReader,
  name: string,
  endings: readonly string[],
  earlier: DeliverySource,
): void {
  const shared = endings.find((one) =>
    earlier.endings.some((other) => one.endsWith(other) || other.endsWith(one)),
  );
  if (shared !== undefined)
    node.wrong(
      `${name}.endings`,
      `must not hold '${shared}', which a name may share with the endings of ${earlier.name}, ${earlier.endings.join(", ")}`,
    );
}

/** The name that a crawler gives to the table of a source's folder, without its prefix; the source's name in the pipeline's own folder. */
export const crawledName = ({ name, folder }: Pick<DeliverySource, "name" | "folder">): string =>
  (folder === "" ? name : folder.split("/").at(-2)!).toLowerCase().replaceAll(/[^a-z0-9_]/g, "_");

/** Columns with those of a source: in the place of the column of the same name, or behind. */
function merged(common: readonly Column[], own: readonly Column[]): readonly Column[] {
  const replaced = common.map((column) => own.find(({ name }) => name === column.name) ?? column);
  return [...replaced, ...own.filter(({ name }) => !common.some((column) => column.name === name))];
}

/** The columns that any source delivers, each once. */
export function unitedColumns(
  common: readonly Column[],
  sources: readonly DeliverySource[],
): readonly Column[] {
  if (sources.length === 0) return common;
  const all = new Map<string, Column>();
  for (const column of sources.flatMap(({ columns }) => columns))
    if (!all.has(column.name)) all.set(column.name, column);
  return [...all.values()];
}

/** The columns that no source need deliver: the source's name, and the unknown ones that some source keeps. */
export function givenToAll(
  sources: readonly DeliverySource[],
  sourceColumn: string | undefined,
  format: Format,
): readonly Given[] {
  const isKept =
    format.unknownColumns !== "keep" && sources.some((one) => one.format.unknownColumns === "keep");
  return [
    ...(sourceColumn === undefined ? [] : [{ name: sourceColumn, type: "string", value: null }]),
    ...(isKept ? [{ name: KEPT, type: KEPT_TYPE, value: null }] : []),
  ];
}
