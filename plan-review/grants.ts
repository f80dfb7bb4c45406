import { type Change, UNKNOWN } from "./change";
import { code, shown } from "./markdown";
import { allow, blocksOf, listOf, principalOf, type Read } from "./given";
import { type Clause, type Statement } from "./policy-document";
import { type Values } from "./plan";
import { rolesInLists } from "./who-lists";

/** Rights that a resource gives without a policy document. */
export interface Grant {
  readonly holder: string;
  readonly before: readonly Statement[];
  readonly after: readonly Statement[];
  /** The reason why some of it is not known. */
  readonly unknown?: string;
}

/** Reads rights of permissions, grants, shares, access control lists and lists of administrators. */
export function grantOf(change: Change): Grant | undefined {
  const rule = GRANTS.find(([type]) => type.test(change.type))?.[1] ?? rolesInLists;
  const [before, after] = [change.before, change.after].map((values) =>
    values === undefined ? undefined : rule(values, change),
  );
  const holder = (after ?? before)?.holder;
  if (holder === undefined) return undefined;
  const unknown = after?.unknown ?? [];
  const given = { holder, before: before?.statements ?? [], after: after?.statements ?? [] };
  if (given.before.length + given.after.length + unknown.length === 0) return undefined;
  if (unknown.length === 0 || !change.isChanged) return given;
  const are = unknown.length === 1 ? "is" : "are";
  return { ...given, unknown: `its ${unknown.map(code).join(", ")} ${are} not known until apply` };
}

const unknownIn = (values: Values, fields: readonly string[]): string[] =>
  fields.filter((field) => values[field] === UNKNOWN);

const lambdaPermission: Read = (values) => {
  const clause = (operator: string, key: string, field: string): Clause[] =>
    typeof values[field] === "string" && values[field] !== ""
      ? [{ operator, key, values: [values[field]] }]
      : [];
  const conditions = [
    ...clause("ArnLike", "aws:SourceArn", "source_arn"),
    ...clause("StringEquals", "aws:SourceAccount", "source_account"),
    ...clause("StringEquals", "aws:PrincipalOrgID", "principal_org_id"),
    ...clause("StringEquals", "lambda:FunctionUrlAuthType", "function_url_auth_type"),
    ...(values.source_arn === UNKNOWN
      ? [{ operator: "ArnLike", key: "aws:SourceArn", values: ["not known until apply"] }]
      : []),
  ];
  const holder = `function ${shown(values.function_name)}`;
  return {
    holder,
    statements: [allow(principalOf(values.principal), [shown(values.action)], holder, conditions)],
    unknown: unknownIn(values, ["principal", "action"]),
  };
};

const kmsGrant: Read = (values) => {
  const constraints = listOf(values.constraints);
  const conditions =
    constraints.length === 0 ? [] : [{ operator: "grant", key: "constraints", values: [shown(constraints)] }];
  const holder = `key ${shown(values.key_id)}`;
  const operations = listOf(values.operations).map((one) => `kms:${shown(one)}`);
  return {
    holder,
    statements:
      operations.length === 0
        ? []
        : [allow(principalOf(values.grantee_principal), operations, holder, conditions)],
    unknown: unknownIn(values, ["grantee_principal", "operations"]),
  };
};

const LAKE_RESOURCES = [
  "database",
  "table",
  "table_with_columns",
  "data_location",
  "data_cells_filter",
  "lf_tag",
  "lf_tag_policy",
];

/** `ALL` includes every other right, `SUPER` is its name for whole catalogues. */
const lakeActions = (permissions: unknown, service: string): string[] =>
  listOf(permissions).map((one) => `${service}:${one === "ALL" || one === "SUPER" ? "*" : shown(one)}`);

const lakeFormation: Read = (values) => {
  const blocks = LAKE_RESOURCES.flatMap((kind) =>
    listOf(values[kind]).map((block) => `${kind.replaceAll("_", " ")} ${lakeName(block)}`),
  );
  const where = blocks[0] ?? "the catalogue";
  const principal = lakePrincipal(values.principal);
  const given = [
    lakeActions(values.permissions, "lakeformation"),
    lakeActions(values.permissions_with_grant_option, "lakeformation-grant"),
  ];
  return {
    holder: where,
    statements: given
      .filter((actions) => actions.length > 0)
      .map((actions) => allow(principal, actions, where)),
    unknown: unknownIn(values, ["principal", "permissions", "permissions_with_grant_option"]),
  };
};

function lakeName(block: unknown): string {
  const { database_name, name, wildcard, arn, ...rest } = blocksOf(block)[0] ?? {};
  const own = wildcard === true ? "*" : (name ?? arn);
  const columns = Object.entries(rest).filter(
    ([field, value]) =>
      /column|key|value|expression|resource_type|table/.test(field) && listOf(value).length > 0,
  );
  const named = [database_name, own]
    .filter((one) => one !== undefined && one !== null)
    .map(shown)
    .join(".");
  return `${named}${columns.map(([field, value]) => ` ${field} ${shown(value)}`).join("")}`.trim();
}

/** https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html: this group is everybody whom a policy of IAM allows. */
const lakePrincipal = (value: unknown): string =>
  value === "IAM_ALLOWED_PRINCIPALS" ? "everybody whom IAM allows" : principalOf(value);

const lakeSettings: Read = (values) => {
  const where = "the data lake";
  const list = (field: string, action: string) =>
    listOf(values[field])
      .filter((one) => one !== UNKNOWN)
      .map((one) => allow(lakePrincipal(one), [action], where));
  const defaults = (field: string, what: string) =>
    blocksOf(values[field]).map(({ permissions, principal }) =>
      allow(lakePrincipal(principal), lakeActions(permissions, "lakeformation"), `every new ${what}`),
    );
  const flag = (field: string, action: string) =>
    values[field] === true ? [allow("engines outside AWS", [action], where)] : [];
  return {
    holder: where,
    statements: [
      ...list("admins", "lakeformation:*"),
      ...list("read_only_admins", "lakeformation:Describe*"),
      ...list("trusted_resource_owners", "lakeformation:own resources"),
      ...list("external_data_filtering_allow_list", "lakeformation:filter data"),
      ...list("authorized_session_tag_value_list", "lakeformation:tag sessions"),
      ...defaults("create_database_default_permissions", "database"),
      ...defaults("create_table_default_permissions", "table"),
      ...flag("allow_external_data_filtering", "lakeformation:filter data"),
      ...flag("allow_full_table_external_data_access", "lakeformation:read whole tables"),
    ],
    unknown: unknownIn(values, ["admins", "read_only_admins"]),
  };
};

const share: Read = (values, change) => {
  const holder = `share ${shown(values.resource_share_arn ?? change.name)}`;
  const statements =
    change.type === "aws_ram_principal_association"
      ? [allow(principalOf(values.principal), ["ram:use"], "all that it shares")]
      : change.type === "aws_ram_resource_association"
        ? [allow("everybody it is shared with", ["ram:use"], shown(values.resource_arn))]
        : values.allow_external_principals === true
          ? [allow("accounts outside the organisation", ["ram:join"], "all that it shares")]
          : [];
  return { holder, statements, unknown: unknownIn(values, ["principal", "resource_arn"]) };
};

const CANNED: Readonly<Record<string, readonly (readonly [who: string, what: string])[]>> = {
  "public-read": [["*", "acl:READ"]],
  "public-read-write": [
    ["*", "acl:READ"],
    ["*", "acl:WRITE"],
  ],
  "authenticated-read": [["every AWS account", "acl:READ"]],
};

const acl: Read = (values, change) => {
  const holder = `bucket ${shown(values.bucket ?? change.name)}`;
  const own = (field: string) =>
    change.configured === undefined || change.configured[field] !== undefined ? values[field] : undefined;
  const canned = typeof values.acl === "string" ? (CANNED[values.acl] ?? []) : [];
  const policies = blocksOf(own("access_control_policy"));
  const owners = policies.flatMap(({ owner }) => blocksOf(owner).map(({ id }) => id));
  const grants = [...policies.flatMap(({ grant }) => blocksOf(grant)), ...blocksOf(own("grant"))].filter(
    (one) => !owners.includes(granteeOf(one).id),
  );
  const where = change.type === "aws_s3_object" ? shown(values.key) : holder;
  return {
    holder,
    statements: [
      ...canned.map(([who, what]) => allow(who, [what], where)),
      ...grants.flatMap((one) => grantee(one, where)),
    ],
    unknown: [],
  };
};

const granteeOf = (grant: Values): Values => blocksOf(grant.grantee)[0] ?? grant;

function grantee(grant: Values, where: string): Statement[] {
  const { uri, id, email_address } = granteeOf(grant);
  const who = principalOf(uri === "" ? (id ?? email_address) : (uri ?? id ?? email_address));
  return [...listOf(grant.permission), ...listOf(grant.permissions)].map((one) =>
    allow(
      who.replace(/^AWS http:.*AuthenticatedUsers$/, "every AWS account"),
      [`acl:${one === "FULL_CONTROL" ? "*" : shown(one)}`],
      where,
    ),
  );
}

const GRANTS: readonly (readonly [type: RegExp, read: Read])[] = [
  [/^aws_lambda_(layer_version_)?permission$/, lambdaPermission],
  [/^aws_kms_grant$/, kmsGrant],
  [/^aws_lakeformation_permissions$/, lakeFormation],
  [/^aws_lakeformation_data_lake_settings$/, lakeSettings],
  [/^aws_ram_(principal_association|resource_association|resource_share)$/, share],
  [/^aws_s3_(bucket|bucket_acl|object)$/, acl],
];
