import { type Expressions, type Plan, type ResourceChange, type Values } from "./plan";

/** Stands for a value that Terraform does not know until apply. */
export const UNKNOWN = Symbol("known after apply");
const SENSITIVE = "(sensitive)";
const OTHER_SENSITIVE = "(sensitive, another value)";

/** `true` for a value that a plan must not show. */
export const isSensitive = (value: unknown): boolean => value === SENSITIVE || value === OTHER_SENSITIVE;

export type Action = "nothing" | "created" | "updated" | "replaced" | "destroyed" | "forgotten";

/** One resource of a plan, before and after. */
export class Change {
  readonly action: Action;
  readonly address: string;
  readonly type: string;
  readonly before: Values | undefined;
  /** A forgotten resource stays in AWS as it is, so it is here what it was before. */
  readonly after: Values | undefined;

  constructor(
    readonly resource: ResourceChange,
    private readonly plan: Pick<Plan, "configuration">,
  ) {
    const { actions, before, after, before_sensitive, after_sensitive, after_unknown } = resource.change;
    this.action = actionOf(actions);
    this.address = resource.address;
    this.type = resource.type;
    this.before =
      before === null || before === undefined
        ? undefined
        : (mask(before, before_sensitive, () => SENSITIVE) as Values);
    if (this.action === "forgotten") this.after = this.before;
    else if (after !== null && after !== undefined) {
      const known = mask(after, after_sensitive, hiddenAgainst(before), []);
      this.after = mask(known, after_unknown, () => UNKNOWN) as Values;
    }
  }

  /** `true` if it existed before, possibly under another address. */
  get existed(): boolean {
    return this.before !== undefined;
  }

  get moved(): boolean {
    return this.resource.previous_address !== undefined && this.resource.previous_address !== this.address;
  }

  /** `true` if the plan takes over a resource that was made elsewhere. */
  get imported(): boolean {
    const { importing } = this.resource.change;
    return importing !== undefined && importing !== null && importing !== false;
  }

  /** `true` if the plan changes something in AWS. */
  get isChanged(): boolean {
    return this.action !== "nothing" && this.action !== "forgotten";
  }

  /** `true` if the resource of before is gone after the plan. */
  get isGone(): boolean {
    return this.action === "destroyed" || this.action === "replaced";
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

  /** The addresses, without instance keys, of the resources that its configuration refers to, or that of one attribute. */
  references(attribute?: string): readonly string[] {
    return this.plan.configuration?.referencesOf(withoutKeys(this.address), attribute) ?? [];
  }

  /** The attributes that force a replacement, as dotted paths. */
  get replacePaths(): string[] {
    return (this.resource.change.replace_paths ?? []).map((path) => path.join("."));
  }
}

export const changesOf = (plan: Plan): Change[] => plan.resources.map((one) => new Change(one, plan));

/** An address without instance keys, as the configuration has it: `module.a.aws_b.c` for `module.a["x"].aws_b.c[0]`. */
export const withoutKeys = (address: string): string =>
  address.includes("[") ? address.replaceAll(/\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g, "") : address;

const NAMES = [
  ...["bucket", "name", "function_name", "alarm_name", "cluster_identifier", "identifier", "queue_name"],
  ...["namespace", "arn", "key_id", "id"],
];

function nameIn(values: Values | undefined): string | undefined {
  const found = NAMES.map((name) => values?.[name]).find(
    (value) => typeof value === "string" && value !== "",
  );
  return found as string | undefined;
}

function actionOf(actions: readonly string[]): Action {
  if (actions.includes("create") && actions.includes("delete")) return "replaced";
  if (actions.includes("create") && actions.includes("forget")) return "created";
  const [action] = actions;
  if (action === "create") return "created";
  if (action === "update") return "updated";
  if (action === "delete") return "destroyed";
  return action === "forget" ? "forgotten" : "nothing";
}

type Path = readonly (string | number)[];
type Replacement = (value: unknown, path: Path) => unknown;

/** A sensitive value that changes must not look like one that stays. */
function hiddenAgainst(before: unknown): Replacement {
  return (value, path) => {
    let was = before;
    for (const part of path)
      was =
        typeof was === "object" && was !== null ? (was as Record<string | number, unknown>)[part] : undefined;
    const isSame = was === value || JSON.stringify(was) === JSON.stringify(value);
    return isSame ? SENSITIVE : OTHER_SENSITIVE;
  };
}

/** Replaces values wherever `marks` is true, even if there is no value yet. */
function mask(value: unknown, marks: unknown, replaced: Replacement, path: Path = []): unknown {
  if (marks === true) return replaced(value, path);
  if (Array.isArray(marks)) {
    const list = Array.isArray(value) ? (value as unknown[]) : [];
    return marks.length === 0
      ? value
      : Array.from({ length: Math.max(list.length, marks.length) }, (_, i) =>
          mask(list[i], (marks as unknown[])[i], replaced, [...path, i]),
        );
  }
  if (typeof marks !== "object" || marks === null || Object.keys(marks).length === 0) return value;
  const fields = { ...(value as Record<string, unknown> | null) };
  for (const [name, mark] of Object.entries(marks))
    fields[name] = mask(fields[name], mark, replaced, [...path, name]);
  return fields;
}
