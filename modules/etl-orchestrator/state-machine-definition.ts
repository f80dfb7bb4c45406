import {
  isObject,
  successors,
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
export interface ComposedStep {
  readonly name: string;
  readonly fragment: JsonObject;
  readonly values: PlaceholderValues;
  /** Placeholders that lead to a later step; `undefined` is the last one. */
  readonly goesTo?: Readonly<Record<string, string | undefined>>;
  /** Flows between this step and the next one, by the placeholder for their first state. */
  readonly ways?: Readonly<Record<string, readonly ComposedStep[]>>;
  /** Machines inside of it, by the placeholder for their definitions. */
  readonly machines?: Readonly<Record<string, InnerMachine | readonly InnerMachine[]>>;
}

/** A machine inside a state: a branch of a Parallel, or the processor of a Map. */
export interface InnerMachine<S extends ComposedStep = ComposedStep> {
  readonly steps: readonly S[];
  /** The name of its last state, which makes its output. */
  readonly lastState: string;
  /** The last state's own fields: a Pass. */
  readonly output: JsonObject;
  /** Further fields of the machine, such as ProcessorConfig. */
  readonly fields?: JsonObject;
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

/** The way ahead of a flow: the state after its last one, and the later steps that its steps may go to. */
interface Ahead {
  readonly after: string;
  readonly later: readonly string[];
  /** The machine's last step, for steps that go there; `undefined` if it is in the flow itself. */
  readonly last?: string;
}

type States = Record<string, State>;

/**
 * Composes steps in order to one definition; the last one goes to a Succeed state.
 * @throws RenderError for mistakes in a fragment, a step name used twice, an unknown step to go to, a state name used twice.
 */
export function compose({ comment, timeoutSeconds, steps, ...options }: Composition): Definition {
  const composer = new Composer(options);
  composer.claim(LAST_STATE, "the flow");
  const { startAt, states } = composer.flow(steps, { after: LAST_STATE, later: [] });
  if (composer.mistakes.length > 0) throw new RenderError("state machine definition", composer.mistakes);
  // A flow that always fails does not reach it, and AWS refuses a state that cannot be reached.
  const endsWell = [startAt, ...Object.values(states).flatMap(successors)].includes(LAST_STATE);
  return {
    Comment: comment,
    StartAt: startAt,
    TimeoutSeconds: timeoutSeconds,
    States: endsWell ? { ...states, [LAST_STATE]: { Type: "Succeed" } } : states,
  };
}

class Composer {
  readonly mistakes: string[] = [];
  private readonly stepNames = new Set<string>();
  /** State names are unique in a whole machine, inner machines included (https://states-language.net/spec.html#states-fields). */
  private readonly stateNames = new Set<string>();

  constructor(private readonly options: Pick<Composition, "offered" | "isKnown">) {}

  /** The states of steps in order. A flow without steps starts at the state after it. */
  flow(steps: readonly ComposedStep[], ahead: Ahead): { startAt: string; states: States } {
    const names = steps.map((step) => step.name);
    const states: States = {};
    steps.forEach((step, index) => {
      const later = [...names.slice(index + 1), ...ahead.later];
      const last = ahead.last ?? names.slice(index + 1).at(-1) ?? ahead.after;
      Object.assign(states, this.step(step, { after: names[index + 1] ?? ahead.after, later, last }));
    });
    return { startAt: names[0] ?? ahead.after, states };
  }

  private step(step: ComposedStep, ahead: Required<Ahead>): States {
    if (this.stepNames.has(step.name)) this.mistakes.push(`the step name ${step.name} is used twice`);
    this.stepNames.add(step.name);
    const goes = Object.entries(step.goesTo ?? {}).map(([placeholder, target]) => {
      if (target !== undefined && !ahead.later.includes(target))
        this.mistakes.push(`step ${step.name} goes to ${target}, which is not a later step`);
      return [placeholder, target ?? ahead.last] as const;
    });
    const ways = Object.entries(step.ways ?? {}).map(
      ([placeholder, steps]) => [placeholder, this.flow(steps, ahead)] as const,
    );
    const machines = Object.entries(step.machines ?? {}).map(([placeholder, inner]) => [
      placeholder,
      Array.isArray(inner)
        ? (inner as readonly InnerMachine[]).map((one) => this.machine(one))
        : this.machine(inner as InnerMachine),
    ]);
    const values: PlaceholderValues = {
      ...step.values,
      ...Object.fromEntries(goes),
      ...Object.fromEntries(ways.map(([placeholder, { startAt }]) => [placeholder, startAt])),
      ...(Object.fromEntries(machines) as PlaceholderValues),
    };
    return Object.assign(
      this.own(step, values, ahead.after),
      ...ways.map(([, { states }]) => states),
    ) as States;
  }

  private machine({ steps, lastState, output, fields }: InnerMachine): JsonObject {
    this.claim(lastState, "an inner machine");
    const { startAt, states } = this.flow(steps, { after: lastState, later: [] });
    const last = { Type: "Pass", ...output, End: true };
    return { ...fields, StartAt: startAt, States: { ...states, [lastState]: last } };
  }

  private own(step: ComposedStep, values: PlaceholderValues, next: string): States {
    try {
      const offered = { ...this.options.offered, Step: step.name, Result: resultKey(step.name), Next: next };
      const rendered = render(`step ${step.name}`, step.fragment, values, {
        offered,
        isKnown: this.options.isKnown,
      }) as unknown as Definition;
      for (const name of Object.keys(rendered.States)) this.claim(name, `step ${step.name}`);
      return { ...rendered.States };
    } catch (error) {
      if (!(error instanceof RenderError)) throw error;
      this.mistakes.push(...error.mistakes.map((mistake) => `step ${step.name}: ${mistake}`));
      return {};
    }
  }

  claim(name: string, owner: string): void {
    if (this.stateNames.has(name)) this.mistakes.push(`the state name ${name} of ${owner} is used twice`);
    this.stateNames.add(name);
  }
}
