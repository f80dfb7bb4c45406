import { contractTypes } from "../core/contract-tables";
import { type Mistake } from "../core/refusals";
import { type Judged } from "./quality-rules";

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
  const types = contractTypes(document);
  const output = listOf(extension.output, "x-etl.output", "names of columns", mistakes);
  const columns = new Map<string, string>();
  for (const name of output) {
    const type = types.get(name as string);
    // Of what a column is, rules ask for no more than the kind.
    if (type !== undefined) columns.set(name as string, type.replace(/[(<].*/, ""));
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
