/** The library's whole public surface. */
export {
  AthenaWorkgroup,
  type AthenaWorkgroupProps,
  type IWorkgroup,
  type WorkgroupAttributes,
} from "./modules/athena-workgroup/athena-workgroup";
export {
  CatalogTable,
  type CatalogTableProps,
  type DailyPartition,
  type TableColumn,
} from "./modules/catalog-table/catalog-table";
export { CatalogView, type CatalogViewProps, type ViewColumn } from "./modules/catalog-view/catalog-view";
export {
  type ContractColumn,
  type ContractTable,
  type ContractTables,
  contractTables,
} from "./contracts/contract-tables";
export type { ContractSource } from "./contracts/source-contracts";
export type { SourceLayout } from "./contracts/sources";
export { contractMistakes } from "./contracts/contract-mistakes";
export { type IAlertTarget } from "./modules/core/alert-target";
export { type Mistake, mistakeText } from "./modules/core/refusals";
export { jsonMistake } from "./contracts/json-mistake";
export { type Partition, partitionOf } from "./modules/core/partition";
export { type ExecutionClass, type GlueVersion } from "./modules/core/job-runs";
export {
  type Metric,
  type Run,
  type RunMetrics,
  type RunStart,
  type RunKind,
  type StateMachineAttributes,
  stateMachineRun,
  type WorkflowAttributes,
  workflowRun,
} from "./modules/core/run";
export { type S3Location, s3Uri } from "./modules/core/s3-location";
export {
  type BucketReference,
  DataLake,
  type DataLakeProps,
  type DatabaseReference,
  REFUSED_PREFIX,
} from "./modules/data-lake/data-lake";
export { Zone } from "./modules/data-lake/zone";
export { ZoneBucket, type ZoneBucketProps } from "./modules/data-lake/zone-bucket";
export { ContractPlan, type ContractPlanProps } from "./modules/contract-plan/contract-plan";
export { DataQuality, type DataQualityProps } from "./modules/data-quality/data-quality";
export { qualityMistakes } from "./contracts/quality-contract";
export { type QualityQuery, type TableName } from "./contracts/quality-query";
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
} from "./contracts/quality-rules";
export {
  EncryptionKey,
  type EncryptionKeyProps,
  type IEncryptionKey,
} from "./modules/encryption/encryption-key";
export { type Json, type JsonObject } from "./definition-checks/asl";
export {
  type PlaceholderValue,
  type PlaceholderValues,
} from "./modules/etl-orchestrator/state-machine-definition";
export {
  EtlOrchestrator,
  type EtlOrchestratorProps,
  type HandWrittenDefinition,
} from "./modules/etl-orchestrator/etl-orchestrator";
export {
  FailureMessenger,
  type FailureMessengerProps,
  type IFailureMessenger,
} from "./modules/etl-orchestrator/failure-messenger";
export { type INotificationTarget } from "./modules/etl-orchestrator/notification-target";
export {
  type AnswerType,
  type InvokeFunctionStepProps,
  type QueryStepProps,
  type TaskStepProps,
} from "./modules/etl-orchestrator/call-steps";
export {
  type ChoiceRule,
  type ChooseStepProps,
  type FailStepProps,
  type ForEachStepProps,
  type ParallelStepProps,
} from "./modules/etl-orchestrator/flow-steps";
export { type InputField, type RunInput } from "./modules/etl-orchestrator/run-input";
export { type FlowStep } from "./modules/etl-orchestrator/step-data";
export { type RunJobStepProps, type RunOverrides } from "./modules/etl-orchestrator/run-overrides";
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
  Step,
} from "./modules/etl-orchestrator/step";
export {
  GlueConnection,
  type GlueConnectionProps,
  type JdbcEngine,
} from "./modules/glue-connection/glue-connection";
export { type CrawlerGrouping } from "./modules/glue-crawler/crawler-configuration";
export {
  type CrawledDatabase,
  GlueCrawler,
  type GlueCrawlerProps,
  type SchemaChangePolicy,
} from "./modules/glue-crawler/glue-crawler";
export {
  type AsynchronousCalls,
  EtlFunction,
  type EtlFunctionProps,
  type FunctionAlarms,
  type FunctionMetrics,
  type FunctionNetwork,
} from "./modules/etl-function/etl-function";
export { FunctionLayer, type FunctionLayerProps, type ILayer } from "./modules/etl-function/function-layer";
export { type FunctionArchitecture, type FunctionRuntime } from "./modules/etl-function/runtimes";
export { ArtifactFile, type ArtifactFileProps, type UploadedFile } from "./modules/artifacts/artifact-file";
export { GLUE_SCRIPTS } from "./modules/artifacts/glue-scripts";
export {
  GlueSecurityConfiguration,
  type GlueSecurityConfigurationProps,
} from "./modules/glue-security-configuration/glue-security-configuration";
export {
  GlueWorkflow,
  type GlueWorkflowProps,
  type WorkflowSchedule,
} from "./modules/glue-workflow/glue-workflow";
export {
  type CrawlNode,
  type CrawlNodeProps,
  type JobNode,
  type JobNodeProps,
  WorkflowNode,
} from "./modules/glue-workflow/workflow-node";
export {
  type OnCrawl,
  workflowChain,
  type WorkflowChainStep,
  type WorkflowCondition,
  type WorkflowTrigger,
} from "./modules/glue-workflow/workflow-trigger";
export {
  GlueSparkJob,
  type GlueSparkJobProps,
  type ISecurityConfiguration,
} from "./modules/glue-spark-job/glue-spark-job";
export { type JobCapacity, type WorkerType } from "./modules/glue-spark-job/job-capacity";
export { type IGlueConnection } from "./modules/glue-spark-job/job-connections";
export { type JobFile } from "./modules/glue-spark-job/job-files";
export { type PythonInstaller } from "./modules/glue-spark-job/python-modules";
export {
  type IcebergTable,
  type IcebergTables,
  type TableInCatalogue,
} from "./modules/glue-spark-job/table-format";
export { type TableFormat, type WriteMode } from "./modules/core/write-modes";
export { type IGrantable, type IRole } from "./modules/iam/grantable";
export { PermissionsBoundary } from "./modules/iam/permissions-boundary";
export { type PolicyStatement, type ResourcePolicyStatement } from "./modules/iam/policy-statement";
export { type RoleAttributes, ServiceRole, type ServiceRoleProps } from "./modules/iam/service-role";
export {
  type BroughtTopic,
  type INotificationsTopic,
  type TopicAttributes,
} from "./modules/notifications-topic/brought-topic";
export {
  NotificationsTopic,
  type NotificationsTopicProps,
} from "./modules/notifications-topic/notifications-topic";
export {
  type MissedRun,
  PipelineAlarms,
  type PipelineAlarmsProps,
} from "./modules/pipeline-alarms/pipeline-alarms";
export {
  type DashboardPipeline,
  PipelineDashboard,
  type PipelineDashboardProps,
} from "./modules/pipeline-dashboard/pipeline-dashboard";
export { longestGapMinutes } from "./modules/schedules/longest-gap";
export { PipelineSchedule, type PipelineScheduleProps } from "./modules/pipeline-schedule/pipeline-schedule";
export { RunLock, type RunLockProps } from "./modules/run-lock/run-lock";
export { ContractPipeline, type ContractPipelineProps } from "./patterns/contract-pipeline/contract-pipeline";
export { type PipelineAlarmSettings } from "./patterns/contract-pipeline/watching";
export {
  type DatabaseConnection,
  DatabaseExtract,
  type DatabaseExtractProps,
} from "./patterns/database-extract/database-extract";
export { ModelPipeline, type ModelPipelineProps } from "./patterns/model-pipeline/model-pipeline";
export { EtlPlatform, type EtlPlatformProps, type Subscriber } from "./patterns/etl-platform/etl-platform";
export {
  type ArrivalRule,
  type ArrivingPipeline,
  type CompleteRule,
  type FileArrivalProps,
} from "./patterns/file-arrival/arrival-props";
export { FileArrival } from "./patterns/file-arrival/file-arrival";
export { type IngestJobProps, type IngestTask } from "./patterns/ingest-task/ingest-task";
export { type DeliveriesSource, type Source } from "./patterns/source";
export { Steps } from "./patterns/steps";
export { type Table } from "./patterns/table";
export { type Task } from "./patterns/task";
export { type ScheduleTrigger, type Trigger } from "./patterns/trigger";
export { type RunDateRule, type WorkflowWatcherProps } from "./patterns/workflow-watcher/watcher-props";
export { WorkflowWatcher } from "./patterns/workflow-watcher/workflow-watcher";
