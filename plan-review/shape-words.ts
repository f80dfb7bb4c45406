import { UNKNOWN, isSensitive } from "./change";

/** The words by which providers name protections and values. Attributes are compared by their dotted path, in lower case. */

/** Settings that are dangerous when they are on. */
export const DANGEROUS =
  /(^|[._])(publicly_accessible|public_access_enabled|endpoint_public_access|map_public_ip_on_launch|associate_public_ip_address|assign_public_ip|allow_\w+|bypass_policy_lockout_\w+|insecure\w*|disable_\w+|requester_pays\w*|public|is_public|auto_accept\w*|allow)$/;

/** Settings that destroy data later when they are on. */
export const DESTRUCTIVE =
  /(^|[._])(force_destroy|force_delete|skip_final_snapshot|skip_final_backup|delete_automated_backups|delete_on_termination|auto_delete\w*|delete_associated_backups|apply_on_delete)$/;

/** Guards of data: without them nothing is lost yet. */
export const GUARD =
  /versioning|deletion_protection|delete_protection|prevent_destroy|point_in_time|object_lock|legal_hold|mfa_delete|replica|backup|final_snapshot|(^|[._])pitr|vault_lock|skip_destroy|copy_tags_to_snapshot|dead_letter|on_failure|redrive_policy|deletion_window|recovery_window|termination_protection/;

/** Protections other than guards of data. */
export const PROTECTION =
  /security_config|encrypt|kms|(^|[._])sse|(^|[._])tls|(^|[._])ssl|https|(^|[._])log(s|ging|_|$)|trac(e|ing)|audit|monitor|metric|insight|protect|(^|[._])mfa|enforce|block_public|public_access_block|restrict_public|ignore_public|rotation|valid|require|recover|multi_az|access_control|authori[sz]|authenti|waf|firewall|scan|immutab|mutability|ownership|enhanced_vpc|private|compliance|drop_invalid|event_selector|xray|health_check/;

export const ENCRYPTION = /encrypt|kms|(^|[._])sse|server_side|(^|[._])cmk|client_broker/;

/** Settings that delete data by themselves. */
export const EXPIRY =
  /(^|[._])(ttl|time_to_live|default_time_to_live|expir\w*|retention\w*|\w*_retention\w*|retain_rule|delete_after\w*|snapshots_to_\w+|\w*snapshots_to_keep|number_of_snapshots_to_retain|max_snapshot_age\w*|unreferenced_\w+|non_?current_\w+|orphan_\w+|older_than\w*|clean_expired\w*|iceberg_snapshot_management|iceberg_unreferenced_file_removal|message_retention\w*|maximum_record_age\w*|maximum_event_age\w*)/;

/** Types whose `ttl` is about caches or names. */
export const CACHES =
  /route53|cloudfront|appsync|api_?gateway|globalaccelerator|service_discovery|cognito|_lb_|aws_lb|elasticache_user|resolver/;

/** Times that become longer when the setting goes. */
export const DELETES =
  /(^|[._])(ttl|time_to_live|default_time_to_live|expir\w*|delete_after\w*|unreferenced_\w+|non_?current_\w+|orphan_\w+|older_than\w*|max_snapshot_age\w*|clean_expired\w*)/;

export const LIMIT =
  /cutoff|(^|[._])\w*limit(_|$)|quota|throttl|burst|reserved_concurren|max(imum)?_concurren|max_query|budget|rate_limit|scan_limit/;

export const NETWORK =
  /(^|[._])(vpc_config|vpc_configuration|vpc_options|vpc_connection|network_configuration|subnet_ids?|vpc_id|physical_connection_requirements)([._]|$)/;

export const ROLE =
  /(^|[._])(role|role_arn|execution_role(_arn)?|task_role_arn|service_role(_arn)?|iam_role(_arn)?|job_flow_role)$/;

const ON = /^(true|enabled?|active|on|required|yes|enforced?|always|compliance|immutable)$|Enforced$/i;

export const isOn = (value: unknown): boolean =>
  value === true || (typeof value === "string" && ON.test(value));

/** An unknown value counts as set. */
export const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && value.length === 0);

export const isKnown = (value: unknown): boolean => value !== UNKNOWN && !isSensitive(value);

/** A number, also as text. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

const STRENGTHS: readonly (readonly [words: RegExp, rank: number])[] = [
  [/^(none|disabled?|off|no|false|plaintext|unencrypted|not_required|optional)$/i, 0],
  [/^tls_plaintext$/i, 1],
  [/dsse/i, 3],
  [/aws[_-]owned|aws[_-]managed|^default$/i, 1],
  [/kms|cmk|customer|^cse|^tls$/i, 2],
  [/aes256|sse[-_]?s3|^(true|enabled?|on|required)$/i, 1],
];

/** The strength of an encryption mode, 0 for none; `undefined` for another text, e.g. the ARN of a key. */
export function strengthOf(value: unknown): number | undefined {
  if (!isSet(value) || value === false) return 0;
  if (value === true) return 1;
  if (typeof value !== "string" || value.startsWith("arn:")) return undefined;
  return STRENGTHS.find(([words]) => words.test(value))?.[1];
}

const LEVELS = [
  "off",
  "none",
  "disabled",
  "fatal",
  "error",
  "warn",
  "warning",
  "info",
  "debug",
  "trace",
  "all",
];

/** The place of a logging level, from nothing to everything; `undefined` for another text. */
export function levelOf(value: unknown): number | undefined {
  if (!isSet(value)) return 0;
  const place = typeof value === "string" ? LEVELS.indexOf(value.toLowerCase()) : -1;
  return place < 0 ? undefined : place;
}

/** The version of TLS in a text such as `TLSv1.2_2021` or `ELBSecurityPolicy-TLS13-1-2-2021-06`. */
export function tlsOf(value: unknown): number | undefined {
  const found = typeof value === "string" ? /tls[v_-]*(?:13-)?1[._-]?([0-3])/i.exec(value) : null;
  return found === null ? undefined : Number(found[1]);
}
