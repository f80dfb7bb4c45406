import { datePatternMistake } from "./datetime-pattern";
import { type Moments, readMoments } from "./moments";
import { got, isText, NOTES, type NodeReader } from "./node-reader";
import { type Path, readPath } from "./paths";

/** A delivered column. An object is kept as JSON text. */
export interface Column {
  /** The field that declares it, e.g. `properties.id`. */
  readonly place: string;
  readonly name: string;
  readonly kind: Scalar | "array" | "object";
  /** The fields of each object of an array; empty for others. */
  readonly fields: readonly Column[];
  /** The type of each entry of an array of scalars. */
  readonly entries?: Scalar;
  /** Precision and scale of an exact number. */
  readonly decimal?: readonly [precision: number, scale: number];
  /** Datetime patterns of a date; empty for others. */
  readonly dateFormats: readonly string[];
  readonly moments?: Moments;
  /** Texts that mean null. */
  readonly nulls: readonly string[];
  /** How numbers are written, where that is declared. */
  readonly number?: NumberForm;
  /** The texts that mean true and false, where they are declared. */
  readonly words?: Words;
  /** The only values, all strings or all integers; empty: any. */
  readonly allowed: readonly (string | number)[];
  readonly bounds: Bounds;
  /** The place of the value in the delivered object, where it is declared. Otherwise it is the member of the column's name. */
  readonly path?: Path;
  /** The column is the length of a list. */
  readonly isCount: boolean;
  /** JSON kinds that are taken besides the column's own. */
  readonly accepts: readonly JsonKind[];
  /** A text that is empty or only space is null. */
  readonly isBlankNull: boolean;
}

export type JsonKind = "string" | "number" | "boolean" | "object" | "array";

export type Scalar = (typeof SCALARS)[number];

/** The decimal mark, and what separates thousands ("" for nothing). */
export interface NumberForm {
  readonly decimal: string;
  readonly thousands: string;
}

export interface Words {
  readonly true: readonly string[];
  readonly false: readonly string[];
}

export type Bounds = Readonly<Partial<Record<(typeof BOUNDS)[number], number>>>;

const SCALARS = ["string", "integer", "number", "boolean"] as const;
export const BOUNDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
export const MOST_DIGITS = 38;

/** The keys of a property besides `type`, by its type. */
const KEYS = {
  string: ["x-date", "x-timestamp", "x-null", "enum", "x-path", "x-accepts", "x-blank"],
  integer: ["x-number", "x-null", "enum", ...BOUNDS, "x-path", "x-accepts", "x-count"],
  number: ["x-decimal", "x-number", "x-null", ...BOUNDS, "x-path", "x-accepts"],
  boolean: ["x-boolean", "x-null", "x-path"],
  array: ["items"],
  object: ["x-path", "x-accepts"],
} as const;

/** The JSON kinds that a type can take besides its own. */
const ACCEPTED: Readonly<Record<string, readonly JsonKind[]>> = {
  string: ["number", "boolean", "object", "array"],
  integer: ["string"],
  number: ["string"],
  object: ["array"],
};

/** Tells whether Spark and Glue have this decimal type. */
export function isDecimal(precision: unknown, scale: unknown): boolean {
  const isFrom = (value: unknown, low: number, high: number) =>
    Number.isInteger(value) && Number(value) >= low && Number(value) <= high;
  return isFrom(precision, 1, MOST_DIGITS) && isFrom(scale, 0, Number(precision));
}

export function readColumns(properties: NodeReader | undefined): Column[] {
  const entries = properties?.objects() ?? [];
  return entries.flatMap(([name, node]) => (node === undefined ? [] : readColumn(name, node)));
}

function readColumn(name: string, node: NodeReader): Column[] {
  const kind = readKind(node, [...SCALARS, "array", "object"]);
  if (kind === undefined) return [];
  const isNested = kind === "object" && node.has("properties");
  if (isNested)
    node.wrong("properties", "must be left out: an object is kept as JSON text, its fields are not judged");
  const silently = isNested ? ["properties"] : [];
  node.refuseOthers(`a property of type ${kind}`, ["type", ...KEYS[kind]], [...NOTES, ...silently]);
  const has = (key: string) => node.has(key) && (KEYS[kind] as readonly string[]).includes(key);
  const column = {
    ...plain(name, node, kind),
    ...(kind === "array" ? readEntries(node) : {}),
    path: has("x-path") ? readOwnPath(node, name) : undefined,
    accepts: has("x-accepts") ? readAccepted(node, kind) : [],
  };
  if (kind === "array" || kind === "object") return [column];
  const scalar: Column = {
    ...column,
    decimal: has("x-decimal") ? readDecimal(node) : undefined,
    dateFormats: has("x-date") ? node.patterns("x-date", datePatternMistake) : [],
    moments: has("x-timestamp") ? readTimes(node.child("x-timestamp")) : undefined,
    nulls: has("x-null") ? node.texts("x-null") : [],
    number: has("x-number") ? readNumberForm(node.child("x-number"), kind) : undefined,
    words: has("x-boolean") ? readWords(node.child("x-boolean")) : undefined,
    allowed: has("enum") ? readAllowed(node, kind) : [],
    bounds: readBounds(node, kind),
    isCount: has("x-count") && readOnly(node, "x-count", true),
    isBlankNull: has("x-blank") && readOnly(node, "x-blank", "null"),
  };
  refuseTogether(node, has, scalar);
  return [scalar];
}

/** Finds keys of a property that exclude each other, and texts that have two meanings. */
function refuseTogether(
  node: NodeReader,
  has: (key: string) => boolean,
  { nulls, words, allowed, isCount }: Column,
): void {
  if (has("x-date") && has("x-timestamp"))
    node.wrong("x-timestamp", "must be left out beside x-date: a text is a date or a moment");
  const moment = ["x-date", "x-timestamp"].find(has);
  if (moment !== undefined && has("enum"))
    node.wrong("enum", `must be left out beside ${moment}: only strings and integers have one`);
  for (const key of ["x-accepts", "x-null", "x-number"].filter(has))
    if (isCount) node.wrong(key, "must be left out beside x-count: a length is a whole number");
  const isNull = (text: string | number) => nulls.includes(String(text));
  const value = allowed.find(isNull);
  if (value !== undefined) node.wrong("enum", `must not hold ${JSON.stringify(value)}, which means null`);
  for (const key of ["true", "false"] as const) {
    const word = words?.[key].find(isNull);
    if (word !== undefined) node.wrong(`x-boolean.${key}`, `must not hold '${word}', which means null`);
  }
}

const plain = (name: string, node: NodeReader, kind: Column["kind"]): Column => ({
  place: node.place,
  name,
  kind,
  fields: [],
  dateFormats: [],
  nulls: [],
  allowed: [],
  bounds: {},
  isCount: false,
  accepts: [],
  isBlankNull: false,
});

/** The place of a column in the delivered object. */
export const placeOf = ({ name, path }: Column): Path => path ?? [name];

/** Tells whether a contract says of a column how it lies in an object. Then the delivered objects are flattened. */
export const isFlattened = ({ path, isCount, accepts, isBlankNull }: Column): boolean =>
  path !== undefined || isCount || accepts.length > 0 || isBlankNull;

function readOwnPath(node: NodeReader, name: string): Path | undefined {
  const read = readPath(node.value("x-path"));
  if ("mistake" in read) node.wrong("x-path", read.mistake);
  else if (read.path.length > 1 || read.path[0] !== name) return read.path;
  else node.wrong("x-path", "must be left out: it is the name of the column");
  return undefined;
}

function readAccepted(node: NodeReader, kind: Column["kind"]): readonly JsonKind[] {
  const known = ACCEPTED[kind] ?? [];
  const given = node.names("x-accepts");
  const wrong = given.find((one) => !known.some((accepted) => accepted === one));
  if (wrong !== undefined)
    node.wrong("x-accepts", `of type ${kind} must hold ${known.join(", ")} only, ${got(wrong)}`);
  return known.filter((one) => given.includes(one));
}

/** Reads a key that has one value; without it, it is left out. */
function readOnly(node: NodeReader, key: string, only: unknown): boolean {
  const isRight = node.value(key) === only;
  if (!isRight) node.wrong(key, `must be ${JSON.stringify(only)} or left out, ${got(node.value(key))}`);
  return isRight;
}

function readKind<T extends string>(node: NodeReader, allowed: readonly T[]): T | undefined {
  const type = node.value("type");
  const kinds = (Array.isArray(type) ? type : [type]).filter((kind) => kind !== "null");
  const kind = kinds.length === 1 ? allowed.find((one) => one === kinds[0]) : undefined;
  if (kind === undefined)
    node.wrong("type", `must be one of ${allowed.join(", ")}, each with null or without, ${got(type)}`);
  return kind;
}

/** The entries of an array: objects of scalars, or scalars. */
function readEntries(node: NodeReader): Pick<Column, "fields" | "entries"> {
  const items = node.child("items");
  if (items === undefined) return { fields: [] };
  // `properties` alone means an object.
  const kind =
    items.has("properties") && !items.has("type") ? "object" : readKind(items, [...SCALARS, "object"]);
  if (kind === undefined) return { fields: [] };
  if (kind !== "object") {
    items.refuseOthers("items", ["type"], NOTES);
    return { fields: [], entries: kind };
  }
  items.refuseOthers("items", ["type", "properties"], NOTES);
  const properties = items.child("properties");
  if (properties !== undefined && Object.keys(properties.node).length === 0)
    properties.wrong("", "must hold at least one property, got {}");
  return { fields: (properties?.objects() ?? []).flatMap(([name, field]) => readField(name, field)) };
}

function readField(name: string, node: NodeReader | undefined): Column[] {
  const kind = node === undefined ? undefined : readKind(node, SCALARS);
  if (node === undefined || kind === undefined) return [];
  node.refuseOthers(`a property of type ${kind} in a list`, ["type"], NOTES);
  return [plain(name, node, kind)];
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

const readTimes = (node: NodeReader | undefined) =>
  node === undefined ? undefined : readMoments(node, "x-timestamp");

function readNumberForm(node: NodeReader | undefined, kind: Scalar): NumberForm | undefined {
  if (node === undefined) return undefined;
  const isWhole = kind === "integer";
  node.refuseOthers("x-number", [...(isWhole ? [] : ["decimal"]), "thousands"], NOTES);
  const mark = (key: string, otherwise: string): string => {
    if (!node.has(key)) return otherwise;
    const value = node.value(key);
    if (isText(value) && [...value].length === 1 && !/[0-9eE+-]/.test(value)) return value;
    node.wrong(key, `must be one character that is no digit, sign or letter e, ${got(value)}`);
    return otherwise;
  };
  const form = { decimal: isWhole ? "." : mark("decimal", "."), thousands: mark("thousands", "") };
  if (!isWhole && form.decimal === form.thousands)
    node.wrong("thousands", `must differ from the decimal mark, got ${JSON.stringify(form.thousands)}`);
  return form;
}

function readWords(node: NodeReader | undefined): Words | undefined {
  if (node === undefined) return undefined;
  node.refuseOthers("x-boolean", ["true", "false"], NOTES);
  const words = { true: node.names("true"), false: node.names("false") };
  const both = words.true.find((word) => words.false.includes(word));
  if (both !== undefined) node.wrong("false", `must not hold '${both}', which means true`);
  return words;
}

function readAllowed(node: NodeReader, kind: Scalar): readonly (string | number)[] {
  const isRight = (value: unknown) => (kind === "string" ? isText(value) : Number.isSafeInteger(value));
  const given = node.list("enum", "value");
  const values = given.filter((value) => value !== null);
  if (values.length === 0 && given.length > 0)
    node.wrong("enum", "must hold a value besides null, which is always allowed");
  const wrong = values.find((value) => !isRight(value));
  const demand = kind === "string" ? "strings" : "integers from -(2^53 - 1) to 2^53 - 1";
  if (wrong !== undefined) node.wrong("enum", `must hold ${demand}, ${got(wrong)}`);
  const right = values.filter(isRight) as (string | number)[];
  const twice = right.find((value, index) => right.indexOf(value) !== index);
  if (twice !== undefined) node.wrong("enum", `must not repeat ${JSON.stringify(twice)}`);
  return right;
}

function readBounds(node: NodeReader, kind: Scalar): Bounds {
  if (kind !== "integer" && kind !== "number") return {};
  const bounds: Partial<Record<(typeof BOUNDS)[number], number>> = {};
  for (const key of BOUNDS.filter((one) => node.has(one))) {
    const value = node.value(key);
    if (typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER) bounds[key] = value;
    else node.wrong(key, `must be a number from -(2^53 - 1) to 2^53 - 1, ${got(value)}`);
  }
  for (const [plainKey, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const)
    if (bounds[plainKey] !== undefined && bounds[exclusive] !== undefined)
      node.wrong(exclusive, `must be left out beside ${plainKey}`);
  const [low, high] = [bounds.minimum ?? bounds.exclusiveMinimum, bounds.maximum ?? bounds.exclusiveMaximum];
  if (low !== undefined && high !== undefined && isEmpty(bounds, low, high))
    node.wrong("", `must leave a value between its bounds, got ${low} and ${high}`);
  return bounds;
}

function isEmpty({ minimum, maximum }: Bounds, low: number, high: number): boolean {
  return low > high || (low === high && (minimum === undefined || maximum === undefined));
}
