import { type Allowance, judge, type Judged } from "./allowances";
import { type Change, changesOf } from "./change";
import { exclusiveOf } from "./attachments";
import { type Finding } from "./finding";
import { deletedLine, type Group, groupsOf } from "./groups";
import { type Judgements, judgementsOf } from "./judgements";
import { code } from "./markdown";
import { type Money, moneyOf } from "./money";
import { operationsOf } from "./operations";
import { type OtherHalves, otherHalvesOf } from "./other-halves";
import { type Permissions, permissionsOf } from "./permissions";
import { type Plan } from "./plan";

/** The content of a page. */
export interface Review {
  readonly data: Pick<Judgements, "lost" | "guards" | "removed" | "renewed">;
  readonly permissions: Permissions;
  readonly judged: Judged;
  readonly weakened: readonly Finding[];
  readonly operations: readonly Finding[];
  readonly money: Money;
  /** Changes that no rule judges, and values that are not known until apply. */
  readonly unjudged: readonly Finding[];
  readonly unknown: readonly Finding[];
  readonly others: OtherHalves;
  readonly groups: readonly Group[];
  /** One line for each pipeline that is deleted. */
  readonly deleted: readonly string[];
  readonly rest: readonly string[];
  /** 2 data is lost, 3 permissions are widened, 1 the reviewed file is wrong, 0 none of these; the first that holds. */
  readonly exitCode: 0 | 1 | 2 | 3;
}

/**
 * Reviews a plan.
 *
 * @param today YYYY-MM-DD, to find expired entries
 */
export function review(plan: Plan, allowances: readonly Allowance[], today: string): Review {
  const changes = changesOf(plan);
  const accounts = accountsOf(plan, changes);
  const permissions = permissionsOf(changes, accounts);
  const judged = judge(permissions.widened, allowances, today);
  const { lost, guards, removed, renewed, weakened, unjudged, unknown } = judgementsOf(changes);
  const groups = groupsOf(changes);
  const isWidened = judged.widened.length + permissions.widenedUnread.length > 0;
  return {
    data: { lost, guards, removed, renewed },
    ...{ permissions, judged, unjudged, unknown, groups },
    weakened: [...weakened, ...changes.flatMap(exclusiveOf)],
    operations: operationsOf(changes),
    money: moneyOf(changes),
    others: otherHalvesOf(plan, changes, accounts),
    deleted: groups.filter(({ isDeleted }) => isDeleted).map((group) => deletedLine(group, changes)),
    rest: restOf(changes),
    exitCode: lost.length > 0 ? 2 : isWidened ? 3 : judged.errors.length > 0 ? 1 : 0,
  };
}

/** The accounts that the provider allows, and those in ARNs of the state. */
function accountsOf({ allowedAccounts }: Plan, changes: readonly Change[]): string[] {
  const seen = changes.flatMap(
    ({ before }) => /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(String(before?.arn))?.[1] ?? [],
  );
  return [...new Set([...allowedAccounts, ...seen])];
}

export function restOf(changes: readonly Change[]): string[] {
  const counts = new Map<string, number>();
  for (const change of changes) {
    const whats = [
      ...(change.action === "nothing" ? [] : [change.action]),
      ...(change.moved ? ["moved"] : []),
      ...(change.imported ? ["imported"] : []),
    ];
    for (const what of whats)
      counts.set(`${code(change.type)} ${what}`, (counts.get(`${code(change.type)} ${what}`) ?? 0) + 1);
  }
  return [...counts]
    .map(([what, number]) => `${number} ${what}`)
    .sort((a, b) => (a.split(" ")[1]! < b.split(" ")[1]! ? -1 : 1));
}
