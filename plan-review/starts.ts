import { runsPerMonth } from "../modules/schedules/runs-per-month";
import { type Change, UNKNOWN, withoutKeys } from "./change";
import { type When } from "./money-line";
import { type Values } from "./plan";
import { type May, StartRights } from "./start-rights";

/** How often something is started. */
export interface Starts {
  /** Runs in an average month by the clock; `undefined` if no schedule leads to it, or one cannot be read. */
  readonly runs: number | undefined;
  /** Addresses of what starts it when something happens, so that nobody knows how often. */
  readonly events: readonly string[];
}

/** Resources that start others, or that are started. */
const LINKS =
  /^aws_(scheduler_schedule|cloudwatch_event_(rule|target)|glue_(trigger|workflow|job|crawler)|sfn_(state_machine|alias)|lambda_(function|alias|event_source_mapping)|pipes_pipe|s3_bucket_notification|sns_topic_subscription|sns_topic)$/;
const NAMED = /^aws_(glue_(job|crawler|workflow)|lambda_function|sfn_state_machine)$/;
/** Resources that these attributes name are not started. */
const NOT_STARTED =
  /^(role|role_arn|dead_letter_config|kms_key_arn|kms_key_id|tags|tags_all|layers|vpc_config|logging_configuration)$/;
const EVENTS = /^aws_(lambda_event_source_mapping|pipes_pipe|s3_bucket_notification|sns_topic_subscription)$/;

/**
 * The graph of who starts whom at one moment: schedules, rules with their targets, triggers and workflows of Glue, state machines with their children,
 * functions. The edges are the references of the configuration, also through modules, and names and ARNs among the values. A function or a state machine
 * starts what it names only if its role may; where that is not known, it counts as something that happens.
 */
export class StartGraph {
  private readonly incoming = new Map<Change, Set<Change>>();
  /** Resources that name it, and of which it is not known whether they may start it. */
  private readonly possible = new Map<Change, Set<Change>>();
  private readonly rights: StartRights;
  private readonly byText = new Map<string, Change[]>();
  private readonly byAddress = new Map<string, Change[]>();

  constructor(
    changes: readonly Change[],
    private readonly when: When,
  ) {
    this.rights = new StartRights(changes, when);
    const links = changes.filter((change) => LINKS.test(change.type) && change[when] !== undefined);
    for (const change of links) this.index(change);
    for (const change of links) this.connect(change);
  }

  /** The starts of a job, a crawler, a function or a state machine. */
  of(target: Change): Starts {
    const seen = new Set<Change>();
    const open = [target];
    for (let one = open.pop(); one !== undefined; one = open.pop()) {
      if (seen.has(one)) continue;
      seen.add(one);
      open.push(...(this.incoming.get(one) ?? []));
    }
    const clocks = [...seen].map((one) => clockOf(one, this.when)).filter((one) => one !== undefined);
    const runs = clocks.map((one) => (one === "unknown" ? undefined : one));
    return {
      runs:
        runs.length === 0 || runs.includes(undefined)
          ? undefined
          : runs.reduce<number>((sum, one) => sum + one!, 0),
      events: this.eventsOf(seen),
    };
  }

  private eventsOf(starters: ReadonlySet<Change>): string[] {
    const sure = [...starters].filter((one) => isOnEvents(one, this.when));
    const possible = [...starters].flatMap((one) => [...(this.possible.get(one) ?? [])]);
    return [...new Set([...sure, ...possible].map(({ address }) => address))];
  }

  private index(change: Change): void {
    const put = (into: Map<string, Change[]>, key: unknown) => {
      if (typeof key !== "string" || key === "") return;
      const found = into.get(key);
      if (found === undefined) into.set(key, [change]);
      else found.push(change);
    };
    const values = change[this.when]!;
    put(this.byAddress, withoutKeys(change.address));
    put(this.byText, values.arn);
    if (NAMED.test(change.type)) put(this.byText, values.function_name ?? values.name);
    if (change.type === "aws_cloudwatch_event_rule") put(this.byText, values.name);
  }

  private connect(change: Change): void {
    const named = (attributes: readonly string[]) =>
      attributes.flatMap((attribute) => this.named(change, attribute));
    const link = (from: Change, to: readonly Change[]) => {
      for (const one of to) {
        const may = one === from ? "no" : this.mayStart(from, one, to);
        if (may === "no") continue;
        const edges = may === "yes" ? this.incoming : this.possible;
        edges.set(one, (edges.get(one) ?? new Set()).add(from));
      }
    };
    if (change.type === "aws_cloudwatch_event_target") {
      link(change, named(["arn", "input", "input_transformer"]));
      for (const rule of named(["rule"])) link(rule, [change]);
    } else if (change.type === "aws_glue_trigger") {
      link(change, named(["actions"]));
      for (const earlier of named(["predicate"])) link(earlier, [change]);
      if (!isScheduled(change[this.when]!)) for (const flow of named(["workflow_name"])) link(flow, [change]);
    } else if (change.type === "aws_sns_topic_subscription") {
      link(change, named(["endpoint"]));
    } else if (change.type === "aws_lambda_event_source_mapping") link(change, named(["function_name"]));
    else if (change.type !== "aws_glue_job" && change.type !== "aws_glue_crawler")
      link(change, named(attributesOf(change, this.when)));
  }

  /** A machine may start something itself, or pass its name to another machine that it starts. */
  private mayStart(from: Change, one: Change, named: readonly Change[]): May {
    const own = this.rights.mayStart(from, one);
    if (own !== "no") return own;
    const others = named.filter(
      (other) => other !== from && other !== one && this.rights.mayStart(from, other) === "yes",
    );
    const through = others.map((other) => this.rights.of(other, one)).filter((may) => may !== undefined);
    return through.includes("yes") ? "yes" : through.includes("unknown") ? "unknown" : "no";
  }

  /** The resources that an attribute names. */
  private named(change: Change, attribute: string): Change[] {
    const found = new Set<Change>();
    for (const address of change.references(attribute))
      for (const one of this.byAddress.get(address) ?? []) found.add(one);
    texts(change[this.when]?.[attribute], (text) => {
      for (const part of partsOf(text)) for (const one of this.byText.get(part) ?? []) found.add(one);
    });
    return [...found].filter(({ type }) => type !== "aws_cloudwatch_event_rule" || attribute === "rule");
  }
}

const attributesOf = (change: Change, when: When): string[] =>
  [...new Set([...Object.keys(change[when]!), ...Object.keys(change.configured ?? {})])].filter(
    (one) => !NOT_STARTED.test(one),
  );

/** An ARN may have a version or an alias behind it. */
function partsOf(text: string): string[] {
  if (!text.startsWith("arn:")) return [text];
  const parts = text.split(":");
  return parts.length <= 7 ? [text] : [text, parts.slice(0, 7).join(":")];
}

function texts(value: unknown, visit: (text: string) => void): void {
  if (typeof value === "string") {
    visit(value);
    if (/^\s*[[{]/.test(value))
      try {
        texts(JSON.parse(value), visit);
      } catch {
        // A text without JSON names nothing else.
      }
  } else if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) texts(inner, visit);
}

const isScheduled = ({ type, schedule }: Values): boolean =>
  type === "SCHEDULED" || (type === undefined && typeof schedule === "string" && schedule !== "");

/** Runs per month by a clock of its own; `undefined` if it has none. */
function clockOf(change: Change, when: When): number | "unknown" | undefined {
  const values = change[when]!;
  const expression = EXPRESSIONS[change.type]
    ?.map((field) => values[field])
    .find((one) => one !== null && one !== undefined && one !== "");
  if (expression === undefined) return undefined;
  if (isOff(values)) return 0;
  if (expression === UNKNOWN || typeof expression !== "string") return "unknown";
  return runsPerMonth(expression) ?? "unknown";
}

const EXPRESSIONS: Readonly<Record<string, readonly string[]>> = {
  aws_scheduler_schedule: ["schedule_expression"],
  aws_cloudwatch_event_rule: ["schedule_expression"],
  aws_glue_trigger: ["schedule"],
  aws_glue_crawler: ["schedule"],
};

/** The state of a crawler and of a Glue trigger is something else. */
const isOff = ({ state, is_enabled, enabled, schedule_expression }: Values): boolean =>
  enabled === false || is_enabled === false || (schedule_expression !== undefined && state === "DISABLED");

function isOnEvents(change: Change, when: When): boolean {
  const values = change[when]!;
  if (EVENTS.test(change.type)) return true;
  if (change.type === "aws_glue_trigger") return values.type === "EVENT";
  const { event_pattern: pattern } = values;
  return (
    change.type === "aws_cloudwatch_event_rule" &&
    pattern !== undefined &&
    pattern !== null &&
    pattern !== "" &&
    !isOff(values)
  );
}
