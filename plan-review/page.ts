import { code, count, folded, list } from "./markdown";
import { PRICED } from "./money";
import { type Permission, type UnreadPolicy } from "./permissions";
import { type Clause, type Named } from "./policy-document";
import { type Review } from "./review";

export interface Sections {
  readonly data: readonly string[];
  readonly permissions: readonly string[];
  readonly errors: readonly string[];
  readonly allowed: readonly string[];
  readonly narrowed: readonly string[];
  readonly created: readonly string[];
  readonly weakened: readonly string[];
  readonly operations: readonly string[];
  readonly money: readonly string[];
  readonly rest: readonly string[];
}

export function sectionsOf({
  data,
  permissions,
  judged,
  weakened,
  operations,
  money,
  rest,
}: Review): Sections {
  return {
    data: [...data.lost, ...data.guards.map((guard) => `guard: ${guard}`)],
    permissions: [...grouped(judged.widened), ...permissions.widenedUnread.map(unread)],
    errors: judged.errors.map(
      ({ entry, why }) =>
        `reviewed entry ${code(entry.principal)} ${code(entry.action)} on ${code(entry.resource)}: ${why}; remove it, or have it reviewed again`,
    ),
    allowed: judged.allowed.map(
      ({ permission, by }) =>
        `${grouped([permission])[0]}: ${by.reason} (${by.reviewedBy}, until ${by.expires})`,
    ),
    narrowed: grouped(permissions.narrowed, "no longer may"),
    created: [...grouped(permissions.created), ...permissions.createdUnread.map(unread)],
    ...{ weakened, operations, rest },
    money: money.map(({ what, before, after }) => `${what}: ${before} → ${after}`),
  };
}

/**
 * Writes the page of a pull request: the verdict in one line, dangerous changes first, details folded.
 *
 * @param about a line below the verdict, e.g. the environment and its state
 */
export function pageOf(review: Review, about: string): string {
  const sections = sectionsOf(review);
  const { lost } = review.data;
  const hasPermissions = sections.permissions.length > 0;
  return `${[
    `**${verdict(review, sections)}**`,
    about,
    open("Data destroyed or replaced", sections.data),
    lost.length > 0
      ? "A plan does not show `prevent_destroy`: if it is set, Terraform refuses to apply."
      : "",
    open("Permissions widened", sections.permissions),
    hasPermissions
      ? "An entry in the reviewed file (`--allow`) can allow each of them, except policies that could not be read."
      : "",
    open("Reviewed file", sections.errors),
    shut("Permissions allowed by the reviewed file", sections.allowed),
    shut("Permissions narrowed", sections.narrowed),
    shut("Permissions of roles and resources that this plan creates", sections.created),
    open("Encryption, public access, retention or logging weakened", sections.weakened),
    open("Schedules and alarms", sections.operations),
    open("Capacity and money", sections.money),
    sections.money.length > 0 ? PRICED : "",
    sections.rest.length === 0 ? "" : folded("Everything by type", list(sections.rest)),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

const open = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `### ${title}\n\n${list(lines)}`;
const shut = (title: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : folded(`${title} (${lines.length})`, list(lines));

function verdict({ data, exitCode }: Review, sections: Sections): string {
  const parts = [
    ...(data.lost.length > 0
      ? [`${count(data.lost.length, "loss")} of data`.replace("losss", "losses")]
      : []),
    ...(sections.permissions.length > 0
      ? [`${count(sections.permissions.length, "permission")} widened`]
      : []),
    ...(sections.errors.length > 0
      ? [`${count(sections.errors.length, "reviewed entry")} wrong`.replace("entrys", "entries")]
      : []),
    ...(data.guards.length > 0 ? [`${count(data.guards.length, "guard")} of data removed`] : []),
    ...(sections.weakened.length > 0 ? [`${count(sections.weakened.length, "protection")} weakened`] : []),
  ];
  const sign = exitCode === 0 && parts.length === 0 ? "✅" : exitCode === 0 ? "⚠️" : "❌";
  if (parts.length > 0) return `${sign} ${parts.join(", ")}`;
  return sections.rest.length === 0
    ? `${sign} Nothing changes`
    : `${sign} Nothing is lost, widened or weakened`;
}

const unread = ({ holder, why, address }: UnreadPolicy): string =>
  `${held(holder)}: its policy is ${why} (${code(address)})`;

/** Merges permissions that differ only in the action or in the resource to one line. */
function grouped(permissions: readonly Permission[], verb = "may"): string[] {
  const lines = new Map<string, { one: Permission; actions: string[]; resources: string[] }>();
  const byActions = new Map<string, Permission[]>();
  for (const one of permissions) {
    const { effect, subject, because } = one;
    const key = JSON.stringify([subject.holder, subject.kind, { ...effect, action: null }, because]);
    byActions.set(key, [...(byActions.get(key) ?? []), one]);
  }
  for (const same of byActions.values()) {
    const [one] = same as [Permission];
    const actions = same.map(({ effect }) => names(effect.action, "action", code));
    const key = JSON.stringify([
      one.subject.holder,
      one.subject.kind,
      { ...one.effect, action: null, resource: null },
      actions,
      one.because,
    ]);
    const line = lines.get(key) ?? { one, actions, resources: [] };
    line.resources.push(names(one.effect.resource, "resource", held));
    lines.set(key, line);
  }
  return [...lines.values()].map(({ one, actions, resources }) =>
    line(one, actions.join(", "), resources.join(", "), verb),
  );
}

function line({ effect, because }: Permission, actions: string, resources: string, verb: string): string {
  const who = names(effect.principal, "principal", everybody);
  const conditions =
    effect.conditions.length === 0 ? "" : ` if ${effect.conditions.map(clause).join(" and ")}`;
  const without =
    effect.without.length === 0 ? "" : `, no longer only if ${effect.without.map(clause).join(" and ")}`;
  const why = because === undefined ? "" : ` (${because})`;
  const told =
    effect.kind === "allowed"
      ? `${who} ${verb} ${actions} on ${resources}`
      : `${who} ${verb === "may" ? "is no longer denied" : "is now denied"} ${actions} on ${resources}`;
  return `${told}${conditions}${without}${why}`;
}

const clause = ({ operator, key, values }: Clause): string =>
  code(`${operator} ${key} ${values.join(" or ")}`);

const names = ({ except, values }: Named, what: string, show: (text: string) => string): string =>
  except ? `every ${what} except ${values.map(show).join(", ")}` : values.map(show).join(", ");

const everybody = (principal: string): string => (principal === "*" ? "everybody" : held(principal));

/** Formats `role shop-job` as role `shop-job`, with only the name as code. */
function held(text: string): string {
  const [, kind, name] = /^(\S+) (.+)$/.exec(text) ?? [];
  if (kind === undefined || name === undefined) return code(text);
  return kind === "AWS"
    ? code(name)
    : `${kind.startsWith("aws_") ? code(kind) : kind.toLowerCase()} ${code(name)}`;
}
