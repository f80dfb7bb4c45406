import { type Change, UNKNOWN } from "./change";
import { code, shown } from "./markdown";
import { type Values } from "./plan";

/** The data that a plan destroys, and the guards of data that it removes. */
export interface DataLoss {
  /** Data that is lost when the plan is applied. */
  readonly lost: readonly string[];
  /** Guards that are removed; no data is lost yet. */
  readonly guards: readonly string[];
}

/** Resource types that hold data of their own. */
const DATA = new Set([
  ...["aws_s3_bucket", "aws_s3tables_table", "aws_s3tables_table_bucket", "aws_dynamodb_table"],
  ...["aws_glue_catalog_database", "aws_glue_catalog_table", "aws_athena_database", "aws_kms_key"],
  ...["aws_kms_external_key", "aws_kms_replica_key", "aws_cloudwatch_log_group", "aws_cloudwatch_log_stream"],
  ...[
    "aws_sqs_queue",
    "aws_kinesis_stream",
    "aws_msk_cluster",
    "aws_secretsmanager_secret",
    "aws_ssm_parameter",
  ],
  ...["aws_db_instance", "aws_rds_cluster", "aws_redshift_cluster", "aws_efs_file_system", "aws_ebs_volume"],
  ...["aws_backup_vault", "aws_ecr_repository", "aws_opensearch_domain", "aws_elasticache_replication_group"],
  ...["aws_timestreamwrite_table", "aws_keyspaces_table", "aws_lakeformation_resource", "aws_docdb_cluster"],
]);

const REASONS: Readonly<Record<string, string>> = {
  delete_because_no_resource_config: "it is no longer in the configuration",
  delete_because_no_module: "its module is no longer in the configuration",
  delete_because_wrong_repetition: "count or for_each no longer includes it",
  delete_because_count_index: "count no longer includes it",
  delete_because_each_key: "for_each no longer includes it",
  delete_because_no_move_target: "it was moved to an address that is not in the configuration",
  replace_because_tainted: "it is marked as tainted",
  replace_by_request: "the plan was asked to replace it",
  replace_by_triggers: "a resource in its replace_triggered_by changes",
};

export function dataLossOf(changes: readonly Change[]): DataLoss {
  return {
    lost: changes.flatMap((change) => [...destroyed(change), ...expired(change)]),
    guards: changes.flatMap(guardsOf),
  };
}

function destroyed(change: Change): string[] {
  if (!DATA.has(change.type) || !["destroyed", "replaced"].includes(change.action)) return [];
  const named = change.physicalName === undefined ? "" : ` (${code(change.physicalName)})`;
  const kept = change.type.startsWith("aws_kms_") ? keyLine(change.before) : forceLine(change);
  return [`${code(change.address)}${named} is ${change.action}: ${reasonOf(change)}${kept}`];
}

function reasonOf(change: Change): string {
  const { action_reason: reason = "" } = change.resource;
  const forced = change.replacePaths.map(
    (path) =>
      `${code(path)} (${code(shown(at(change.before, path)))} → ${code(shown(at(change.after, path)))})`,
  );
  if (forced.length > 0) return `${forced.join(", ")} cannot be changed in place`;
  return REASONS[reason] ?? (reason === "" ? "Terraform gives no reason" : reason.replaceAll("_", " "));
}

const keyLine = (before: Values | undefined): string =>
  `; the key is scheduled for deletion in ${shown(before?.deletion_window_in_days ?? 30)} days; data encrypted with it can then never be read again`;

/** Without force_destroy the apply fails on a bucket with objects, so the planned loss does not happen. */
function forceLine({ type, before }: Change): string {
  if (type !== "aws_s3_bucket") return "";
  return before?.force_destroy === true
    ? "; `force_destroy` is on, so its objects are deleted too"
    : "; `force_destroy` is off, so the apply fails while it holds objects";
}

interface Rule {
  readonly id?: unknown;
  readonly status?: unknown;
  readonly expiration?: unknown;
  readonly noncurrent_version_expiration?: unknown;
}

/** Reports lifecycle rules that delete earlier than before, or delete at all. */
function expired(change: Change): string[] {
  if (change.type !== "aws_s3_bucket_lifecycle_configuration" || change.after === undefined) return [];
  const [was, is] = [rulesOf(change.before), rulesOf(change.after)];
  // A bucket's first rules may belong to a new bucket, which is not visible here, so they are not reported.
  if (change.before === undefined) return [];
  return is.flatMap((rule) => {
    const old = was.find(({ id }) => id === rule.id);
    return [
      ["expiration", "days", "objects"],
      ["noncurrent_version_expiration", "noncurrent_days", "earlier versions"],
    ].flatMap(([field, days, what]) => {
      const now = daysOf(rule, field as keyof Rule, days!);
      const before = old === undefined ? undefined : daysOf(old, field as keyof Rule, days!);
      if (now === undefined || (typeof now === "number" && typeof before === "number" && now >= before))
        return [];
      if (now === before) return [];
      const bucket = shown(change.after?.bucket);
      return [
        `${what} of ${code(bucket)} are deleted after ${shown(now)} days by the rule ${code(shown(rule.id))}, before ` +
          `${before === undefined ? "never by it" : `after ${shown(before)} days`} (${code(change.address)})`,
      ];
    });
  });
}

const rulesOf = (values: Values | undefined): Rule[] =>
  Array.isArray(values?.rule) ? (values.rule as Rule[]).filter(({ status }) => status !== "Disabled") : [];

function daysOf(rule: Rule, field: keyof Rule, name: string): unknown {
  const [block] = Array.isArray(rule[field]) ? (rule[field] as Values[]) : [];
  const days = block?.[name];
  return typeof days === "number" && days > 0 ? days : days === UNKNOWN ? UNKNOWN : undefined;
}

const OFF_GUARDS = [
  "deletion_protection_enabled",
  "deletion_protection",
  "prevent_destroy",
  "object_lock_enabled",
];

function guardsOf(change: Change): string[] {
  const { before, after, action } = change;
  if (before === undefined || after === undefined || action === "nothing") return [];
  const found: string[] = [];
  const of = `of ${code(change.name)}`;
  if (before.force_destroy !== true && after.force_destroy === true)
    found.push(`${code("force_destroy")} ${of} is switched on: a later destroy deletes the objects too`);
  for (const guard of OFF_GUARDS)
    if (before[guard] === true && after[guard] !== true) found.push(`${code(guard)} ${of} is switched off`);
  const pitr = [before, after].map((values) => at(values, "point_in_time_recovery.0.enabled"));
  if (pitr[0] === true && pitr[1] !== true) found.push(`point-in-time recovery ${of} is switched off`);
  const versioning = [before, after].map((values) => at(values, "versioning_configuration.0.status"));
  if (versioning[0] === "Enabled" && versioning[1] !== "Enabled")
    found.push(
      `versioning of ${code(shown(after.bucket))} is ${shown(versioning[1]).toLowerCase()}: overwritten and deleted objects can no longer be restored`,
    );
  const window = [before.deletion_window_in_days, after.deletion_window_in_days];
  if (typeof window[0] === "number" && typeof window[1] === "number" && window[1] < window[0])
    found.push(
      `the waiting time before the key ${code(change.name)} is deleted: ${window[0]} → ${window[1]} days`,
    );
  return found;
}

/** The value at a dotted path. */
export function at(values: unknown, path: string): unknown {
  let value = values;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null) return value === UNKNOWN ? UNKNOWN : undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
