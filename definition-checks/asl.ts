/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/** One state. Its fields are not typed further, because a hand-written definition may hold anything. */
export type State = JsonObject;

/** A definition in the Amazon States Language, with the fields read here (https://states-language.net/spec.html). */
export interface Definition {
  readonly Comment?: string;
  readonly StartAt: string;
  readonly TimeoutSeconds?: number;
  readonly QueryLanguage?: string;
  readonly States: Readonly<Record<string, State>>;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Tells whether a state's expressions are JSONata. {@link withLanguages} has written the machine's language into it. */
export const isJsonata = (state: State): boolean => state.QueryLanguage === "JSONata";

/** The field that holds what a Task sends. */
export const sentField = (state: State): "Arguments" | "Parameters" =>
  isJsonata(state) ? "Arguments" : "Parameters";

/** Writes the machine's query language into every state without one: inner states have the language of the whole machine. */
export function withLanguages(machine: Definition, language = machine.QueryLanguage): Definition {
  if (language !== "JSONata") return machine;
  const inner = (value: Json): Json =>
    isObject(value) && isObject(value.States)
      ? (withLanguages(value as unknown as Definition, language) as unknown as Json)
      : value;
  const states = Object.entries(machine.States).map(([name, state]): [string, State] => [
    name,
    {
      QueryLanguage: language,
      ...Object.fromEntries(
        Object.entries(state).map(([field, value]) => [
          field,
          field === "Branches" && Array.isArray(value) ? (value as Json[]).map(inner) : inner(value),
        ]),
      ),
    },
  ]);
  return { ...machine, States: Object.fromEntries(states) };
}

const objects = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

export const retriers = (state: State): JsonObject[] => objects(state.Retry);
export const catchers = (state: State): JsonObject[] => objects(state.Catch);
export const choices = (state: State): JsonObject[] => objects(state.Choices);

/** The errors a retrier or catcher names. */
export const errorEquals = (rule: JsonObject): string[] =>
  Array.isArray(rule.ErrorEquals)
    ? rule.ErrorEquals.filter((name): name is string => typeof name === "string")
    : [];

const targetsOf = (rules: readonly JsonObject[]): string[] =>
  rules.map((rule) => rule.Next).filter((next): next is string => typeof next === "string");

/** The states that a state may go to without an error. */
export function regularSuccessors(state: State): string[] {
  const next = typeof state.Next === "string" ? [state.Next] : [];
  const fallback = typeof state.Default === "string" ? [state.Default] : [];
  return [...next, ...targetsOf(choices(state)), ...fallback];
}

export const successors = (state: State): string[] => [
  ...regularSuccessors(state),
  ...targetsOf(catchers(state)),
];

/** Tells whether a state ends the execution in success. */
export const isSuccess = (state: State): boolean => state.Type === "Succeed" || state.End === true;

/** Every state that can be reached from `start` (itself included) without entering one of `without`. */
export function reachable(
  states: Readonly<Record<string, State>>,
  start: string,
  without: ReadonlySet<string> = new Set(),
): Set<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = states[name];
    if (state === undefined || seen.has(name) || without.has(name)) continue;
    seen.add(name);
    open.push(...successors(state));
  }
  return seen;
}

/** The machines inside a state: branches of a Parallel, the processor of a Map. */
export function innerMachines(state: State): Definition[] {
  const inner = [
    ...objects(state.Branches),
    ...[state.ItemProcessor, state.Iterator].filter((value): value is JsonObject => isObject(value)),
  ];
  return inner.filter((machine) => isObject(machine.States)) as unknown as Definition[];
}

/** Every state of a definition, inner machines included. */
export function everyState(definition: Definition): { readonly name: string; readonly state: State }[] {
  return Object.entries(definition.States).flatMap(([name, state]) => [
    { name, state },
    ...innerMachines(state).flatMap(everyState),
  ]);
}
