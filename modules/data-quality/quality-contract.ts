import { type Mistake } from "../core/refusals";
import { type Judged } from "./quality-rules";

/** How Glue's catalogue spells what a JSON Schema calls these. */
const KINDS: Readonly<Record<string, string>> = {
  string: "string",
  integer: "bigint",
  number: "double",
  array: "array",
};

type Node = Readonly<Record<string, unknown>>;

/**
 * The published columns and the reasons of a contract (a JSON Schema with `x-etl`), as far as quality rules name them.
 * What else a contract must say is the job's to judge. Pure.
 *
 * @param document the parsed file
 */
export function readContract(document: unknown): { judged: Judged; mistakes: readonly Mistake[] } {
  const schema = asNode(document);
  const extension = asNode(schema["x-etl"]);
  const mistakes: Mistake[] = [];
  const kinds = kindsOf(schema, extension);
  const output = listOf(extension.output, "x-etl.output", "names of columns", mistakes);
  const columns = new Map<string, string>();
  for (const name of output) {
    const kind = kinds.get(name);
    if (kind !== undefined) columns.set(name as string, kind);
    else
      mistakes.push(["x-etl.output", `must name what is delivered or derived, got ${JSON.stringify(name)}`]);
  }
  const reasons = listOf(extension.reasons, "x-etl.reasons", "objects with a reason", mistakes).map(
    (entry) => asNode(entry).reason,
  );
  if (!reasons.every((reason) => typeof reason === "string")) {
    mistakes.push(["x-etl.reasons", "must be objects with a reason each, got one without"]);
  }
  return { judged: { columns, reasons: reasons.map(String) }, mistakes };
}

function kindsOf(schema: Node, extension: Node): ReadonlyMap<unknown, string> {
  const delivered = Object.entries(asNode(schema.properties)).flatMap(([name, property]) => {
    const node = asNode(property);
    const types = [node.type].flat().filter((type) => type !== "null");
    const known = Object.hasOwn(KINDS, String(types[0])) ? KINDS[String(types[0])] : undefined;
    const kind = "x-decimal" in node ? "decimal" : "x-date" in node ? "date" : known;
    return types.length === 1 && kind !== undefined ? [[name, kind] as const] : [];
  });
  const { column: moment, dateColumn: day } = asNode(extension.timestamp);
  const { column: category } = asNode(extension.category);
  const computed = Object.entries(asNode(extension.computed)).map(
    ([name, column]) => [name, String(asNode(column).type).replace(/\(.*/, "")] as const,
  );
  return new Map<unknown, string>([
    ...delivered,
    [moment, "timestamp"],
    [day, "date"],
    [category, "string"],
    ["unknown_columns", "map"],
    ...computed,
  ]);
}

function listOf(value: unknown, field: string, what: string, mistakes: Mistake[]): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  mistakes.push([
    field,
    `must be a list of ${what}, got ${value === undefined ? "nothing" : JSON.stringify(value)}`,
  ]);
  return [];
}

function asNode(value: unknown): Node {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Node) : {};
}
