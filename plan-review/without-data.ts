/**
 * Types of the AWS provider that hold nothing of their own: settings, rights, connections and definitions, which a configuration can make again.
 * The table was reviewed against version 5.100.0. A type that is missing here counts as data, so leave out what is in doubt.
 */
const WITHOUT_DATA: Readonly<Record<string, string>> = {
  aws_accessanalyzer: "analyzer archive_rule",
  aws_alb: "listener listener_certificate listener_rule target_group target_group_attachment",
  aws_api_gateway:
    "account authorizer base_path_mapping deployment domain_name gateway_response integration integration_response method method_response " +
    "method_settings model request_validator resource rest_api rest_api_policy stage usage_plan usage_plan_key vpc_link",
  aws_apigatewayv2:
    "api api_mapping authorizer deployment domain_name integration integration_response model route route_response stage vpc_link",
  aws_appautoscaling: "policy scheduled_action target",
  aws_athena: "capacity_reservation data_catalog named_query prepared_statement workgroup",
  aws_autoscaling: "attachment group group_tag lifecycle_hook notification policy schedule",
  aws_backup:
    "framework global_settings plan region_settings report_plan selection vault_lock_configuration " +
    "vault_notifications vault_policy",
  aws_batch: "compute_environment job_definition job_queue scheduling_policy",
  aws_budgets: "budget budget_action",
  aws_ce: "anomaly_monitor anomaly_subscription cost_allocation_tag cost_category",
  aws_chatbot: "slack_channel_configuration teams_channel_configuration",
  aws_cloudtrail: "organization_delegated_admin_account",
  aws_cloudwatch:
    "composite_alarm contributor_insight_rule dashboard event_api_destination event_bus event_bus_policy event_connection event_endpoint " +
    "event_permission event_rule event_target log_account_policy log_anomaly_detector log_data_protection_policy log_delivery " +
    "log_delivery_destination log_delivery_source log_destination log_destination_policy log_index_policy log_metric_filter " +
    "log_resource_policy log_subscription_filter metric_alarm metric_stream query_definition",
  aws_codeartifact: "domain_permissions_policy repository_permissions_policy",
  aws_codebuild: "project resource_policy source_credential webhook",
  aws_codestarconnections: "connection host",
  aws_config:
    "aggregate_authorization config_rule configuration_aggregator configuration_recorder configuration_recorder_status conformance_pack " +
    "delivery_channel remediation_configuration retention_configuration",
  aws_dax: "parameter_group subnet_group",
  aws_db:
    "event_subscription instance_role_association option_group parameter_group proxy proxy_default_target_group proxy_endpoint proxy_target " +
    "subnet_group",
  aws_default: "network_acl route_table security_group subnet vpc vpc_dhcp_options",
  aws_dlm: "lifecycle_policy",
  aws_dms: "certificate endpoint event_subscription replication_subnet_group s3_endpoint",
  aws_docdb: "cluster_parameter_group event_subscription subnet_group",
  aws_dynamodb: "contributor_insights kinesis_streaming_destination resource_policy tag",
  aws_ebs: "default_kms_key encryption_by_default snapshot_block_public_access",
  aws_ec2:
    "managed_prefix_list managed_prefix_list_entry tag transit_gateway transit_gateway_route transit_gateway_route_table " +
    "transit_gateway_route_table_association transit_gateway_route_table_propagation transit_gateway_vpc_attachment",
  aws_ecr:
    "account_setting lifecycle_policy pull_through_cache_rule registry_policy registry_scanning_configuration replication_configuration " +
    "repository_creation_template repository_policy",
  aws_ecs:
    "account_setting_default capacity_provider cluster cluster_capacity_providers service tag task_definition task_set",
  aws_efs: "access_point backup_policy file_system_policy mount_target replication_configuration",
  aws_egress: "only_internet_gateway",
  aws_eks:
    "access_entry access_policy_association addon fargate_profile identity_provider_config pod_identity_association",
  aws_elasticache: "parameter_group subnet_group user user_group user_group_association",
  aws_emr:
    "block_public_access_configuration managed_scaling_policy security_configuration studio_session_mapping",
  aws_emrserverless: "application",
  aws_flow: "log",
  aws_glacier: "vault_lock",
  aws_glue:
    "catalog_table_optimizer classifier connection crawler data_catalog_encryption_settings data_quality_ruleset job partition_index " +
    "resource_policy security_configuration trigger user_defined_function workflow",
  aws_guardduty:
    "detector detector_feature filter member organization_admin_account organization_configuration",
  aws_iam:
    "access_key account_alias account_password_policy group group_membership group_policies_exclusive group_policy group_policy_attachment " +
    "group_policy_attachments_exclusive instance_profile openid_connect_provider organizations_features policy policy_attachment role " +
    "role_policies_exclusive role_policy role_policy_attachment role_policy_attachments_exclusive saml_provider " +
    "security_token_service_preferences service_linked_role service_specific_credential user user_group_membership user_login_profile " +
    "user_policies_exclusive user_policy user_policy_attachment user_policy_attachments_exclusive user_ssh_key",
  aws_identitystore: "group group_membership user",
  aws_internet: "gateway gateway_attachment",
  aws_kinesis: "resource_policy stream_consumer",
  aws_kms: "alias grant key_policy",
  aws_lakeformation:
    "data_cells_filter data_lake_settings lf_tag opt_in permissions resource resource_lf_tag resource_lf_tags",
  aws_lambda:
    "alias code_signing_config event_source_mapping function function_event_invoke_config function_recursion_config function_url " +
    "invocation layer_version layer_version_permission permission provisioned_concurrency_config runtime_management_config",
  aws_launch: "configuration template",
  aws_lb: "listener listener_certificate listener_rule target_group target_group_attachment",
  aws_main: "route_table_association",
  aws_msk:
    "cluster_policy configuration scram_secret_association single_scram_secret_association vpc_connection",
  aws_mskconnect: "connector custom_plugin worker_configuration",
  aws_nat: "gateway",
  aws_network:
    "acl acl_association acl_rule interface interface_attachment interface_permission interface_sg_attachment",
  aws_oam: "link sink sink_policy",
  aws_opensearch: "authorize_vpc_endpoint_access domain_policy domain_saml_options vpc_endpoint",
  aws_opensearchserverless: "access_policy security_config security_policy vpc_endpoint",
  aws_organizations: "delegated_administrator policy policy_attachment resource_policy",
  aws_pipes: "pipe",
  aws_ram:
    "principal_association resource_association resource_share resource_share_accepter sharing_with_organization",
  aws_rds: "cluster_parameter_group cluster_role_association cluster_endpoint",
  aws_redshift:
    "authentication_profile cluster_iam_roles data_share_authorization data_share_consumer_association endpoint_access " +
    "endpoint_authorization event_subscription logging parameter_group resource_policy scheduled_action snapshot_schedule " +
    "snapshot_schedule_association subnet_group usage_limit",
  aws_redshiftserverless: "custom_domain_association endpoint_access resource_policy usage_limit workgroup",
  aws_resourcegroups: "group resource",
  aws_route: "table table_association",
  aws_route53:
    "health_check query_log record resolver_endpoint resolver_rule resolver_rule_association zone_association",
  aws_s3:
    "access_point account_public_access_block bucket_accelerate_configuration bucket_acl bucket_analytics_configuration " +
    "bucket_cors_configuration bucket_intelligent_tiering_configuration bucket_inventory bucket_lifecycle_configuration bucket_logging " +
    "bucket_metric bucket_notification bucket_object_lock_configuration bucket_ownership_controls bucket_policy bucket_public_access_block " +
    "bucket_replication_configuration bucket_request_payment_configuration bucket_server_side_encryption_configuration bucket_versioning " +
    "bucket_website_configuration",
  aws_s3control:
    "access_grant access_grants_instance access_grants_instance_resource_policy access_grants_location access_point_policy " +
    "bucket_lifecycle_configuration bucket_policy multi_region_access_point_policy object_lambda_access_point object_lambda_access_point_policy " +
    "storage_lens_configuration",
  aws_s3tables: "table_bucket_policy table_policy",
  aws_scheduler: "schedule schedule_group",
  aws_secretsmanager: "secret_policy secret_rotation",
  aws_security: "group group_rule",
  aws_securityhub: "account standards_subscription",
  aws_service: "discovery_http_namespace discovery_private_dns_namespace discovery_service",
  aws_sfn: "activity alias state_machine",
  aws_snapshot: "create_volume_permission",
  aws_sns: "sms_preferences topic topic_data_protection_policy topic_policy topic_subscription",
  aws_sqs: "queue_policy queue_redrive_allow_policy queue_redrive_policy",
  aws_ssm:
    "association default_patch_baseline maintenance_window maintenance_window_target maintenance_window_task service_setting",
  aws_ssoadmin:
    "account_assignment customer_managed_policy_attachment managed_policy_attachment permission_set permission_set_inline_policy " +
    "permissions_boundary_attachment",
  aws_vpc:
    "block_public_access_exclusion block_public_access_options dhcp_options dhcp_options_association endpoint endpoint_policy " +
    "endpoint_route_table_association endpoint_security_group_association endpoint_service endpoint_service_allowed_principal " +
    "endpoint_subnet_association peering_connection peering_connection_accepter security_group_egress_rule security_group_ingress_rule " +
    "security_group_vpc_association",
  aws_wafv2: "web_acl_association web_acl_logging_configuration",
  aws_xray: "encryption_config group resource_policy sampling_rule",
  archive: "file",
  null: "resource",
  random: "id integer pet shuffle string uuid",
  terraform: "data",
  time: "offset rotating sleep static",
};

/** Types whose name is the prefix alone. */
const ALONE = [
  "aws_alb",
  "aws_cloudtrail",
  "aws_eip",
  "aws_key_pair",
  "aws_lb",
  "aws_route",
  "aws_subnet",
  "aws_vpc",
];

export const TYPES_WITHOUT_DATA: ReadonlySet<string> = new Set([
  ...ALONE,
  ...Object.entries(WITHOUT_DATA).flatMap(([prefix, names]) =>
    names.split(" ").map((name) => `${prefix}_${name}`),
  ),
]);
