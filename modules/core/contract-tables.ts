/**
 * The tables that a contract (a JSON Schema with `x-etl`) makes: what the job writes by it, as Glue's catalogue spells it. Pure.
 * Whether the contract is right is the job's to judge, and `DataQuality`'s as far as rules name its columns.
 */

/** A column in Hive's types. */
export interface ContractColumn {
  readonly name: string;
  readonly type: string;
}

/** Columns without the keys, which lie in the folders' names; keys in the order of the folders. */
export interface ContractTable {
  readonly columns: readonly ContractColumn[];
  readonly partitionKeys: readonly ContractColumn[];
}

export interface ContractTables {
  /** What is published. */
  readonly output: ContractTable;
  /** What is added up, where the contract adds up anything. */
  readonly aggregate?: ContractTable;
}

/** The run's date comes first in every folder, as a text `YYYY-MM-DD`. */
const RUN_DATE: ContractColumn = { name: "run_date", type: "string" };

/** How Glue's catalogue spells what a JSON Schema calls these. */
const SCALARS: Readonly<Record<string, string>> = { string: "string", integer: "bigint", number: "double" };

type Node = Readonly<Record<string, unknown>>;

/**
 * @param document the parsed file
 * @throws Error naming every column that is published and neither delivered nor derived
 */
export function contractTables(document: unknown): ContractTables {
  const extension = asNode(asNode(document)["x-etl"]);
  const types = contractTypes(document);
  const keys = names(extension.partitionBy);
  const output = names(extension.output);
  const { groupBy, columns: sums } = asNode(extension.aggregate);
  const unknown = [...output, ...keys, ...names(groupBy)].filter((name) => !types.has(name));
  if (unknown.length > 0) {
    throw new Error(`the contract publishes what is neither delivered nor derived: ${unknown.join(", ")}`);
  }
  const columns = (of: readonly string[]) => of.map((name) => ({ name, type: types.get(name)! }));
  const rows = columns(output.filter((name) => !keys.includes(name)));
  if (extension.aggregate === undefined)
    return { output: { columns: rows, partitionKeys: [RUN_DATE, ...columns(keys)] } };
  const added = Object.entries(asNode(sums)).map(([name, sum]) => ({ name, type: String(asNode(sum).type) }));
  return {
    output: { columns: rows, partitionKeys: [RUN_DATE, ...columns(keys)] },
    aggregate: { columns: [...columns(names(groupBy)), ...added], partitionKeys: [RUN_DATE] },
  };
}

/** Every column that is delivered or derived, with its type; one of no known type is left out. */
export function contractTypes(document: unknown): ReadonlyMap<string, string> {
  const schema = asNode(document);
  const extension = asNode(schema["x-etl"]);
  const { column: moment, dateColumn: day } = asNode(extension.timestamp);
  const { column: category } = asNode(extension.category);
  const derived = [
    [moment, "timestamp"],
    [day, "date"],
    [category, "string"],
    ["unknown_columns", "map<string,string>"],
  ].filter((pair): pair is [string, string] => pair[0] !== undefined);
  const computed = Object.entries(asNode(extension.computed)).map(
    ([name, column]) => [name, String(asNode(column).type)] as const,
  );
  return new Map<string, string>([...deliveredTypes(schema), ...derived, ...computed]);
}

function deliveredTypes(schema: Node): (readonly [name: string, type: string])[] {
  return Object.entries(asNode(schema.properties)).flatMap(([name, property]) => {
    const type = typeOf(asNode(property));
    return type === undefined ? [] : [[name, type] as const];
  });
}

function typeOf(node: Node): string | undefined {
  const [kind, ...others] = [node.type].flat().filter((type) => type !== "null");
  if (typeof kind !== "string" || others.length > 0) return undefined;
  if ("x-decimal" in node) return `decimal(${[node["x-decimal"]].flat().join(",")})`;
  if ("x-date" in node) return "date";
  if (kind === "array") {
    const fields = deliveredTypes(asNode(node.items)).map(([name, type]) => `${name}:${type}`);
    return `array<struct<${fields.join(",")}>>`;
  }
  return Object.hasOwn(SCALARS, kind) ? SCALARS[kind] : undefined;
}

function names(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function asNode(value: unknown): Node {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Node) : {};
}
