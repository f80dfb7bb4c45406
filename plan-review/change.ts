import { type Expressions, type Plan, type ResourceChange, type Values } from "./plan";

/** Stands for a value that Terraform does not know until apply. */
export const UNKNOWN = Symbol("known after apply");
const SENSITIVE = "(sensitive)";

export type Action = "nothing" | "created" | "updated" | "replaced" | "destroyed" | "forgotten";

/** One resource of a plan, before and after. */
export class Change {
  readonly action: Action;
  readonly address: string;
  readonly type: string;
  readonly before: Values | undefined;
  readonly after: Values | undefined;

  constructor(
    readonly resource: ResourceChange,
    private readonly plan: Plan,
  ) {
    const { actions, before, after, before_sensitive, after_sensitive, after_unknown } = resource.change;
    this.action = actionOf(actions);
    this.address = resource.address;
    this.type = resource.type;
    this.before =
      before === null || before === undefined
        ? undefined
        : (mask(before, before_sensitive, SENSITIVE) as Values);
    const known = after === null || after === undefined ? undefined : mask(after, after_sensitive, SENSITIVE);
    this.after = known === undefined ? undefined : (mask(known, after_unknown, UNKNOWN) as Values);
  }

  /** `true` if it existed before, possibly under another address. */
  get existed(): boolean {
    return this.before !== undefined;
  }

  get moved(): boolean {
    return this.resource.previous_address !== undefined && this.resource.previous_address !== this.address;
  }

  /** Its name in AWS, before the plan or else after it. */
  get physicalName(): string | undefined {
    return nameIn(this.before) ?? nameIn(this.after);
  }

  /** Its name on the page: the physical name if it is known, else the address. */
  get name(): string {
    return this.physicalName ?? this.address;
  }

  /** Its configuration; `undefined` if it is not in the plan. */
  get configured(): Expressions | undefined {
    return this.plan.configuration?.get(withoutKeys(this.address));
  }

  /** The attributes that force a replacement, as dotted paths. */
  get replacePaths(): string[] {
    return (this.resource.change.replace_paths ?? []).map((path) => path.join("."));
  }
}

export const changesOf = (plan: Plan): Change[] => plan.resources.map((one) => new Change(one, plan));

/** An address without instance keys, as the configuration has it: `module.a.aws_b.c` for `module.a["x"].aws_b.c[0]`. */
export const withoutKeys = (address: string): string =>
  address.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "");

const NAMES = [
  ...["bucket", "name", "function_name", "alarm_name", "cluster_identifier", "identifier", "queue_name"],
  ...["arn", "key_id", "id"],
];

function nameIn(values: Values | undefined): string | undefined {
  const found = NAMES.map((name) => values?.[name]).find(
    (value) => typeof value === "string" && value !== "",
  );
  return found as string | undefined;
}

function actionOf(actions: readonly string[]): Action {
  if (actions.includes("create") && actions.includes("delete")) return "replaced";
  if (actions.includes("create") && actions.includes("forget")) return "replaced";
  const [action] = actions;
  if (action === "create") return "created";
  if (action === "update") return "updated";
  if (action === "delete") return "destroyed";
  return action === "forget" ? "forgotten" : "nothing";
}

/** Replaces values by `what` wherever `marks` is true, even if there is no value yet. */
function mask(value: unknown, marks: unknown, what: unknown): unknown {
  if (marks === true) return what;
  if (Array.isArray(marks)) {
    const list = Array.isArray(value) ? (value as unknown[]) : [];
    return marks.length === 0
      ? value
      : Array.from({ length: Math.max(list.length, marks.length) }, (_, i) =>
          mask(list[i], (marks as unknown[])[i], what),
        );
  }
  if (typeof marks !== "object" || marks === null || Object.keys(marks).length === 0) return value;
  const fields = { ...(value as Record<string, unknown> | null) };
  for (const [name, mark] of Object.entries(marks)) fields[name] = mask(fields[name], mark, what);
  return fields;
}
