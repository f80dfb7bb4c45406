import { isDecimal } from "./columns";
import { got, NOTES, type NodeReader } from "./node-reader";

/** A column computed by an SQL expression. `type` is spelt as in Glue's catalogue. */
export interface Computed {
  /** The field that declares it, e.g. `x-etl.computed.total`. */
  readonly place: string;
  readonly name: string;
  readonly expression: string;
  readonly type: string;
}

/** Adds up the rows of one run date that have the same `groupBy` values, to one row with `columns`. */
export interface Aggregate {
  readonly groupBy: readonly string[];
  readonly columns: readonly Computed[];
}

const TYPES = ["string", "bigint", "double", "boolean", "date", "timestamp"];

export function readComputed(columns: NodeReader | undefined): Computed[] {
  const entries = columns?.objects() ?? [];
  return entries.flatMap(([name, node]) => {
    if (node === undefined) return [];
    node.refuseOthers("a computed column", ["expression", "type"], NOTES);
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      node.wrong("", "must be named with small letters, digits and underscores, beginning with a letter");
    const type = node.value("type");
    if (!isType(type)) {
      const demand = `one of ${TYPES.join(", ")}, decimal(precision,scale)`;
      node.wrong("type", `must be ${demand}, ${got(type)}`);
    }
    return [{ place: node.place, name, expression: node.text("expression"), type: String(type) }];
  });
}

function isType(type: unknown): boolean {
  if (typeof type !== "string") return false;
  const [, precision, scale] = /^decimal\((\d{1,2}),(\d{1,2})\)$/.exec(type) ?? [];
  return TYPES.includes(type) || (precision !== undefined && isDecimal(Number(precision), Number(scale)));
}

export function readAggregate(node: NodeReader | undefined): Aggregate | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("an aggregate", ["groupBy", "columns"], NOTES);
  const groupBy = node.names("groupBy");
  const given = node.child("columns");
  if (given !== undefined && Object.keys(given.node).length === 0)
    given.wrong("", "must hold at least one column, got {}");
  const columns = readComputed(given);
  const keys = groupBy.map((name) => name.toLowerCase());
  for (const { name } of columns)
    if (keys.includes(name)) given?.wrong(name, "must have another name: it is in x-etl.aggregate.groupBy");
  return { groupBy, columns };
}
