import {
  catchers,
  choices,
  innerMachines,
  isObject,
  regularSuccessors,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "./asl";
import {
  ANY,
  placed,
  resultPathOf,
  select,
  selected,
  shapeOfTemplate,
  type Loss,
  type Origin,
  type Shape,
} from "./data-shape";
import { integrationOf } from "./service-integrations";
import { answerOf } from "./service-shapes";

/**
 * Follows the data through a definition and tells of everything that is read on the way. Pure.
 *
 * Paths through the machine are followed one by one, so a state may read the same path with several outcomes.
 */

export interface Reading {
  readonly state: string;
  /** Where the path is written: `Parameters`, `ResultSelector`, `Choices` …; `whole` for a Task that sends its input. */
  readonly field: string;
  /** The key that is filled, of a payload template. */
  readonly key?: string;
  readonly path: string;
  /** The path is the whole value, and no argument of an intrinsic. */
  readonly isPlain?: boolean;
  /** What is there; `undefined` when it was taken away. */
  readonly found?: Shape;
  readonly loss?: Loss;
  /** Only asked whether it is there. */
  readonly isTest?: boolean;
}

interface Read {
  readonly field: string;
  readonly key?: string;
  readonly path: string;
  readonly isPlain?: boolean;
  readonly isTest?: boolean;
}

/** Every path that an expression reads from the state's data: the expression itself, or the arguments of an intrinsic. */
export function pathsIn(expression: string): string[] {
  if (expression.startsWith("$$")) return [];
  if (expression.startsWith("$")) return [expression];
  const withoutText = expression.replace(/'(?:\\.|[^'\\])*'/g, "''");
  return [...withoutText.matchAll(/(?<![$\w])\$(?!\$)[^,()\s]*/g)].map((match) => match[0]);
}

function readsOfTemplate(field: string, template: Json | undefined, key?: string): Read[] {
  if (Array.isArray(template))
    return (template as readonly Json[]).flatMap((one) => readsOfTemplate(field, one, key));
  if (!isObject(template)) return [];
  return Object.entries(template).flatMap(([name, value]) =>
    name.endsWith(".$") && typeof value === "string"
      ? pathsIn(value).map((path) => ({ field, key: name.slice(0, -2), path, isPlain: path === value }))
      : readsOfTemplate(field, value, name),
  );
}

/** What a choice rule reads, and what it only tests for being there. */
function readsOfRule(rule: JsonObject): Read[] {
  const inner = [rule.And, rule.Or, rule.Not].flatMap((part): (Json | undefined)[] =>
    Array.isArray(part) ? [...(part as readonly Json[])] : [part],
  );
  const own = Object.entries(rule)
    .filter(([key, value]) => (key === "Variable" || key.endsWith("Path")) && typeof value === "string")
    .flatMap(([, value]) => pathsIn(value as string))
    .map((path): Read => ({ field: "Choices", path, isTest: "IsPresent" in rule }));
  return [...own, ...inner.filter((part) => isObject(part)).flatMap(readsOfRule)];
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
function readsOf(state: State): Read[] {
  const fields = PATH_FIELDS.flatMap((field) => {
    const path = state[field];
    return typeof path === "string" ? pathsIn(path).map((one) => ({ field, path: one })) : [];
  });
  const sendsAll = state.Type === "Task" && !("Parameters" in state);
  return [
    ...readsOfTemplate("Parameters", state.Parameters),
    ...readsOfTemplate("ItemSelector", state.ItemSelector),
    ...fields,
    ...choices(state).flatMap(readsOfRule),
    ...(sendsAll ? [{ field: "whole", path: "$" }] : []),
  ];
}

/** What a Task is answered with: members where they are known, anything where not. */
function answerShape(name: string, state: State): Shape {
  const { call, pattern } = integrationOf(typeof state.Resource === "string" ? state.Resource : "");
  const origin = (path: string): Origin => ({ call: call + pattern, state: name, path });
  const members = state.Type === "Task" ? answerOf(call, pattern) : undefined;
  if (members === undefined)
    return "ResultPath" in state || "ResultSelector" in state ? ANY : { kind: "replaced", by: name };
  const fields = members.map((member): [string, Shape] => [member, { kind: "any", origin: origin(member) }]);
  return { kind: "object", fields: Object.fromEntries(fields), by: name, answerOf: call + pattern };
}

/** What a state makes of its data when it succeeds. */
function outputOf(name: string, state: State, data: Shape): Shape {
  const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
  const parameters = "Parameters" in state ? shapeOfTemplate(state.Parameters, effective, name) : effective;
  const put = (result: Shape) => placed(data, result, resultPathOf(state), name);
  let output = effective;
  if (state.Type === "Pass") {
    output = put("Result" in state ? shapeOfTemplate(state.Result, ANY, name) : parameters);
  } else if (state.Type === "Task" || state.Type === "Parallel" || state.Type === "Map") {
    const answer = answerShape(name, state);
    output = put("ResultSelector" in state ? shapeOfTemplate(state.ResultSelector, answer, name) : answer);
  }
  return "OutputPath" in state ? selected(output, state.OutputPath) : output;
}

const caughtOutput = (name: string, data: Shape, catcher: JsonObject): Shape =>
  placed(data, { kind: "object", fields: { Error: ANY, Cause: ANY }, by: name }, resultPathOf(catcher), name);

/** Everything one state reads of its data. */
function readingsOf(name: string, state: State, data: Shape): Reading[] {
  const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
  const look =
    (shape: Shape) =>
    (read: Read): Reading => {
      const result = select(shape, read.path);
      return { state: name, ...read, ...("found" in result ? { found: result.found } : result) };
    };
  const inputPath = typeof state.InputPath === "string" ? pathsIn(state.InputPath) : [];
  return [
    ...inputPath.map((path) => look(data)({ field: "InputPath", path })),
    ...readsOf(state).map(look(effective)),
    ...readsOfTemplate("ResultSelector", state.ResultSelector).map(look(answerShape(name, state))),
  ];
}

/** Shapes a single state may have been seen with; beyond this the machine is too branched to follow and is left alone. */
const MOST_SHAPES = 64;

/** A shape as text. The same one is met again and again: states hand on what they did not touch. */
const texts = new WeakMap<Shape, string>();

function textOf(shape: Shape): string {
  const known = texts.get(shape);
  if (known !== undefined) return known;
  const text = JSON.stringify(shape);
  texts.set(shape, text);
  return text;
}

const identityOf = ({ found, ...rest }: Reading): string =>
  JSON.stringify(rest) + (found === undefined ? "" : textOf(found));

/** Every reading on every way through a machine, those inside it included; each once. */
export function readings(definition: Definition, input: Shape = ANY): Reading[] {
  const { States: states } = definition;
  const found = new Map<string, Reading>();
  const note = (reading: Reading) => found.set(identityOf(reading), reading);
  const seen = new Map<string, Set<string>>();
  const open: { name: string; data: Shape }[] = [{ name: definition.StartAt, data: input }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, data } = next;
    const state = states[name];
    if (state === undefined) continue;
    const shapes = seen.get(name) ?? new Set<string>();
    seen.set(name, shapes);
    const key = textOf(data);
    if (shapes.has(key) || shapes.size >= MOST_SHAPES) continue;
    shapes.add(key);

    readingsOf(name, state, data).forEach(note);
    const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
    for (const machine of innerMachines(state))
      readings(machine, state.Type === "Parallel" ? effective : ANY).forEach(note);

    const output = outputOf(name, state, data);
    regularSuccessors(state).forEach((successor) => open.push({ name: successor, data: output }));
    for (const catcher of catchers(state))
      if (typeof catcher.Next === "string")
        open.push({ name: catcher.Next, data: caughtOutput(name, data, catcher) });
  }
  return [...found.values()];
}
