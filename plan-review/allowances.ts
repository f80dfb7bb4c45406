import { z } from "zod";
import { contains } from "./globs";
import { type Permission } from "./permissions";
import { UsageError } from "./plan";

/** An entry of the reviewed file: a widened permission that was reviewed, with a reason and an end. */
const allowance = z.strictObject({
  /** The principal: `role shop-job`, `AWS arn:…`, or the holder as the page names it. */
  principal: z.string().min(1),
  action: z.string().min(1),
  resource: z.string().min(1),
  reason: z.string().min(1),
  reviewedBy: z.string().min(1),
  /** The last day on which it holds, YYYY-MM-DD. */
  expires: z.iso.date(),
});

export type Allowance = z.infer<typeof allowance>;

/** @throws UsageError with every mistake */
export function readAllowances(text: string, what: string): Allowance[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is not valid JSON: ${(error as Error).message}`);
  }
  const parsed = z.array(allowance).safeParse(json);
  if (!parsed.success) throw new UsageError(`${what}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export interface Judged {
  readonly widened: readonly Permission[];
  readonly allowed: readonly { readonly permission: Permission; readonly by: Allowance }[];
  /** Expired and unneeded entries. Each is an error, so that the file stays correct. */
  readonly errors: readonly { readonly entry: Allowance; readonly why: string }[];
}

/** @param today YYYY-MM-DD */
export function judge(
  widened: readonly Permission[],
  allowances: readonly Allowance[],
  today: string,
): Judged {
  const current = allowances.filter(({ expires }) => expires >= today);
  const byOf = (permission: Permission) => current.find((entry) => allows(entry, permission));
  const allowed = widened.flatMap((permission) => {
    const by = byOf(permission);
    return by === undefined ? [] : [{ permission, by }];
  });
  const expired = allowances
    .filter(({ expires }) => expires < today)
    .map((entry) => ({ entry, why: `expired on ${entry.expires}` }));
  const stale = current
    .filter((entry) => !allowed.some(({ by }) => by === entry))
    .map((entry) => ({ entry, why: "no permission in this plan needs it" }));
  return {
    widened: widened.filter((permission) => byOf(permission) === undefined),
    allowed,
    errors: [...expired, ...stale],
  };
}

/** The page shows `AWS arn:…` as the ARN alone, `Service x` as service `x`, and `*` as everybody; an entry may use either. */
const isNamed = (principal: string, name: string): boolean =>
  [principal, principal.replace(/^AWS /, ""), principal === "*" ? "everybody" : principal].includes(name) ||
  (principal.startsWith("Service ") && principal.toLowerCase() === name.toLowerCase());

/** Tells whether an entry covers a permission, with wildcards as in a policy. An entry cannot cover a removed Deny or exceptions. */
function allows(entry: Allowance, { effect, subject }: Permission): boolean {
  if (effect.principal.except || effect.action.except || effect.resource.except) return false;
  if (effect.kind !== "allowed") return false;
  return (
    (isNamed(effect.principal.values[0]!, entry.principal) ||
      (subject.kind === "identity" && subject.holder === entry.principal)) &&
    contains(entry.action.toLowerCase(), effect.action.values[0]!.toLowerCase()) &&
    contains(entry.resource, effect.resource.values[0]!)
  );
}
