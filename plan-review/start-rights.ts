import { type Change, UNKNOWN, withoutKeys } from "./change";
import { contains } from "./globs";
import { type When } from "./money-line";
import { NotUnderstood, parsePolicy, type Statement } from "./policy-document";

/** The actions by which a program starts something, by the type of what is started. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  aws_glue_job: ["glue:StartJobRun"],
  aws_glue_crawler: ["glue:StartCrawler"],
  aws_glue_workflow: ["glue:StartWorkflowRun", "glue:ResumeWorkflowRun"],
  aws_glue_trigger: ["glue:StartTrigger"],
  aws_sfn_state_machine: ["states:StartExecution", "states:StartSyncExecution"],
  aws_sfn_alias: ["states:StartExecution", "states:StartSyncExecution"],
  aws_lambda_function: ["lambda:InvokeFunction"],
  aws_lambda_alias: ["lambda:InvokeFunction"],
};

/** The attribute that names the role of a program. */
const ROLES: Readonly<Record<string, string>> = {
  aws_lambda_function: "role",
  aws_sfn_state_machine: "role_arn",
};

export type May = "yes" | "no" | "unknown";

/**
 * Tells whether a function or a state machine that names something may start it: a watcher names what it watches. Its role is read, as far as the
 * plan has it; other resources start what they name.
 */
export class StartRights {
  private readonly roles = new Map<string, Change>();
  private readonly policies = new Map<Change, unknown[]>();
  private readonly statements = new Map<Change, readonly Statement[] | undefined>();

  constructor(
    changes: readonly Change[],
    private readonly when: When,
  ) {
    const present = changes.filter((change) => change[when] !== undefined);
    for (const role of present.filter(({ type }) => type === "aws_iam_role"))
      for (const key of [withoutKeys(role.address), role[when]!.name, role[when]!.id, role[when]!.arn])
        if (typeof key === "string" && key !== "") this.roles.set(key, role);
    for (const change of present) this.index(change);
  }

  mayStart(from: Change, to: Change): May {
    return this.of(from, to) ?? "yes";
  }

  /** The same; `undefined`: the resource has no role, or the plan does not have its policies. */
  of(from: Change, to: Change): May | undefined {
    const attribute = ROLES[from.type];
    const wanted = ACTIONS[to.type];
    if (attribute === undefined || wanted === undefined) return undefined;
    const role = this.roleIn(from, attribute);
    // A role without a policy here has its policies elsewhere.
    if (role === undefined || !this.policies.has(role)) return undefined;
    const statements = this.statementsOf(role);
    if (statements === undefined) return "unknown";
    const allows = ({ effect, actions: { except, values } }: Statement) =>
      effect === "Allow" &&
      wanted.some((one) => values.some((value) => contains(lower(value), lower(one))) !== except);
    return statements.some(allows) ? "yes" : "no";
  }

  private index(change: Change): void {
    const values = change[this.when]!;
    const add = (role: Change | undefined, policy: unknown) => {
      if (role !== undefined) this.policies.set(role, [...(this.policies.get(role) ?? []), policy]);
    };
    if (change.type === "aws_iam_role_policy") add(this.roleIn(change, "role"), values.policy);
    // A policy that is attached may hold anything.
    if (change.type === "aws_iam_role_policy_attachment") add(this.roleIn(change, "role"), UNKNOWN);
    if (change.type !== "aws_iam_role") return;
    const { managed_policy_arns: managed } = values;
    // AWS gives the list of a new role, which is empty, unless it is configured.
    const isGiven = change.configured === undefined || change.configured.managed_policy_arns !== undefined;
    if (managed === UNKNOWN ? isGiven : Array.isArray(managed) && managed.length > 0) add(change, UNKNOWN);
    for (const block of Array.isArray(values.inline_policy) ? (values.inline_policy as unknown[]) : [])
      add(change, (block as { policy?: unknown } | null)?.policy);
  }

  private roleIn(change: Change, attribute: string): Change | undefined {
    const named = change[this.when]![attribute];
    const last = typeof named === "string" ? named.slice(named.lastIndexOf("/") + 1) : undefined;
    const names = [named, last, ...change.references(attribute)];
    return names.flatMap((one) => (typeof one === "string" ? (this.roles.get(one) ?? []) : []))[0];
  }

  /** The rights of a role; `undefined` if some of them are not known. */
  private statementsOf(role: Change): readonly Statement[] | undefined {
    if (!this.statements.has(role)) this.statements.set(role, read(this.policies.get(role) ?? []));
    return this.statements.get(role);
  }
}

const lower = (text: string): string => text.toLowerCase();

function read(policies: readonly unknown[]): Statement[] | undefined {
  const found: Statement[] = [];
  for (const policy of policies) {
    if (policy === undefined || policy === null || policy === "") continue;
    if (typeof policy !== "string") return undefined;
    try {
      found.push(...parsePolicy(policy, { principal: "role" }));
    } catch (error) {
      if (!(error instanceof NotUnderstood)) throw error;
      return undefined;
    }
  }
  return found;
}
