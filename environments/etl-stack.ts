import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import { LocalBackend, S3Backend, TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { AthenaWorkgroup, DataLake, NotificationsTopic, RunLock, Zone } from "../modules/index";
import { EventsPipeline } from "./pipelines/events";
import type { EnvironmentSettings } from "./settings";

/** One environment: backend, provider, lake, topic, workgroup and the pipelines, and nothing else. */
export class EtlStack extends TerraformStack {
  readonly lake: DataLake;
  readonly notifications: NotificationsTopic;
  readonly workgroup: AthenaWorkgroup;
  readonly locks: RunLock;
  readonly events: EventsPipeline;

  constructor(scope: Construct, settings: EnvironmentSettings) {
    const name = `${settings.project}-${settings.environment}`;
    super(scope, name);
    const { accountId: account, region } = settings;
    const tags = { ...settings.tags, project: settings.project, environment: settings.environment };

    this.defineBackend(name, settings);
    new AwsProvider(this, "Aws", { region, allowedAccountIds: [account], defaultTags: [{ tags }] });

    this.lake = new DataLake(this, "Lake", {
      namePrefix: name,
      databasePrefix: name.replaceAll("-", "_"),
      account,
      region,
      retainData: settings.retainData,
      allowDataDestruction: settings.allowDataDestruction,
    });
    this.notifications = new NotificationsTopic(this, "Notifications", {
      name: `${name}-notifications`,
      encryptionKey: this.lake.key,
      account,
      region,
    });
    settings.notificationEmails.forEach((endpoint) => {
      const id = `Email-${endpoint}`;
      new SnsTopicSubscription(this, id, {
        topicArn: this.notifications.topicArn,
        protocol: "email",
        endpoint,
      });
    });
    this.workgroup = new AthenaWorkgroup(this, "Workgroup", {
      name,
      results: this.lake.location(Zone.QUERY_RESULTS),
      scanLimitBytes: settings.scanLimitBytes,
      account,
      region,
    });
    this.locks = new RunLock(this, "Locks", { name: `${name}-locks`, account, region });
    this.events = new EventsPipeline(this, "Events", {
      ...settings.pipelines.events,
      glueVersion: settings.glueVersion,
      name: `${name}-events`,
      lake: this.lake,
      workgroup: this.workgroup,
      locks: this.locks,
      notifications: this.notifications,
      account,
      region,
      logRetentionDays: settings.logRetentionDays,
      logExecutionData: settings.logExecutionData,
    });
    this.defineOutputs();
  }

  /** dev keeps its state in a file beside the clone, the others in S3 with S3's own lock file (Terraform ≥ 1.11). */
  private defineBackend(name: string, { backend, accountId, region }: EnvironmentSettings): void {
    if (backend.kind === "local") {
      // Terraform runs in cdktf.out/stacks/<stack>; relative, so that every clone synthesises the same bytes.
      new LocalBackend(this, { path: `../../../terraform.${name}.tfstate` });
      return;
    }
    new S3Backend(this, {
      bucket: `${name}-terraform-state-${accountId}-${region}`,
      key: `${name}.tfstate`,
      region,
      encrypt: true,
      allowedAccountIds: [accountId],
    });
    this.addOverride("terraform.backend.s3.use_lockfile", true);
  }

  private defineOutputs(): void {
    const outputs: Record<string, string> = {
      raw_bucket: this.lake.bucket(Zone.RAW).bucketName,
      processed_bucket: this.lake.bucket(Zone.PROCESSED).bucketName,
      quarantine_bucket: this.lake.bucket(Zone.QUARANTINE).bucketName,
      raw_database: this.lake.database(Zone.RAW).name,
      processed_database: this.lake.database(Zone.PROCESSED).name,
      quarantine_database: this.lake.database(Zone.QUARANTINE).name,
      workgroup: this.workgroup.workgroupName,
      lock_table: this.locks.tableName,
      notifications_topic_arn: this.notifications.topicArn,
      events_state_machine_arn: this.events.orchestrator.stateMachineArn,
      events_alias_arn: this.events.orchestrator.aliasArn,
      events_job_name: this.events.transform.jobName,
    };
    for (const [name, value] of Object.entries(outputs)) {
      new TerraformOutput(this, name, { value, staticId: true });
    }
  }
}
