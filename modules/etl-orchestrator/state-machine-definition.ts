import {
  isObject,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "../../definition-checks/asl";

/** A value for a placeholder. */
export type PlaceholderValue = Json;
/** Values for placeholders, by name without `${}`. */
export type PlaceholderValues = Readonly<Record<string, PlaceholderValue>>;

const PLACEHOLDER = /\$\{([A-Z][A-Za-z0-9]*)\}/g;
const WHOLE_PLACEHOLDER = /^\$\{([A-Z][A-Za-z0-9]*)\}$/;

/** Holds all mistakes of one template. */
export class RenderError extends Error {
  override readonly name = "RenderError";
  constructor(
    what: string,
    readonly mistakes: readonly string[],
  ) {
    super(`${what}: ${mistakes.join("; ")}`);
  }
}

export interface RenderOptions {
  /** Values that a template may leave unused, such as the partition. */
  readonly offered?: PlaceholderValues;
  /** Returns `false` for a string that holds an unresolved token of CDKTF, which looks like a placeholder. */
  readonly isKnown?: (value: string) => boolean;
}

/**
 * Fills `${UpperCamel}` in every string and key of a template. A string that is exactly one placeholder becomes the
 * typed value. Values are inserted unchanged; placeholders in them are not filled. A `${Name}` without a value is refused, because
 * Terraform would read it as an interpolation of its own.
 * @throws RenderError naming every placeholder without a value, every value without a placeholder, every other `${`.
 */
export function render(
  what: string,
  template: JsonObject,
  values: PlaceholderValues,
  options: RenderOptions = {},
): JsonObject {
  const { offered = {}, isKnown = () => true } = options;
  const used = new Set<string>();
  const mistakes: string[] = [];

  const valueOf = (name: string): PlaceholderValue | undefined => {
    used.add(name);
    return Object.hasOwn(values, name) ? values[name] : offered[name];
  };
  const missing = (name: string, text: string) =>
    mistakes.push(`placeholder \${${name}} in ${JSON.stringify(text)} has no value`);

  const inText = (text: string): string => {
    const rest = text.replace(PLACEHOLDER, "");
    if (rest.includes("${") && isKnown(text))
      mistakes.push(`${JSON.stringify(text)} holds a "\${" that does not begin a placeholder in UpperCamel`);
    return text.replace(PLACEHOLDER, (whole, name: string) => {
      const value = valueOf(name);
      if (value === undefined) missing(name, text);
      else if (typeof value === "object")
        mistakes.push(
          `placeholder \${${name}} in ${JSON.stringify(text)} is part of a text, but its value is an object or a list`,
        );
      else return String(value);
      return whole;
    });
  };
  const inValue = (value: Json): Json => {
    if (typeof value === "string") {
      const whole = WHOLE_PLACEHOLDER.exec(value)?.[1];
      if (whole === undefined) return inText(value);
      const typed = valueOf(whole);
      if (typed === undefined) missing(whole, value);
      return typed ?? value;
    }
    if (Array.isArray(value)) return (value as readonly Json[]).map(inValue);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [inText(key), inValue(inner)]));
  };

  const rendered = inValue(template) as JsonObject;
  for (const name of Object.keys(values))
    if (!used.has(name)) mistakes.push(`value ${name} is used by no placeholder`);
  if (mistakes.length > 0) throw new RenderError(what, mistakes);
  return rendered;
}

/** The last state of a composed flow. */
export const LAST_STATE = "Succeeded";

const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

/** The key of a step's result: the result of `RunJob` is at `$.results.runJob`. */
export const resultKey = (stepName: string): string => lowerFirst(stepName);

/** The part of a step that goes into a definition. */
interface ComposedStep {
  readonly name: string;
  readonly fragment: JsonObject;
  readonly values: PlaceholderValues;
  /** Placeholders that lead to a later step; `undefined` is the last one. */
  readonly goesTo?: Readonly<Record<string, string | undefined>>;
}

export interface Composition {
  readonly comment: string;
  /** The time-out of the execution in seconds. */
  readonly timeoutSeconds: number;
  readonly steps: readonly ComposedStep[];
  /** Values that any fragment may use. */
  readonly offered: PlaceholderValues;
  readonly isKnown?: (value: string) => boolean;
}

/**
 * Composes steps in order to one definition; the last one goes to a Succeed state.
 * @throws RenderError for mistakes in a fragment, a step name used twice, an unknown step to go to, a state name used twice.
 */
export function compose({ comment, timeoutSeconds, steps, offered, isKnown }: Composition): Definition {
  const mistakes: string[] = [];
  const names = steps.map((step) => step.name);
  for (const name of new Set(names.filter((name, index) => names.indexOf(name) !== index)))
    mistakes.push(`the step name ${name} is used twice`);

  const states: Record<string, State> = {};
  steps.forEach((step, index) => {
    const next = names[index + 1] ?? LAST_STATE;
    const last = index + 1 < names.length ? (names.at(-1) ?? LAST_STATE) : LAST_STATE;
    const goes = Object.entries(step.goesTo ?? {}).map(([placeholder, target]) => {
      if (target !== undefined && !names.slice(index + 1).includes(target))
        mistakes.push(`step ${step.name} goes to ${target}, which is not a later step`);
      return [placeholder, target ?? last] as const;
    });
    try {
      const rendered = render(
        `step ${step.name}`,
        step.fragment,
        { ...step.values, ...Object.fromEntries(goes) },
        { offered: { ...offered, Step: step.name, Result: resultKey(step.name), Next: next }, isKnown },
      ) as unknown as Definition;
      for (const [name, state] of Object.entries(rendered.States)) {
        if (Object.hasOwn(states, name) || name === LAST_STATE)
          mistakes.push(`the state name ${name} of step ${step.name} is used twice`);
        states[name] = state;
      }
    } catch (error) {
      if (!(error instanceof RenderError)) throw error;
      mistakes.push(...error.mistakes.map((mistake) => `step ${step.name}: ${mistake}`));
    }
  });
  if (mistakes.length > 0) throw new RenderError("state machine definition", mistakes);
  return {
    Comment: comment,
    StartAt: names[0] ?? LAST_STATE,
    TimeoutSeconds: timeoutSeconds,
    States: { ...states, [LAST_STATE]: { Type: "Succeed" } },
  };
}
