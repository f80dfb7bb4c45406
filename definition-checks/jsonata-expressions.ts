import jsonata from "jsonata";
import { catchers, choices, isObject, type Json, type State } from "./asl";

/**
 * The JSONata expressions of a state, and what their syntax alone says.
 *
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 */

/** One text of a state that AWS evaluates. */
export interface Expression {
  /** The field of the state that holds it: `Arguments`, `Output` … */
  readonly field: string;
  readonly isInCatch: boolean;
  readonly text: string;
}

/** The fields of a state in which AWS evaluates expressions. */
const EVALUATED = [
  ...[
    "Arguments",
    "Assign",
    "Cause",
    "Credentials",
    "Error",
    "HeartbeatSeconds",
    "ItemBatcher",
    "ItemReader",
  ],
  ...["ItemSelector", "Items", "MaxConcurrency", "Output", "ResultWriter", "Seconds", "TimeoutSeconds"],
  ...["Timestamp", "ToleratedFailureCount", "ToleratedFailurePercentage"],
];
const EVALUATED_IN_RULES = ["Assign", "Condition", "Output"];

export const isEvaluated = (field: string): boolean => EVALUATED.includes(field);

/** Tells whether a text opens or closes an expression. AWS allows no space outside the marks. */
export const isExpression = (text: string): boolean => text.startsWith("{%") && text.endsWith("%}");

const textsIn = (value: Json | undefined): string[] => {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
};

/** Every text of a JSONata state in a place where expressions are evaluated. */
export function evaluatedTexts(state: State): Expression[] {
  const within = (part: State, fields: readonly string[], isInCatch: boolean) =>
    fields.flatMap((field) => textsIn(part[field]).map((text) => ({ field, isInCatch, text })));
  return [
    ...within(state, EVALUATED, false),
    ...choices(state).flatMap((rule) => within(rule, EVALUATED_IN_RULES, false)),
    ...catchers(state).flatMap((rule) => within(rule, EVALUATED_IN_RULES, true)),
  ];
}

/** A node of the syntax tree. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly [member: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
const nodesIn = (value: unknown): Node[] =>
  Array.isArray(value) ? value.flatMap(nodesIn) : isNode(value) ? [value] : [];

/** The facts that the syntax of an expression gives. */
export interface Syntax {
  /** The parser's words, if it does not parse. */
  readonly mistake?: string;
  /** Field names that stand without an object before them, and `$` and `$$`. */
  readonly unqualified: readonly string[];
  /** Names of variables and functions that the expression does not bind itself. */
  readonly variables: readonly string[];
  /** The members of `$states` that it reads. */
  readonly ofStates: readonly string[];
  /** The names of the object that it constructs, if it constructs one. */
  readonly keys?: readonly string[];
  /** The type of its value, if the syntax tells it. */
  readonly type?: "number" | "boolean" | "text" | "object" | "list" | "null";
  /** Its value, if it is a literal number. */
  readonly number?: number;
}

const parsed = new Map<string, Syntax>();

/** Reads the syntax of an expression, with its marks. */
export function syntaxOf(text: string): Syntax {
  const known = parsed.get(text) ?? parse(text.slice(2, -2));
  parsed.set(text, known);
  return known;
}

/** Operators that JSONata has since 2.1. Step Functions takes 2.0.6. */
const LATER_OPERATOR = /\?\?|\?:/;
const withoutTexts = (code: string) => code.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`/g, "''");

function parse(code: string): Syntax {
  const nothing = { unqualified: [], variables: [], ofStates: [] };
  const [later] = LATER_OPERATOR.exec(withoutTexts(code)) ?? [];
  if (later !== undefined)
    return { ...nothing, mistake: `JSONata 2.0.6, which Step Functions takes, has no operator ${later}` };
  let root: Node;
  try {
    root = jsonata(code).ast() as unknown as Node;
  } catch (error) {
    return { ...nothing, mistake: (error as Error).message };
  }
  const walk = new Walk();
  walk.visit(root, false);
  return {
    unqualified: [...walk.unqualified],
    variables: [...walk.used].filter((name) => !walk.bound.has(name)),
    ofStates: [...walk.ofStates],
    keys: keysOf(root),
    type: typeOf(root),
    ...(root.type === "number" ? { number: root.value as number } : {}),
  };
}

/** Members of a node that are evaluated on the items of what stands before them. */
const OF_ITEMS = ["stages", "predicate", "group", "pattern", "update", "delete", "terms"];
/** Members that are names, not expressions. */
const NO_EXPRESSIONS = ["seekParent", "ancestor", "slot"];

class Walk {
  readonly unqualified = new Set<string>();
  readonly used = new Set<string>();
  readonly bound = new Set<string>();
  readonly ofStates = new Set<string>();

  visit(node: Node, hasItem: boolean): void {
    const { type, value } = node;
    if (type === "variable") {
      if (value !== "" && value !== "$") this.used.add(value as string);
      else if (!hasItem) this.unqualified.add(`$${value as string}`);
    }
    if ((type === "name" || type === "wildcard" || type === "descendant") && !hasItem)
      this.unqualified.add(value as string);
    this.noteBindings(node);
    if (type === "path") this.visitPath(node, hasItem);
    for (const [member, inner] of Object.entries(node)) {
      if (NO_EXPRESSIONS.includes(member) || (type === "path" && member === "steps")) continue;
      if (type === "lambda" && member === "arguments") continue;
      if (type === "bind" && member === "lhs") continue;
      const below = hasItem || OF_ITEMS.includes(member);
      this.visitAll(inner, below);
    }
  }

  /** Terms, stages and groups hold their expressions one level down. */
  private visitAll(inner: unknown, hasItem: boolean): void {
    if (Array.isArray(inner)) inner.forEach((one) => this.visitAll(one, hasItem));
    else if (isNode(inner)) this.visit(inner, hasItem);
    else if (typeof inner === "object" && inner !== null && !(inner instanceof RegExp))
      Object.values(inner).forEach((one) => this.visitAll(one, hasItem));
  }

  private noteBindings(node: Node): void {
    if (node.type === "bind") nodesIn(node.lhs).forEach(({ value }) => this.bound.add(value as string));
    if (node.type === "lambda")
      nodesIn(node.arguments).forEach(({ value }) => this.bound.add(value as string));
    for (const member of ["focus", "index"])
      if (typeof node[member] === "string") this.bound.add(node[member]);
  }

  private visitPath({ steps }: Node, hasItem: boolean): void {
    const [first, second, ...rest] = nodesIn(steps);
    if (first === undefined) return;
    if (first.type === "variable" && first.value === "states" && second?.type === "name")
      this.ofStates.add(second.value as string);
    this.visit(first, hasItem);
    [second, ...rest].forEach((step) => step && this.visit(step, true));
  }
}

const lastOf = (node: Node): Node | undefined => nodesIn(node.expressions).at(-1);

function keysOf(node: Node): string[] | undefined {
  if (node.type === "block") {
    const last = lastOf(node);
    return last && keysOf(last);
  }
  if (node.type === "condition") {
    const both = [node.then, node.else].map((way) => (isNode(way) ? keysOf(way) : undefined));
    return both.some((keys) => keys === undefined)
      ? undefined
      : [...new Set(both.flatMap((keys) => keys ?? []))];
  }
  if (node.type !== "unary" || node.value !== "{" || !Array.isArray(node.lhs)) return undefined;
  const keys = (node.lhs as unknown[][]).map(([key]) => key).filter(isNode);
  return keys.every(({ type }) => type === "string") ? keys.map(({ value }) => value as string) : undefined;
}

const NUMBERS =
  /^(?:abs|average|ceil|count|floor|length|max|millis|min|number|power|random|round|sqrt|sum|toMillis)$/;
const BOOLEANS = /^(?:boolean|contains|exists|not)$/;
const TEXTS = /^(?:string|join|uppercase|lowercase|trim|uuid|now|fromMillis|formatNumber|substring|hash)$/;

function typeOf(node: Node): Syntax["type"] {
  const { type, value } = node;
  if ("predicate" in node || "group" in node) return undefined;
  if (type === "number") return "number";
  if (type === "string") return "text";
  if (type === "value") return value === null ? "null" : typeof value === "boolean" ? "boolean" : undefined;
  if (type === "unary")
    return value === "-" ? "number" : value === "[" ? "list" : value === "{" ? "object" : undefined;
  if (type === "binary") {
    if (value === "&") return "text";
    if (["+", "-", "*", "/", "%"].includes(value as string)) return "number";
    return ["=", "!=", "<", "<=", ">", ">=", "and", "or", "in"].includes(value as string)
      ? "boolean"
      : undefined;
  }
  if (type === "block") {
    const last = lastOf(node);
    return last && typeOf(last);
  }
  if (type === "condition") {
    const [one, other] = [node.then, node.else].map((way) => (isNode(way) ? typeOf(way) : undefined));
    return one === other ? one : undefined;
  }
  if (type !== "function" || !isNode(node.procedure)) return undefined;
  const name = String(node.procedure.value);
  return NUMBERS.test(name)
    ? "number"
    : BOOLEANS.test(name)
      ? "boolean"
      : TEXTS.test(name)
        ? "text"
        : undefined;
}
