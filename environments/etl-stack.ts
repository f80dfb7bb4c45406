import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { AnnotationMetadataEntryType, LocalBackend, TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import {
  ContractPipeline,
  EtlPlatform,
  FileArrival,
  PermissionsBoundary,
  PipelineDashboard,
  Zone,
} from "../index";
import { type Made, PIPELINES } from "../pipelines";
import { arrivalOf } from "../pipelines/arrival-settings";
import { makeAll } from "./make-all";
import { MOVED } from "./moved";
import type { EnvironmentSettings } from "./settings";
import { stackMistakes } from "./stack-checks";
import { defineS3Backend } from "./state-stack";

/** How a pipeline is made whose own settings are not known here: the registry pairs the two. */
type Define = (scope: Construct, id: string, platform: EtlPlatform, settings: unknown) => Made;

/** One environment: backend, provider, platform, and every pipeline of the registry that it has settings for. */
export class EtlStack extends TerraformStack {
  readonly platform: EtlPlatform;
  /** By name, in the order of the registry. */
  readonly pipelines: Readonly<Record<string, Made>>;
  /** Only where files start a pipeline. */
  readonly arrival?: FileArrival;
  readonly dashboard: PipelineDashboard;

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

    this.platform = this.definePlatform(name);
    this.pipelines = this.definePipelines(settings);
    this.arrival = this.defineArrival(settings);
    this.dashboard = this.defineDashboard(name, settings);
    this.defineOutputs();
    if (settings.permissionsBoundaryArn !== undefined) {
      PermissionsBoundary.apply(this, settings.permissionsBoundaryArn);
    }
    // Without the trace that Annotations add, which names folders.
    for (const note of settings.notes ?? []) this.node.addMetadata(AnnotationMetadataEntryType.INFO, note);
    if (MOVED.length > 0) this.addOverride("moved", MOVED);
  }

  /**
   * The stack as Terraform's JSON. It is judged here and not in a validation, which an app can skip.
   *
   * @throws Error naming every resource that holds data without a guard, and every job over the budget
   */
  override toTerraform(): unknown {
    const stack: unknown = super.toTerraform();
    const mistakes = stackMistakes(stack, this.settings);
    if (mistakes.length > 0) throw new Error(mistakes.join("\n"));
    return stack;
  }

  /** Its id is not part of any address, so that the lake and its companions stand directly below the stack. */
  private definePlatform(name: string): EtlPlatform {
    const { settings } = this;
    return new EtlPlatform(this, "Default", {
      name,
      environment: settings.environment,
      account: settings.accountId,
      region: settings.region,
      retainData: settings.retainData,
      allowDataDestruction: settings.allowDataDestruction,
      subscribers: settings.subscriptions,
      glueVersion: settings.glueVersion,
      logRetentionDays: settings.logRetentionDays,
      logExecutionData: settings.logExecutionData,
      showValuesInMessages: settings.showValuesInMessages,
      scanLimitBytes: settings.scanLimitBytes,
      runbookUrl: settings.runbookUrl,
      encryptJobLogs: settings.securityConfiguration,
    });
  }

  /** Those of the registry that the environment has settings for. Ids are public: each is the pipeline's name in PascalCase. */
  private definePipelines({ pipelines }: EnvironmentSettings): EtlStack["pipelines"] {
    const makers = PIPELINES.filter(({ name }) => pipelines[name] !== undefined).map(
      ({ name, define }) =>
        [name, () => (define as Define)(this, pascalCase(name), this.platform, pipelines[name])] as const,
    );
    return makeAll(Object.fromEntries(makers));
  }

  /** One for all pipelines whose arrival is on. */
  private defineArrival({ pipelines }: EnvironmentSettings): FileArrival | undefined {
    const arriving = Object.entries(pipelines).flatMap(([name, of]) => {
      const pipeline = this.pipelines[name];
      const arrival = arrivalOf(of);
      if (!(pipeline instanceof ContractPipeline) || arrival?.enabled !== true) return [];
      return [{ pipeline, ...arrival }];
    });
    if (arriving.length === 0) return undefined;
    const actionsEnabled = Object.values(pipelines).some((one) => one?.alarms.actionsEnabled);
    return new FileArrival(this, "Arrival", { platform: this.platform, pipelines: arriving, actionsEnabled });
  }

  private defineDashboard(name: string, { region }: EnvironmentSettings): PipelineDashboard {
    return new PipelineDashboard(this, "Dashboard", {
      name,
      pipelines: Object.entries(this.pipelines).map(([pipeline, { run, task, maxDpuHoursPerRun }]) => ({
        pipeline,
        run,
        jobName: task.job.jobName,
        maxDpuHoursPerRun,
      })),
      workgroupName: this.platform.workgroup.workgroupName,
      region,
    });
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
    const { lake, workgroup, locks, notifications, alerts } = this.platform;
    const outputs: Record<string, string> = {
      raw_bucket: lake.bucket(Zone.RAW).bucketName,
      processed_bucket: lake.bucket(Zone.PROCESSED).bucketName,
      quarantine_bucket: lake.bucket(Zone.QUARANTINE).bucketName,
      curated_bucket: lake.bucket(Zone.CURATED).bucketName,
      raw_database: lake.database(Zone.RAW).name,
      processed_database: lake.database(Zone.PROCESSED).name,
      quarantine_database: lake.database(Zone.QUARANTINE).name,
      curated_database: lake.database(Zone.CURATED).name,
      workgroup: workgroup.workgroupName,
      lock_table: locks.tableName,
      notifications_topic_arn: notifications.topicArn,
      alerts_topic_arn: alerts.topicArn,
      dashboard: this.dashboard.dashboardName,
      ...(this.arrival === undefined ? {} : { arrival_ledger: this.arrival.ledgerName }),
    };
    for (const [pipeline, made] of Object.entries(this.pipelines)) {
      const { task } = made;
      const workflow = "workflow" in made ? made.workflow : undefined;
      const prefix = pipeline.replaceAll("-", "_");
      if (workflow === undefined) {
        outputs[`${prefix}_state_machine_arn`] = made.orchestrator.stateMachineArn;
        outputs[`${prefix}_alias_arn`] = made.orchestrator.aliasArn;
      } else outputs[`${prefix}_workflow_name`] = workflow.workflowName;
      outputs[`${prefix}_job_name`] = task.job.jobName;
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

  /** By the job's name. */
  private dpuHourCeilings(): Record<string, number> {
    const ceilings = Object.values(this.pipelines).flatMap(({ task, maxDpuHoursPerRun: hours }) =>
      hours === undefined ? [] : [[task.jobName, hours] as const],
    );
    return Object.fromEntries(ceilings);
  }
}

function pascalCase(name: string): string {
  return name.replaceAll(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
