import { isObject, type Json, type JsonObject } from "./asl";

/** The source of a value: an answer or the input. */
export interface Origin {
  /** The call whose answer holds it, or `input`. */
  readonly call: string;
  /** The state that made the call. */
  readonly state: string;
  /** Its path in the answer, e.g. `Crawler.State`; empty for the whole answer. */
  readonly path: string;
}

/**
 * The known shape of a state's data: `any` may hold anything (with its origin, if a call or the input gave it), `replaced` is a result that
 * replaced everything because a Task has no ResultPath, `object` has known fields.
 */
export type Shape =
  | { readonly kind: "any"; readonly origin?: Origin }
  | { readonly kind: "replaced"; readonly by: string }
  | {
      readonly kind: "object";
      readonly fields: Readonly<Record<string, Shape>>;
      readonly by: string;
      /** The call that answered with this object. */
      readonly answerOf?: string;
      /** The object may have further fields. */
      readonly isOpen?: boolean;
    };

export const ANY: Shape = { kind: "any" };
export const emptyBy = (by: string): Shape => ({ kind: "object", fields: {}, by });

/** A value that is missing: the state that removed it, and the answer it was expected in. */
export interface Loss {
  readonly by: string;
  /** The number of parts of the path before the missing one. */
  readonly depth: number;
  readonly answerOf?: string;
}

const PATH = /^\$((?:\.[A-Za-z_][A-Za-z0-9_-]*|\['[^']+'\]|\[\d+\])*)(.*)$/s;
const PART = /\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^']+)'\]|(\[\d+\])/g;

interface Parts {
  readonly parts: readonly string[];
  readonly isWhole: boolean;
}

/** A cache: few paths are parsed many times. */
const partsOfPaths = new Map<string, Parts>();

/** The parts of a path as far as it is plain: names, and indices with their brackets. */
export function partsOf(path: string): Parts {
  const known = partsOfPaths.get(path) ?? parsedParts(path);
  partsOfPaths.set(path, known);
  return known;
}

function parsedParts(path: string): Parts {
  const [, plain = "", rest = ""] = PATH.exec(path) ?? [];
  return {
    parts: [...plain.matchAll(PART)].map((match) => match[1] ?? match[2] ?? match[3] ?? ""),
    isWhole: rest === "",
  };
}

const isIndex = (part: string) => part.startsWith("[");
const below = (path: string, part: string) =>
  path === "" || isIndex(part) ? path + part : `${path}.${part}`;

/** The shape at a path, or how it was lost. */
export function select(shape: Shape, path: string): { readonly found: Shape } | { readonly loss: Loss } {
  const { parts, isWhole } = partsOf(path);
  let current = shape;
  for (const [depth, part] of parts.entries()) {
    if (current.kind === "any") {
      const { origin } = current;
      current =
        origin === undefined ? ANY : { kind: "any", origin: { ...origin, path: below(origin.path, part) } };
    } else if (current.kind === "replaced") return { loss: { by: current.by, depth } };
    else if (isIndex(part)) return { found: ANY };
    else {
      const next: Shape | undefined = Object.hasOwn(current.fields, part) ? current.fields[part] : undefined;
      if (next === undefined && !current.isOpen)
        return { loss: { by: current.by, depth, answerOf: current.answerOf } };
      current = next ?? ANY;
    }
  }
  return { found: isWhole ? current : ANY };
}

export const selected = (shape: Shape, path: Json | undefined): Shape => {
  if (typeof path !== "string" || path.startsWith("$$")) return path === null ? emptyBy("null") : ANY;
  const result = select(shape, path);
  return "found" in result ? result.found : ANY;
};

/** The shape that a payload template makes of some data. */
export function shapeOfTemplate(template: Json | undefined, data: Shape, by: string): Shape {
  if (!isObject(template)) return ANY;
  const fields = Object.entries(template).map(([key, value]): [string, Shape] =>
    key.endsWith(".$")
      ? [key.slice(0, -2), typeof value === "string" && value.startsWith("$") ? selected(data, value) : ANY]
      : [key, shapeOfTemplate(value, data, by)],
  );
  return { kind: "object", fields: Object.fromEntries(fields), by };
}

/** The shape of a declared input. */
export function shapeOfInput(value: Json, path = ""): Shape {
  if (!isObject(value)) return { kind: "any", origin: { call: "input", state: "", path } };
  const fields = Object.entries(value).map(([key, inner]): [string, Shape] => [
    key,
    shapeOfInput(inner, below(path, key)),
  ]);
  return { kind: "object", fields: Object.fromEntries(fields), by: "the input", answerOf: "input" };
}

/** Puts a result where ResultPath says. */
export function placed(data: Shape, result: Shape, path: Json | undefined, by: string): Shape {
  if (path === null) return data;
  const { parts } = partsOf(typeof path === "string" ? path : "$");
  const [first, ...rest] = parts;
  if (first === undefined) return result;
  const known = data.kind === "object" ? data.fields : {};
  const isOpen = data.kind === "any" || (data.kind === "object" && data.isOpen === true);
  const inner = placed(
    known[first] ?? (isOpen ? ANY : emptyBy(by)),
    result,
    rest.length === 0 ? "$" : `$.${rest.join(".")}`,
    by,
  );
  return {
    kind: "object",
    fields: { ...known, [first]: inner },
    by: data.kind === "any" ? by : data.by,
    ...(isOpen ? { isOpen } : {}),
  };
}

/** The ResultPath of a state or catcher; `$`, which replaces everything, if it has none. */
export const resultPathOf = (part: JsonObject): Json =>
  part.ResultPath ?? ("ResultPath" in part ? null : "$");

/** Every origin in a shape. */
export function originsIn(shape: Shape): Origin[] {
  if (shape.kind === "any") return shape.origin === undefined ? [] : [shape.origin];
  return shape.kind === "object" ? Object.values(shape.fields).flatMap(originsIn) : [];
}
