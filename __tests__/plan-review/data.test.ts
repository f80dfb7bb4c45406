import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DATA_TYPES, isJudged, JUDGED_TYPES } from "../../plan-review/resource-types";
import { TYPES_WITHOUT_DATA } from "../../plan-review/without-data";
import { type Given, reviewed } from "./plans";

/** Everything that destroys data, or will: by a change of any type. */

const bucket = (name = "shop-raw"): Given => {
  const values = { bucket: name, id: name, arn: `arn:aws:s3:::${name}` };
  return { type: "aws_s3_bucket", name: "raw", before: values, after: values };
};
const rule = (more: object) => ({ id: "r", status: "Enabled", filter: [{ prefix: "" }], ...more });
const rules = (...all: object[]) => ({ bucket: "shop-raw", rule: all });
const lifecycle = (before: object | undefined, after: object): Given[] => [
  bucket(),
  { type: "aws_s3_bucket_lifecycle_configuration", ...(before === undefined ? {} : { before }), after },
];
const expires = (days: number, more: object = {}) => rule({ expiration: [{ days }], ...more });
const versions = (days: number, kept?: number) =>
  rule({
    noncurrent_version_expiration: [{ noncurrent_days: days, newer_noncurrent_versions: kept ?? null }],
  });
const under = (prefix: string) => ({ filter: [{ prefix }] });
const tagged = (key: string, prefix = "") => ({ filter: [{ and: [{ prefix, tags: { [key]: "1" } }] }] });

test.each<[string, Given[], boolean]>([
  [
    "the whole bucket instead of a prefix",
    lifecycle(rules(expires(7, under("temp/"))), rules(expires(7))),
    true,
  ],
  [
    "a prefix instead of the whole bucket",
    lifecycle(rules(expires(7)), rules(expires(7, under("temp/")))),
    false,
  ],
  ["another prefix", lifecycle(rules(expires(7, under("a/"))), rules(expires(7, under("b/")))), true],
  ["a longer prefix", lifecycle(rules(expires(7, under("a/"))), rules(expires(7, under("a/b/")))), false],
  ["a tag less", lifecycle(rules(expires(7, tagged("t"))), rules(expires(7))), true],
  ["a tag more", lifecycle(rules(expires(7)), rules(expires(7, tagged("t")))), false],
  [
    "another id for the same rule",
    lifecycle(rules(expires(7)), rules({ ...expires(7), id: "other" })),
    false,
  ],
  [
    "a second rule that deletes nothing more",
    lifecycle(rules(expires(7)), rules(expires(7), expires(9, under("a/")))),
    false,
  ],
  ["a later day", lifecycle(rules(expires(7)), rules(expires(30))), false],
  ["an earlier day", lifecycle(rules(expires(30)), rules(expires(7))), true],
  ["a first rule", lifecycle(undefined, rules(expires(1))), true],
  ["a first rule that is off", lifecycle(undefined, rules(expires(1, { status: "Disabled" }))), false],
  [
    "a rule that is switched on",
    lifecycle(rules(expires(1, { status: "Disabled" })), rules(expires(1))),
    true,
  ],
  [
    "a date",
    lifecycle(rules(expires(900)), rules(rule({ expiration: [{ date: "2027-01-01T00:00:00Z" }] }))),
    true,
  ],
  [
    "an earlier date",
    lifecycle(
      rules(rule({ expiration: [{ date: "2028-01-01T00:00:00Z" }] })),
      rules(rule({ expiration: [{ date: "2027-01-01T00:00:00Z" }] })),
    ),
    true,
  ],
  ["fewer earlier versions", lifecycle(rules(versions(30, 5)), rules(versions(30, 1))), true],
  ["no number of earlier versions", lifecycle(rules(versions(30, 5)), rules(versions(30))), true],
  ["more earlier versions", lifecycle(rules(versions(30, 1)), rules(versions(30, 5))), false],
  [
    "smaller objects too",
    lifecycle(
      rules(expires(7, { filter: [{ object_size_greater_than: 100 }] })),
      rules(expires(7, { filter: [{ object_size_greater_than: 10 }] })),
    ),
    true,
  ],
  ["no rule any more", lifecycle(rules(expires(7)), rules()), false],
  [
    "a rule in the bucket itself",
    [
      {
        type: "aws_s3_bucket",
        before: {
          bucket: "b",
          lifecycle_rule: [{ id: "t", enabled: true, prefix: "", expiration: [{ days: 365 }] }],
        },
        after: {
          bucket: "b",
          lifecycle_rule: [{ id: "t", enabled: true, prefix: "", expiration: [{ days: 1 }] }],
        },
      },
    ],
    true,
  ],
  [
    "days that are not known",
    [
      bucket(),
      {
        type: "aws_s3_bucket_lifecycle_configuration",
        before: rules(expires(7)),
        after: rules(expires(7)),
        unknown: { rule: [{ expiration: [{ days: true }] }] },
        actions: ["update"],
      },
    ],
    true,
  ],
  [
    "rules of a new bucket",
    [
      { type: "aws_s3_bucket", after: { bucket: "shop-raw" } },
      { type: "aws_s3_bucket_lifecycle_configuration", after: rules(expires(1)) },
    ],
    false,
  ],
  [
    "rules of a new bucket whose name is not known",
    [
      { type: "aws_s3_bucket", name: "raw", after: {}, unknown: { bucket: true }, expressions: {} },
      {
        type: "aws_s3_bucket_lifecycle_configuration",
        after: { rule: [expires(1)] },
        unknown: { bucket: true },
        expressions: { bucket: { references: ["aws_s3_bucket.raw.bucket", "aws_s3_bucket.raw"] } },
      },
    ],
    false,
  ],
])("lifecycle: %s", (_what, given, isLost) => {
  const { exitCode, sections } = reviewed(given);
  expect(sections.data.length > 0).toBe(isLost);
  expect(exitCode).toBe(isLost ? 2 : 0);
});

const change = (type: string, before: object, after: object): Given[] => [
  { type, before: { name: "n", ...before }, after: { name: "n", ...after } },
];
const optimizer = (type: string, iceberg: object, more: object = {}) => ({
  ...{ database_name: "shop", table_name: "sales", type },
  configuration: [
    { enabled: true, [`${type}_configuration`]: [{ iceberg_configuration: [iceberg] }], ...more },
  ],
});

test.each<[string, Given[]]>([
  [
    "time to live",
    change(
      "aws_dynamodb_table",
      { ttl: [{ enabled: false }] },
      { ttl: [{ enabled: true, attribute_name: "e" }] },
    ),
  ],
  [
    "time to live in a new block",
    change("aws_dynamodb_table", {}, { ttl: [{ enabled: true, attribute_name: "e" }] }),
  ],
  [
    "another attribute of it",
    change(
      "aws_dynamodb_table",
      { ttl: [{ enabled: true, attribute_name: "a" }] },
      { ttl: [{ enabled: true, attribute_name: "b" }] },
    ),
  ],
  [
    "seconds to live",
    change("aws_keyspaces_table", { default_time_to_live: 900 }, { default_time_to_live: 60 }),
  ],
  ["a stream", change("aws_kinesis_stream", { retention_period: 168 }, { retention_period: 24 })],
  [
    "a queue",
    change("aws_sqs_queue", { message_retention_seconds: 1_209_600 }, { message_retention_seconds: 60 }),
  ],
  ["backups", change("aws_db_instance", { backup_retention_period: 7 }, { backup_retention_period: 0 })],
  [
    "backups of another kind",
    change(
      "aws_redshift_cluster",
      { automated_snapshot_retention_period: 7 },
      { automated_snapshot_retention_period: 1 },
    ),
  ],
  [
    "a backup plan",
    change(
      "aws_backup_plan",
      { rule: [{ rule_name: "r", lifecycle: [{ delete_after: 365 }] }] },
      { rule: [{ rule_name: "r", lifecycle: [{ delete_after: 30 }] }] },
    ),
  ],
  [
    "a series of times",
    change(
      "aws_timestreamwrite_table",
      { retention_properties: [{ magnetic_store_retention_period_in_days: 900 }] },
      { retention_properties: [{ magnetic_store_retention_period_in_days: 9 }] },
    ),
  ],
  [
    "maintenance of a table",
    change(
      "aws_s3tables_table",
      {
        maintenance_configuration: {
          iceberg_snapshot_management: {
            settings: { max_snapshot_age_hours: 900, min_snapshots_to_keep: 5 },
          },
        },
      },
      {
        maintenance_configuration: {
          iceberg_snapshot_management: { settings: { max_snapshot_age_hours: 9, min_snapshots_to_keep: 1 } },
        },
      },
    ),
  ],
  [
    "snapshots of a table",
    change(
      "aws_glue_catalog_table_optimizer",
      optimizer("retention", { number_of_snapshots_to_retain: 50 }),
      optimizer("retention", { number_of_snapshots_to_retain: 1 }),
    ),
  ],
  [
    "a new optimizer that deletes",
    [{ type: "aws_glue_catalog_table_optimizer", after: optimizer("orphan_file_deletion", {}) }],
  ],
  [
    "an optimizer that is switched on",
    change(
      "aws_glue_catalog_table_optimizer",
      optimizer("retention", {}, { enabled: false }),
      optimizer("retention", {}),
    ),
  ],
  [
    "images",
    change(
      "aws_ecr_lifecycle_policy",
      { repository: "r", policy: '{"rules":[]}' },
      { repository: "r", policy: '{"rules":[{"selection":{"countNumber":1}}]}' },
    ),
  ],
  [
    "a type that nobody knows",
    change("aws_new_store", { data_retention_days: 90 }, { data_retention_days: 7 }),
  ],
])("data expires earlier: %s", (_what, given) => {
  const { exitCode, sections } = reviewed(given);
  expect(sections.data).not.toEqual([]);
  expect(exitCode).toBe(2);
});

test.each<[string, Given[]]>([
  ["kept longer", change("aws_kinesis_stream", { retention_period: 24 }, { retention_period: 168 })],
  ["first backups", change("aws_db_instance", {}, { backup_retention_period: 7 })],
  ["a compaction", [{ type: "aws_glue_catalog_table_optimizer", after: optimizer("compaction", {}) }]],
  [
    "time to live off",
    change(
      "aws_dynamodb_table",
      { ttl: [{ enabled: true, attribute_name: "e" }] },
      { ttl: [{ enabled: false, attribute_name: "e" }] },
    ),
  ],
  ["a time of a name", change("aws_route53_record", { ttl: 300 }, { ttl: 60 })],
  [
    "an optimizer of a new table",
    [
      { type: "aws_glue_catalog_table", after: { name: "sales" } },
      { type: "aws_glue_catalog_table_optimizer", after: optimizer("retention", {}) },
    ],
  ],
])("data does not expire earlier: %s", (_what, given) => {
  const { exitCode, sections } = reviewed(given);
  expect(sections.data).toEqual([]);
  expect(exitCode).toBe(0);
});

test.each<[string, Given[], string]>([
  [
    "versioning suspended",
    change(
      "aws_s3_bucket_versioning",
      { versioning_configuration: [{ status: "Enabled" }] },
      { versioning_configuration: [{ status: "Suspended" }] },
    ),
    "versioning_configuration.status",
  ],
  [
    "versioning in the bucket",
    change("aws_s3_bucket", { versioning: [{ enabled: true }] }, { versioning: [{ enabled: false }] }),
    "versioning.enabled",
  ],
  [
    "versioning removed",
    [bucket(), { type: "aws_s3_bucket_versioning", before: { bucket: "shop-raw" } }],
    "versioning is suspended",
  ],
  [
    "replication removed",
    [bucket(), { type: "aws_s3_bucket_replication_configuration", before: { bucket: "shop-raw" } }],
    "the replication is removed",
  ],
  [
    "replication of a bucket",
    change(
      "aws_s3_bucket",
      { replication_configuration: [{ role: "r", rules: [{ id: "a", status: "Enabled" }] }] },
      { replication_configuration: [] },
    ),
    "replication_configuration",
  ],
  [
    "deletion protection",
    change("aws_rds_cluster", { deletion_protection: true }, { deletion_protection: false }),
    "deletion_protection",
  ],
  [
    "recovery to a point in time",
    change(
      "aws_dynamodb_table",
      { point_in_time_recovery: [{ enabled: true }] },
      { point_in_time_recovery: [] },
    ),
    "point_in_time_recovery",
  ],
  [
    "objects that go to an archive",
    change(
      "aws_s3_bucket_lifecycle_configuration",
      { bucket: "b", rule: [] },
      {
        bucket: "b",
        rule: [{ id: "a", status: "Enabled", transition: [{ days: 1, storage_class: "DEEP_ARCHIVE" }] }],
      },
    ),
    "go to DEEP_ARCHIVE after 1 days",
  ],
  [
    "a shorter lock",
    change(
      "aws_s3_bucket_object_lock_configuration",
      { rule: [{ default_retention: [{ days: 90 }] }] },
      { rule: [{ default_retention: [{ days: 1 }] }] },
    ),
    "90 → 1",
  ],
  [
    "no last snapshot",
    change("aws_db_instance", { skip_final_snapshot: false }, { skip_final_snapshot: true }),
    "skip_final_snapshot",
  ],
  [
    "less time to take it back",
    change("aws_kms_key", { deletion_window_in_days: 30 }, { deletion_window_in_days: 7 }),
    "30 → 7",
  ],
  [
    "a crawler that deletes",
    change(
      "aws_glue_crawler",
      { schema_change_policy: [{ delete_behavior: "LOG" }] },
      { schema_change_policy: [{ delete_behavior: "DELETE_FROM_DATABASE" }] },
    ),
    "LOG → DELETE_FROM_DATABASE",
  ],
  [
    "dead letters",
    change("aws_sqs_queue", { redrive_policy: '{"deadLetterTargetArn":"a"}' }, { redrive_policy: "" }),
    "redrive_policy",
  ],
])("a guard goes: %s", (_what, given, text) => {
  const { exitCode, sections, verdict } = reviewed(given);
  expect(sections.data.join("\n")).toContain(text);
  expect(sections.data.every((line) => line.startsWith("guard: "))).toBe(true);
  expect([exitCode, verdict.includes("✅")]).toEqual([0, false]);
});

test("a setting that goes with its bucket weakens nothing", () => {
  const gone = { ...bucket(), after: undefined } as Given;
  const { sections } = reviewed([gone, { type: "aws_s3_bucket_versioning", before: { bucket: "shop-raw" } }]);
  expect(sections.data).toHaveLength(1);
  expect(sections.weakened).toEqual([]);
});

const OLD = { name: "x", id: "x" };

test.each(
  "aws_s3tables_namespace aws_fsx_lustre_file_system aws_glue_registry aws_instance aws_qldb_ledger aws_sagemaker_feature_group aws_s3_object aws_unheard_of google_storage_bucket".split(
    " ",
  ),
)("%s destroyed may be a loss of data", (type) => {
  const { exitCode, sections } = reviewed([{ type, before: OLD }]);
  expect(sections.data).toEqual([expect.stringContaining(`\`${type}.n0\``)]);
  expect(exitCode).toBe(2);
  expect(reviewed([{ type, before: OLD, after: OLD, actions: ["delete", "create"] }]).exitCode).toBe(2);
});

test.each<[string, Given, string]>([
  ["a named query", { type: "aws_athena_named_query", before: OLD }, "unjudged"],
  ["a log group", { type: "aws_cloudwatch_log_group", before: OLD }, "removed"],
  [
    "an entry of the catalogue",
    {
      type: "aws_glue_catalog_table",
      before: { ...OLD, storage_descriptor: [{ location: "s3://shop/t/" }] },
    },
    "removed",
  ],
  ["a crawler", { type: "aws_glue_crawler", before: OLD }, "operations"],
  [
    "a target of a rule",
    { type: "aws_cloudwatch_event_target", before: { rule: "r", arn: "a" } },
    "operations",
  ],
  ["rules of quality", { type: "aws_glue_data_quality_ruleset", before: OLD }, "weakened"],
  ["a workgroup", { type: "aws_athena_workgroup", before: OLD }, "weakened"],
  [
    "a file of the configuration",
    { type: "aws_s3_object", before: { key: "job.py", source: "job.py" } },
    "removed",
  ],
])("%s destroyed is named, and loses no data", (_what, given, section) => {
  const { exitCode, sections, page, verdict } = reviewed([given]);
  expect(sections[section as keyof typeof sections]).toHaveLength(1);
  expect(page).toContain(`${given.type}.n0`);
  expect([exitCode, sections.data, verdict.includes("✅")]).toEqual([0, [], false]);
});

test("the tables name types of the provider, each once", () => {
  const kebab = (type: string) => type.replace(/^aws_/, "").replaceAll("_", "-");
  const library = join(__dirname, "../../node_modules/@cdktf/provider-aws/lib");
  const types = [...DATA_TYPES, ...JUDGED_TYPES, ...TYPES_WITHOUT_DATA].filter((type) =>
    type.startsWith("aws_"),
  );
  const unknown = types.filter(
    (type) =>
      !existsSync(join(library, kebab(type))) && !existsSync(join(library, `${kebab(type)}-resource`)),
  );
  expect(unknown).toEqual([]);
  expect(DATA_TYPES.filter((type) => TYPES_WITHOUT_DATA.has(type))).toEqual([]);
});

test("a rule knows every type that the environments deploy", () => {
  const recorded = join(__dirname, "../environments/addresses.json");
  const environments = JSON.parse(readFileSync(recorded, "utf8")) as Record<string, Record<string, string>>;
  const types = new Set(
    Object.values(environments).flatMap((all) => Object.keys(all).map((one) => one.split(".")[0]!)),
  );
  expect(types.size).toBeGreaterThan(20);
  expect([...types].filter((type) => !isJudged(type))).toEqual([]);
});
