import {
  catchers,
  choices,
  innerMachines,
  isJsonata,
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
 * One path that a state reads, and its value there. Ways through the machine are followed one by one, so a state may read the same
 * path with several outcomes.
 */
export interface Reading {
  readonly state: string;
  /** The field that holds the path: `Parameters`, `ResultSelector`, `Choices` …; `whole` for a Task that sends its input. */
  readonly field: string;
  /** The key of the payload template that the path fills. */
  readonly key?: string;
  readonly path: string;
  /** The path is the whole value, not an argument of an intrinsic. */
  readonly isPlain?: boolean;
  /** The value's shape; `undefined` if the value was lost. */
  readonly found?: Shape;
  readonly loss?: Loss;
  /** A Choice tests the path with IsPresent only. */
  readonly isTest?: boolean;
}

interface Read {
  readonly field: string;
  readonly key?: string;
  readonly path: string;
  readonly isPlain?: boolean;
  readonly isTest?: boolean;
}

/** The paths that an expression reads from the state's data: the expression itself, or the arguments of an intrinsic. */
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

/** The paths that a choice rule reads, including those that it only tests with IsPresent. */
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

/** The paths that a state reads after its InputPath. */
function readsOf(state: State): Read[] {
  // JSONata yields nothing for a missing field, and expressions are judged by jsonata-checks.ts.
  if (isJsonata(state)) return [];
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

/** The shape of a Task's answer: its members if they are known, otherwise anything. */
function answerShape(name: string, state: State): Shape {
  const { call, pattern } = integrationOf(typeof state.Resource === "string" ? state.Resource : "");
  const origin = (path: string): Origin => ({ call: call + pattern, state: name, path });
  const members = state.Type === "Task" ? answerOf(call, pattern) : undefined;
  if (members === undefined)
    return "ResultPath" in state || "ResultSelector" in state ? ANY : { kind: "replaced", by: name };
  const fields = members.map((member): [string, Shape] => [member, { kind: "any", origin: origin(member) }]);
  return { kind: "object", fields: Object.fromEntries(fields), by: name, answerOf: call + pattern };
}

const HAS_RESULT = ["Task", "Parallel", "Map"];

/** The shape of a state's output on success. */
function outputOf(name: string, { state, answer }: Known, data: Shape): Shape {
  if (isJsonata(state)) {
    const isChanged = "Output" in state || choices(state).some((rule) => "Output" in rule);
    return isChanged || HAS_RESULT.includes(state.Type as string) ? ANY : data;
  }
  const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
  const parameters = "Parameters" in state ? shapeOfTemplate(state.Parameters, effective, name) : effective;
  const put = (result: Shape) => placed(data, result, resultPathOf(state), name);
  let output = effective;
  if (state.Type === "Pass") {
    output = put("Result" in state ? shapeOfTemplate(state.Result, ANY, name) : parameters);
  } else if (state.Type === "Task" || state.Type === "Parallel" || state.Type === "Map") {
    output = put("ResultSelector" in state ? shapeOfTemplate(state.ResultSelector, answer, name) : answer);
  }
  return "OutputPath" in state ? selected(output, state.OutputPath) : output;
}

const caughtOutput = (name: string, data: Shape, catcher: JsonObject): Shape =>
  placed(data, { kind: "object", fields: { Error: ANY, Cause: ANY }, by: name }, resultPathOf(catcher), name);

/** A state's reads and answer, which do not depend on its data. */
interface Known {
  readonly state: State;
  readonly ofInput: readonly Read[];
  readonly ofEffective: readonly Read[];
  readonly ofAnswer: readonly Read[];
  readonly answer: Shape;
}

function knownOf(name: string, state: State): Known {
  const inputPath = typeof state.InputPath === "string" && !isJsonata(state) ? pathsIn(state.InputPath) : [];
  return {
    state,
    ofInput: inputPath.map((path) => ({ field: "InputPath", path })),
    ofEffective: readsOf(state),
    ofAnswer: isJsonata(state) ? [] : readsOfTemplate("ResultSelector", state.ResultSelector),
    answer: answerShape(name, state),
  };
}

/** The most shapes followed per state; a machine with more branches is followed in part. */
const MOST_SHAPES = 64;

/** Every reading on every way through a machine, inner machines included, each once. */
export function readings(definition: Definition, input: Shape = ANY): Reading[] {
  return new Walk().through(definition, input);
}

/** One walk through a machine. An inner machine is walked once per shape of its input. */
class Walk {
  private readonly shapes = new ShapeIds();
  private readonly inner = new Map<Definition, Map<number, Reading[]>>();

  through(definition: Definition, input: Shape): Reading[] {
    const { States: states } = definition;
    const found = new Map<string, Reading>();
    const known = new Map<string, Known>();
    const seen = new Map<string, Set<number>>();
    const open: { name: string; data: Shape }[] = [{ name: definition.StartAt, data: input }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { name, data } = next;
      const state = states[name];
      if (state === undefined) continue;
      const shapes = seen.get(name) ?? new Set<number>();
      seen.set(name, shapes);
      const key = this.shapes.of(data);
      if (shapes.has(key) || shapes.size >= MOST_SHAPES) continue;
      shapes.add(key);

      const all = known.get(name) ?? knownOf(name, state);
      known.set(name, all);
      const effective = "InputPath" in state ? selected(data, state.InputPath) : data;
      this.note(found, name, all.ofInput, data);
      this.note(found, name, all.ofEffective, effective);
      this.note(found, name, all.ofAnswer, all.answer);
      for (const machine of innerMachines(state))
        for (const reading of this.throughInner(machine, state.Type === "Parallel" ? effective : ANY))
          found.set(this.identityOf(reading), reading);

      const output = outputOf(name, all, data);
      regularSuccessors(state).forEach((successor) => open.push({ name: successor, data: output }));
      for (const catcher of catchers(state))
        if (typeof catcher.Next === "string")
          open.push({
            name: catcher.Next,
            data: isJsonata(state) ? ANY : caughtOutput(name, data, catcher),
          });
    }
    return [...found.values()];
  }

  private throughInner(machine: Definition, input: Shape): Reading[] {
    const byInput = this.inner.get(machine) ?? new Map<number, Reading[]>();
    this.inner.set(machine, byInput);
    const key = this.shapes.of(input);
    const readings = byInput.get(key) ?? this.through(machine, input);
    byInput.set(key, readings);
    return readings;
  }

  private note(found: Map<string, Reading>, state: string, reads: readonly Read[], shape: Shape): void {
    for (const read of reads) {
      const result = select(shape, read.path);
      const reading: Reading = { state, ...read, ...result };
      const identity = this.identityOf(reading);
      if (!found.has(identity)) found.set(identity, reading);
    }
  }

  private identityOf({ state, field, key, path, isPlain, isTest, found, loss }: Reading): string {
    const outcome =
      found === undefined ? `-${loss!.by}\n${loss!.depth}\n${loss!.answerOf}` : this.shapes.of(found);
    return `${state}\n${field}\n${key}\n${path}\n${isPlain}\n${isTest}\n${outcome}`;
  }
}

/** Numbers shapes; equal shapes get the same number. */
class ShapeIds {
  private readonly byShape = new WeakMap<Shape, number>();
  private readonly byText = new Map<string, number>();

  of(shape: Shape): number {
    const known = this.byShape.get(shape);
    if (known !== undefined) return known;
    const text = this.textOf(shape);
    const id = this.byText.get(text) ?? this.byText.size;
    this.byText.set(text, id);
    this.byShape.set(shape, id);
    return id;
  }

  /** The text of one level, inner shapes by their number: states pass on most shapes unchanged, so those are numbered already. */
  private textOf(shape: Shape): string {
    if (shape.kind !== "object") return JSON.stringify(shape);
    const fields = Object.entries(shape.fields).map(([name, field]) => [name, this.of(field)]);
    return JSON.stringify({ ...shape, fields });
  }
}
