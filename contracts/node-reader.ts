import type { Mistake } from "../modules/core/refusals";
import { datetimePatternMistake } from "./datetime-pattern";

/** Keys that are allowed everywhere and have no effect: they are for readers. */
export const NOTES = ["title", "description", "$comment", "examples"];

export type Node = Readonly<Record<string, unknown>>;

/** Reads the fields of one object of a file and collects mistakes. A field with a mistake is read as a harmless value. */
export class NodeReader {
  /**
   * @param place the object's place in the file, e.g. `rules[1]`; "" for the file itself
   * @param owner the name of the rule it belongs to, repeated in each mistake; "" for none
   */
  constructor(
    readonly node: Node,
    readonly place: string,
    private readonly owner: string,
    private readonly mistakes: Mistake[],
  ) {}

  has(key: string): boolean {
    return Object.hasOwn(this.node, key);
  }

  /** The value of an own key; `undefined` if the key is missing. */
  value(key: string): unknown {
    return this.has(key) ? this.node[key] : undefined;
  }

  /** A reader of the object under a key; `undefined`, with a mistake, if there is no object. */
  child(key: string, value = this.value(key)): NodeReader | undefined {
    if (isNode(value)) return new NodeReader(value, this.at(key), this.owner, this.mistakes);
    this.wrong(key, `must be an object, ${got(value)}`);
    return undefined;
  }

  /** A reader of each object in a list. */
  children(key: string, what: string): (NodeReader | undefined)[] {
    return this.list(key, what).map((entry, index) => this.child(`${key}[${index}]`, entry));
  }

  /** A reader of each key's object, by the key's name. */
  objects(): [name: string, reader: NodeReader | undefined][] {
    return Object.keys(this.node).map((name) => [name, this.child(name)]);
  }

  list(key: string, what: string): readonly unknown[] {
    const value = this.value(key);
    if (Array.isArray(value) && value.length > 0) return value;
    this.wrong(key, `must be a list of at least one ${what}, ${got(value)}`);
    return [];
  }

  whole(key: string, low: number, high: number): number {
    const value = this.value(key);
    if (Number.isInteger(value) && Number(value) >= low && Number(value) <= high) return Number(value);
    this.wrong(key, `must be a whole number from ${low} to ${high}, ${got(value)}`);
    return low;
  }

  share(key: string): number {
    const value = this.value(key);
    const isShare = typeof value === "number" && value >= 0 && value <= 1;
    if (isShare && Number(value.toFixed(6)) === value) return value;
    this.wrong(key, `must be a share from 0 to 1 with at most six decimals, ${got(value)}`);
    return 0;
  }

  oneOf<T extends string>(key: string, known: readonly T[]): T | undefined {
    const value = known.find((name) => name === this.value(key));
    if (value === undefined) this.wrong(key, `must be one of ${known.join(", ")}, ${got(this.value(key))}`);
    return value;
  }

  text(key: string): string {
    const value = this.value(key);
    if (isText(value) && value !== "") return value;
    this.wrong(key, `must be a text, ${got(value)}`);
    return "";
  }

  texts(key: string): readonly string[] {
    return this.textsThat(key, isText);
  }

  /** A list of non-empty texts. */
  names(key: string): readonly string[] {
    return this.textsThat(key, (value): value is string => isText(value) && value !== "");
  }

  /** A list of datetime patterns of Spark. */
  patterns(key: string, mistakeOf = datetimePatternMistake): readonly string[] {
    const patterns = this.names(key);
    for (const [index, pattern] of patterns.entries()) {
      const mistake = mistakeOf(pattern);
      if (mistake !== undefined)
        this.wrong(`${key}[${index}]`, `must be a datetime pattern, ${got(pattern)}: ${mistake}`);
    }
    return patterns;
  }

  /** @param silently further keys that are allowed, but not listed in the message */
  refuseOthers(what: string, known: readonly string[], silently: readonly string[] = []): void {
    for (const key of Object.keys(this.node).filter((name) => !known.includes(name))) {
      if (!silently.includes(key)) this.wrong(key, `is unknown: ${what} may hold ${known.join(", ")}`);
    }
  }

  wrong(key: string, message: string): void {
    this.mistakes.push([this.at(key), this.owner === "" ? message : `of ${this.owner} ${message}`]);
  }

  private at(key: string): string {
    return this.place === "" ? key : `${this.place}${key === "" ? "" : "."}${key}`;
  }

  private textsThat(key: string, isRight: (value: unknown) => value is string): readonly string[] {
    const values = this.list(key, "text");
    const others = values.filter((value) => !isRight(value));
    if (others.length > 0) this.wrong(key, `must hold texts only, ${got(others[0])}`);
    const texts = values.filter(isRight);
    const twice = texts.find((text, index) => texts.indexOf(text) !== index);
    if (twice !== undefined) this.wrong(key, `must not repeat ${JSON.stringify(twice)}`);
    return texts;
  }
}

/** A string without unpaired surrogates, which no service accepts. */
export const isText = (value: unknown): value is string =>
  typeof value === "string" && !/\p{Surrogate}/u.test(value);

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const asNode = (value: unknown): Node => (isNode(value) ? value : {});

/** The value found, as JSON of at most 60 characters. */
export function got(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return `got ${text.length <= 60 ? text : `${text.slice(0, 57)}...`}`;
}
