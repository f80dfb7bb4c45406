import { type Change } from "./change";
import { TYPES_WITHOUT_DATA } from "./without-data";

/**
 * The loss when a resource is destroyed: `data` for good, `unknown` if the type is not known here, `catalogue` entries of data that stays, `log`
 * lines, `copy` of a file in the configuration, or `nothing`.
 */
export type Holds = "data" | "unknown" | "catalogue" | "log" | "copy" | "nothing";

/** Types that are known to hold data. All others that are in no table count as data too, in other words. */
const DATA = new Set([
  ...["aws_s3_bucket", "aws_s3_directory_bucket", "aws_s3_object", "aws_s3_bucket_object"],
  ...["aws_s3tables_table", "aws_s3tables_table_bucket", "aws_s3tables_namespace"],
  ...[
    "aws_dynamodb_table",
    "aws_dynamodb_table_item",
    "aws_dynamodb_global_table",
    "aws_dynamodb_table_replica",
  ],
  ...["aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"],
  ...[
    "aws_sqs_queue",
    "aws_kinesis_stream",
    "aws_kinesis_firehose_delivery_stream",
    "aws_kinesis_video_stream",
  ],
  ...["aws_msk_cluster", "aws_msk_serverless_cluster", "aws_mq_broker", "aws_cloudwatch_event_archive"],
  ...["aws_secretsmanager_secret", "aws_secretsmanager_secret_version", "aws_ssm_parameter"],
  ...[
    "aws_db_instance",
    "aws_db_snapshot",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_rds_global_cluster",
  ],
  ...[
    "aws_db_cluster_snapshot",
    "aws_docdb_cluster",
    "aws_docdb_cluster_snapshot",
    "aws_docdbelastic_cluster",
  ],
  ...["aws_neptune_cluster", "aws_neptune_cluster_snapshot", "aws_neptunegraph_graph", "aws_dsql_cluster"],
  ...["aws_redshift_cluster", "aws_redshift_cluster_snapshot", "aws_redshiftserverless_namespace"],
  ...["aws_redshiftserverless_snapshot", "aws_keyspaces_keyspace", "aws_keyspaces_table", "aws_qldb_ledger"],
  ...["aws_timestreamwrite_database", "aws_timestreamwrite_table", "aws_timestreaminfluxdb_db_instance"],
  ...["aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_elasticache_serverless_cache"],
  ...["aws_memorydb_cluster", "aws_memorydb_snapshot", "aws_opensearch_domain", "aws_elasticsearch_domain"],
  ...[
    "aws_opensearchserverless_collection",
    "aws_cloudsearch_domain",
    "aws_kendra_index",
    "aws_simpledb_domain",
  ],
  ...[
    "aws_efs_file_system",
    "aws_ebs_volume",
    "aws_ebs_snapshot",
    "aws_instance",
    "aws_ami",
    "aws_backup_vault",
  ],
  ...["aws_fsx_lustre_file_system", "aws_fsx_ontap_file_system", "aws_fsx_ontap_volume", "aws_fsx_backup"],
  ...[
    "aws_fsx_openzfs_file_system",
    "aws_fsx_openzfs_volume",
    "aws_fsx_windows_file_system",
    "aws_glacier_vault",
  ],
  ...["aws_glue_registry", "aws_glue_schema", "aws_glue_ml_transform", "aws_ecr_repository"],
  ...["aws_ecrpublic_repository", "aws_codecommit_repository", "aws_cloudtrail_event_data_store"],
  ...["aws_sagemaker_feature_group", "aws_sagemaker_domain", "aws_sagemaker_notebook_instance"],
  ...["aws_datazone_domain", "aws_datazone_project", "aws_workspaces_workspace", "aws_cognito_user_pool"],
]);

const CATALOGUE = new Set([
  ...["aws_glue_catalog_database", "aws_glue_catalog_table", "aws_glue_partition", "aws_athena_database"],
]);

const LOGS = new Set(["aws_cloudwatch_log_group", "aws_cloudwatch_log_stream"]);

const OBJECTS = /^aws_s3_(?:bucket_)?object$/;
const CONTENTS = ["source", "content", "content_base64"];

export function holdsOf({ type, before }: Pick<Change, "type" | "before">): Holds {
  // The content of these objects is in the configuration, so Terraform can write them again.
  if (
    OBJECTS.test(type) &&
    CONTENTS.some((field) => typeof before?.[field] === "string" && before[field] !== "")
  )
    return "copy";
  if (DATA.has(type)) return "data";
  if (CATALOGUE.has(type)) return "catalogue";
  if (LOGS.has(type)) return "log";
  return TYPES_WITHOUT_DATA.has(type) ? "nothing" : "unknown";
}

/**
 * The types that have a rule, and the attributes that it judges, or that neither lose, widen, weaken nor cost anything. A change of another
 * attribute is named on the page as not judged.
 */
const JUDGED: Readonly<Record<string, string>> = {
  aws_athena_workgroup: "name state force_destroy configuration",
  aws_cloudwatch_composite_alarm:
    "alarm_name alarm_rule alarm_actions ok_actions insufficient_data_actions actions_enabled actions_suppressor",
  aws_cloudwatch_dashboard: "dashboard_name dashboard_body",
  aws_cloudwatch_event_bus: "name event_source_name kms_key_identifier dead_letter_config",
  aws_cloudwatch_event_rule:
    "name event_bus_name event_pattern force_destroy is_enabled role_arn schedule_expression state",
  aws_cloudwatch_event_target:
    "arn rule event_bus_name force_destroy input input_path input_transformer role_arn target_id retry_policy dead_letter_config sqs_target",
  aws_cloudwatch_log_group: "name kms_key_id log_group_class retention_in_days skip_destroy",
  aws_cloudwatch_log_metric_filter: "name log_group_name pattern metric_transformation",
  aws_cloudwatch_log_resource_policy: "policy_document policy_name",
  aws_cloudwatch_metric_alarm:
    "alarm_name alarm_actions ok_actions insufficient_data_actions actions_enabled comparison_operator threshold threshold_metric_id period " +
    "evaluation_periods datapoints_to_alarm evaluate_low_sample_count_percentiles extended_statistic statistic unit metric_name namespace " +
    "dimensions metric_query treat_missing_data",
  aws_dynamodb_table:
    "name hash_key range_key attribute billing_mode read_capacity write_capacity deletion_protection_enabled global_secondary_index " +
    "local_secondary_index on_demand_throughput point_in_time_recovery replica server_side_encryption stream_enabled stream_view_type " +
    "table_class ttl stream_arn stream_label",
  aws_glue_catalog_database: "name location_uri parameters create_table_default_permission",
  aws_glue_catalog_table:
    "name database_name owner parameters retention table_type view_expanded_text view_original_text open_table_format_input partition_index " +
    "partition_keys storage_descriptor",
  aws_glue_catalog_table_optimizer: "database_name table_name type configuration",
  aws_glue_classifier: "name csv_classifier grok_classifier json_classifier xml_classifier",
  aws_glue_connection:
    "name connection_properties connection_type match_criteria physical_connection_requirements",
  aws_glue_crawler:
    "name classifiers configuration database_name role schedule security_configuration table_prefix catalog_target delta_target " +
    "dynamodb_target hudi_target iceberg_target jdbc_target mongodb_target s3_target lake_formation_configuration lineage_configuration " +
    "recrawl_policy schema_change_policy",
  aws_glue_data_catalog_encryption_settings: "data_catalog_encryption_settings",
  aws_glue_data_quality_ruleset: "name ruleset target_table",
  aws_glue_job:
    "name command connections default_arguments non_overridable_arguments execution_class execution_property glue_version " +
    "job_run_queuing_enabled maintenance_window max_capacity max_retries notification_property number_of_workers role_arn " +
    "security_configuration timeout worker_type",
  aws_glue_resource_policy: "policy enable_hybrid",
  aws_glue_security_configuration: "name encryption_configuration",
  aws_glue_trigger:
    "name enabled schedule start_on_creation state type workflow_name actions event_batching_condition predicate",
  aws_glue_workflow: "name default_run_properties max_concurrent_runs",
  aws_iam_group: "name path",
  aws_iam_group_membership: "name group users",
  aws_iam_group_policy: "name group policy",
  aws_iam_group_policy_attachment: "group policy_arn",
  aws_iam_instance_profile: "name path role",
  aws_iam_policy: "name path policy policy_id attachment_count",
  aws_iam_policy_attachment: "name policy_arn roles users groups",
  aws_iam_role:
    "name path assume_role_policy force_detach_policies inline_policy managed_policy_arns max_session_duration permissions_boundary",
  aws_iam_role_policies_exclusive: "role_name policy_names",
  aws_iam_role_policy: "name role policy",
  aws_iam_role_policy_attachment: "role policy_arn",
  aws_iam_role_policy_attachments_exclusive: "role_name policy_arns",
  aws_iam_user: "name path permissions_boundary",
  aws_iam_user_group_membership: "user groups",
  aws_iam_user_policy: "name user policy",
  aws_iam_user_policy_attachment: "user policy_arn",
  aws_kinesis_stream:
    "name encryption_type enforce_consumer_deletion kms_key_id retention_period shard_count shard_level_metrics stream_mode_details",
  aws_kms_alias: "name target_key_id target_key_arn",
  aws_kms_grant:
    "name key_id grantee_principal operations constraints retiring_principal retire_on_delete grant_id grant_token",
  aws_kms_key:
    "bypass_policy_lockout_safety_check customer_master_key_spec deletion_window_in_days enable_key_rotation is_enabled key_usage " +
    "multi_region policy rotation_period_in_days key_id",
  aws_kms_key_policy: "key_id policy bypass_policy_lockout_safety_check",
  aws_lakeformation_data_lake_settings:
    "admins read_only_admins allow_external_data_filtering allow_full_table_external_data_access authorized_session_tag_value_list " +
    "external_data_filtering_allow_list trusted_resource_owners create_database_default_permissions create_table_default_permissions parameters",
  aws_lakeformation_permissions:
    "principal permissions permissions_with_grant_option catalog_resource data_cells_filter data_location database lf_tag lf_tag_policy table " +
    "table_with_columns",
  aws_lambda_function:
    "function_name architectures code_sha256 source_code_hash source_code_size filename image_uri s3_bucket s3_key s3_object_version handler " +
    "runtime layers memory_size timeout ephemeral_storage environment publish version qualified_arn qualified_invoke_arn invoke_arn role " +
    "kms_key_arn package_type reserved_concurrent_executions dead_letter_config logging_config tracing_config vpc_config skip_destroy",
  aws_lambda_event_source_mapping:
    "arn batch_size bisect_batch_on_function_error destination_config enabled event_source_arn filter_criteria function_arn function_name " +
    "function_response_types kms_key_arn last_processing_result maximum_batching_window_in_seconds maximum_record_age_in_seconds " +
    "maximum_retry_attempts metrics_config parallelization_factor scaling_config starting_position state state_transition_reason uuid",
  aws_lambda_function_event_invoke_config:
    "destination_config function_name maximum_event_age_in_seconds maximum_retry_attempts qualifier",
  aws_lambda_permission:
    "action function_name function_url_auth_type principal principal_org_id qualifier source_account source_arn statement_id",
  aws_ram_principal_association: "principal resource_share_arn",
  aws_ram_resource_association: "resource_arn resource_share_arn",
  aws_ram_resource_share: "name allow_external_principals permission_arns",
  aws_s3_bucket:
    "bucket acceleration_status acl cors_rule force_destroy grant lifecycle_rule logging object_lock_configuration object_lock_enabled policy " +
    "replication_configuration request_payer server_side_encryption_configuration versioning website website_domain website_endpoint " +
    "bucket_domain_name bucket_regional_domain_name hosted_zone_id region",
  aws_s3_bucket_acl: "bucket acl access_control_policy",
  aws_s3_bucket_lifecycle_configuration: "bucket rule transition_default_minimum_object_size",
  aws_s3_bucket_logging: "bucket target_bucket target_prefix target_grant target_object_key_format",
  aws_s3_bucket_notification: "bucket eventbridge lambda_function queue topic",
  aws_s3_bucket_ownership_controls: "bucket rule",
  aws_s3_bucket_policy: "bucket policy",
  aws_s3_bucket_public_access_block:
    "bucket block_public_acls block_public_policy ignore_public_acls restrict_public_buckets",
  aws_s3_bucket_replication_configuration: "bucket role rule token",
  aws_s3_bucket_server_side_encryption_configuration: "bucket rule",
  aws_s3_bucket_versioning: "bucket mfa versioning_configuration",
  aws_s3_object:
    "bucket key source content content_base64 etag source_hash version_id content_type metadata storage_class kms_key_id " +
    "server_side_encryption bucket_key_enabled checksum_algorithm checksum_crc32 checksum_crc32c checksum_crc64nvme checksum_sha1 " +
    "checksum_sha256 override_provider",
  aws_scheduler_schedule:
    "name group_name kms_key_arn schedule_expression schedule_expression_timezone start_date end_date state flexible_time_window target",
  aws_scheduler_schedule_group: "name",
  aws_secretsmanager_secret: "name kms_key_id policy recovery_window_in_days replica",
  aws_security_group: "name vpc_id ingress egress revoke_rules_on_delete",
  aws_security_group_rule:
    "type protocol from_port to_port cidr_blocks ipv6_cidr_blocks prefix_list_ids self security_group_id source_security_group_id " +
    "security_group_rule_id",
  aws_sfn_alias: "name routing_configuration",
  aws_sfn_state_machine:
    "name definition encryption_configuration logging_configuration tracing_configuration publish revision_id role_arn type " +
    "state_machine_version_arn version_description status",
  aws_sns_topic:
    "name kms_master_key_id policy delivery_policy display_name fifo_topic content_based_deduplication signature_version tracing_config",
  aws_sns_topic_policy: "arn policy",
  aws_sns_topic_subscription:
    "topic_arn protocol endpoint endpoint_auto_confirms confirmation_timeout_in_minutes confirmation_was_authenticated delivery_policy " +
    "filter_policy filter_policy_scope pending_confirmation raw_message_delivery redrive_policy replay_policy subscription_role_arn",
  aws_sqs_queue:
    "name kms_master_key_id kms_data_key_reuse_period_seconds sqs_managed_sse_enabled message_retention_seconds max_message_size delay_seconds " +
    "receive_wait_time_seconds visibility_timeout_seconds policy redrive_policy redrive_allow_policy fifo_queue url",
  aws_sqs_queue_policy: "queue_url policy",
  aws_vpc_security_group_egress_rule:
    "cidr_ipv4 cidr_ipv6 from_port to_port ip_protocol prefix_list_id referenced_security_group_id security_group_id security_group_rule_id",
  aws_vpc_security_group_ingress_rule:
    "cidr_ipv4 cidr_ipv6 from_port to_port ip_protocol prefix_list_id referenced_security_group_id security_group_id security_group_rule_id",
};

/** Attributes that every type may have, and that change nothing for data, rights or money. */
const HARMLESS = new Set(
  (
    "id arn name_prefix bucket_prefix description tags tags_all timeouts catalog_id owner_id expected_bucket_owner created_at created_by " +
    "create_date creation_date creation_time modified_at modified_by last_modified last_modified_date last_modification_date last_updated_date " +
    "unique_id comment"
  ).split(" "),
);

const RULES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(JUDGED).map(([type, attributes]) => [type, new Set(attributes.split(" "))]),
);

/** `true` if a rule knows the type. */
export const isJudged = (type: string): boolean => RULES.has(type);

/** Tells whether a rule of the type judges an attribute, or knows it as harmless. */
export const judges = (type: string, attribute: string): boolean =>
  HARMLESS.has(attribute) || attribute.endsWith("_description") || (RULES.get(type)?.has(attribute) ?? false);

export const JUDGED_TYPES: readonly string[] = [...RULES.keys()];
export const DATA_TYPES: readonly string[] = [...DATA, ...CATALOGUE, ...LOGS];
