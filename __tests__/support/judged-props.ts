import { type TerraformStack } from "cdktf";
import { Changes, droppedProps, synth } from "./synth";
import { publicProps } from "./public-props";

/**
 * Judges constructs and steps by the types of their props: none is dropped, what was set can be read back from what is
 * synthesised, and no prop of the type is missing from the sets.
 */

type Sets<P> = readonly [full: P, other: P];
type Build<P> = (stack: TerraformStack, props: P) => unknown;

interface How<P> {
  /** Props that are looked into: each of their fields counts as a prop. */
  readonly within?: readonly (keyof P & string)[];
  /**
   * The form of a prop that is not found as it was set: text that the full set's output has more of than the other's, or less
   * of where it begins with `!`.
   */
  readonly becomes?: Partial<Record<keyof P & string, string>>;
  /** Props that are seen in nothing but what they refuse: with the other's value the full set is refused. */
  readonly refuses?: readonly (keyof P & string)[];
  /** The props that these sets are for; all of them by default. */
  readonly only?: readonly (keyof P & string)[];
}

const judged = new Map<string, Set<string>>();

/** @param type the name of the props type on the public surface */
export function judge<P extends object>(
  type: string,
  sets: (stack: TerraformStack) => Sets<P>,
  build: Build<P>,
  { within = [], becomes = {}, refuses = [], only }: How<P> = {},
): void {
  const changes = new Changes(sets, build);
  const names = Object.keys(changes.full);
  const props = names.filter((name) => only?.includes(name as keyof P & string) ?? true);
  judged.set(type, new Set([...(judged.get(type) ?? []), ...props]));

  const seen = props.filter((name) => !refuses.includes(name as keyof P & string));
  const dropped = droppedProps(changes, { props: seen, within });
  expect({ type, dropped }).toEqual({ type, dropped: [] });
  const unread = seen.filter((name) => !canBeReadBack(name, changes, becomes as Record<string, string>));
  expect({ type, unread }).toEqual({ type, unread: [] });
  for (const name of refuses) {
    const changed = (stack: TerraformStack): P => {
      const [full, other] = sets(stack);
      return { ...full, [name]: other[name] };
    };
    expect(() => synth((stack) => void build(stack, changed(stack)))).toThrow(`'${name}`);
  }
}

/** The props types that no case judges, and the props that no case of their type names. */
export function unjudged(isMeant: (type: string) => boolean): string[] {
  const types = [...publicProps()].filter(([type]) => isMeant(type));
  if (types.length === 0) throw new Error("no props type is meant");
  return types.flatMap(([type, props]) => {
    const named = judged.get(type);
    if (named === undefined) return [type];
    return props.filter((prop) => !named.has(prop)).map((prop) => `${type}.${prop}`);
  });
}

/** Tells whether a value stands in the output more often than where another value is set; to be refused is to have none. */
function canBeReadBack<P extends object>(
  name: string,
  changes: Changes<P>,
  becomes: Readonly<Record<string, string>>,
): boolean {
  const { whole } = changes;
  const outcome = changes.changed([name]);
  // Refused together with the others.
  const changed = "json" in outcome ? outcome.json : "";
  const text = becomes[name];
  if (text?.startsWith("!")) return parts(text.slice(1), whole) < parts(text.slice(1), changed);
  if (text !== undefined) return parts(text, whole) > parts(text, changed);
  const values = leaves((changes.full as Record<string, unknown>)[name]);
  return values.some((value) => words(value, whole) > words(value, changed));
}

/** The texts, numbers and truths of plain data; what is a construct has none. */
function leaves(value: unknown): string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (typeof value === "number" || typeof value === "boolean") return [String(value)];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(leaves);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isPlain ? Object.values(value).flatMap(leaves) : [];
}

const parts = (value: string, text: string): number => text.split(value).length - 1;

/** How often a value stands in a text, and not as a part of a longer word. */
function words(value: string, text: string): number {
  const inJson = JSON.stringify(value).slice(1, -1);
  const [first, last] = [/^\w/.test(inJson), /\w$/.test(inJson)];
  let found = 0;
  for (let at = text.indexOf(inJson); at >= 0; at = text.indexOf(inJson, at + 1)) {
    const isWhole =
      !(first && /\w/.test(text[at - 1] ?? "")) && !(last && /\w/.test(text[at + inJson.length] ?? ""));
    if (isWhole) found += 1;
  }
  return found;
}
