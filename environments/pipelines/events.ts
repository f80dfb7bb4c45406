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
  Step,
  Zone,
} from "../../modules/index";
import type { PipelineSettings } from "../settings";

const SCRIPTS = join(__dirname, "..", "..", "glue-scripts");

const PIPELINE = "events";
/** What every zone calls this pipeline's data. */
const PREFIX = "events/";
const BOOKS_PREFIX = "books/events/";
/** What the crawlers call the table of that prefix, and the quarantine's declared table is called too. */
const TABLE = "events";

export interface EventsPipelineProps extends PipelineSettings {
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

/**
 * The events pipeline: validate input → acquire lock → crawl raw → run job → check books → crawl processed → check quality
 * → release lock → record metrics → notify. All of its wiring is here; the constructs know nothing of each other.
 */
export class EventsPipeline extends Construct {
  readonly rawCrawler: GlueCrawler;
  readonly quality: DataQuality;
  readonly transform: GlueSparkJob;
  /** A table of Iceberg is the job's own, and nobody crawls it. */
  readonly processedCrawler?: GlueCrawler;
  readonly orchestrator: EtlOrchestrator;
  readonly schedule: PipelineSchedule;
  readonly alarms: PipelineAlarms;

  constructor(scope: Construct, id: string, props: EventsPipelineProps) {
    super(scope, id);
    this.rawCrawler = this.crawler("RawCrawler", Zone.RAW, props);
    this.quality = this.defineQuality(props);
    this.transform = this.defineTransform(props);
    if (props.tableFormat !== "iceberg") {
      this.processedCrawler = this.crawler("ProcessedCrawler", Zone.PROCESSED, props);
    }
    this.defineQuarantineTable(props);
    this.orchestrator = this.defineOrchestrator(props);
    this.schedule = this.defineSchedule(props);
    this.alarms = this.defineAlarms(props);
  }

  private crawler(id: string, zone: Zone, { name, lake, account, region }: EventsPipelineProps): GlueCrawler {
    return new GlueCrawler(this, id, {
      name: `${name}-${zone}`,
      target: lake.location(zone, PREFIX),
      database: lake.database(zone),
      account,
      region,
    });
  }

  /** One file of rules: the job judges by it before it writes, a query by it on what readers see. */
  private defineQuality({ lake }: EventsPipelineProps): DataQuality {
    const table = (zone: Zone) => ({ database: lake.database(zone).name, name: TABLE });
    return new DataQuality(this, "Quality", {
      rulesFile: join(SCRIPTS, "contracts", "events.quality.json"),
      contractFile: join(SCRIPTS, "contracts", "events.schema.json"),
      table: table(Zone.PROCESSED),
      quarantineTable: table(Zone.QUARANTINE),
      artifacts: lake.location(Zone.ARTIFACTS),
    });
  }

  private defineTransform(props: EventsPipelineProps): GlueSparkJob {
    const { lake, account, region } = props;
    const artifacts = lake.location(Zone.ARTIFACTS);
    const books = lake.location(Zone.PROCESSED, BOOKS_PREFIX);
    const contract = new ArtifactFile(this, "Contract", {
      source: join(SCRIPTS, "contracts", "events.schema.json"),
      artifacts,
      prefix: "contracts/",
    });
    const transform = new GlueSparkJob(this, "Transform", {
      name: `${props.name}-transform`,
      description:
        "Checks, quarantines, deduplicates and rebuilds the events of the delivery dates it is given",
      script: join(SCRIPTS, "jobs", "transform_events.py"),
      modules: join(SCRIPTS, "etl"),
      artifacts,
      inputs: [lake.location(Zone.RAW, PREFIX)],
      files: [contract, this.quality.artifact],
      outputs: [lake.location(Zone.PROCESSED, PREFIX), lake.location(Zone.QUARANTINE, PREFIX), books],
      arguments: {
        pipeline: PIPELINE,
        source_bucket: lake.bucket(Zone.RAW).bucketName,
        source_prefix: PREFIX,
        output_bucket: lake.bucket(Zone.PROCESSED).bucketName,
        output_prefix: PREFIX,
        quarantine_bucket: lake.bucket(Zone.QUARANTINE).bucketName,
        quarantine_prefix: PREFIX,
        books_bucket: books.bucketName,
        books_prefix: books.prefix,
        contract_uri: contract.uri,
        quality_uri: this.quality.uri,
        source_database: lake.database(Zone.RAW).name,
        source_table: TABLE,
        lock_table: props.locks.tableName,
        time_zone: props.schedule.timeZone,
        lag_days: String(props.schedule.lagDays),
      },
      icebergTable: icebergTable(props),
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
    props.locks.grantFence(transform.role, PIPELINE);
    lake.grantDescribeTable(transform.role, Zone.RAW, TABLE);
    return transform;
  }

  /** Declared, not crawled: its schema is the job's own, and rejects must be queryable from the first one on. */
  private defineQuarantineTable({ lake }: EventsPipelineProps): void {
    new CatalogTable(this, "QuarantineTable", {
      name: "events",
      description: "Rows that the events job refused, with the reason",
      database: lake.database(Zone.QUARANTINE),
      location: lake.location(Zone.QUARANTINE, PREFIX),
      columns: [
        { name: "raw_line", type: "string", comment: "The line as it was delivered" },
        { name: "reason", type: "string", comment: "The first of the contract's reasons that applies" },
        { name: "source_file", type: "string", comment: "URI of the delivered file" },
        { name: "run_id", type: "string", comment: "The execution that refused it" },
      ],
      partition: { name: "run_date", from: "2000-01-01" },
    });
  }

  private defineOrchestrator(props: EventsPipelineProps): EtlOrchestrator {
    const { lake, locks, workgroup, account, region, crawlDeadlineMinutes: deadlineMinutes } = props;
    const orchestrator = new EtlOrchestrator(this, "Orchestrator", {
      name: props.name,
      pipeline: PIPELINE,
      steps: [
        Step.acquireLock("AcquireLock", { table: locks }),
        Step.crawl("CrawlRaw", { ...this.rawCrawler, deadlineMinutes }),
        Step.runJob("RunJob", {
          ...this.transform,
          runArguments: { ...RUN_ARGUMENTS, ...LOCK_ARGUMENTS },
          overrides: props.runOverrides,
        }),
        Step.checkBooks("CheckBooks", {
          books: lake.location(Zone.PROCESSED, BOOKS_PREFIX),
          emptyGoesTo: "ReleaseLock",
        }),
        ...(this.processedCrawler
          ? [Step.crawl("CrawlProcessed", { ...this.processedCrawler, deadlineMinutes })]
          : []),
        Step.checkQuality("CheckQuality", {
          query: this.quality.query,
          workgroup,
          output: lake.location(Zone.PROCESSED, PREFIX),
        }),
        Step.releaseLock("ReleaseLock", { table: locks }),
        Step.recordMetrics("RecordMetrics"),
        Step.notify("Notify"),
      ],
      notifications: props.notifications,
      runbookUrl: props.runbookUrl,
      logRetentionDays: props.logRetentionDays,
      includeExecutionData: props.logExecutionData,
      account,
      region,
    });
    // The query runs in the machine's name: where answers lie, and what is judged.
    workgroup.grantResults(orchestrator.role);
    for (const zone of [Zone.PROCESSED, Zone.QUARANTINE]) {
      lake.grantQueryTable(orchestrator.role, zone, TABLE);
      lake.grantRead(orchestrator.role, zone, PREFIX);
    }
    return orchestrator;
  }

  private defineSchedule({ schedule, name, account, region }: EventsPipelineProps): PipelineSchedule {
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

  private defineAlarms(props: EventsPipelineProps): PipelineAlarms {
    const { usualMinutes, quarantineSharePercent, minimumRows, actionsEnabled } = props.alarms;
    const { longestGapMinutes, deadLetterQueueName, enabled } = this.schedule;
    const graceMinutes = props.alarms.missedRunGraceMinutes;
    // Nothing is due of a schedule that is off, or that starts one run only.
    const isDue = enabled && longestGapMinutes > 0 && graceMinutes !== undefined;
    return new PipelineAlarms(this, "Alarms", {
      name: props.name,
      pipeline: PIPELINE,
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

function icebergTable({ lake, tableFormat, writeMode = "rebuild", orderColumn }: EventsPipelineProps) {
  if (tableFormat !== "iceberg") return undefined;
  const database = lake.database(Zone.PROCESSED).name;
  return { database, name: TABLE, location: lake.location(Zone.PROCESSED, PREFIX), writeMode, orderColumn };
}
