import { arnContains, contains, intersects } from "./globs";
import { type Clause, type Named, type Statement } from "./policy-document";

/** The smallest unit of a policy: one principal, one action, one resource, and conditions. */
export interface Effect {
  /** `allowed`: it is now possible. `no longer denied`: a Deny is gone. */
  readonly kind: "allowed" | "no longer denied";
  readonly principal: Named;
  readonly action: Named;
  readonly resource: Named;
  readonly conditions: readonly Clause[];
  /** Conditions that applied before and are gone. */
  readonly without: readonly Clause[];
}

type Atom = Pick<Effect, "principal" | "action" | "resource" | "conditions"> & Pick<Statement, "effect">;

/**
 * Lists what is possible with `after` and was not with `before`. It may list something that several statements of `before` allowed only
 * together, but never misses anything new.
 */
export function gained(before: readonly Statement[], after: readonly Statement[]): Effect[] {
  const [was, is] = [before.flatMap(atoms), after.flatMap(atoms)];
  const of = (all: readonly Atom[], effect: string) => all.filter((one) => one.effect === effect);
  const [allowedBefore, deniedNow] = [of(was, "Allow"), of(is, "Deny")];
  const allowed = of(is, "Allow")
    .filter((one) => !allowedBefore.some((other) => covers(other, one)))
    .filter((one) => !deniedNow.some((other) => covers(other, one)))
    .map((one) => ({ ...one, kind: "allowed" as const, without: lost(allowedBefore, one) }));
  const undenied = of(was, "Deny")
    .filter((one) => !deniedNow.some((other) => covers(other, one)))
    .map((one) => ({ ...one, kind: "no longer denied" as const, without: [] }));
  return unique([...allowed, ...undenied]);
}

/** The conditions that the same permission had before, and no longer has. */
function lost(before: readonly Atom[], now: Atom): Clause[] {
  const strict = before.find((one) => covers({ ...one, conditions: [] }, now));
  return strict === undefined ? [] : strict.conditions.filter((clause) => !isImplied(clause, now.conditions));
}

function atoms({ effect, principals, actions, resources, conditions }: Statement): Atom[] {
  return split(principals).flatMap((principal) =>
    split(actions).flatMap((action) =>
      split(resources).map((resource) => ({ effect, principal, action, resource, conditions })),
    ),
  );
}

/** Splits values into one each; an exception stays together. */
const split = ({ except, values }: Named): Named[] =>
  except ? [{ except, values }] : values.map((value) => ({ except, values: [value] }));

function covers(outer: Atom, inner: Atom): boolean {
  return (
    holds(outer.principal, inner.principal, samePrincipal, samePrincipal) &&
    holds(outer.action, inner.action, actionContains, actionIntersects) &&
    holds(outer.resource, inner.resource, arnContains, intersects) &&
    outer.conditions.every((clause) => isImplied(clause, inner.conditions))
  );
}

type Test = (one: string, other: string) => boolean;

function holds(outer: Named, inner: Named, containing: Test, meeting: Test): boolean {
  if (!outer.except && !inner.except)
    return inner.values.every((value) => outer.values.some((other) => containing(other, value)));
  if (!outer.except) return outer.values.includes("*");
  if (!inner.except)
    return !inner.values.some((value) => outer.values.some((other) => meeting(other, value)));
  return outer.values.every((value) => inner.values.some((other) => containing(other, value)));
}

/** Everybody includes every principal of IAM, but not services, which act for themselves. */
const samePrincipal: Test = (one, other) => one === other || (one === "*" && !other.startsWith("Service "));
const actionContains: Test = (one, other) => contains(one.toLowerCase(), other.toLowerCase());
const actionIntersects: Test = (one, other) => intersects(one.toLowerCase(), other.toLowerCase());

/** Tells whether some clause of `given` is at least as strict. */
function isImplied(clause: Clause, given: readonly Clause[]): boolean {
  return given.some(
    (one) =>
      one.operator === clause.operator &&
      one.key.toLowerCase() === clause.key.toLowerCase() &&
      isStricter(one, clause),
  );
}

/** Operators with which more values allow more; with the negated ones more values allow less. */
const POSITIVE =
  /^(ForAnyValue:|ForAllValues:)?(String|Arn)(Equals|Like|EqualsIgnoreCase)$|^(Bool|IpAddress|NumericEquals|DateEquals)$/;
const NEGATIVE = /^(String|Arn)Not(Equals|Like|EqualsIgnoreCase)$|^NotIpAddress$|^NumericNotEquals$/;

function isStricter(one: Clause, than: Clause): boolean {
  const isLike = /Like$|^Arn/.test(one.operator);
  const within = (inner: readonly string[], outer: readonly string[]) =>
    inner.every((value) => outer.some((other) => other === value || (isLike && contains(other, value))));
  if (POSITIVE.test(one.operator)) return within(one.values, than.values);
  if (NEGATIVE.test(one.operator)) return within(than.values, one.values);
  return JSON.stringify(one.values) === JSON.stringify(than.values);
}

function unique(effects: readonly (Effect & Partial<Atom>)[]): Effect[] {
  const seen = new Map<string, Effect>();
  for (const { kind, principal, action, resource, conditions, without } of effects) {
    const effect = { kind, principal, action, resource, conditions, without };
    seen.set(JSON.stringify(effect), effect);
  }
  return [...seen.values()];
}
