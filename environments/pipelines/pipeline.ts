import { join } from "node:path";
import { Construct } from "constructs";
import {
  ArtifactFile,
  type AthenaWorkgroup,
  CatalogTable,
  type DataLake,
  DataQuality,
  EtlOrchestrator,
  GlueCrawler,
  GlueSparkJob,
  type GlueVersion,
  type ISecurityConfiguration,
  LOCK_ARGUMENTS,
  type NotificationsTopic,
  PipelineAlarms,
  PipelineSchedule,
  RUN_ARGUMENTS,
  type RunLock,
  type S3Location,
  Step,
  Zone,
} from "../../modules/index";
import type { PipelineSettings } from "../settings";

const SCRIPTS = join(__dirname, "..", "..", "glue-scripts");

/** What the stack gives every pipeline. */
export interface PipelineProps extends PipelineSettings {
  /** First part of every physical name, e.g. `etl-dev-events`. */
  readonly name: string;
  readonly lake: DataLake;
  readonly workgroup: AthenaWorkgroup;
  readonly locks: RunLock;
  readonly notifications: NotificationsTopic;
  readonly alerts: NotificationsTopic;
  /** What messages call the environment. */
  readonly environment: string;
  readonly runbookUrl?: string;
  readonly glueVersion: GlueVersion;
  readonly securityConfiguration?: ISecurityConfiguration;
  readonly account: string;
  readonly region: string;
  readonly logRetentionDays: number;
  readonly logExecutionData: boolean;
}

/** What is one pipeline's own, as data. */
export interface PipelineWiring {
  /** What its lock, its contract and rules, its folder in every zone and its tables are called. */
  readonly pipeline: string;
  /** What its job does. */
  readonly description: string;
}

/**
 * A pipeline of one contract: validate input → acquire lock → crawl raw → run job → check books → crawl processed → check
 * quality → release lock → record metrics → notify. All wiring that pipelines share is here; the constructs know nothing of
 * each other, and a class beside this one says what is its pipeline's own.
 */
export abstract class Pipeline extends Construct {
  readonly rawCrawler: GlueCrawler;
  readonly quality: DataQuality;
  readonly transform: GlueSparkJob;
  readonly processedCrawler: GlueCrawler;
  readonly orchestrator: EtlOrchestrator;
  readonly schedule: PipelineSchedule;
  readonly alarms: PipelineAlarms;
  /** The folder of its data in every zone. */
  private readonly prefix: string;
  /** What crawlers call the table of that folder, and declared tables are called too. */
  private readonly table: string;
  private readonly books: S3Location;

  protected constructor(
    scope: Construct,
    id: string,
    private readonly props: PipelineProps,
    private readonly wiring: PipelineWiring,
  ) {
    super(scope, id);
    this.prefix = `${wiring.pipeline}/`;
    this.table = wiring.pipeline;
    this.books = props.lake.location(Zone.PROCESSED, `books/${this.prefix}`);
    this.rawCrawler = this.crawler("RawCrawler", Zone.RAW);
    this.quality = this.defineQuality();
    this.transform = this.defineTransform();
    this.processedCrawler = this.crawler("ProcessedCrawler", Zone.PROCESSED);
    this.defineQuarantineTable();
    this.orchestrator = this.defineOrchestrator();
    this.schedule = this.defineSchedule();
    this.alarms = this.defineAlarms();
  }

  private get contractFile(): string {
    return join(SCRIPTS, "contracts", `${this.wiring.pipeline}.schema.json`);
  }

  private location(zone: Zone): S3Location {
    return this.props.lake.location(zone, this.prefix);
  }

  private crawler(id: string, zone: Zone): GlueCrawler {
    const { name, lake, account, region } = this.props;
    return new GlueCrawler(this, id, {
      name: `${name}-${zone}`,
      target: this.location(zone),
      database: lake.database(zone),
      account,
      region,
    });
  }

  /** One file of rules: the job judges by it before it writes, a query by it on what readers see. */
  private defineQuality(): DataQuality {
    const { lake } = this.props;
    const table = (zone: Zone) => ({ database: lake.database(zone).name, name: this.table });
    return new DataQuality(this, "Quality", {
      rulesFile: join(SCRIPTS, "contracts", `${this.wiring.pipeline}.quality.json`),
      contractFile: this.contractFile,
      table: table(Zone.PROCESSED),
      quarantineTable: table(Zone.QUARANTINE),
      artifacts: lake.location(Zone.ARTIFACTS),
    });
  }

  private defineTransform(): GlueSparkJob {
    const { props, wiring } = this;
    const { lake, account, region } = props;
    const artifacts = lake.location(Zone.ARTIFACTS);
    const contract = new ArtifactFile(this, "Contract", {
      source: this.contractFile,
      artifacts,
      prefix: "contracts/",
    });
    const transform = new GlueSparkJob(this, "Transform", {
      name: `${props.name}-transform`,
      description: wiring.description,
      script: join(SCRIPTS, "jobs", "transform_events.py"),
      modules: join(SCRIPTS, "etl"),
      artifacts,
      inputs: [this.location(Zone.RAW)],
      files: [contract, this.quality.artifact],
      outputs: [this.location(Zone.PROCESSED), this.location(Zone.QUARANTINE), this.books],
      arguments: this.jobArguments(contract),
      glueVersion: props.glueVersion,
      capacity: { kind: "autoScaling", workerType: props.workerType, maxWorkers: props.maxWorkers },
      timeoutMinutes: props.jobTimeoutMinutes,
      executionClass: props.executionClass,
      jobRunQueuingEnabled: props.jobRunQueuingEnabled,
      maxConcurrentRuns: props.maxConcurrentRuns,
      securityConfiguration: props.securityConfiguration,
      logRetentionDays: props.logRetentionDays,
      account,
      region,
    });
    props.locks.grantFence(transform.role, wiring.pipeline);
    lake.grantDescribeTable(transform.role, Zone.RAW, this.table);
    return transform;
  }

  private jobArguments(contract: ArtifactFile): Record<string, string> {
    const { lake, locks, schedule } = this.props;
    return {
      pipeline: this.wiring.pipeline,
      source_bucket: lake.bucket(Zone.RAW).bucketName,
      source_prefix: this.prefix,
      output_bucket: lake.bucket(Zone.PROCESSED).bucketName,
      output_prefix: this.prefix,
      quarantine_bucket: lake.bucket(Zone.QUARANTINE).bucketName,
      quarantine_prefix: this.prefix,
      books_bucket: this.books.bucketName,
      books_prefix: this.books.prefix,
      contract_uri: contract.uri,
      quality_uri: this.quality.uri,
      source_database: lake.database(Zone.RAW).name,
      source_table: this.table,
      lock_table: locks.tableName,
      time_zone: schedule.timeZone,
      lag_days: String(schedule.lagDays),
    };
  }

  /** Declared, not crawled: its schema is the job's own, and rejects must be queryable from the first one on. */
  private defineQuarantineTable(): void {
    new CatalogTable(this, "QuarantineTable", {
      name: this.table,
      description: `Rows that the ${this.wiring.pipeline} job refused, with the reason`,
      database: this.props.lake.database(Zone.QUARANTINE),
      location: this.location(Zone.QUARANTINE),
      columns: [
        { name: "raw_line", type: "string", comment: "The line as it was delivered" },
        { name: "reason", type: "string", comment: "The first of the contract's reasons that applies" },
        { name: "source_file", type: "string", comment: "URI of the delivered file" },
        { name: "run_id", type: "string", comment: "The execution that refused it" },
      ],
      partition: { name: "run_date", from: "2000-01-01" },
    });
  }

  private defineOrchestrator(): EtlOrchestrator {
    const { props, wiring } = this;
    const orchestrator = new EtlOrchestrator(this, "Orchestrator", {
      name: props.name,
      pipeline: wiring.pipeline,
      steps: this.steps(),
      notifications: props.notifications,
      runbookUrl: props.runbookUrl,
      logRetentionDays: props.logRetentionDays,
      includeExecutionData: props.logExecutionData,
      account: props.account,
      region: props.region,
    });
    // The query runs in the machine's name: where answers lie, and what is judged.
    props.workgroup.grantResults(orchestrator.role);
    for (const zone of [Zone.PROCESSED, Zone.QUARANTINE]) {
      props.lake.grantQueryTable(orchestrator.role, zone, this.table);
      props.lake.grantRead(orchestrator.role, zone, this.prefix);
    }
    return orchestrator;
  }

  private steps(): Step[] {
    const { locks, workgroup, runOverrides: overrides, crawlDeadlineMinutes: deadlineMinutes } = this.props;
    return [
      Step.acquireLock("AcquireLock", { table: locks }),
      Step.crawl("CrawlRaw", { ...this.rawCrawler, deadlineMinutes }),
      Step.runJob("RunJob", {
        ...this.transform,
        runArguments: { ...RUN_ARGUMENTS, ...LOCK_ARGUMENTS },
        overrides,
      }),
      Step.checkBooks("CheckBooks", { books: this.books, emptyGoesTo: "ReleaseLock" }),
      Step.crawl("CrawlProcessed", { ...this.processedCrawler, deadlineMinutes }),
      Step.checkQuality("CheckQuality", {
        query: this.quality.query,
        workgroup,
        output: this.location(Zone.PROCESSED),
      }),
      Step.releaseLock("ReleaseLock", { table: locks }),
      Step.recordMetrics("RecordMetrics"),
      Step.notify("Notify"),
    ];
  }

  private defineSchedule(): PipelineSchedule {
    const { schedule, name, account, region } = this.props;
    return new PipelineSchedule(this, "Schedule", {
      name,
      stateMachineArn: this.orchestrator.stateMachineArn,
      alias: this.orchestrator.aliasName,
      expression: schedule.cron,
      timeZone: schedule.timeZone,
      enabled: schedule.enabled,
      start: schedule.start,
      end: schedule.end,
      account,
      region,
    });
  }

  private defineAlarms(): PipelineAlarms {
    const { props } = this;
    const { usualMinutes, quarantineSharePercent, minimumRows, actionsEnabled } = props.alarms;
    const { longestGapMinutes, deadLetterQueueName, enabled } = this.schedule;
    const graceMinutes = props.alarms.missedRunGraceMinutes;
    // Nothing is due of a schedule that is off, or that starts one run only.
    const isDue = enabled && longestGapMinutes > 0 && graceMinutes !== undefined;
    return new PipelineAlarms(this, "Alarms", {
      name: props.name,
      pipeline: this.wiring.pipeline,
      environment: props.environment,
      stateMachineName: this.orchestrator.stateMachineName,
      crawlStateMachineName: this.orchestrator.crawlStateMachineName,
      alerts: props.alerts,
      usualMinutes,
      quarantineSharePercent,
      minimumRows,
      missedRun: isDue ? { longestGapMinutes, graceMinutes } : undefined,
      deadLetterQueueName,
      actionsEnabled,
      runbookUrl: props.runbookUrl,
      account: props.account,
      region: props.region,
    });
  }
}
