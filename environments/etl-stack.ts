import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { SnsTopicSubscription } from "@cdktf/provider-aws/lib/sns-topic-subscription";
import { LocalBackend, TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import {
  AthenaWorkgroup,
  DataLake,
  EtlOrchestrator,
  FailureMessenger,
  GlueSecurityConfiguration,
  GlueSparkJob,
  NotificationsTopic,
  PermissionsBoundary,
  PipelineDashboard,
  RunLock,
  Zone,
} from "../index";
import type { Subscription } from "./alert-settings";
import { MOVED } from "./moved";
import { EventsPipeline } from "../pipelines/events/pipeline";
import type { Pipeline, SharedPipelineProps } from "../patterns/contract-pipeline/contract-pipeline";
import { SalesPipeline, type SalesPipelineProps } from "../pipelines/sales/pipeline";
import { makeAll } from "./make-all";
import type { EnvironmentSettings, PipelineName } from "./settings";
import { stackMistakes } from "./stack-checks";
import { defineS3Backend } from "./state-stack";

/** One environment: backend, provider, lake, topic, workgroup and the pipelines, and nothing else. */
export class EtlStack extends TerraformStack {
  readonly lake: DataLake;
  readonly notifications: NotificationsTopic;
  readonly alerts: NotificationsTopic;
  readonly failureMessenger: FailureMessenger;
  readonly workgroup: AthenaWorkgroup;
  readonly locks: RunLock;
  readonly pipelines: Readonly<Record<PipelineName, Pipeline>>;
  readonly dashboard: PipelineDashboard;
  private readonly securityConfiguration?: GlueSecurityConfiguration;

  constructor(
    scope: Construct,
    private readonly settings: EnvironmentSettings,
  ) {
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
    this.alerts = new NotificationsTopic(this, "Alerts", {
      name: `${name}-alerts`,
      encryptionKey: this.lake.key,
      account,
      region,
    });
    this.defineSubscriptions(settings.subscriptions);
    this.failureMessenger = new FailureMessenger(this, "Failures", {
      name: `${name}-failures`,
      notifications: this.notifications,
      account,
      region,
      logRetentionDays: settings.logRetentionDays,
    });
    this.workgroup = new AthenaWorkgroup(this, "Workgroup", {
      name,
      results: this.lake.location(Zone.QUERY_RESULTS),
      scanLimitBytes: settings.scanLimitBytes,
      forceDestroy: !settings.retainData,
      allowDataDestruction: settings.allowDataDestruction,
      account,
      region,
    });
    this.locks = new RunLock(this, "Locks", { name: `${name}-locks`, account, region });
    this.securityConfiguration = this.defineSecurityConfiguration(name, settings);
    this.pipelines = this.definePipelines(settings);
    this.dashboard = this.defineDashboard(name, settings);
    this.defineOutputs();
    if (settings.permissionsBoundaryArn !== undefined) {
      PermissionsBoundary.apply(this, settings.permissionsBoundaryArn);
    }
    if (MOVED.length > 0) this.addOverride("moved", MOVED);
  }

  /**
   * The stack as Terraform's JSON. It is judged here and not in a validation, which an app can be told to skip.
   *
   * @throws Error naming every resource that holds data without a guard, and every job over the budget
   */
  override toTerraform(): unknown {
    const stack: unknown = super.toTerraform();
    const mistakes = stackMistakes(stack, this.settings);
    if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
    return stack;
  }

  /** The place of an e-mail address at the notifications topic is what it always was, so that nobody has to confirm again. */
  private defineSubscriptions({ notifications, alerts }: EnvironmentSettings["subscriptions"]): void {
    const subscribe = (topic: NotificationsTopic, id: string, { protocol, endpoint }: Subscription) =>
      new SnsTopicSubscription(this, id, { topicArn: topic.topicArn, protocol, endpoint });
    for (const one of notifications)
      subscribe(
        this.notifications,
        one.protocol === "email" ? `Email-${one.endpoint}` : `Notifications-${one.protocol}-${one.endpoint}`,
        one,
      );
    for (const one of alerts) subscribe(this.alerts, `Alerts-${one.protocol}-${one.endpoint}`, one);
  }

  /** What the stack gives every pipeline, of the given name. */
  sharedWith(pipeline: string): SharedPipelineProps {
    const { settings } = this;
    return {
      glueVersion: settings.glueVersion,
      securityConfiguration: this.securityConfiguration,
      name: `${settings.project}-${settings.environment}-${pipeline}`,
      lake: this.lake,
      workgroup: this.workgroup,
      locks: this.locks,
      notifications: this.notifications,
      failureMessenger: this.failureMessenger,
      alerts: this.alerts,
      environment: settings.environment,
      runbookUrl: settings.runbookUrl,
      account: settings.accountId,
      region: settings.region,
      logRetentionDays: settings.logRetentionDays,
      logExecutionData: settings.logExecutionData,
      showValuesInMessages: settings.showValuesInMessages ?? false,
    };
  }

  /** One line for each; ids are public, and so are the names in the settings. */
  private definePipelines({ pipelines }: EnvironmentSettings): EtlStack["pipelines"] {
    const sales = (id: string, pipeline: SalesPipelineProps["pipeline"]) => () =>
      new SalesPipeline(this, id, { ...pipelines[pipeline], ...this.sharedWith(pipeline), pipeline });
    return makeAll<PipelineName, Pipeline>({
      events: () => new EventsPipeline(this, "Events", { ...pipelines.events, ...this.sharedWith("events") }),
      sales: sales("Sales", "sales"),
      customers: sales("Customers", "customers"),
      products: sales("Products", "products"),
    });
  }

  private defineDashboard(
    name: string,
    { accountId: account, region }: EnvironmentSettings,
  ): PipelineDashboard {
    const ceilings = this.dpuHourCeilings();
    return new PipelineDashboard(this, "Dashboard", {
      name,
      pipelines: Object.entries(this.pipelines).map(([pipeline, { orchestrator, transform }]) => ({
        pipeline,
        stateMachineName: orchestrator.stateMachineName,
        jobName: transform.jobName,
        maxDpuHoursPerRun: ceilings[transform.resource.nameInput ?? ""],
      })),
      workgroupName: this.workgroup.workgroupName,
      account,
      region,
    });
  }

  private defineSecurityConfiguration(
    name: string,
    { securityConfiguration, accountId: account, region }: EnvironmentSettings,
  ): GlueSecurityConfiguration | undefined {
    if (securityConfiguration !== true) return undefined;
    const encryptionKey = this.lake.key;
    return new GlueSecurityConfiguration(this, "Security", { name, encryptionKey, account, region });
  }

  /** dev keeps its state in a file beside the clone, the others in S3 with S3's own lock file (Terraform ≥ 1.11). */
  private defineBackend(name: string, settings: EnvironmentSettings): void {
    if (settings.backend.kind === "local") {
      // Terraform runs in cdktf.out/stacks/<stack>; relative, so that every clone synthesises the same bytes.
      new LocalBackend(this, { path: `../../../terraform.${name}.tfstate` });
      return;
    }
    defineS3Backend(this, settings);
  }

  private defineOutputs(): void {
    const outputs: Record<string, string> = {
      raw_bucket: this.lake.bucket(Zone.RAW).bucketName,
      processed_bucket: this.lake.bucket(Zone.PROCESSED).bucketName,
      quarantine_bucket: this.lake.bucket(Zone.QUARANTINE).bucketName,
      curated_bucket: this.lake.bucket(Zone.CURATED).bucketName,
      raw_database: this.lake.database(Zone.RAW).name,
      processed_database: this.lake.database(Zone.PROCESSED).name,
      quarantine_database: this.lake.database(Zone.QUARANTINE).name,
      curated_database: this.lake.database(Zone.CURATED).name,
      workgroup: this.workgroup.workgroupName,
      lock_table: this.locks.tableName,
      notifications_topic_arn: this.notifications.topicArn,
      alerts_topic_arn: this.alerts.topicArn,
      dashboard: this.dashboard.dashboardName,
    };
    for (const [pipeline, { orchestrator, transform }] of Object.entries(this.pipelines)) {
      outputs[`${pipeline}_state_machine_arn`] = orchestrator.stateMachineArn;
      outputs[`${pipeline}_alias_arn`] = orchestrator.aliasArn;
      outputs[`${pipeline}_job_name`] = transform.jobName;
    }
    for (const [name, value] of Object.entries(outputs)) {
      new TerraformOutput(this, name, { value, staticId: true });
    }
    new TerraformOutput(this, "dpu_hour_ceiling", {
      description:
        "DPU-hours that one run of each job may be billed at most: workers x DPU per worker x time-out / 60",
      value: this.dpuHourCeilings(),
      staticId: true,
    });
  }

  /** By the job's name: of a run as the job says, or as a pipeline starts it if that is more. */
  private dpuHourCeilings(): Record<string, number> {
    const all = this.node.findAll();
    const machines = all.filter((child) => child instanceof EtlOrchestrator);
    const ceilings = all
      .filter((child) => child instanceof GlueSparkJob)
      .flatMap(({ resource, jobName, maxDpuHoursPerRun: own }) => {
        const started = machines.map((machine) => machine.maxDpuHoursPerRun[jobName]);
        const hours = [own, ...started].filter((value) => value !== undefined);
        const name = resource.nameInput;
        return hours.length === 0 || name === undefined ? [] : [[name, Math.max(...hours)] as const];
      });
    return Object.fromEntries(ceilings);
  }
}
