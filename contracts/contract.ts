import { type Changes, readChanges } from "./changes";
import { type Column, readColumns } from "./columns";
import { type Aggregate, type Computed, readAggregate, readComputed } from "./computed";
import { datePatternMistake } from "./datetime-pattern";
import { type Dms, readDms } from "./dms";
import { type Format, JSON_LINES, readFormat } from "./format";
import { readMoments, type Moments } from "./moments";
import { got, isNode, NodeReader, NOTES } from "./node-reader";
import { type Path, readPath } from "./paths";
import { readShapes, type Shape } from "./shapes";
import {
  type DeliverySource,
  type Given,
  givenToAll,
  type OnUnknown,
  readOnUnknown,
  readSources,
  unitedColumns,
} from "./sources";
import type { Mistake } from "../modules/core/refusals";

/**
 * A contract that has been read, with every default: a JSON Schema (2020-12) of one delivered row, whose `x-etl` says what the job does
 * with it. Reading is strict: a keyword that the job does not honour is refused.
 */
export interface Contract {
  /** The delivered columns, in the order of the file; with sources, those that any of them delivers. */
  readonly columns: readonly Column[];
  readonly required: readonly string[];
  readonly businessKey: readonly string[];
  /** Delivery dates that are searched for earlier rows of a key; 0 to 36,500. */
  readonly lookbackDays: number;
  readonly onDrift: "report" | "fail";
  /** Rules in order: a row gets the reason of the first that applies. */
  readonly rules: readonly Rule[];
  readonly timestamp?: Timestamp;
  readonly category?: Category;
  /** The published columns, in order. */
  readonly output: readonly string[];
  readonly format: Format;
  /** The headers that are declared. The contract's own names are accepted besides (`acceptedShapes`). */
  readonly shapes: readonly Shape[];
  readonly computed: readonly Computed[];
  readonly partitionBy: readonly string[];
  readonly aggregate?: Aggregate;
  readonly orderColumn?: string;
  /** How deliveries become versions; for the write mode `changes`. */
  readonly changes?: Changes;
  /** The files of AWS DMS that are delivered. */
  readonly dms?: Dms;
  /** The places that deliveries come from; empty: one, the pipeline's own folder. */
  readonly sources: readonly DeliverySource[];
  /** The column that holds the name of a row's source; only with sources. */
  readonly sourceColumn?: string;
  /** The end of folders beside those of the sources. */
  readonly unknownSources: OnUnknown;
  /** The columns that are not delivered: the source's name, and what only other sources deliver. */
  readonly given: readonly Given[];
  /** Places in the delivered objects that are known, and not read. */
  readonly dropped: readonly Path[];
}

export interface Rule {
  /** The field that declares it, e.g. `x-etl.reasons[1]`. */
  readonly place: string;
  readonly reason: string;
  readonly kind: (typeof RULES)[number];
  readonly column?: string;
  /** The columns that must all be missing; empty where there is one `column`, or the rule is about none. */
  readonly columns: readonly string[];
}

/** `source` becomes the instant `column`, and its date in the time zone `dateColumn`. In one of `dateFormats` it gives the date alone. */
export interface Timestamp {
  readonly source: string;
  readonly column: string;
  readonly dateColumn: string;
  readonly moments: Moments;
  readonly dateFormats: readonly string[];
}

/** `source` looked up in `values`, else `default`, becomes `column`. */
export interface Category {
  readonly source: string;
  readonly column: string;
  readonly values: Readonly<Record<string, string>>;
  readonly default: string;
}

const DRAFT = "https://json-schema.org/draft/2020-12/schema";
/** A hundred years: no delivery is older. */
const MOST_LOOKBACK_DAYS = 36_500;
const RULES_WITH_COLUMN = ["missing", "notATimestamp"] as const;
const RULES = ["notAnObject", "wrongType", "notAllowed", ...RULES_WITH_COLUMN] as const;
const SCHEMA_KEYS = ["$schema", "$id", "type", "properties", "required", "additionalProperties", "x-etl"];
const EXTENSION_KEYS = [
  ...["businessKey", "lookbackDays", "onDrift", "reasons", "timestamp", "category", "output"],
  ...["format", "shapes", "computed", "partitionBy", "aggregate", "orderColumn", "changes"],
  ...["sources", "sourceColumn", "unknownSources"],
  ...["dropped", "dms"],
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
    columns: readColumns(schema.child("properties")),
    required: schema.names("required"),
  };
  return { contract: extension === undefined ? contract : withSources(contract, extension), mistakes };
}

/** Reads the sources, which are made of what the contract says for all of them. */
function withSources(common: Contract, extension: NodeReader): Contract {
  const sources = extension.has("sources") ? readSources(extension.child("sources"), common) : [];
  refuseWithoutSources(extension);
  const sourceColumn = extension.has("sourceColumn") ? extension.text("sourceColumn") : undefined;
  return {
    ...common,
    sources,
    sourceColumn,
    unknownSources: readOnUnknown(extension, "unknownSources"),
    columns: unitedColumns(common.columns, sources),
    given: sources.length === 0 ? [] : givenToAll(sources, sourceColumn, common.format),
  };
}

function refuseWithoutSources(extension: NodeReader): void {
  if (extension.has("sources")) {
    if (!extension.has("sourceColumn"))
      extension.wrong("sourceColumn", "must name the column that holds the source's name, got nothing");
    return;
  }
  for (const key of ["sourceColumn", "unknownSources"].filter((one) => extension.has(one)))
    extension.wrong(key, "must be left out: there are no x-etl.sources");
}

type Extension = Omit<Contract, "columns" | "required">;

const NOTHING: Extension = {
  businessKey: [],
  lookbackDays: 0,
  onDrift: "report",
  rules: [],
  output: [],
  format: JSON_LINES,
  shapes: [],
  computed: [],
  partitionBy: [],
  ...{ sources: [], unknownSources: "refuse", given: [] },
  dropped: [],
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
  return {
    businessKey: node.names("businessKey"),
    lookbackDays: node.whole("lookbackDays", 0, MOST_LOOKBACK_DAYS),
    onDrift: (node.has("onDrift") ? node.oneOf("onDrift", ["report", "fail"]) : undefined) ?? "report",
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
    changes: node.has("changes") ? readChanges(node.child("changes")) : undefined,
    dms: node.has("dms") ? readDms(node.child("dms")) : undefined,
    ...{ sources: [], unknownSources: "refuse", given: [] },
    dropped: node.has("dropped") ? readDropped(node) : [],
  };
}

function readDropped(node: NodeReader): Path[] {
  return node.names("dropped").flatMap((name, index) => {
    const read = readPath(name);
    if ("mistake" in read) node.wrong(`dropped[${index}]`, read.mistake);
    else if (read.path.some((step) => typeof step === "number"))
      node.wrong(`dropped[${index}]`, `must name members only, ${got(name)}: a list is dropped as a whole`);
    else return [read.path];
    return [];
  });
}

function readRules(extension: NodeReader): Rule[] {
  return extension.children("reasons", "rule").flatMap((node, index): Rule[] => {
    const kind = node?.oneOf("rule", RULES);
    if (node === undefined || kind === undefined) return [];
    const hasColumn = RULES_WITH_COLUMN.some((one) => one === kind);
    const keys = [...(hasColumn ? ["column"] : []), ...(kind === "missing" ? ["columns"] : [])];
    node.refuseOthers(`a rule ${kind}`, ["reason", "rule", ...keys], NOTES);
    const hasColumns = kind === "missing" && node.has("columns");
    if (hasColumns && node.has("column"))
      node.wrong("columns", "must be left out beside column: a rule is about one column, or about several");
    if (index === 0 && kind !== "notAnObject")
      node.wrong("rule", `must be notAnObject: the other rules can only judge objects, ${got(kind)}`);
    const reason = node.text("reason");
    const column = hasColumn && !hasColumns ? node.text("column") : undefined;
    return [{ place: node.place, reason, kind, column, columns: hasColumns ? readSeveral(node) : [] }];
  });
}

function readSeveral(node: NodeReader): readonly string[] {
  const names = node.names("columns");
  if (names.length === 1)
    node.wrong("columns", `must hold at least two columns, got '${names[0]}': use column`);
  return names;
}

function readTimestamp(node: NodeReader | undefined): Timestamp | undefined {
  if (node === undefined) return undefined;
  const moments = readMoments(node, "a timestamp", ["source", "column", "dateColumn", "dateFormats"]);
  const [source, column, dateColumn] = [node.text("source"), node.text("column"), node.text("dateColumn")];
  const dateFormats = node.has("dateFormats") ? node.patterns("dateFormats", datePatternMistake) : [];
  return { source, column, dateColumn, moments, dateFormats };
}

function readCategory(node: NodeReader | undefined): Category | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("a category", ["source", "column", "values", "default"], NOTES);
  const [source, column] = [node.text("source"), node.text("column")];
  const given = node.child("values");
  const values = Object.keys(given?.node ?? {}).map((name) => [name, given!.text(name)] as const);
  return { source, column, values: Object.fromEntries(values), default: node.text("default") };
}
