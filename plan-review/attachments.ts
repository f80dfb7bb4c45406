import { type Change, UNKNOWN } from "./change";
import { type Finding } from "./finding";
import { code, shown } from "./markdown";
import { type When } from "./money-line";
import { type Values } from "./plan";

/** Rights that a holder has by an attached policy or by a group. They are not in the plan, so they count as one permission. */
export interface Attached {
  readonly holder: string;
  readonly what: string;
  readonly where: string;
}

const KINDS = ["role", "user", "group"] as const;

/** Lists what is attached to whom by a resource of any type: by an attachment, an attribute of a role, or membership of a group. */
export function attachedTo(change: Change, when: When): Attached[] {
  const values = change[when];
  if (values === undefined || !change.type.startsWith("aws_")) return [];
  const policies = POLICIES.filter((field) => isConfigured(change, field)).flatMap((field) =>
    textsOf(values[field]),
  );
  return [
    ...holdersOf(change, values).flatMap((holder) =>
      policies.map((arn) => ({ holder, what: `everything in ${arn}`, where: "all that it names" })),
    ),
    ...memberships(change, values),
  ];
}

const POLICIES = ["policy_arn", "policy_arns", "managed_policy_arn", "managed_policy_arns"];

/** An attribute that is not configured mirrors attachments of their own. */
const isConfigured = ({ configured, type }: Change, field: string): boolean =>
  type !== "aws_iam_role" || configured === undefined || configured[field] !== undefined;

function holdersOf(change: Change, values: Values): string[] {
  if (change.type === "aws_iam_role") return [`role ${change.name}`];
  if (/^aws_iam_/.test(change.type)) {
    const named = KINDS.flatMap((kind) =>
      [kind, `${kind}_name`, `${kind}s`].flatMap((field) =>
        textsOf(values[field]).map((name) => `${kind} ${name}`),
      ),
    );
    return named.length > 0 ? named : [change.address];
  }
  const of = ["principal_arn", "permission_set_arn", "target", "role_arn"]
    .map((field) => values[field])
    .find((one) => typeof one === "string");
  return [of === undefined ? `${change.type} ${change.name}` : String(of)];
}

function memberships({ type }: Change, values: Values): Attached[] {
  const members = (users: unknown, groups: unknown): Attached[] =>
    textsOf(users).flatMap((user) =>
      textsOf(groups).map((group) => ({
        holder: `user ${user}`,
        what: `everything that the group ${group} may`,
        where: "all that they name",
      })),
    );
  if (type === "aws_iam_group_membership") return members(values.users, values.group);
  if (type === "aws_iam_user_group_membership") return members(values.user, values.groups);
  if (/_group_membership$|_user_in_group$|_role_membership$/.test(type))
    return members(
      values.member_id ?? values.member_name ?? values.username,
      values.group_id ?? values.group_name ?? values.role,
    );
  return [];
}

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? (value as unknown[]) : [value])
    .filter((one) => one !== undefined && one !== null && one !== "")
    .map((one) => (one === UNKNOWN ? "a policy that is not known until apply" : String(one)));

/** Resources that take away what they do not list. */
export function exclusiveOf(change: Change): Finding[] {
  const { type, action, address, after, before } = change;
  if (!change.isChanged || (action === "updated" && JSON.stringify(before) === JSON.stringify(after)))
    return [];
  const values = after ?? before;
  if (type === "aws_iam_policy_attachment") {
    const arn = code(shown(values?.policy_arn));
    const text =
      action === "destroyed"
        ? `${arn} is detached from every role, user and group of the account`
        : `exclusive attachment: it takes ${arn} from every other role, user and group of the account`;
    return [{ address, text }];
  }
  if (/_exclusive$/.test(type) && action !== "destroyed") {
    const holder = code(shown(values?.role_name ?? values?.user_name ?? values?.group_name));
    return [{ address, text: `exclusive list: it takes every other policy from ${holder}` }];
  }
  if (type === "aws_iam_group_membership" && action !== "destroyed")
    return [
      {
        address,
        text: `exclusive membership: it takes every other user out of the group ${code(shown(values?.group))}`,
      },
    ];
  return [];
}
