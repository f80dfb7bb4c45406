import { asNode, got, isNode, type Node, NodeReader } from "./node-reader";
import { type Mistake } from "../modules/core/refusals";
import { expressionMistakes } from "./expression";
import {
  DEFAULT_RULE,
  defaultLimit,
  type Judged,
  limits,
  type Quality,
  type QualityRule,
  RULE_TYPES,
  type RuleAction,
  type RuleType,
  VISIBILITY_RULE,
} from "./quality-rules";

/** Trino's functions take at most 127 arguments, and `concat_ws` gets one per rule. */
const MOST_RULES = 100;
/** The most rows of a run: a state machine counts in 32 bits. */
const MOST_ROWS = 2_147_483_647;
const MOST_HOURS = 1_000_000;
const TYPES = Object.keys(RULE_TYPES) as RuleType[];

/**
 * Reads a quality file strictly: a rule holds the keys of its type, and no others.
 *
 * @param document the parsed file
 * @param judged what the contract publishes
 * @returns the rules, valid only if there is no mistake, and every mistake as a pair of field and message
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
      `must hold at most ${MOST_RULES} rules, which is what one query can report, got ${entries.length}`,
    ]);
  }
  const readers = entries.map((entry, index) => new RuleReader(entry, index, entries, judged, mistakes));
  const rules = readers.flatMap((reader) => reader.read());
  return { quality: { threshold, rules: [...rules, ...defaultOf(rules, judged)] }, mistakes };
}

/** Without a contract the reason of an unreadable line is unknown; then only the job applies the default limit. */
function defaultOf(rules: readonly QualityRule[], { reasons = [] }: Judged): QualityRule[] {
  const [unreadable] = reasons;
  if (unreadable === undefined || rules.some((rule) => limits(rule, unreadable))) return [];
  return [defaultLimit(unreadable)];
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

  /** The rule; empty if its type is unknown. */
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
    if (first < this.index) this.wrong("name", `must differ from that of rules[${first}]`);
    if (this.judged.reasons?.includes(name)) {
      this.wrong(
        "name",
        "must be another name: the contract has a reason of this name, and their counts would mix",
      );
    }
    if (name === VISIBILITY_RULE)
      this.wrong("name", "must be another name: the query's own check has this name");
    if (name === DEFAULT_RULE) this.wrong("name", "must be another name: the default limit has this name");
    return name;
  }

  private action(type: RuleType): RuleAction {
    const { actions } = RULE_TYPES[type];
    const value = actions.find((action) => action === this.node.action);
    if (value !== undefined) return value;
    this.wrong("action", `must be ${orList(actions)} for ${type}, ${got(this.node.action)}`);
    // Keep a given quarantine, so that its missing share is not reported as well.
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

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
