import { type Change } from "./change";
import { type Finding } from "./finding";
import { at } from "./differences";
import { code, shown } from "./markdown";
import { isSet } from "./shape-words";

/** Resources that protect another one: to destroy them weakens it. The words say what happens then. */
const GUARDS: readonly (readonly [type: RegExp, text: (change: Change) => string])[] = [
  [
    /_versioning$/,
    () =>
      "versioning is suspended, because its setting is removed: overwritten and deleted objects can no longer be restored",
  ],
  [
    /_replication(_configuration)?$|_replicator$|automated_backups_replication$/,
    () => "its copy elsewhere is no longer kept up to date: the replication is removed",
  ],
  [
    /_object_lock_configuration$|_vault_lock(_configuration)?$/,
    () => "objects are no longer locked against deletion: the setting is removed",
  ],
  [
    /_backup_(plan|selection|policy)$|_dlm_lifecycle_policy$|_snapshot_schedule(_association)?$/,
    () => "no more backups are made by it: it is removed",
  ],
];

const OTHERS: readonly (readonly [type: RegExp, text: (change: Change) => string])[] = [
  [
    /_server_side_encryption_configuration$/,
    ({ before }) =>
      `loses its encryption setting (${shown(at(before, ALGORITHM))}${isSet(at(before, KEY)) ? `, key ${code(shown(at(before, KEY)))}` : ""}): S3 then uses AES256 without a key of yours`,
  ],
  [/encryption|_default_kms_key$/, () => "its encryption setting is removed"],
  [
    /public_access_block(_configuration)?$|block_public_access(_\w+)?$/,
    () => "public access is no longer blocked: the setting is removed",
  ],
  [/_ownership_controls$/, () => "its rule of ownership is removed: access control lists may count again"],
  [
    /_logging(_configuration)?$|_query_log(_config)?$|_flow_log$|_cloudtrail$|_configuration_recorder$|_logging_options$/,
    () => "access or changes are no longer logged: nothing is recorded from then on",
  ],
  [
    /_(guardduty_detector|securityhub_account|macie2_account|inspector2_enabler|accessanalyzer_analyzer|detective_graph|config_config_rule|config_conformance_pack)$/,
    () => "nothing is checked by it any more: it is removed",
  ],
  [
    /_waf\w*_web_acl(_association)?$|_networkfirewall_\w+$|_shield_protection$/,
    () => "requests are no longer filtered by it: it is removed",
  ],
  [/_account_password_policy$/, () => "passwords have no rules any more: the policy is removed"],
  [/_secret_rotation$/, () => "the secret is no longer rotated"],
  [/_usage_limit$|_budgets_budget$|_servicequotas_service_quota$/, () => "its limit is removed"],
  [/_data_quality_ruleset$/, () => "its rules of quality are no longer checked: they are removed"],
  [/_athena_workgroup$/, () => "its limits, and the encryption of its results, go with it"],
  [/_log_metric_filter$|_metric_stream$/, () => "nothing is counted by it any more: it is removed"],
  [/_data_protection_policy$|_code_signing_config$/, () => "its protection is removed"],
  [/_(network_acl|vpc_endpoint)$/, () => "its network rule is removed"],
];

const ALGORITHM = "rule.0.apply_server_side_encryption_by_default.0.sse_algorithm";
const KEY = "rule.0.apply_server_side_encryption_by_default.0.kms_master_key_id";

/** @param isGone tells whether the plan destroys what the resource protects; then nothing is weakened */
export function removedProtections(
  change: Change,
  isGone: (change: Change) => boolean,
): { readonly guards: Finding[]; readonly weakened: Finding[] } {
  const none = { guards: [], weakened: [] };
  if (change.action !== "destroyed" || isGone(change)) return none;
  const finding = (table: typeof GUARDS): Finding[] => {
    const [, text] = table.find(([type]) => type.test(change.type)) ?? [];
    if (text === undefined) return [];
    const name = shown(change.before?.bucket ?? change.physicalName ?? change.address);
    return [{ address: change.address, text: `${code(name)}: ${text(change)}` }];
  };
  const guards = finding(GUARDS);
  return guards.length > 0 ? { ...none, guards } : { ...none, weakened: finding(OTHERS) };
}
