import { UNKNOWN } from "./change";
import { allow, listOf, principalOf, type Read } from "./given";
import { type Statement } from "./policy-document";

/** Attributes that list who may do something, in any type. */
const WHO =
  /(^|_)(admins?|admin_arns?|administrators?|principals?|principal_arns?|principal_identifier|allowed_principals|grantees?|shared_accounts?|trusted_(?:principals|accounts|owners|resource_owners|tokens?)|allowed_account_ids|account_ids|share_with|owners_list|consumer_identifiers?|launch_permission|authorized_\w*(?:accounts|principals|arns))$/;
const MEMBERS = /^(users|groups|roles|members|account_id|member_id|organization_arn|group)$/;
const MEMBERSHIPS = /_permission$|_member(s|ship)?$|_share|_admin/;

/** The values of nested policies and identities are read elsewhere. */
const READ = /^aws_iam_|_policy_attachment$|_group_membership$|_user_in_group$/;

/** Reads who stands in lists of administrators, principals and accounts, whatever the type. */
export const rolesInLists: Read = (values, change) => {
  const holder = `${change.type} ${change.name}`;
  // A list that stays as it is widens nothing.
  if (!change.isChanged || READ.test(change.type) || !change.type.startsWith("aws_"))
    return { holder, statements: [] };
  const statements: Statement[] = [];
  const unknown: string[] = [];
  const visit = (fields: object, path: string): void => {
    for (const [name, value] of Object.entries(fields)) {
      const at = path === "" ? name : `${path}.${name}`;
      if (path === "" && change.configured !== undefined && change.configured[name] === undefined) continue;
      const isWho = WHO.test(name) || (path === "" && MEMBERSHIPS.test(change.type) && MEMBERS.test(name));
      if (!isWho) {
        for (const inner of listOf(value)) if (typeof inner === "object" && inner !== null) visit(inner, at);
        continue;
      }
      for (const one of listOf(value))
        if (one === UNKNOWN) unknown.push(at);
        else if (typeof one === "string")
          statements.push(allow(principalOf(one), [`listed in ${at}`], holder));
        else if (typeof one === "object" && one !== null) visit(one, at);
    }
  };
  visit(values, "");
  return { holder, statements, unknown };
};
