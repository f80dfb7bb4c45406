import {
  catchers,
  choices,
  isObject,
  innerMachines,
  regularSuccessors,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "./asl";

/**
 * Follows the data through a definition and finds states that read what an earlier state wiped. Pure.
 *
 * The state's data is known by shape only: `any` (the input, or a result whose author wrote `"ResultPath": "$"`),
 * `replaced` (a result that took the place of everything because a Task has no ResultPath), or an object with known
 * fields. Paths through the machine are followed one by one, so a field must be there on each of them. A path that some
 * Choice tests with IsPresent is taken for optional and never reported.
 */

type Shape =
  | { readonly kind: "any" }
  | { readonly kind: "replaced"; readonly by: string }
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, Shape>>; readonly by: string };

export interface LostInput {
  readonly state: string;
  readonly path: string;
  /** The state that replaced the data. */
  readonly by: string;
}

const ANY: Shape = { kind: "any" };
const PATH = /\$(?:\.[A-Za-z_][A-Za-z0-9_-]*|\['[^']+'\])*/;

/** The leading plain fields of a path: `$.a.b[0].c` gives `a`, `b`. */
function fieldsOf(path: string): string[] {
  const plain = PATH.exec(path)?.[0] ?? "$";
  return [...plain.matchAll(/\.([A-Za-z_][A-Za-z0-9_-]*)|\['([^']+)'\]/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
}

/** Every path that an expression reads from the state's data: the expression itself, or the arguments of an intrinsic. */
function pathsIn(expression: string): string[] {
  if (expression.startsWith("$$")) return [];
  if (expression.startsWith("$")) return [expression];
  const withoutText = expression.replace(/'(?:\\.|[^'\\])*'/g, "''");
  return [...withoutText.matchAll(/(?<![$\w])\$(?!\$)[^,()\s]*/g)].map((match) => match[0]);
}

/** The paths a payload template reads. */
function pathsInTemplate(template: Json | undefined): string[] {
  if (Array.isArray(template)) return (template as readonly Json[]).flatMap(pathsInTemplate);
  if (!isObject(template)) return [];
  return Object.entries(template).flatMap(([key, value]) =>
    key.endsWith(".$") && typeof value === "string" ? pathsIn(value) : pathsInTemplate(value),
  );
}

/** The paths a choice rule reads, those it only tests for being there apart. */
function pathsInRule(rule: JsonObject): { reads: string[]; tests: string[] } {
  const inner = [rule.And, rule.Or, rule.Not].flatMap((part): (Json | undefined)[] =>
    Array.isArray(part) ? [...(part as readonly Json[])] : [part],
  );
  const nested = inner.filter((part) => isObject(part)).map(pathsInRule);
  const own = Object.entries(rule)
    .filter(([key, value]) => (key === "Variable" || key.endsWith("Path")) && typeof value === "string")
    .flatMap(([, value]) => pathsIn(value as string));
  const isTest = "IsPresent" in rule;
  return {
    reads: [...(isTest ? [] : own), ...nested.flatMap((part) => part.reads)],
    tests: [...(isTest ? own : []), ...nested.flatMap((part) => part.tests)],
  };
}

const PATH_FIELDS = [
  "ErrorPath",
  "CausePath",
  "SecondsPath",
  "TimestampPath",
  "TimeoutSecondsPath",
  "HeartbeatSecondsPath",
  "ItemsPath",
  "MaxConcurrencyPath",
];

/** What a state reads after its InputPath. */
function readsOf(state: State): string[] {
  const fields = PATH_FIELDS.map((field) => state[field]).filter((value) => typeof value === "string");
  return [
    ...pathsInTemplate(state.Parameters),
    ...fields.flatMap(pathsIn),
    ...choices(state).flatMap((rule) => pathsInRule(rule).reads),
  ];
}

/** The shape at a path, or who replaced the data when there is nothing. */
function select(shape: Shape, path: string): { found: Shape } | { lostTo: string } {
  let current = shape;
  for (const field of fieldsOf(path)) {
    if (current.kind === "any") return { found: ANY };
    if (current.kind === "replaced") return { lostTo: current.by };
    const next: Shape | undefined = Object.hasOwn(current.fields, field) ? current.fields[field] : undefined;
    if (next === undefined) return { lostTo: current.by };
    current = next;
  }
  return { found: current };
}

const selected = (shape: Shape, path: Json | undefined): Shape => {
  if (typeof path !== "string" || path.startsWith("$$")) return path === null ? emptyBy("null") : ANY;
  const result = select(shape, path);
  return "found" in result ? result.found : ANY;
};
const emptyBy = (by: string): Shape => ({ kind: "object", fields: {}, by });

function shapeOfTemplate(template: Json | undefined, data: Shape, by: string): Shape {
  if (!isObject(template)) return ANY;
  const fields = Object.entries(template).map(([key, value]): [string, Shape] =>
    key.endsWith(".$")
      ? [key.slice(0, -2), typeof value === "string" && value.startsWith("$") ? selected(data, value) : ANY]
      : [key, shapeOfTemplate(value, data, by)],
  );
  return { kind: "object", fields: Object.fromEntries(fields), by };
}

/** Puts a result where ResultPath says. */
function placed(data: Shape, result: Shape, path: Json | undefined, by: string): Shape {
  if (path === null) return data;
  const fields = typeof path === "string" ? fieldsOf(path) : [];
  const [first, ...rest] = fields;
  if (first === undefined) return result;
  if (data.kind === "any") return ANY;
  const known = data.kind === "object" ? data.fields : {};
  const inner = placed(
    known[first] ?? emptyBy(by),
    result,
    rest.length === 0 ? "$" : `$.${rest.join(".")}`,
    by,
  );
  return { kind: "object", fields: { ...known, [first]: inner }, by: data.by };
}

/** What a state makes of its data when it succeeds. */
function outputOf(name: string, state: State, data: Shape): Shape {
  const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
  const parameters = "Parameters" in state ? shapeOfTemplate(state.Parameters, effective, name) : effective;
  const put = (result: Shape) =>
    placed(data, result, state.ResultPath ?? ("ResultPath" in state ? null : "$"), name);
  let output = effective;
  if (state.Type === "Pass") {
    output = put("Result" in state ? shapeOfTemplate(state.Result, ANY, name) : parameters);
  } else if (state.Type === "Task" || state.Type === "Parallel" || state.Type === "Map") {
    const raw: Shape = "ResultPath" in state ? ANY : { kind: "replaced", by: name };
    output = put("ResultSelector" in state ? shapeOfTemplate(state.ResultSelector, ANY, name) : raw);
  }
  return "OutputPath" in state ? selected(output, state.OutputPath) : output;
}

const caughtOutput = (name: string, data: Shape, catcher: JsonObject): Shape =>
  placed(
    data,
    { kind: "object", fields: { Error: ANY, Cause: ANY }, by: name },
    catcher.ResultPath ?? ("ResultPath" in catcher ? null : "$"),
    name,
  );

/** Shapes a single state may have been seen with; beyond this the machine is too branched to follow and is left alone. */
const MOST_SHAPES = 64;

/** Every read of a path that an earlier state wiped on some way to it; each state and path once. */
export function lostInputs(definition: Definition, input: Shape = ANY): LostInput[] {
  const { States: states } = definition;
  const optional = new Set(
    Object.values(states)
      .flatMap((state) => choices(state))
      .flatMap((rule) => pathsInRule(rule).tests),
  );
  const isOptional = (path: string) =>
    [...optional].some((test) => path === test || path.startsWith(`${test}.`));

  const found = new Map<string, LostInput>();
  const seen = new Map<string, Set<string>>();
  const open: { name: string; data: Shape }[] = [{ name: definition.StartAt, data: input }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, data } = next;
    const state = states[name];
    if (state === undefined) continue;
    const shapes = seen.get(name) ?? new Set<string>();
    seen.set(name, shapes);
    const key = JSON.stringify(data);
    if (shapes.has(key) || shapes.size >= MOST_SHAPES) continue;
    shapes.add(key);

    const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
    const note = (shape: Shape, path: string) => {
      const result = select(shape, path);
      if ("lostTo" in result && !isOptional(path))
        found.set(`${name} ${path}`, { state: name, path, by: result.lostTo });
    };
    if (typeof state.InputPath === "string") pathsIn(state.InputPath).forEach((path) => note(data, path));
    readsOf(state).forEach((path) => note(effective, path));

    for (const machine of innerMachines(state))
      for (const lost of lostInputs(machine, state.Type === "Parallel" ? effective : ANY))
        found.set(`${lost.state} ${lost.path}`, lost);

    const output = outputOf(name, state, data);
    regularSuccessors(state).forEach((successor) => open.push({ name: successor, data: output }));
    for (const catcher of catchers(state))
      if (typeof catcher.Next === "string")
        open.push({ name: catcher.Next, data: caughtOutput(name, data, catcher) });
  }
  return [...found.values()];
}
