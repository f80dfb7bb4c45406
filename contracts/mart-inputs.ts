import { knownNames, type ModelColumn, NAME, readColumns } from "./models";
import { got, isNode, type NodeReader } from "./node-reader";

/** The tables that a mart reads. */

/** The zones that a mart reads. */
export const INPUT_ZONES = ["processed", "curated"] as const;
/** The parts of a table that a SELECT sees: see `MartInput.reads`. */
export const READS = ["current", "versions", "states", "rows"] as const;

/** A table that a mart reads. */
export interface MartInput {
  /** The name under which SELECTs read it. */
  readonly name: string;
  readonly zone: (typeof INPUT_ZONES)[number];
  readonly table: string;
  /**
   * The rows that a SELECT sees of a table of every version: the present, all versions, or the states at the end of days, with their `date`.
   * `rows` is for a table without versions.
   */
  readonly reads: (typeof READS)[number];
  /** The key of its versions; empty for `rows`. */
  readonly key: readonly string[];
  /** The columns that order versions of a key with equal `valid_from`, before their deliveries do. */
  readonly order: readonly string[];
  /** The columns that are read, with their types. */
  readonly columns: readonly ModelColumn[];
  /** The inputs whose versions say on which days there are states; empty but for `states`. */
  readonly days: readonly string[];
  /** @default - all days */
  readonly windowDays?: number;
}

const MOST_DAYS = 36_500;

/** Reads the inputs of a mart. */
export function readInputs(file: NodeReader): MartInput[] {
  const entries = file.child("inputs")?.objects() ?? [];
  if (entries.length === 0 && isNode(file.value("inputs"))) file.wrong("inputs", "must hold a table");
  const names = entries.map(([name]) => name);
  const inputs = entries.flatMap(([name, reader]) => (reader === undefined ? [] : [readInput(name, reader)]));
  for (const { name, days } of inputs) {
    const others = days.filter((one) => !isVersioned(inputs, one));
    if (others.length > 0)
      file.wrong(
        `inputs.${name}.days`,
        `must name inputs that are tables of every version (of ${names.join(", ")}), got ${others.join(", ")}`,
      );
  }
  return inputs;
}

const isVersioned = (inputs: readonly MartInput[], name: string): boolean =>
  inputs.some((one) => one.name === name && one.reads !== "rows");

function readInput(name: string, reader: NodeReader): MartInput {
  reader.refuseOthers("an input", [
    ...["description", "zone", "table", "reads", "key", "order", "columns", "days", "windowDays"],
  ]);
  if (!NAME.test(name)) reader.wrong("", `must be named in lower-case letters, digits and underscores`);
  const reads = reader.has("reads") ? (reader.oneOf("reads", READS) ?? "current") : "current";
  const columns = readColumns(reader);
  if (columns.length === 0 && isNode(reader.value("columns"))) reader.wrong("columns", "must hold a column");
  const table = reader.text("table");
  if (table !== "" && !NAME.test(table)) reader.wrong("table", `must be the name of a table, ${got(table)}`);
  return {
    ...{ name, table, reads, columns },
    zone: reader.has("zone") ? (reader.oneOf("zone", INPUT_ZONES) ?? "processed") : "processed",
    key: reads === "rows" ? refused(reader, "key", reads) : knownNames(reader, "key", columns),
    order: readOrder(reader, reads, columns),
    ...readDays(reader, reads, columns),
  };
}

function readOrder(reader: NodeReader, reads: string, columns: readonly ModelColumn[]): readonly string[] {
  if (reads === "rows") return refused(reader, "order", reads);
  return reader.has("order") ? knownNames(reader, "order", columns) : [];
}

function readDays(
  reader: NodeReader,
  reads: string,
  columns: readonly ModelColumn[],
): Pick<MartInput, "days" | "windowDays"> {
  if (reads !== "states") {
    refused(reader, "windowDays", reads);
    return { days: refused(reader, "days", reads) };
  }
  if (columns.some(({ name }) => name === "date"))
    reader.wrong("columns", "must not hold date, which is the day of a state");
  const days = reader.names("days");
  return reader.has("windowDays") ? { days, windowDays: reader.whole("windowDays", 1, MOST_DAYS) } : { days };
}

function refused(reader: NodeReader, key: string, reads: string): readonly string[] {
  if (reader.has(key)) reader.wrong(key, `has no meaning where 'reads' is ${reads}: leave it out`);
  return [];
}
