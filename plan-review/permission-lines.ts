import { type Finding } from "./finding";
import { code, withoutServers } from "./markdown";
import { type Permission, type UnreadPolicy } from "./permissions";
import { type Clause, type Named } from "./policy-document";

export const unreadLine = ({ holder, why, address }: UnreadPolicy): Finding => ({
  address,
  text: `${held(holder)}: ${why} (${code(address)})`,
});

/**
 * Merges permissions that differ only in the action or in the resource to one line.
 *
 * @param where `true` to name the resources that give the permission
 */
export function permissionLines(permissions: readonly Permission[], verb = "may", where = false): Finding[] {
  const lines = new Map<string, { one: Permission; actions: string[]; resources: string[] }>();
  const byActions = new Map<string, Permission[]>();
  for (const one of permissions) {
    const { effect, subject, because } = one;
    const key = JSON.stringify([subject.holder, subject.kind, { ...effect, action: null }, because]);
    byActions.set(key, [...(byActions.get(key) ?? []), one]);
  }
  for (const same of byActions.values()) {
    const [one] = same as [Permission];
    const actions = same.map(({ effect }) => names(effect.action, "action", action));
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
  return [...lines.values()].map(({ one, actions, resources }) => {
    const addresses = [...one.subject.addresses];
    const shown = addresses.slice(0, MOST_ADDRESSES).map(code).join(", ");
    const from = where && addresses.length > 0 ? ` (${shown})` : "";
    const what = line(one, few(actions), few(resources), verb);
    return { address: addresses[0] ?? "", text: what + from };
  });
}

const MOST_ADDRESSES = 3;
const MOST_NAMES = 12;

const few = (names: readonly string[]): string =>
  names.length > MOST_NAMES
    ? `${names.slice(0, MOST_NAMES).join(", ")} and ${names.length - MOST_NAMES} more`
    : names.join(", ");

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

const KINDS =
  /^(role|user|group|policy|bucket|topic|queue|key|function|share|table|database|Service|Federated|CanonicalUser|aws_\w+) /;

/** Formats `role shop-job` as role `shop-job`, with only the name as code; a phrase stays a phrase. */
function held(text: string): string {
  const [, kind, name] = /^(\S+) (.+)$/.exec(text) ?? [];
  if (kind === undefined || name === undefined) return code(text);
  if (kind === "AWS") return code(name);
  if (!KINDS.test(text)) return withoutServers(text).replaceAll(/[`<\n]/g, " ");
  return `${kind.startsWith("aws_") ? code(kind) : kind.toLowerCase()} ${code(name)}`;
}

/** Rights by an attached policy or a group are one phrase: everything in `arn:…`. */
function action(text: string): string {
  const [, phrase, name] = /^(everything in|everything that the group) (\S+)/.exec(text) ?? [];
  return phrase === undefined ? code(text) : `${phrase} ${code(name!)}`;
}
