/** The library's whole public surface. */
export {
  AthenaWorkgroup,
  type AthenaWorkgroupProps,
  type IWorkgroup,
  type WorkgroupAttributes,
} from "./athena-workgroup/athena-workgroup";
export {
  CatalogTable,
  type CatalogTableProps,
  type DailyPartition,
  type TableColumn,
} from "./catalog-table/catalog-table";
export {
  type ContractColumn,
  type ContractTable,
  type ContractTables,
  contractTables,
} from "./core/contract-tables";
export { contractMistakes } from "./core/contract-mistakes";
export { type Mistake, mistakeText } from "./core/refusals";
export { jsonMistake } from "./core/json-mistake";
export { type Partition, partitionOf } from "./core/partition";
export { type ExecutionClass, type GlueVersion } from "./core/job-runs";
export { type S3Location, s3Uri } from "./core/s3-location";
export {
  type BucketReference,
  DataLake,
  type DataLakeProps,
  type DatabaseReference,
  REFUSED_PREFIX,
} from "./data-lake/data-lake";
export { Zone } from "./data-lake/zone";
export { ZoneBucket, type ZoneBucketProps } from "./data-lake/zone-bucket";
export { DataQuality, type DataQualityProps } from "./data-quality/data-quality";
export { qualityMistakes } from "./data-quality/quality-contract";
export { type QualityQuery, type TableName } from "./data-quality/quality-query";
export {
  type AllowedValuesRule,
  type CompletenessRule,
  type CustomSqlRule,
  type FreshnessRule,
  type QualityRule,
  type QuarantineLimitRule,
  type RowCountRule,
  type RuleAction,
  type UniquenessRule,
} from "./data-quality/quality-rules";
export { EncryptionKey, type EncryptionKeyProps, type IEncryptionKey } from "./encryption/encryption-key";
export { type Json, type JsonObject } from "./etl-orchestrator/asl";
export { type PlaceholderValue, type PlaceholderValues } from "./etl-orchestrator/state-machine-definition";
export {
  EtlOrchestrator,
  type EtlOrchestratorProps,
  type HandWrittenDefinition,
} from "./etl-orchestrator/etl-orchestrator";
export {
  FailureMessenger,
  type FailureMessengerProps,
  type IFailureMessenger,
} from "./etl-orchestrator/failure-messenger";
export { type INotificationTarget } from "./etl-orchestrator/notification-target";
export {
  type AcquireLockStepProps,
  type CheckBooksStepProps,
  type CheckQualityStepProps,
  type CrawlStepProps,
  LOCK_ARGUMENTS,
  type NotifyStepProps,
  type QualityParameter,
  type RecordMetricsStepProps,
  type ReleaseLockStepProps,
  RUN_ARGUMENTS,
  type RunJobStepProps,
  type RunOverrides,
  Step,
} from "./etl-orchestrator/step";
export { type CrawlerGrouping } from "./glue-crawler/crawler-configuration";
export {
  type CrawledDatabase,
  GlueCrawler,
  type GlueCrawlerProps,
  type SchemaChangePolicy,
} from "./glue-crawler/glue-crawler";
export { ArtifactFile, type ArtifactFileProps } from "./artifacts/artifact-file";
export { GLUE_SCRIPTS } from "./artifacts/glue-scripts";
export {
  GlueSecurityConfiguration,
  type GlueSecurityConfigurationProps,
} from "./glue-security-configuration/glue-security-configuration";
export {
  GlueSparkJob,
  type GlueSparkJobProps,
  type ISecurityConfiguration,
} from "./glue-spark-job/glue-spark-job";
export { type JobCapacity, type WorkerType } from "./glue-spark-job/job-capacity";
export { type IcebergTable } from "./glue-spark-job/table-format";
export { type WriteMode } from "./core/write-modes";
export { type IGrantable, type IRole } from "./iam/grantable";
export { PermissionsBoundary } from "./iam/permissions-boundary";
export { type PolicyStatement, type ResourcePolicyStatement } from "./iam/policy-statement";
export { type RoleAttributes, ServiceRole, type ServiceRoleProps } from "./iam/service-role";
export {
  type BroughtTopic,
  type INotificationsTopic,
  type TopicAttributes,
} from "./notifications-topic/brought-topic";
export { NotificationsTopic, type NotificationsTopicProps } from "./notifications-topic/notifications-topic";
export {
  type IAlertTarget,
  type MissedRun,
  PipelineAlarms,
  type PipelineAlarmsProps,
} from "./pipeline-alarms/pipeline-alarms";
export {
  type DashboardPipeline,
  PipelineDashboard,
  type PipelineDashboardProps,
} from "./pipeline-dashboard/pipeline-dashboard";
export { longestGapMinutes } from "./core/longest-gap";
export { PipelineSchedule, type PipelineScheduleProps } from "./pipeline-schedule/pipeline-schedule";
export { RunLock, type RunLockProps } from "./run-lock/run-lock";
