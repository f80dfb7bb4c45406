import { isObject, type Json, type JsonObject } from "../../definition-checks/asl";

/**
 * EventBridge's matching and input transformation, as far as the failure rules use them; anything else throws. There is
 * no kept npm package for it. Sources: "Comparison operators for use in event patterns" and "Amazon EventBridge input
 * transformation" of the EventBridge User Guide, and the README of AWS's own matcher, Event Ruler.
 */

const ABSENT = Symbol("absent");

/** The leaf at a key: an object and an empty array have no leaf, a null is a leaf. */
function leavesAt(value: Json | undefined): (Json | typeof ABSENT)[] {
  if (value === undefined || isObject(value)) return [ABSENT];
  if (Array.isArray(value))
    return value.length === 0 ? [ABSENT] : (value as readonly Json[]).flatMap(leavesAt);
  return [value];
}

function wildcard(pattern: Json | undefined): RegExp {
  if (typeof pattern !== "string" || /\\|\*\*/.test(pattern))
    throw new Error(`unclear: ${JSON.stringify(pattern)}`);
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^]*")}$`);
}

function alternativeMatches(alternative: Json, leaf: Json | typeof ABSENT): boolean {
  if (!isObject(alternative)) return leaf === alternative;
  const [operator, ...others] = Object.keys(alternative);
  if (operator === undefined || others.length > 0) throw new Error(`unclear: ${JSON.stringify(alternative)}`);
  const operand = alternative[operator];
  switch (operator) {
    case "exists":
      return (leaf !== ABSENT) === operand;
    case "wildcard":
      return typeof leaf === "string" && wildcard(operand).test(leaf);
    case "anything-but": {
      if (isObject(operand)) {
        if (Object.keys(operand).join() !== "wildcard")
          throw new Error(`unclear: ${JSON.stringify(alternative)}`);
        return typeof leaf === "string" && !wildcard(operand.wildcard).test(leaf);
      }
      if (!Array.isArray(operand)) throw new Error(`unsupported: ${JSON.stringify(alternative)}`);
      return leaf !== ABSENT && !(operand as readonly Json[]).includes(leaf);
    }
    default:
      throw new Error(`unsupported: ${JSON.stringify(alternative)}`);
  }
}

/** Every field named must match (and), each by any of its alternatives (or); `$or` is any of its objects. */
export function matches(pattern: JsonObject, event: Json | undefined): boolean {
  return Object.entries(pattern).every(([key, expected]) => {
    if (key === "$or") {
      if (!Array.isArray(expected) || expected.length < 2) throw new Error("$or takes two objects or more");
      return (expected as readonly JsonObject[]).some((branch) => matches(branch, event));
    }
    const actual = isObject(event) ? event[key] : undefined;
    if (isObject(expected)) return matches(expected, actual);
    if (!Array.isArray(expected)) throw new Error(`a pattern's values stand in arrays: ${key}`);
    return leavesAt(actual).some((leaf) =>
      (expected as readonly Json[]).some((alternative) => alternativeMatches(alternative, leaf)),
    );
  });
}

function at(event: Json, path: string): Json {
  let value: Json | undefined = event;
  for (const field of path.replace(/^\$\.?/, "").split("."))
    value = isObject(value) ? value[field] : undefined;
  // On AWS the variable does not come into being, and the message is spoilt or dropped.
  if (value === undefined) throw new Error(`the input path ${path} leads nowhere`);
  return value;
}

/** The input that the target receives: a bare `<name>` becomes the JSON value, one inside a text its characters. */
export function transform(
  inputPaths: Readonly<Record<string, string>>,
  inputTemplate: string,
  event: Json,
): string {
  const valueOf = (name: string) => {
    const path = inputPaths[name];
    if (path === undefined) throw new Error(`the template uses <${name}>, which has no input path`);
    return at(event, path);
  };
  const inText = (name: string) => {
    const value = valueOf(name);
    if (typeof value !== "string" || /["\\]/.test(value))
      throw new Error(`<${name}> would not fit into a text`);
    return value;
  };
  return inputTemplate.replace(/"(?:\\.|[^"\\])*"|<([a-z]+)>/g, (whole, bare: string | undefined) =>
    bare === undefined
      ? whole.replace(/<([a-z]+)>/g, (_placeholder, name: string) => inText(name))
      : JSON.stringify(valueOf(bare)),
  );
}
