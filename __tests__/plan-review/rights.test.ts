import { readAllowances } from "../../plan-review/allowances";
import { pageOf } from "../../plan-review/page";
import { readPlan } from "../../plan-review/plan";
import { review } from "../../plan-review/review";
import { type Given, planText, reviewed } from "./plans";

/** Everything that gives rights, whatever it is called. */

const policy = (action: string, more: object = {}) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: action, Resource: "arn:aws:s3:::shop/*", ...more }],
  });
const trust = policy("sts:AssumeRole", { Resource: undefined, Principal: { Service: "glue.amazonaws.com" } });
const role = (more: object) => ({
  name: "shop-job",
  arn: "arn:aws:iam::111122223333:role/shop-job",
  assume_role_policy: trust,
  ...more,
});
const change = (type: string, before: object, after: object): Given[] => [
  { type, before: { name: "n", ...before }, after: { name: "n", ...after } },
];
const everybody = policy("s3:GetObject", { Principal: "*" });
const owner = policy("s3:GetObject", { Principal: { AWS: "111122223333" } });
const ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess";

test.each<[string, Given[], string]>([
  [
    "an inline block",
    change(
      "aws_iam_role",
      role({ inline_policy: [{ name: "a", policy: policy("s3:GetObject") }] }),
      role({ inline_policy: [{ name: "a", policy: policy("s3:*") }] }),
    ),
    "`s3:*`",
  ],
  [
    "a second inline block",
    change(
      "aws_iam_role",
      role({ inline_policy: [] }),
      role({ inline_policy: [{ name: "b", policy: policy("s3:*") }] }),
    ),
    "`s3:*`",
  ],
  [
    "managed policies of a role",
    change("aws_iam_role", role({ managed_policy_arns: [] }), role({ managed_policy_arns: [ADMIN] })),
    ADMIN,
  ],
  [
    "an attachment",
    [{ type: "aws_iam_role_policy_attachment", after: { role: "shop-job", policy_arn: ADMIN } }],
    ADMIN,
  ],
  [
    "an exclusive attachment",
    change(
      "aws_iam_policy_attachment",
      { policy_arn: ADMIN, roles: ["a"] },
      { policy_arn: ADMIN, roles: ["a", "b"] },
    ),
    "role `b`",
  ],
  [
    "an exclusive list",
    change(
      "aws_iam_role_policy_attachments_exclusive",
      { role_name: "a", policy_arns: [] },
      { role_name: "a", policy_arns: [ADMIN] },
    ),
    ADMIN,
  ],
  [
    "membership of a group",
    change(
      "aws_iam_group_membership",
      { group: "admins", users: ["ann"] },
      { group: "admins", users: ["ann", "bob"] },
    ),
    "user `bob`",
  ],
  [
    "groups of a user",
    change(
      "aws_iam_user_group_membership",
      { user: "ann", groups: ["a"] },
      { user: "ann", groups: ["a", "admins"] },
    ),
    "the group `admins`",
  ],
  [
    "a permission set",
    [
      {
        type: "aws_ssoadmin_managed_policy_attachment",
        after: { managed_policy_arn: ADMIN, permission_set_arn: "arn:aws:sso:::ps" },
      },
    ],
    ADMIN,
  ],
  [
    "rights in a cluster",
    [
      {
        type: "aws_eks_access_policy_association",
        after: {
          policy_arn: "arn:aws:eks::aws:cluster-access-policy/Admin",
          principal_arn: "arn:aws:iam::1:role/r",
        },
      },
    ],
    "cluster-access-policy/Admin",
  ],
  [
    "a policy of a type that nobody knows",
    change("aws_unheard_of", { settings: [{ access: owner }] }, { settings: [{ access: everybody }] }),
    "everybody",
  ],
  [
    "a policy within a document",
    change("aws_unheard_of", { template: `{"P":${owner}}` }, { template: `{"P":${everybody}}` }),
    "everybody",
  ],
  [
    "an endpoint",
    change(
      "aws_vpc_endpoint",
      { policy: policy("s3:GetObject", { Principal: "*" }) },
      { policy: policy("s3:*", { Principal: "*" }) },
    ),
    "`s3:*`",
  ],
  [
    "a boundary that goes",
    change("aws_iam_role", role({ permissions_boundary: "arn:b" }), role({ permissions_boundary: null })),
    "permissions boundary",
  ],
  [
    "a boundary of a user",
    change("aws_iam_user", { permissions_boundary: "arn:b" }, {}),
    "permissions boundary",
  ],
  [
    "administrators of the lake",
    change(
      "aws_lakeformation_data_lake_settings",
      { admins: ["arn:aws:iam::1:role/a"] },
      { admins: ["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"] },
    ),
    "role/b",
  ],
  [
    "default grants of the lake",
    change(
      "aws_lakeformation_data_lake_settings",
      { create_table_default_permissions: [] },
      { create_table_default_permissions: [{ permissions: ["ALL"], principal: "IAM_ALLOWED_PRINCIPALS" }] },
    ),
    "everybody whom IAM allows",
  ],
  [
    "filtering outside AWS",
    change(
      "aws_lakeformation_data_lake_settings",
      { allow_external_data_filtering: false },
      { allow_external_data_filtering: true },
    ),
    "engines outside AWS",
  ],
  [
    "a grant of the lake",
    [
      {
        type: "aws_lakeformation_permissions",
        after: { principal: "arn:aws:iam::1:role/a", permissions: ["SELECT"], database: [{ name: "shop" }] },
      },
    ],
    "lakeformation:SELECT",
  ],
  [
    "a grant that may be passed on",
    change(
      "aws_lakeformation_permissions",
      {
        principal: "arn:aws:iam::1:role/a",
        permissions: ["ALL"],
        table: [{ database_name: "d", name: "t" }],
      },
      {
        principal: "arn:aws:iam::1:role/a",
        permissions: ["ALL"],
        permissions_with_grant_option: ["ALL"],
        table: [{ database_name: "d", name: "t" }],
      },
    ),
    "lakeformation-grant:*",
  ],
  [
    "tags of the lake",
    [{ type: "aws_lakeformation_resource_lf_tags", after: { lf_tag: [{ key: "open", value: "yes" }] } }],
    "not read",
  ],
  [
    "a share for outsiders",
    change(
      "aws_ram_resource_share",
      { allow_external_principals: false },
      { allow_external_principals: true },
    ),
    "outside the organisation",
  ],
  [
    "a principal of a share",
    [
      {
        type: "aws_ram_principal_association",
        after: { principal: "444455556666", resource_share_arn: "arn:s" },
      },
    ],
    "444455556666",
  ],
  [
    "a database in a share",
    [
      {
        type: "aws_ram_resource_association",
        after: { resource_arn: "arn:aws:glue:::database/d", resource_share_arn: "arn:s" },
      },
    ],
    "database/d",
  ],
  [
    "an invocation",
    [
      {
        type: "aws_lambda_permission",
        after: { principal: "*", action: "lambda:InvokeFunction", function_name: "f" },
      },
    ],
    "everybody",
  ],
  [
    "a condition of an invocation",
    change(
      "aws_lambda_permission",
      {
        principal: "s3.amazonaws.com",
        action: "lambda:InvokeFunction",
        function_name: "f",
        source_account: "1",
      },
      { principal: "s3.amazonaws.com", action: "lambda:InvokeFunction", function_name: "f" },
    ),
    "no longer only if",
  ],
  [
    "a grant of a key",
    [
      {
        type: "aws_kms_grant",
        after: { grantee_principal: "arn:aws:iam::1:role/a", operations: ["Decrypt"], key_id: "k" },
      },
    ],
    "kms:Decrypt",
  ],
  [
    "an access control list",
    change("aws_s3_bucket_acl", { bucket: "b", acl: "private" }, { bucket: "b", acl: "public-read" }),
    "everybody",
  ],
  [
    "a grant of a bucket",
    change(
      "aws_s3_bucket",
      { bucket: "b" },
      {
        bucket: "b",
        grant: [
          { type: "Group", uri: "http://acs.amazonaws.com/groups/global/AllUsers", permissions: ["READ"] },
        ],
      },
    ),
    "everybody",
  ],
  [
    "a snapshot for another account",
    [
      {
        type: "aws_snapshot_create_volume_permission",
        after: { snapshot_id: "s", account_id: "444455556666" },
      },
    ],
    "444455556666",
  ],
  [
    "accounts of a snapshot",
    change("aws_db_snapshot", { shared_accounts: [] }, { shared_accounts: ["all"] }),
    "shared_accounts",
  ],
  [
    "principals of an endpoint",
    change("aws_vpc_endpoint_service", { allowed_principals: [] }, { allowed_principals: ["*"] }),
    "everybody",
  ],
  ["a key of a user", [{ type: "aws_iam_access_key", after: { user: "ann" } }], "not read"],
  [
    "a provider of identities",
    [{ type: "aws_iam_openid_connect_provider", after: { url: "https://token" } }],
    "not read",
  ],
  [
    "a policy of an organisation that goes",
    [{ type: "aws_organizations_policy_attachment", before: { policy_id: "p", target_id: "t" } }],
    "no longer forbidden",
  ],
  [
    "a policy deep inside that is not known",
    [
      {
        type: "aws_iam_role",
        before: role({ inline_policy: [{ name: "a", policy: policy("s3:GetObject") }] }),
        after: role({ inline_policy: [{ name: "a" }] }),
        unknown: { inline_policy: [{ policy: true }] },
      },
    ],
    "not known until apply",
  ],
])("widened by %s", (_what, given, text) => {
  const { exitCode, sections, page } = reviewed(given);
  expect(sections.permissions.join("\n")).toContain(text);
  expect(page).toContain(`${given[0]!.type}.n0`);
  expect(exitCode).toBe(3);
});

test.each<[string, Given[]]>([
  [
    "the same inline policies in another order",
    change(
      "aws_iam_role",
      role({
        inline_policy: [
          { name: "a", policy: policy("s3:Get*") },
          { name: "b", policy: policy("s3:Put*") },
        ],
      }),
      role({
        inline_policy: [
          { name: "b", policy: policy("s3:Put*") },
          { name: "a", policy: policy("s3:Get*") },
        ],
      }),
    ),
  ],
  [
    "a policy that moves into the role",
    [
      { type: "aws_iam_role_policy", before: { role: "shop-job", policy: policy("s3:*") } },
      ...change("aws_iam_role", role({}), role({ inline_policy: [{ name: "a", policy: policy("s3:*") }] })),
    ],
  ],
  [
    "a managed policy less",
    change("aws_iam_role", role({ managed_policy_arns: [ADMIN] }), role({ managed_policy_arns: [] })),
  ],
  [
    "an administrator less",
    change("aws_lakeformation_data_lake_settings", { admins: ["arn:a", "arn:b"] }, { admins: ["arn:a"] }),
  ],
  [
    "the same grant with less, made again",
    [
      {
        type: "aws_lakeformation_permissions",
        before: {
          id: "p",
          principal: "arn:aws:iam::1:role/a",
          permissions: ["SELECT", "ALL"],
          database: [{ name: "d" }],
        },
        after: { principal: "arn:aws:iam::1:role/a", permissions: ["SELECT"], database: [{ name: "d" }] },
        unknown: { id: true },
        actions: ["delete", "create"],
      },
    ],
  ],
  [
    "an invocation by a service of a new function",
    [
      { type: "aws_lambda_function", after: { function_name: "f" } },
      {
        type: "aws_lambda_permission",
        after: { principal: "s3.amazonaws.com", action: "lambda:InvokeFunction", function_name: "f" },
      },
    ],
  ],
  [
    "a share for fewer",
    change(
      "aws_ram_resource_share",
      { allow_external_principals: true },
      { allow_external_principals: false },
    ),
  ],
  [
    "rights that stay with a forgotten role",
    [
      {
        type: "aws_iam_role_policy",
        before: { role: "shop-job", policy: policy("s3:*") },
        actions: ["forget"],
      },
    ],
  ],
])("not widened by %s", (_what, given) => {
  const { exitCode, sections } = reviewed(given);
  expect(sections.permissions).toEqual([]);
  expect(exitCode).toBe(0);
});

test("a mirror of other resources is not read twice", () => {
  const mirrored = role({
    inline_policy: [{ name: "p", policy: policy("s3:*") }],
    managed_policy_arns: [ADMIN],
  });
  const { sections, exitCode } = reviewed([
    {
      type: "aws_iam_role",
      before: role({}),
      after: mirrored,
      expressions: { name: { constant_value: "shop-job" } },
    },
  ]);
  expect(sections.permissions).toEqual([]);
  expect(exitCode).toBe(0);
});

test("a resource of the same name as a role that goes hides nothing of the role", () => {
  const { exitCode } = reviewed([
    { type: "aws_scheduler_schedule", before: { name: "shop-job" } },
    { type: "aws_iam_role_policy", after: { role: "shop-job", policy: policy("*", { Resource: "*" }) } },
  ]);
  expect(exitCode).toBe(3);
});

test("a sensitive policy that changes is named, and not shown", () => {
  const [one] = change(
    "aws_iam_role_policy",
    { role: "r", policy: policy("s3:Get*") },
    { role: "r", policy: policy("s3:*") },
  );
  const sensitive = { before_sensitive: { policy: true }, after_sensitive: { policy: true } };
  const text = {
    ...one!,
    more: { change: { actions: ["update"], before: one!.before, after: one!.after, ...sensitive } },
  };
  const { exitCode, page } = reviewed([text]);
  expect(exitCode).toBe(3);
  expect(page).not.toContain("s3:");
});

const entry = (principal: string, more: object = {}) => ({
  ...{
    principal,
    action: "s3:*",
    resource: "arn:aws:s3:::shop/*",
    reason: "shared with partners",
    reviewedBy: "ann",
    expires: "2026-12-01",
  },
  ...more,
});
const shared = (to: string): Given[] => [
  {
    type: "aws_s3_bucket_policy",
    before: { bucket: "shop", policy: owner },
    after: { bucket: "shop", policy: policy("s3:GetObject", { Principal: to === "*" ? to : { AWS: to } }) },
  },
];
const PARTNER = "arn:aws:iam::444455556666:root";

test.each<[string, Given[], object[], number, number]>([
  ["the ARN that the page shows", shared(PARTNER), [entry(PARTNER)], 0, 0],
  ["the ARN as the policy has it", shared(PARTNER), [entry(`AWS ${PARTNER}`)], 0, 0],
  ["everybody", shared("*"), [entry("everybody")], 0, 0],
  ["another principal: it allows nothing", shared(PARTNER), [entry("arn:aws:iam::1:root")], 3, 1],
  ["its last day", shared(PARTNER), [entry(PARTNER, { expires: "2026-12-01" })], 0, 0],
  ["the day after it expired", shared(PARTNER), [entry(PARTNER, { expires: "2026-11-30" })], 3, 1],
  ["a plan that widens nothing", [], [entry(PARTNER)], 1, 1],
])("an entry of the reviewed file for %s", (_what, given, entries, code, errors) => {
  const allowances = readAllowances(JSON.stringify(entries), "reviewed.json");
  const found = review(
    readPlan(planText(given, { configuration: undefined }), "plan"),
    allowances,
    "2026-12-01",
  );
  expect([found.exitCode, found.judged.errors.length]).toEqual([code, errors]);
  if (errors > 0) expect(pageOf(found, "").split("\n")[0]).toContain("1 reviewed entry wrong");
});
