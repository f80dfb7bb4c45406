import { join } from "node:path";
import { Construct } from "constructs";
import {
  ArtifactFile,
  type AthenaWorkgroup,
  type ContractTables,
  type DataLake,
  DataQuality,
  EtlOrchestrator,
  type FailureMessenger,
  GlueCrawler,
  GlueSparkJob,
  type GlueVersion,
  type IcebergTable,
  type ISecurityConfiguration,
  LOCK_ARGUMENTS,
  type NotificationsTopic,
  type PipelineAlarms,
  type PipelineSchedule,
  REFUSED_PREFIX,
  RUN_ARGUMENTS,
  type RunLock,
  type S3Location,
  Step,
  Zone,
} from "../../index";
import type { PipelineSettings } from "../../environments/settings";
import { contractFile, readPipelineFiles, rulesFile } from "./contract-files";
import { declareQuarantine, declareRefused, declareTable } from "./declared-tables";
import { defineAlarms, defineSchedule } from "./watching";

const SCRIPTS = join(__dirname, "..", "..", "glue-scripts");

/** What the stack gives every pipeline. */
export interface SharedPipelineProps {
  /** First part of every physical name, e.g. `etl-dev-events`. */
  readonly name: string;
  readonly lake: DataLake;
  readonly workgroup: AthenaWorkgroup;
  readonly locks: RunLock;
  readonly notifications: NotificationsTopic;
  readonly failureMessenger: FailureMessenger;
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
  /** Whether messages and logs of refused runs may hold delivered values. */
  readonly showValuesInMessages: boolean;
}

export type PipelineProps = SharedPipelineProps & PipelineSettings;

/** What is one pipeline's own, as data. */
export interface PipelineWiring {
  /** What its lock, its contract and rules, its folder in every zone and its tables are called. */
  readonly pipeline: string;
  /** What its job does. */
  readonly description: string;
  /** Whether the published table is crawled after each job run; declared from the contract otherwise. One of them owns it. */
  readonly crawlsProcessed: boolean;
  /** What the table of the contract's aggregate is called, in the curated zone; a contract without one takes none. */
  readonly aggregateTable?: string;
  /**
   * Where its scripts, modules, contract and rules lie among the artifacts: an S3 object belongs to one construct, which deletes it when it goes.
   * @default `<pipeline>/`
   */
  readonly artifactsPrefix?: string;
}

/**
 * A pipeline of one contract: validate input → acquire lock → crawl raw → run job → check books → (crawl processed) → check
 * quality → release lock → record metrics → notify. All wiring that pipelines share is here; the constructs know nothing of
 * each other, and a class beside this one says what is its pipeline's own.
 *
 * @throws Error naming every mistake of its contract and its quality rules, before anything is created
 */
export abstract class Pipeline extends Construct {
  readonly rawCrawler: GlueCrawler;
  readonly quality: DataQuality;
  readonly transform: GlueSparkJob;
  /** Where the published table is crawled. */
  readonly processedCrawler?: GlueCrawler;
  readonly orchestrator: EtlOrchestrator;
  readonly schedule: PipelineSchedule;
  readonly alarms: PipelineAlarms;
  /** The folder of its data in every zone. */
  private readonly prefix: string;
  /** What crawlers call the table of that folder, and declared tables are called too. */
  private readonly table: string;
  private readonly books: S3Location;
  private readonly artifacts: S3Location;
  /** What its contract makes. */
  private readonly tables: ContractTables;

  protected constructor(
    scope: Construct,
    id: string,
    private readonly props: PipelineProps,
    private readonly wiring: PipelineWiring,
  ) {
    super(scope, id);
    const { aggregateTable } = wiring;
    refuseName(this, wiring.pipeline);
    this.tables = readPipelineFiles(this, wiring.pipeline, {
      aggregateTable,
      orderColumn: props.orderColumn,
    });
    this.prefix = `${wiring.pipeline}/`;
    this.table = wiring.pipeline;
    this.books = props.lake.location(Zone.PROCESSED, `books/${this.prefix}`);
    this.artifacts = props.lake.location(Zone.ARTIFACTS, wiring.artifactsPrefix ?? this.prefix);
    this.rawCrawler = this.crawler("RawCrawler", Zone.RAW);
    this.quality = this.defineQuality();
    this.transform = this.defineTransform();
    if (this.published === "crawled")
      this.processedCrawler = this.crawler("ProcessedCrawler", Zone.PROCESSED);
    this.declareTables();
    this.orchestrator = this.defineOrchestrator();
    this.schedule = defineSchedule(this, props, this.orchestrator);
    this.alarms = defineAlarms(this, props, wiring.pipeline, this.orchestrator, this.schedule);
  }

  /** Who tells the catalogue of the published table. One of Iceberg is the job's own. */
  private get published(): "crawled" | "declared" | "iceberg" {
    if (this.props.tableFormat === "iceberg") return "iceberg";
    return this.wiring.crawlsProcessed ? "crawled" : "declared";
  }

  /** The rejected rows of refused runs: no part of the quarantine, and no reader of it sees them. */
  private get refused(): S3Location {
    return this.props.lake.location(Zone.QUARANTINE, `${REFUSED_PREFIX}${this.prefix}`);
  }

  private get refusedTable(): string {
    return `${this.table}_refused`;
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
      rulesFile: rulesFile(this.wiring.pipeline),
      contractFile: contractFile(this.wiring.pipeline),
      table: table(Zone.PROCESSED),
      quarantineTable: table(Zone.QUARANTINE),
      artifacts: this.artifacts,
    });
  }

  private defineTransform(): GlueSparkJob {
    const { props, wiring } = this;
    const { lake, account, region } = props;
    const { artifacts } = this;
    const contract = new ArtifactFile(this, "Contract", {
      source: contractFile(wiring.pipeline),
      artifacts,
      prefix: "contracts/",
    });
    const transform = new GlueSparkJob(this, "Transform", {
      name: `${props.name}-transform`,
      description: wiring.description,
      script: join(SCRIPTS, "jobs", "transform_deliveries.py"),
      modules: join(SCRIPTS, "etl"),
      artifacts,
      temporary: lake.location(Zone.ARTIFACTS, `temp/${props.name}-transform/`),
      inputs: [this.location(Zone.RAW)],
      files: [contract, this.quality.artifact],
      outputs: this.outputs(),
      arguments: this.jobArguments(contract),
      glueVersion: props.glueVersion,
      capacity: { kind: "autoScaling", workerType: props.workerType, maxWorkers: props.maxWorkers },
      timeoutMinutes: props.jobTimeoutMinutes,
      icebergTable: this.icebergTable(),
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
    for (const [zone, table] of this.registeredTables())
      lake.grantRegisterPartitions(transform.role, zone, table);
    return transform;
  }

  private icebergTable(): IcebergTable | undefined {
    const { lake, writeMode = "rebuild", orderColumn } = this.props;
    if (this.published !== "iceberg") return undefined;
    const database = lake.database(Zone.PROCESSED).name;
    return { database, name: this.table, location: this.location(Zone.PROCESSED), writeMode, orderColumn };
  }

  private outputs(): S3Location[] {
    const rows = [this.location(Zone.PROCESSED), this.location(Zone.QUARANTINE), this.refused];
    const written = [...rows, this.books];
    return this.wiring.aggregateTable === undefined ? written : [...written, this.location(Zone.CURATED)];
  }

  /** Tables whose partitions are the job's to register: they are declared, and nobody crawls them. */
  private registeredTables(): [zone: Zone.PROCESSED | Zone.CURATED, table: string][] {
    const { aggregateTable } = this.wiring;
    return [
      ...(this.published === "declared" ? [[Zone.PROCESSED, this.table] as [Zone.PROCESSED, string]] : []),
      ...(aggregateTable === undefined ? [] : [[Zone.CURATED, aggregateTable] as [Zone.CURATED, string]]),
    ];
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
      ...this.refusedArguments(),
      ...this.curatedArguments(),
    };
  }

  private refusedArguments(): Record<string, string> {
    const { lake, workgroup, showValuesInMessages } = this.props;
    return {
      refused_bucket: this.refused.bucketName,
      refused_prefix: this.refused.prefix,
      refused_database: lake.database(Zone.QUARANTINE).name,
      refused_table: this.refusedTable,
      refused_days: String(lake.refusedDays),
      workgroup: workgroup.workgroupName,
      show_values: String(showValuesInMessages),
    };
  }

  private curatedArguments(): Record<string, string> {
    const { lake } = this.props;
    const curated = {
      curated_bucket: lake.bucket(Zone.CURATED).bucketName,
      curated_prefix: this.prefix,
    };
    const tables = this.registeredTables().flatMap(([zone, table]) => {
      const name = zone === Zone.PROCESSED ? "output" : "curated";
      return [[`${name}_database`, lake.database(zone).name] as const, [`${name}_table`, table] as const];
    });
    const { aggregateTable } = this.wiring;
    return { ...(aggregateTable === undefined ? {} : curated), ...Object.fromEntries(tables) };
  }

  private declareTables(): void {
    const { props, prefix, table, wiring } = this;
    const { output, aggregate } = this.tables;
    const at = (zone: Zone, name: string) => ({ lake: props.lake, zone, prefix, name });
    declareQuarantine(this, at(Zone.QUARANTINE, table));
    declareRefused(this, { ...at(Zone.QUARANTINE, this.refusedTable), prefix: this.refused.prefix });
    if (this.published === "declared") {
      const place = at(Zone.PROCESSED, table);
      declareTable(this, "ProcessedTable", place, output, `What the ${table} job publishes`);
    }
    if (aggregate !== undefined && wiring.aggregateTable !== undefined) {
      const place = at(Zone.CURATED, wiring.aggregateTable);
      declareTable(this, "CuratedTable", place, aggregate, `What the ${table} job adds up`);
    }
  }

  private defineOrchestrator(): EtlOrchestrator {
    const { props, wiring } = this;
    const orchestrator = new EtlOrchestrator(this, "Orchestrator", {
      name: props.name,
      pipeline: wiring.pipeline,
      environment: props.environment,
      steps: this.steps(),
      notifications: props.notifications,
      failureMessenger: props.failureMessenger,
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
      ...(this.processedCrawler === undefined
        ? []
        : [Step.crawl("CrawlProcessed", { ...this.processedCrawler, deadlineMinutes })]),
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
}

/** The folder of refused rows lies beside those of pipelines, and their tables end like it. */
function refuseName(scope: Construct, pipeline: string): void {
  if (!/(^|[-_])refused$/.test(pipeline)) return;
  throw new Error(
    `Pipeline '${scope.node.path}': 'pipeline' must not be or end with 'refused', which names the place of refused rows, got '${pipeline}'; rename it`,
  );
}
