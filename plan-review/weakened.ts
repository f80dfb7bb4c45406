import { type Change, UNKNOWN } from "./change";
import { at } from "./data-loss";
import { code, shown } from "./markdown";
import { looksLikePolicy, parsePolicy } from "./policy-document";

/** Lists the protections that a plan weakens: encryption, public access, retention, logging, TLS. */
export function weakenedOf(changes: readonly Change[]): string[] {
  return changes.flatMap((change) => {
    if (["created", "nothing", "forgotten"].includes(change.action) || change.before === undefined) return [];
    return [
      ...encryption(change),
      ...publicAccess(change),
      ...retention(change),
      ...observation(change),
      ...transport(change),
    ];
  });
}

const KEYS = [
  "kms_master_key_id",
  "kms_key_id",
  "kms_key_arn",
  "security_configuration",
  "kms_key_identifier",
];
const FLAGS = [
  "storage_encrypted",
  "encrypted",
  "sqs_managed_sse_enabled",
  "enable_key_rotation",
  "at_rest_encryption_enabled",
];

function encryption(change: Change): string[] {
  const { before, type } = change;
  const name = `${code(change.name)}`;
  if (change.action === "destroyed") {
    return type === "aws_s3_bucket_server_side_encryption_configuration"
      ? [
          `${code(shown(before?.bucket))} loses its encryption setting (${shown(at(before, ALGORITHM))}${keyOf(before)}): S3 then uses AES256 without a key of yours`,
        ]
      : [];
  }
  const found: string[] = [];
  for (const key of KEYS) {
    const [was, is] = [before?.[key], change.after?.[key]];
    if (isSet(was) && !isSet(is))
      found.push(`${name} is no longer encrypted with a key of yours: ${code(key)} was ${code(shown(was))}`);
  }
  for (const flag of FLAGS)
    if (before?.[flag] === true && change.after?.[flag] === false)
      found.push(`${code(flag)} of ${name} is switched off`);
  for (const [what, path] of [
    ["algorithm", ALGORITHM],
    ["key", KEY],
    ["encryption", "server_side_encryption.0.enabled"],
    [
      "result encryption",
      "configuration.0.result_configuration.0.encryption_configuration.0.encryption_option",
    ],
  ] as const) {
    const [was, is] = [at(before, path), at(change.after, path)];
    const weaker = (isSet(was) && !isSet(is)) || (was === true && is !== true) || rank(is) < rank(was);
    if (weaker)
      found.push(
        `${what} of ${code(shown(change.after?.bucket ?? change.name))}: ${shown(was)} → ${shown(is)}`,
      );
  }
  return found;
}

const ALGORITHM = "rule.0.apply_server_side_encryption_by_default.0.sse_algorithm";
const KEY = "rule.0.apply_server_side_encryption_by_default.0.kms_master_key_id";
const keyOf = (values: unknown): string =>
  isSet(at(values, KEY)) ? `, key ${code(shown(at(values, KEY)))}` : "";
/** An unknown key counts as set. */
const isSet = (value: unknown): boolean => value === UNKNOWN || (typeof value === "string" && value !== "");
const rank = (algorithm: unknown): number => {
  const order = ["none", "AES256", "SSE_S3", "aws:kms", "SSE_KMS", "CSE_KMS", "aws:kms:dsse"];
  return algorithm === UNKNOWN
    ? order.length
    : order.indexOf(typeof algorithm === "string" ? algorithm : "none");
};

const BLOCKS = ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];

function publicAccess(change: Change): string[] {
  const { before, after, type } = change;
  const bucket = code(shown(before?.bucket ?? change.name));
  if (/public_access_block$/.test(type)) {
    if (change.action === "destroyed")
      return [`public access to ${bucket} is no longer blocked: the setting is removed`];
    const off = BLOCKS.filter((block) => before?.[block] === true && after?.[block] !== true);
    return off.length === 0
      ? []
      : [`public access to ${bucket} is no longer blocked by ${off.map(code).join(", ")}`];
  }
  const found: string[] = [];
  if (before?.publicly_accessible !== true && after?.publicly_accessible === true)
    found.push(`${code(change.name)} becomes reachable from the internet`);
  const [was, is] = [before?.acl, after?.acl];
  if (typeof is === "string" && is.startsWith("public") && was !== is)
    found.push(`ACL of ${bucket}: ${shown(was)} → ${is}`);
  return found;
}

const RETENTIONS: readonly (readonly [field: string, unit: string])[] = [
  ["retention_in_days", "days"],
  ["message_retention_seconds", "seconds"],
  ["backup_retention_period", "days"],
  ["retention_period", "hours"],
];

function retention({ before, after, name }: Change): string[] {
  return RETENTIONS.flatMap(([field, unit]) => {
    const [was, is] = [before?.[field], after?.[field]];
    if (typeof was !== "number" || typeof is !== "number" || kept(is, field) >= kept(was, field)) return [];
    const [from, to] = [was, is].map((value) =>
      kept(value, field) === Infinity ? "for ever" : String(value),
    );
    return [`retention of ${code(name)}: ${from} → ${to} ${unit}; older data is deleted`];
  });
}

/** For log groups 0 means for ever. */
const kept = (value: number, field: string): number =>
  value === 0 && field === "retention_in_days" ? Infinity : value;

const LEVELS = ["OFF", "FATAL", "ERROR", "ALL"];

function observation({ before, after, type, name, action }: Change): string[] {
  const found: string[] = [];
  if (action === "destroyed") {
    if (type === "aws_s3_bucket_logging")
      found.push(`access to ${code(shown(before?.bucket))} is no longer logged`);
    if (/^aws_(cloudtrail|flow_log|config_configuration_recorder)$/.test(type))
      found.push(`${code(name)} (${code(type)}) is removed: nothing is recorded from then on`);
    return found;
  }
  const traced = [before, after].map(
    (values) => at(values, "tracing_configuration.0.enabled") ?? at(values, "tracing_config.0.mode"),
  );
  if ((traced[0] === true || traced[0] === "Active") && traced[1] !== traced[0])
    found.push(`X-Ray tracing of ${code(name)} is switched off`);
  const [was, is] = [before, after].map((values) =>
    shown(at(values, "logging_configuration.0.level") ?? "OFF"),
  );
  if (LEVELS.indexOf(is!) < LEVELS.indexOf(was!)) found.push(`logging of ${code(name)}: ${was} → ${is}`);
  const [data, no] = [before, after].map((values) =>
    at(values, "logging_configuration.0.include_execution_data"),
  );
  if (data === true && no === false)
    found.push(`logs of ${code(name)} no longer contain the execution's data`);
  if (before?.enable_logging === true && after?.enable_logging === false)
    found.push(`logging of ${code(name)} is switched off`);
  return found;
}

/** Reports policies that no longer deny requests without TLS. */
function transport({ before, after, name }: Change): string[] {
  return Object.entries(before ?? {}).flatMap(([attribute, value]) =>
    hasTlsDenial(value) && after?.[attribute] !== UNKNOWN && !hasTlsDenial(after?.[attribute])
      ? [`requests without TLS are no longer denied by ${code(name)}`]
      : [],
  );
}

function hasTlsDenial(value: unknown): boolean {
  if (!looksLikePolicy(value)) return false;
  try {
    return parsePolicy(value, { principal: "*", resource: "*" }).some(
      ({ effect, conditions }) =>
        effect === "Deny" &&
        conditions.some(
          ({ key, values }) => key.toLowerCase() === "aws:securetransport" && values.includes("false"),
        ),
    );
  } catch {
    return false;
  }
}
