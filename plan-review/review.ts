import { type Allowance, judge, type Judged } from "./allowances";
import { type Change, changesOf } from "./change";
import { type DataLoss, dataLossOf } from "./data-loss";
import { code } from "./markdown";
import { moneyOf } from "./money";
import { type MoneyLine } from "./money-line";
import { operationsOf } from "./operations";
import { type Permissions, permissionsOf } from "./permissions";
import { type Plan } from "./plan";
import { weakenedOf } from "./weakened";

/** The content of a page. */
export interface Review {
  readonly data: DataLoss;
  readonly permissions: Permissions;
  readonly judged: Judged;
  readonly weakened: readonly string[];
  readonly operations: readonly string[];
  readonly money: readonly MoneyLine[];
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
  const permissions = permissionsOf(changes, accountsOf(plan, changes));
  const judged = judge(permissions.widened, allowances, today);
  const data = dataLossOf(changes);
  const isWidened = judged.widened.length + permissions.widenedUnread.length > 0;
  return {
    ...{ data, permissions, judged },
    weakened: weakenedOf(changes),
    operations: operationsOf(changes),
    money: moneyOf(changes, plan),
    rest: restOf(changes),
    exitCode: data.lost.length > 0 ? 2 : isWidened ? 3 : judged.errors.length > 0 ? 1 : 0,
  };
}

/** The accounts that the provider allows, and those in ARNs of the state. */
function accountsOf({ allowedAccounts }: Plan, changes: readonly Change[]): string[] {
  const seen = changes.flatMap(
    ({ before }) => /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(String(before?.arn))?.[1] ?? [],
  );
  return [...new Set([...allowedAccounts, ...seen])];
}

function restOf(changes: readonly Change[]): string[] {
  const counts = new Map<string, number>();
  for (const change of changes) {
    const whats = [
      ...(change.action === "nothing" ? [] : [change.action]),
      ...(change.moved ? ["moved"] : []),
    ];
    for (const what of whats)
      counts.set(`${code(change.type)} ${what}`, (counts.get(`${code(change.type)} ${what}`) ?? 0) + 1);
  }
  return [...counts]
    .map(([what, number]) => `${number} ${what}`)
    .sort((a, b) => (a.split(" ")[1]! < b.split(" ")[1]! ? -1 : 1));
}
