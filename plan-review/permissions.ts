import { type Change } from "./change";
import { Renamed } from "./followed";
import { arnContains, contains } from "./globs";
import { type Named } from "./policy-document";
import { type Effect, gained } from "./policy-effects";
import { type Subject, subjectsOf, type Unread } from "./policy-sources";

/** A permission that a plan adds or removes. */
export interface Permission {
  readonly subject: Subject;
  readonly effect: Effect;
  /** The reason why it counts as widened although its holder is new. */
  readonly because?: string;
}

export interface UnreadPolicy extends Unread {
  readonly holder: string;
}

export interface Permissions {
  readonly widened: readonly Permission[];
  readonly widenedUnread: readonly UnreadPolicy[];
  /** Permissions of roles and resources that the plan creates, and which reach nothing that existed. */
  readonly created: readonly Permission[];
  readonly createdUnread: readonly UnreadPolicy[];
  readonly narrowed: readonly Permission[];
  /** Permissions that stay with a resource which the plan replaces under another name. */
  readonly followed: readonly Permission[];
}

/**
 * Compares the permissions before and after a plan. Permissions of a new role do not count as widened by themselves: nobody had the role,
 * and a warning for each one in a first deployment would teach reviewers to ignore warnings. They count if they reach what existed before (a
 * resource of this state, another account, a bucket outside the plan, everybody), or have no limits.
 */
export function permissionsOf(changes: readonly Change[], ownAccounts: readonly string[]): Permissions {
  const reach = new Reach(changes, ownAccounts);
  const renamed = new Renamed(changes);
  // Policies that stay as they are give and take nothing.
  const touched = subjectsOf(changes).filter(({ addresses, unread }) => addresses.size + unread.length > 0);
  const found = touched.map((subject) => {
    const lost = subject.created ? [] : gained(subject.after, subject.before);
    const compared = renamed.follow(gained(subject.before, subject.after), lost);
    const now = compared.gained.map((effect): Permission => {
      const because = subject.created ? reach.because(subject, effect) : undefined;
      return { subject, effect, ...(because === undefined ? {} : { because }) };
    });
    const counts = (one: Permission) => !subject.created || one.because !== undefined;
    const unread = subject.unread.map((one) => ({ ...one, holder: subject.holder }));
    // If nothing existed before, an unknown policy cannot expose anything.
    const isHarmless = subject.created && reach.isFirst;
    return {
      widened: now.filter(counts),
      created: now.filter((one) => !counts(one)),
      widenedUnread: isHarmless ? [] : unread,
      createdUnread: isHarmless ? unread : [],
      narrowed: compared.lost.map((effect): Permission => ({ subject, effect })),
      followed: compared.followed.map((effect): Permission => ({ subject, effect })),
    };
  });
  return {
    widened: found.flatMap(({ widened }) => widened),
    widenedUnread: found.flatMap(({ widenedUnread }) => widenedUnread),
    created: found.flatMap(({ created }) => created),
    createdUnread: found.flatMap(({ createdUnread }) => createdUnread),
    // A subject that is unknown after the plan only seems to lose its permissions.
    narrowed: found.flatMap(({ narrowed }, i) => (found[i]!.widenedUnread.length > 0 ? [] : narrowed)),
    followed: found.flatMap(({ followed }) => followed),
  };
}

/** Judges what a new permission reaches. */
class Reach {
  private readonly existing: readonly Change[];
  private readonly createdBuckets: ReadonlySet<unknown>;

  constructor(
    changes: readonly Change[],
    private readonly ownAccounts: readonly string[],
  ) {
    this.existing = changes.filter(({ existed }) => existed);
    const created = changes.filter(({ type, existed }) => type === "aws_s3_bucket" && !existed);
    this.createdBuckets = new Set(created.map(({ after }) => after?.bucket));
  }

  /** `true` if nothing existed before the plan. */
  get isFirst(): boolean {
    return this.existing.length === 0;
  }

  because(subject: Subject, { principal, action, resource }: Effect): string | undefined {
    if (subject.kind !== "identity") return this.outsider(principal);
    if (action.except || resource.except)
      return "it names exceptions, so it includes everything that is not listed";
    const [what, where] = [action.values[0]!, resource.values[0]!];
    if (what.startsWith("everything in ")) return "the policy is not in this plan";
    if (isLimitless(what, where)) return "it has no limits";
    return this.reached(what, where) ?? this.elsewhere(where);
  }

  private outsider({ except, values }: Named): string | undefined {
    if (except) return "it names exceptions, so it includes everybody who is not listed";
    const [principal] = values;
    if (principal === "*") return "it is everybody";
    if (principal!.startsWith("Service ")) return undefined;
    const account = /::(\d{12}):/.exec(principal!)?.[1];
    if (account !== undefined && this.ownAccounts.includes(account)) return undefined;
    return "it comes from outside the account";
  }

  private reached(action: string, where: string): string | undefined {
    const service = action.split(":")[0]!.toLowerCase();
    const found = this.existing.find(({ type, before }) => {
      const arn = before?.arn;
      // The ARN of a target or a policy is that of another resource.
      if (/_(target|policy)$/.test(type) && type !== "aws_iam_policy") return false;
      if (typeof arn !== "string" || !contains(service, arn.split(":")[2] ?? "")) return false;
      // The objects of a bucket and the streams of a log group count too.
      return (
        arnContains(where, arn) ||
        where.startsWith(`${arn}/`) ||
        where.startsWith(`${arn}:`) ||
        arnContains(where, `${arn}/*`)
      );
    });
    return found === undefined ? undefined : `it reaches \`${found.address}\`, which exists`;
  }

  private elsewhere(where: string): string | undefined {
    const [, , service, , account = "", name = ""] = where.split(":");
    if (service === "s3") {
      const bucket = name.split("/")[0];
      return this.createdBuckets.has(bucket) ? undefined : "the bucket is not in this plan";
    }
    const isOther =
      /^\d{12}$/.test(account) && this.ownAccounts.length > 0 && !this.ownAccounts.includes(account);
    return isOther ? "it is in another account" : undefined;
  }
}

/** Tells whether a permission has no limits: everything, a whole service, or a way to more rights (iam, sts, organizations), on `*`. */
function isLimitless(action: string, resource: string): boolean {
  if (resource !== "*") return false;
  return /^\*|:\*$/.test(action) || /^(iam|sts|organizations):(?!Get|List|Simulate)/i.test(action);
}
