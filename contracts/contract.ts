import {
  type Aggregate,
  type Computed,
  type Format,
  isDecimal,
  JSON_LINES,
  MOST_DIGITS,
  NOTES,
  readAggregate,
  readComputed,
  readFormat,
  readShapes,
  type Shape,
} from "./contract-parts";
import { got, isNode, NodeReader } from "./node-reader";
import type { Mistake } from "../modules/core/refusals";

/**
 * A contract that has been read: a JSON Schema (2020-12) of one delivered line, whose `x-etl` says what the job does with it. Reading is
 * strict: a keyword that the job does not check is refused. The job's `contract.py` reads by the same rules, and tests compare the two.
 */
export interface Contract {
  /** The delivered columns, in the order of the file. */
  readonly columns: readonly Column[];
  readonly required: readonly string[];
  readonly businessKey: readonly string[];
  /** Rules in order: a row gets the reason of the first that applies. */
  readonly rules: readonly Rule[];
  readonly timestamp?: Timestamp;
  readonly category?: { readonly source: string; readonly column: string };
  /** The published columns, in order. */
  readonly output: readonly string[];
  readonly format: Format;
  readonly shapes: readonly Shape[];
  readonly computed: readonly Computed[];
  readonly partitionBy: readonly string[];
  readonly aggregate?: Aggregate;
  readonly orderColumn?: string;
}

export interface Column {
  readonly name: string;
  readonly kind: "string" | "integer" | "number" | "array";
  /** The fields of each object of an array; empty for a scalar. */
  readonly fields: readonly Column[];
  /** Precision and scale of an exact number. */
  readonly decimal?: readonly [precision: number, scale: number];
  readonly isDate: boolean;
}

export interface Rule {
  /** The field that declares it, e.g. `x-etl.reasons[1]`. */
  readonly place: string;
  readonly reason: string;
  readonly kind: (typeof RULES)[number];
  readonly column?: string;
}

export interface Timestamp {
  readonly source: string;
  readonly column: string;
  readonly dateColumn: string;
}

const DRAFT = "https://json-schema.org/draft/2020-12/schema";
/** A hundred years: no delivery is older. */
const MOST_LOOKBACK_DAYS = 36_500;
const SCALARS = ["string", "integer", "number"] as const;
const RULES_WITH_COLUMN = ["missing", "notATimestamp"] as const;
const RULES = ["notAnObject", "wrongType", ...RULES_WITH_COLUMN] as const;
const SCHEMA_KEYS = ["$schema", "$id", "type", "properties", "required", "additionalProperties", "x-etl"];
const EXTENSION_KEYS = [
  ...["businessKey", "lookbackDays", "onDrift", "reasons", "timestamp", "category", "output"],
  ...["format", "shapes", "computed", "partitionBy", "aggregate", "orderColumn"],
];

/**
 * Reads a contract, and lists the mistakes within each part. How the parts fit together is judged by `crossMistakes`.
 *
 * @param document the parsed file
 * @returns the contract, in which a part with a mistake has a harmless value, and the mistakes
 */
export function readContract(document: unknown): { contract: Contract; mistakes: readonly Mistake[] } {
  if (!isNode(document))
    return {
      contract: { columns: [], required: [], ...NOTHING },
      mistakes: [["", `must be an object, ${got(document)}`]],
    };
  const mistakes: Mistake[] = [];
  const schema = new NodeReader(document, "", "", mistakes);
  refuseSchema(schema);
  const extension = schema.child("x-etl");
  const contract = {
    ...(extension === undefined ? NOTHING : readExtension(extension)),
    columns: readColumns(schema.child("properties"), false),
    required: schema.names("required"),
  };
  return { contract, mistakes };
}

type Extension = Omit<Contract, "columns" | "required">;

const NOTHING: Extension = {
  businessKey: [],
  rules: [],
  output: [],
  format: JSON_LINES,
  shapes: [],
  computed: [],
  partitionBy: [],
};

function refuseSchema(schema: NodeReader): void {
  if (schema.value("$schema") !== DRAFT)
    schema.wrong("$schema", `must be '${DRAFT}', ${got(schema.value("$schema"))}`);
  schema.refuseOthers("a contract", SCHEMA_KEYS, NOTES);
  for (const [key, only] of [
    ["type", "object"],
    ["additionalProperties", true],
  ] as const) {
    const value = schema.value(key);
    if (schema.has(key) && value !== only)
      schema.wrong(key, `must be ${JSON.stringify(only)} or left out, ${got(value)}`);
  }
}

function readExtension(node: NodeReader): Extension {
  node.refuseOthers("x-etl", EXTENSION_KEYS, NOTES);
  node.whole("lookbackDays", 0, MOST_LOOKBACK_DAYS);
  if (node.has("onDrift")) node.oneOf("onDrift", ["report", "fail"]);
  return {
    businessKey: node.names("businessKey"),
    rules: readRules(node),
    timestamp: node.has("timestamp") ? readTimestamp(node.child("timestamp")) : undefined,
    category: node.has("category") ? readCategory(node.child("category")) : undefined,
    output: node.names("output"),
    format: node.has("format") ? readFormat(node.child("format")) : JSON_LINES,
    shapes: node.has("shapes") ? readShapes(node.child("shapes")) : [],
    computed: node.has("computed") ? readComputed(node.child("computed")) : [],
    partitionBy: node.has("partitionBy") ? node.names("partitionBy") : [],
    aggregate: node.has("aggregate") ? readAggregate(node.child("aggregate")) : undefined,
    orderColumn: node.has("orderColumn") ? node.text("orderColumn") : undefined,
  };
}

function readColumns(properties: NodeReader | undefined, isNested: boolean): Column[] {
  const entries = properties?.objects() ?? [];
  return entries.flatMap(([name, node]) => (node === undefined ? [] : readColumn(name, node, isNested)));
}

function readColumn(name: string, node: NodeReader, isNested: boolean): Column[] {
  const type = node.value("type");
  const kinds = (Array.isArray(type) ? type : [type]).filter((kind) => kind !== "null");
  const allowed = isNested ? SCALARS : ([...SCALARS, "array"] as const);
  const kind = kinds.length === 1 ? allowed.find((one) => one === kinds[0]) : undefined;
  if (kind === undefined) {
    node.wrong("type", `must be one of ${allowed.join(", ")}, each with null or without, ${got(type)}`);
    return [];
  }
  if (kind === "array") return [{ name, kind, fields: readFields(node), isDate: false }];
  const own = isNested ? undefined : { number: "x-decimal", string: "x-date", integer: undefined }[kind];
  node.refuseOthers(`a property of type ${kind}`, own === undefined ? ["type"] : ["type", own], NOTES);
  const isGiven = own !== undefined && node.has(own);
  if (isGiven && kind === "string") node.names(own);
  const decimal = isGiven && kind === "number" ? readDecimal(node) : undefined;
  return [{ name, kind, fields: [], decimal, isDate: isGiven && kind === "string" }];
}

function readFields(node: NodeReader): Column[] {
  node.refuseOthers("a property of type array", ["type", "items"], NOTES);
  const items = node.child("items");
  items?.refuseOthers("items", ["type", "properties"], NOTES);
  const properties = items?.child("properties");
  if (properties !== undefined && Object.keys(properties.node).length === 0)
    properties.wrong("", "must hold at least one property, got {}");
  return readColumns(properties, true);
}

function readDecimal(node: NodeReader): readonly [number, number] | undefined {
  const value = node.value("x-decimal");
  if (Array.isArray(value) && value.length === 2 && isDecimal(value[0], value[1]))
    return value as [number, number];
  node.wrong(
    "x-decimal",
    `must be [precision, scale], precision from 1 to ${MOST_DIGITS} and scale from 0 to the precision, ${got(value)}`,
  );
  return undefined;
}

function readRules(extension: NodeReader): Rule[] {
  return extension.children("reasons", "rule").flatMap((node, index): Rule[] => {
    const kind = node?.oneOf("rule", RULES);
    if (node === undefined || kind === undefined) return [];
    const hasColumn = RULES_WITH_COLUMN.some((one) => one === kind);
    node.refuseOthers(`a rule ${kind}`, ["reason", "rule", ...(hasColumn ? ["column"] : [])], NOTES);
    if (index === 0 && kind !== "notAnObject")
      node.wrong("rule", `must be notAnObject: the other rules can only judge objects, ${got(kind)}`);
    const reason = node.text("reason");
    return [{ place: node.place, reason, kind, column: hasColumn ? node.text("column") : undefined }];
  });
}

function readTimestamp(node: NodeReader | undefined): Timestamp | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("a timestamp", ["source", "column", "dateColumn", "formats", "dateFormats"], NOTES);
  const [source, column, dateColumn] = [node.text("source"), node.text("column"), node.text("dateColumn")];
  node.names("formats");
  if (node.has("dateFormats")) node.names("dateFormats");
  return { source, column, dateColumn };
}

function readCategory(node: NodeReader | undefined): Contract["category"] {
  if (node === undefined) return undefined;
  node.refuseOthers("a category", ["source", "column", "values", "default"], NOTES);
  const [source, column] = [node.text("source"), node.text("column")];
  const values = node.child("values");
  for (const name of Object.keys(values?.node ?? {})) values?.text(name);
  node.text("default");
  return { source, column };
}
