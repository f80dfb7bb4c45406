import { type Mistake } from "../core/refusals";
import { expressionMistakes } from "./quality-expression";
import {
  type Judged,
  type Quality,
  type QualityRule,
  RULE_TYPES,
  type RuleAction,
  type RuleType,
  VISIBILITY_RULE,
} from "./quality-rules";

/** A function takes at most 127 arguments in Trino, and a text for each rule is one. */
const MOST_RULES = 100;
/** What a run may have: a state machine counts in 32 bits. */
const MOST_ROWS = 2_147_483_647;
const MOST_HOURS = 1_000_000;
const TYPES = Object.keys(RULE_TYPES) as RuleType[];

type Node = Readonly<Record<string, unknown>>;

/**
 * Reads a quality file strictly: a rule says what its type needs, and nothing else.
 *
 * @param document the parsed file
 * @returns what it says, of use only when there is no mistake, and every mistake as field and words that follow it
 */
export function readQuality(
  document: unknown,
  judged: Judged = {},
): { quality: Quality; mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = [];
  const file = new NodeReader(asNode(document), "", "", mistakes);
  if (!isNode(document)) {
    file.wrong("", `must be an object, ${got(document)}`);
    return { quality: { threshold: 0, rules: [] }, mistakes };
  }
  file.refuseOthers("a quality file", ["threshold", "rules"]);
  const threshold = file.whole("threshold", 0, 100);
  const entries = file.list("rules", "rule");
  if (entries.length > MOST_RULES) {
    mistakes.push([
      "rules",
      `must be at most ${MOST_RULES}, which is what one query can tell of, got ${entries.length}`,
    ]);
  }
  const readers = entries.map((entry, index) => new RuleReader(entry, index, entries, judged, mistakes));
  return { quality: { threshold, rules: readers.flatMap((reader) => reader.read()) }, mistakes };
}

/** Reads the fields of one object, collecting mistakes; after one it goes on with a harmless value. */
class NodeReader {
  constructor(
    protected readonly node: Node,
    private readonly place: string,
    private readonly owner: string,
    private readonly mistakes: Mistake[],
  ) {}

  has(key: string): boolean {
    return Object.hasOwn(this.node, key);
  }

  list(key: string, what: string): readonly unknown[] {
    const value = this.node[key];
    if (Array.isArray(value) && value.length > 0) return value;
    this.wrong(key, `must be a list of at least one ${what}, ${got(value)}`);
    return [];
  }

  whole(key: string, low: number, high: number): number {
    const value = this.node[key];
    if (Number.isInteger(value) && Number(value) >= low && Number(value) <= high) return Number(value);
    this.wrong(key, `must be a whole number from ${low} to ${high}, ${got(value)}`);
    return low;
  }

  share(key: string): number {
    const value = this.node[key];
    const isShare = typeof value === "number" && value >= 0 && value <= 1;
    if (isShare && Number(value.toFixed(6)) === value) return value;
    this.wrong(key, `must be a share from 0 to 1 with at most six decimals, ${got(value)}`);
    return 0;
  }

  oneOf<T extends string>(key: string, known: readonly T[]): T | undefined {
    const value = known.find((name) => name === this.node[key]);
    if (value === undefined) this.wrong(key, `must be one of ${known.join(", ")}, ${got(this.node[key])}`);
    return value;
  }

  text(key: string): string {
    const value = this.node[key];
    if (isText(value) && value !== "") return value;
    this.wrong(key, `must be a text, ${got(value)}`);
    return "";
  }

  texts(key: string): readonly string[] {
    const values = this.list(key, "text");
    const others = values.filter((value) => !isText(value));
    if (others.length > 0) this.wrong(key, `must hold texts only, ${got(others[0])}`);
    const texts = values.filter(isText);
    const twice = texts.find((text, index) => texts.indexOf(text) !== index);
    if (twice !== undefined) this.wrong(key, `must not repeat ${JSON.stringify(twice)}`);
    return texts;
  }

  refuseOthers(what: string, known: readonly string[]): void {
    for (const key of Object.keys(this.node).filter((name) => !known.includes(name))) {
      this.wrong(key, `is unknown: ${what} may say ${known.join(", ")}`);
    }
  }

  wrong(key: string, message: string): void {
    const field = this.place === "" ? key : `${this.place}${key === "" ? "" : "."}${key}`;
    this.mistakes.push([field, this.owner === "" ? message : `of ${this.owner} ${message}`]);
  }
}

class RuleReader extends NodeReader {
  private readonly entries: readonly Node[];

  constructor(
    private readonly entry: unknown,
    private readonly index: number,
    entries: readonly unknown[],
    private readonly judged: Judged,
    mistakes: Mistake[],
  ) {
    const node = asNode(entry);
    super(node, `rules[${index}]`, isName(node.name) ? node.name : "", mistakes);
    this.entries = entries.map(asNode);
  }

  /** The rule; nothing when its type cannot be told. */
  read(): QualityRule[] {
    if (!isNode(this.entry)) {
      this.wrong("", `must be an object, ${got(this.entry)}`);
      return [];
    }
    const name = this.name();
    const type = this.oneOf("type", TYPES);
    if (type === undefined) return [];
    const action = this.action(type);
    this.refuseOthers(`a ${type} rule`, ["name", "type", "action", "weight", ...RULE_TYPES[type].keys]);
    const common = { name, action, weight: this.has("weight") ? this.whole("weight", 1, 100) : 1 };
    switch (type) {
      case "completeness":
        return [{ ...common, type, column: this.column(type), atLeast: this.atLeast(action) }];
      case "uniqueness":
        return [{ ...common, type, columns: this.columns(type), atLeast: this.atLeast(action) }];
      case "allowedValues": {
        const column = this.column(type);
        return [{ ...common, type, column, values: this.texts("values"), atLeast: this.atLeast(action) }];
      }
      case "customSql":
        return [{ ...common, type, expression: this.expression(), atLeast: this.atLeast(action) }];
      case "rowCount":
        return [{ ...common, type, ...this.bounds() }];
      case "freshness": {
        const atMostHours = this.whole("atMostHours", 0, MOST_HOURS);
        return [{ ...common, type, column: this.column(type), atMostHours }];
      }
      case "quarantineLimit":
        return [{ ...common, type, reason: this.reason(), atMost: this.share("atMost") }];
    }
  }

  private name(): string {
    const { name } = this.node;
    if (!isName(name)) {
      this.wrong(
        "name",
        `must be at most 60 small letters, digits and underscores, beginning with a letter, ${got(name)}`,
      );
      return "";
    }
    const first = this.entries.findIndex((entry) => entry.name === name);
    if (first < this.index) this.wrong("name", `must be another than that of rules[${first}]`);
    if (this.judged.reasons?.includes(name)) {
      this.wrong("name", "must be another: it is a reason of the contract, and the counts would mix");
    }
    if (name === VISIBILITY_RULE) this.wrong("name", "must be another: the query calls its own check so");
    return name;
  }

  private action(type: RuleType): RuleAction {
    const { actions } = RULE_TYPES[type];
    const value = actions.find((action) => action === this.node.action);
    if (value !== undefined) return value;
    this.wrong("action", `must be ${orList(actions)} for ${type}, ${got(this.node.action)}`);
    // As given, so that nothing is said of a share that the action does not want.
    return this.node.action === "quarantine" ? "quarantine" : "warn";
  }

  private atLeast(action: RuleAction): number {
    if (action !== "quarantine") return this.share("atLeast");
    if (this.has("atLeast")) {
      this.wrong(
        "atLeast",
        "must be left out: what a rule quarantines is never published, so the share is 1",
      );
    }
    return 1;
  }

  private bounds(): { atLeast: number; atMost?: number } {
    if (!this.has("atLeast") && !this.has("atMost")) {
      this.wrong("atLeast", "must be given, or atMost, or both");
      return { atLeast: 0 };
    }
    const atLeast = this.has("atLeast") ? this.whole("atLeast", 0, MOST_ROWS) : 0;
    if (!this.has("atMost")) return { atLeast };
    const atMost = this.whole("atMost", 0, MOST_ROWS);
    const bothWhole = this.node.atMost === atMost && (!this.has("atLeast") || this.node.atLeast === atLeast);
    if (bothWhole && atLeast > atMost) {
      this.wrong("atLeast", `must not be above atMost, got ${atLeast} above ${atMost}`);
    }
    return { atLeast, atMost };
  }

  private column(type: RuleType): string {
    const name = this.text("column");
    if (name !== "") this.checkColumn("column", name, type);
    return name;
  }

  private columns(type: RuleType): readonly string[] {
    const names = this.texts("columns");
    for (const name of names) this.checkColumn("columns", name, type);
    return names;
  }

  private checkColumn(key: string, name: string, type: RuleType): void {
    const { columns } = this.judged;
    const kinds = RULE_TYPES[type].kinds ?? [];
    const kind = columns?.get(name);
    if (name === "") this.wrong(key, "must hold names of columns, got an empty one");
    else if (columns !== undefined && kind === undefined) {
      this.wrong(key, `must be of ${[...columns.keys()].join(", ")}, ${got(name)}`);
    } else if (kind !== undefined && !kinds.includes(kind)) {
      this.wrong(key, `must be ${orList(kinds)} for ${type}, got '${name}', which is ${kind}`);
    }
  }

  private reason(): string {
    const { reasons } = this.judged;
    if (reasons === undefined) return this.text("reason");
    const taken = this.entries.filter(({ action, name }) => action === "quarantine" && isName(name));
    return this.oneOf("reason", [...reasons, ...taken.map(({ name }) => String(name))]) ?? "";
  }

  private expression(): string {
    const expression = this.text("expression");
    const columns = this.judged.columns && [...this.judged.columns.keys()];
    if (expression !== "") {
      for (const mistake of expressionMistakes(expression, columns)) this.wrong("expression", mistake);
    }
    return expression;
  }
}

const isName = (value: unknown): value is string =>
  typeof value === "string" && /^[a-z][a-z0-9_]{0,59}$/.test(value);

/** Half of a surrogate pair is no character, and no service would take it. */
const isText = (value: unknown): value is string =>
  typeof value === "string" && !/\p{Surrogate}/u.test(value);

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const asNode = (value: unknown): Node => (isNode(value) ? value : {});

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function got(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return `got ${text.length <= 60 ? text : `${text.slice(0, 57)}...`}`;
}
