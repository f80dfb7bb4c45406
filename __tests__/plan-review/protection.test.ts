import { type Given, reviewed } from "./plans";

/** Encryption, public access, logging, enforcement, limits and networks, at any depth of any type. */

const change = (type: string, before: object, after: object): Given[] => [
  { type, before: { name: "n", ...before }, after: { name: "n", ...after } },
];
const workgroup = (configuration: object) => ({ configuration: [configuration] });

test.each<[string, Given[], string]>([
  [
    "encryption of a catalogue",
    change(
      "aws_glue_data_catalog_encryption_settings",
      { s: [{ encryption_at_rest: [{ catalog_encryption_mode: "SSE-KMS" }] }] },
      { s: [{ encryption_at_rest: [{ catalog_encryption_mode: "DISABLED" }] }] },
    ),
    "SSE-KMS → DISABLED",
  ],
  [
    "encryption of passwords",
    change(
      "aws_glue_data_catalog_encryption_settings",
      { s: [{ return_connection_password_encrypted: true }] },
      { s: [{ return_connection_password_encrypted: false }] },
    ),
    "is switched off",
  ],
  [
    "a key that AWS owns",
    change(
      "aws_sfn_state_machine",
      { encryption_configuration: [{ type: "CUSTOMER_MANAGED_KMS_KEY", kms_key_id: "k" }] },
      { encryption_configuration: [{ type: "AWS_OWNED_KEY" }] },
    ),
    "CUSTOMER_MANAGED_KMS_KEY → AWS_OWNED_KEY",
  ],
  [
    "a block of encryption that goes",
    change(
      "aws_kinesis_firehose_delivery_stream",
      { server_side_encryption: [{ enabled: true, key_type: "CUSTOMER_MANAGED_CMK" }] },
      { server_side_encryption: [] },
    ),
    "server_side_encryption",
  ],
  [
    "encryption of a type that nobody knows",
    change(
      "aws_unheard_of",
      { deep: [{ er: [{ encryption_mode: "SSE_KMS" }] }] },
      { deep: [{ er: [{ encryption_mode: "NONE" }] }] },
    ),
    "deep.er.encryption_mode",
  ],
  [
    "encryption between brokers",
    change(
      "aws_msk_cluster",
      { encryption_info: [{ encryption_in_transit: [{ client_broker: "TLS" }] }] },
      { encryption_info: [{ encryption_in_transit: [{ client_broker: "TLS_PLAINTEXT" }] }] },
    ),
    "TLS → TLS_PLAINTEXT",
  ],
  [
    "an older TLS",
    change(
      "aws_lb_listener",
      { ssl_policy: "ELBSecurityPolicy-TLS13-1-2-2021-06" },
      { ssl_policy: "ELBSecurityPolicy-TLS-1-0-2015-04" },
    ),
    "ssl_policy",
  ],
  [
    "a security configuration",
    change("aws_glue_crawler", { security_configuration: "sec" }, { security_configuration: "" }),
    "security_configuration",
  ],
  [
    "a block of public access",
    change(
      "aws_s3_access_point",
      { public_access_block_configuration: [{ block_public_policy: true }] },
      { public_access_block_configuration: [{ block_public_policy: false }] },
    ),
    "block_public_policy",
  ],
  [
    "a public address",
    change("aws_db_instance", { publicly_accessible: false }, { publicly_accessible: true }),
    "publicly_accessible",
  ],
  [
    "ownership of objects",
    change(
      "aws_s3_bucket_ownership_controls",
      { rule: [{ object_ownership: "BucketOwnerEnforced" }] },
      { rule: [{ object_ownership: "ObjectWriter" }] },
    ),
    "object_ownership",
  ],
  [
    "a block of logging that goes",
    change(
      "aws_api_gateway_stage",
      { access_log_settings: [{ destination_arn: "arn:log", format: "f" }] },
      { access_log_settings: [] },
    ),
    "access_log_settings",
  ],
  [
    "less logging",
    change(
      "aws_sfn_state_machine",
      { logging_configuration: [{ level: "ALL" }] },
      { logging_configuration: [{ level: "ERROR" }] },
    ),
    "ALL → ERROR",
  ],
  [
    "metrics of a workgroup",
    change(
      "aws_athena_workgroup",
      workgroup({ publish_cloudwatch_metrics_enabled: true }),
      workgroup({ publish_cloudwatch_metrics_enabled: false }),
    ),
    "publish_cloudwatch_metrics_enabled",
  ],
  [
    "enforcement",
    change(
      "aws_athena_workgroup",
      workgroup({ enforce_workgroup_configuration: true }),
      workgroup({ enforce_workgroup_configuration: false }),
    ),
    "enforce_workgroup_configuration",
  ],
  [
    "a larger limit",
    change(
      "aws_athena_workgroup",
      workgroup({ bytes_scanned_cutoff_per_query: 10 }),
      workgroup({ bytes_scanned_cutoff_per_query: 10_000 }),
    ),
    "limit loosened",
  ],
  [
    "no limit",
    change("aws_athena_workgroup", workgroup({ bytes_scanned_cutoff_per_query: 10 }), workgroup({})),
    "limit loosened",
  ],
  [
    "a limit of a function",
    change(
      "aws_lambda_function",
      { reserved_concurrent_executions: 5 },
      { reserved_concurrent_executions: -1 },
    ),
    "limit loosened",
  ],
  [
    "no authorisation",
    change("aws_lambda_function_url", { authorization_type: "AWS_IAM" }, { authorization_type: "NONE" }),
    "AWS_IAM → NONE",
  ],
  [
    "a network that is left",
    change(
      "aws_lambda_function",
      { vpc_config: [{ subnet_ids: ["s"], security_group_ids: ["g"] }] },
      { vpc_config: [] },
    ),
    "leaves its network",
  ],
  [
    "another role",
    change("aws_glue_job", { role_arn: "arn:a" }, { role_arn: "arn:b" }),
    "rights of another role",
  ],
  [
    "tags of images that change",
    change("aws_ecr_repository", { image_tag_mutability: "IMMUTABLE" }, { image_tag_mutability: "MUTABLE" }),
    "IMMUTABLE → MUTABLE",
  ],
  [
    "logs that are kept for a shorter time",
    change("aws_cloudwatch_log_group", { retention_in_days: 0 }, { retention_in_days: 30 }),
    "for ever → 30",
  ],
  [
    "a recorder that goes",
    [{ type: "aws_config_configuration_recorder", before: { name: "r" } }],
    "nothing is recorded",
  ],
  [
    "encryption of a bucket that goes",
    [
      {
        type: "aws_s3_bucket_server_side_encryption_configuration",
        before: {
          bucket: "b",
          rule: [
            {
              apply_server_side_encryption_by_default: [{ sse_algorithm: "aws:kms", kms_master_key_id: "k" }],
            },
          ],
        },
      },
    ],
    "aws:kms, key `k`",
  ],
])("weakened: %s", (_what, given, text) => {
  const { exitCode, sections, page, verdict } = reviewed(given);
  expect(sections.weakened.join("\n")).toContain(text);
  expect(page).toContain(`${given[0]!.type}.n0`);
  expect([exitCode, verdict.includes("✅")]).toEqual([0, false]);
});

test.each<[string, Given[]]>([
  [
    "another drawing of a dashboard",
    change(
      "aws_cloudwatch_dashboard",
      {
        dashboard_body: JSON.stringify({
          widgets: [{ properties: { metrics: [["A", "b"]], monitor: "on" } }],
        }),
      },
      { dashboard_body: JSON.stringify({ widgets: [] }) },
    ),
  ],
  [
    "encryption that is switched on",
    change("aws_kinesis_stream", { encryption_type: "NONE" }, { encryption_type: "KMS", kms_key_id: "k" }),
  ],
  ["another key", change("aws_kinesis_stream", { kms_key_id: "a" }, { kms_key_id: "b" })],
  [
    "a key that is not known yet",
    [
      {
        type: "aws_sns_topic",
        before: { kms_master_key_id: "a" },
        after: {},
        unknown: { kms_master_key_id: true },
      },
    ],
  ],
  [
    "a smaller limit",
    change(
      "aws_athena_workgroup",
      workgroup({ bytes_scanned_cutoff_per_query: 10_000 }),
      workgroup({ bytes_scanned_cutoff_per_query: 10 }),
    ),
  ],
  [
    "more logging",
    change(
      "aws_sfn_state_machine",
      { logging_configuration: [{ level: "ERROR" }] },
      { logging_configuration: [{ level: "ALL" }] },
    ),
  ],
  [
    "a recovery that is switched on",
    change(
      "aws_dynamodb_table",
      { point_in_time_recovery: [] },
      { point_in_time_recovery: [{ enabled: true }] },
    ),
  ],
])("not weakened: %s", (_what, given) => {
  expect(reviewed(given).sections.weakened).toEqual([]);
});

const ingress = (cidr: string, from = 443, to = from) => ({
  ingress: [{ from_port: from, to_port: to, protocol: "tcp", cidr_blocks: [cidr] }],
});
const ALL = "0.0.0.0/0";

test.each<[string, Given[], string | undefined]>([
  ["a group", change("aws_security_group", ingress("10.0.0.0/8"), ingress(ALL)), "the whole internet"],
  [
    "more ports",
    change("aws_security_group", ingress("10.0.0.0/8"), ingress("10.0.0.0/8", 1, 1000)),
    "ports 1 to 1000",
  ],
  [
    "fewer ports",
    change("aws_security_group", ingress("10.0.0.0/8", 1, 1000), ingress("10.0.0.0/8")),
    undefined,
  ],
  [
    "a rule of its own",
    [
      {
        type: "aws_vpc_security_group_ingress_rule",
        after: { ip_protocol: "-1", cidr_ipv4: ALL, security_group_id: "sg" },
      },
    ],
    "every protocol",
  ],
  [
    "an older rule of its own",
    [
      {
        type: "aws_security_group_rule",
        after: {
          type: "ingress",
          protocol: "tcp",
          from_port: 22,
          to_port: 22,
          ipv6_cidr_blocks: ["::/0"],
          security_group_id: "sg",
        },
      },
    ],
    "port 22",
  ],
  [
    "a rule to the outside of an existing group",
    change(
      "aws_security_group",
      { egress: [] },
      { egress: [{ protocol: "-1", from_port: 0, to_port: 0, cidr_blocks: [ALL] }] },
    ),
    "to `0.0.0.0/0`",
  ],
  ["a new group inside", [{ type: "aws_security_group", after: ingress("10.0.0.0/8") }], undefined],
  ["a new group outside", [{ type: "aws_security_group", after: ingress(ALL) }], "the whole internet"],
  [
    "a list of a network",
    [
      {
        type: "aws_network_acl_rule",
        after: { egress: false, protocol: "-1", rule_action: "allow", cidr_block: ALL },
      },
    ],
    "every protocol",
  ],
  [
    "a refusal of a network",
    [
      {
        type: "aws_network_acl_rule",
        after: { egress: false, protocol: "-1", rule_action: "deny", cidr_block: ALL },
      },
    ],
    undefined,
  ],
  [
    "addresses of a type that nobody knows",
    change(
      "aws_unheard_of",
      { access: [{ cidrs: ["10.0.0.0/8"] }] },
      { access: [{ cidrs: ["10.0.0.0/8", ALL] }] },
    ),
    "access.cidrs",
  ],
])("network: %s", (_what, given, text) => {
  const { weakened } = reviewed(given).sections;
  if (text === undefined) expect(weakened).toEqual([]);
  else expect(weakened.join("\n")).toContain(text);
});

test.each<[string, Given[], string]>([
  [
    "a new type",
    [{ type: "aws_unheard_of", after: { name: "x", size: 3 } }],
    "`aws_unheard_of.n0` is created: no rule knows `aws_unheard_of`, with `name`, `size`",
  ],
  [
    "a changed type",
    change("aws_unheard_of", { size: 3 }, { size: 4 }),
    "`aws_unheard_of.n0` is updated: no rule knows `aws_unheard_of`, with `size`",
  ],
  [
    "an attribute that a rule does not know",
    change("aws_glue_job", { job_mode: "a" }, { job_mode: "b" }),
    "`aws_glue_job.n0` is updated: no rule judges `job_mode`",
  ],
  [
    "a value that is not known yet",
    [
      {
        type: "aws_sns_topic",
        before: { name: "t", kms_master_key_id: "a" },
        after: { name: "t" },
        unknown: { kms_master_key_id: true },
      },
    ],
    "`kms_master_key_id` not known until apply",
  ],
])("not judged: %s", (_what, given, text) => {
  const { sections, verdict, exitCode } = reviewed(given);
  expect(sections.unjudged).toContainEqual(expect.stringContaining(text));
  expect([exitCode, verdict.startsWith("**⚠️")]).toEqual([0, true]);
});

test("green stands only over changes that rules know", () => {
  const [job] = change("aws_glue_job", { description: "a" }, { description: "b" });
  expect(reviewed([job!]).verdict).toBe("**✅ Nothing is lost, widened or weakened**");
  expect(reviewed([job!, { type: "aws_unheard_of", after: {} }]).verdict).toBe("**⚠️ 1 change not judged**");
});
