import { type Change, isSensitive, UNKNOWN } from "./change";
import { differencesOf } from "./differences";

/** Resources that give rights which no rule reads: a new or changed one is named, and counts as widened. */
const UNREAD =
  /_access_key$|_login_profile$|_service_specific_credential$|_lakeformation_(opt_in|resource_lf_tags?|data_cells_filter|lf_tag)$|_openid_connect_provider$|_saml_provider$|_identity_provider(_config)?$|_access_entry$|_account_assignment$|_datashare|_data_share_|_endpoint_authorization$|_delegated_admin(istrator)?(_account)?$|_organization_admin_account$|_admin_account$|_share_accepter$|_portfolio_share$|_framework_share$|_shared_directory$|_trust_anchor$|_application_assignment$|_access_grant$|_sharing_with_organization$|_user_policy_assignment$|_iam_policy_assignment$|_scram_secret_association$/;

/** Resources that take rights away: a destroyed or detached one widens. */
const RESTRICTING = /^aws_organizations_policy(_attachment)?$|_permissions_boundary_attachment$/;

const PATHS_OF_ROLES = /^aws_iam_(role|user)$/;

export const isReadElsewhere = (type: string): boolean => PATHS_OF_ROLES.test(type);

/** The reasons why the rights that a resource gives cannot be read. */
export function rightsUnread(change: Change): string[] {
  const { type, action, before, after } = change;
  if (UNREAD.test(type) && ["created", "updated", "replaced"].includes(action) && differs(change))
    return [`rights of the type ${type} are not read`];
  if (RESTRICTING.test(type) && change.isGone) return [`what it forbids is no longer forbidden`];
  if (before === undefined || after === undefined || !change.isChanged) return [];
  const [was, is] = [before.permissions_boundary, after.permissions_boundary];
  const hadBoundary = typeof was === "string" && was !== "";
  if (PATHS_OF_ROLES.test(type) && hadBoundary && was !== is)
    return [
      `its permissions boundary \`${isSensitive(was) ? "(sensitive)" : was}\` is taken away or replaced`,
    ];
  return [];
}

const differs = ({ before, after }: Change): boolean =>
  before === undefined ||
  differencesOf(before, after).some(({ is, path }) => is !== UNKNOWN && !/^tags/.test(path));
