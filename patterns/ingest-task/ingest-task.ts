import { join } from "node:path";
import { Construct } from "constructs";
import type { ContractTables } from "../../contracts/contract-tables";
import type { CurrentView } from "../../contracts/current-view";
import { type Model, modelsText, modelTable } from "../../contracts/models";
import type { QualityQuery } from "../../contracts/quality-query";
import { ArtifactText } from "../../modules/artifacts/artifact-text";
import { GLUE_SCRIPTS } from "../../modules/artifacts/glue-scripts";
import { CatalogView } from "../../modules/catalog-view/catalog-view";
import { ContractPlan } from "../../modules/contract-plan/contract-plan";
import type { ExecutionClass } from "../../modules/core/job-runs";
import { partitionOf } from "../../modules/core/partition";
import { type WorkflowAttributes, workflowArn } from "../../modules/core/run";
import type { S3Location } from "../../modules/core/s3-location";
import type { TableFormat, WriteMode } from "../../modules/core/write-modes";
import { REFUSED_PREFIX } from "../../modules/data-lake/data-lake";
import { Zone } from "../../modules/data-lake/zone";
import { DataQuality } from "../../modules/data-quality/data-quality";
import { GlueSparkJob } from "../../modules/glue-spark-job/glue-spark-job";
import type { WorkerType } from "../../modules/glue-spark-job/job-capacity";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import type { DeliveriesSource } from "../source";
import type { Table } from "../table";
import type { Task } from "../task";
import { declareQuarantine, declareRefused, declareTable } from "./declared-tables";

/** How the job of a task runs and writes. */
export interface IngestJobProps {
  /**
   * The folder of the deliveries in the raw zone, where it has another name than the pipeline; ends in a slash.
   * @default - the pipeline's name and a slash
   */
  readonly deliveriesFolder?: string;
  /**
   * `false`: nobody crawls the deliveries, so no run says how their columns differ from the contract. Each run still judges every file and row.
   * @default true
   */
  readonly crawlRaw?: boolean;
  /** @default - says that it checks, quarantines, deduplicates and rebuilds */
  readonly description?: string;
  /**
   * The job's physical name behind the platform's.
   * @default - the pipeline's name and "-transform"
   */
  readonly jobName?: string;
  /** @default "G.1X" */
  readonly workerType?: WorkerType;
  /**
   * The most workers, of which one is the driver; 2 to 299.
   * @default 2
   */
  readonly maxWorkers?: number;
  /**
   * The job's time-out, minutes; 1 to 10079.
   * @default 60
   */
  readonly jobTimeoutMinutes?: number;
  /**
   * `FLEX` puts cost before latency: spare capacity, workers G.1X and G.2X.
   * @default "STANDARD"
   */
  readonly executionClass?: ExecutionClass;
  /**
   * `true`: a run waits while the account has no room for it. Not with FLEX.
   * @default false
   */
  readonly jobRunQueuingEnabled?: boolean;
  /**
   * How many runs of the job may work at once; more than 1 for a job that merges only.
   * @default 1
   */
  readonly maxConcurrentRuns?: number;
  /**
   * `iceberg`: the job makes the published table, and nobody crawls it.
   * @default "parquet"
   */
  readonly tableFormat?: TableFormat;
  /**
   * All but `rebuild` need Iceberg (docs/decisions/09). `changes` keeps every version of each key, as the contract's `x-etl.changes` says,
   * and declares a view `<table>_current` of the present.
   * @default "rebuild"
   */
  readonly writeMode?: WriteMode;
  /**
   * With `merge`: the column that says which row of a key is the latest, or `run_date` for the row of the latest delivery.
   * @default - the contract's `orderColumn`
   */
  readonly orderColumn?: string;
  /**
   * Name of the table of the contract's aggregate, in the curated zone.
   * @default - none; a contract with an aggregate needs one
   */
  readonly aggregateTable?: string;
  /**
   * Absolute paths of models, `<table>.model.json` with the SELECT beside it in `<table>.sql`: tables in the curated zone that a run recomputes
   * after it has published, for the dates that it touches.
   * @default - none
   */
  readonly models?: readonly string[];
  /**
   * `true`: a crawler registers the published table after each job run. Otherwise the pipeline declares it.
   * @default false
   */
  readonly crawlProcessed?: boolean;
  /**
   * The prefix of scripts, modules and plan in the artifacts zone. An S3 object belongs to one construct, which deletes it when it
   * goes, so pipelines need prefixes of their own.
   * @default - the pipeline's name and a slash
   */
  readonly artifactsPrefix?: string;
}

export const DEFAULT_JOB_TIMEOUT_MINUTES = 60;

/** The files of a pipeline, judged already. */
export interface JudgedFiles {
  /** The tables that the contract makes. */
  readonly tables: ContractTables;
  /** The present of a table of every version. */
  readonly current?: CurrentView;
  /** The models of the published table. */
  readonly models: readonly Model[];
}

/** The name of a pipeline's table: a crawler names the table of a folder like this. */
export const tableNameOf = (pipeline: string): string => pipeline.replaceAll("-", "_");

/** A pipeline makes them of its own props. */
interface IngestTaskProps extends Omit<IngestJobProps, "models"> {
  /** Shared with other tasks. */
  readonly platform: EtlPlatform;
  /** The pipeline's name. */
  readonly pipeline: string;
  /** Absolute path of the contract. */
  readonly contractFile: string;
  /** Absolute path of the quality rules. */
  readonly rulesFile: string;
  /** The contract's tables, and the models. */
  readonly judged: JudgedFiles;
  /** The zone in which the scheduled time of a run is read. */
  readonly timeZone: string;
  /** How many days before the scheduled time of a run its delivery date lies. */
  readonly lagDays: number;
  /** The Glue workflow that runs the job: then the job holds the lock and checks its books. */
  readonly workflow: WorkflowAttributes | undefined;
}

/** One contract's deliveries become one table: the job, its files and rights, and the tables it writes. */
export class IngestTask extends Construct implements Task {
  /** Sources become one table. */
  readonly kind = "ingest";
  /** The deliveries: one place, or each of the contract's sources in its order. */
  readonly sources: readonly DeliveriesSource[];
  /** The published table. */
  readonly table: Table;
  /** The table of the contract's aggregate, if it has one. */
  readonly aggregate?: Table;
  /** The tables of its models. */
  readonly models: readonly Table[];
  /** The folder of the books that the job writes. */
  readonly books: S3Location;
  /** The job of a run. */
  readonly job: GlueSparkJob;
  /** The rules, which the job and a query judge by. */
  readonly quality: DataQuality;
  private currentView?: CatalogView;
  private readonly prefix: string;
  private readonly deliveries: string;
  private readonly artifacts: S3Location;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: IngestTaskProps,
  ) {
    super(scope, id);
    const { pipeline, platform } = props;
    this.prefix = `${pipeline}/`;
    this.deliveries = props.deliveriesFolder ?? this.prefix;
    this.artifacts = platform.lake.location(Zone.ARTIFACTS, props.artifactsPrefix ?? this.prefix);
    this.books = platform.lake.location(Zone.PROCESSED, `books/${this.prefix}`);
    this.sources = this.decideSources();
    this.table = this.decideTable();
    this.aggregate = this.decideAggregate();
    this.models = props.judged.models.map(({ name }) => this.decideModel(name));

    this.quality = this.defineQuality();
    this.job = this.defineJob();
  }

  /** Physical name of the job, as given, so that a plan knows it. */
  get jobName(): string {
    const { platform, pipeline, jobName = `${pipeline}-transform` } = this.props;
    return `${platform.name}-${jobName}`;
  }

  /** The view of the present, `<table>_current`; only where the table holds every version. */
  get current(): CatalogView | undefined {
    return this.currentView;
  }

  /** The query that judges what readers see. */
  get qualityQuery(): QualityQuery {
    return this.quality.query;
  }

  /** Defines the tables that are declared; apart from the constructor, because a plan lists them behind the crawlers. */
  declareTables(): void {
    const { lake } = this.props.platform;
    const { output, aggregate } = this.props.judged.tables;
    const { name } = this.table;
    const rejects = { lake, zone: Zone.QUARANTINE, prefix: this.prefix, name };
    const { hasNamedSources } = this;
    declareQuarantine(this, rejects, hasNamedSources);
    declareRefused(
      this,
      { ...rejects, prefix: this.refused.prefix, name: this.refusedTable },
      hasNamedSources,
    );
    if (this.table.registeredBy === "declaration")
      declareTable(
        this,
        "ProcessedTable",
        this.placeOf(this.table),
        output,
        `What the ${name} job publishes`,
      );
    if (aggregate !== undefined && this.aggregate !== undefined)
      declareTable(
        this,
        "CuratedTable",
        this.placeOf(this.aggregate),
        aggregate,
        `What the ${name} job adds up`,
      );
    this.declareCurrent();
    for (const model of this.props.judged.models) {
      const { columns, partitionKeys } = modelTable(model);
      const place = { lake, zone: Zone.CURATED, prefix: `${model.name}/`, name: model.name };
      const description = model.description ?? `What the ${name} job recomputes by ${model.by}`;
      declareTable(this, `ModelTable-${model.name}`, place, { columns, partitionKeys }, description);
    }
  }

  /** The present of a table of every version, for queries. */
  private declareCurrent(): void {
    const { platform, judged } = this.props;
    if (judged.current === undefined) return;
    const { name, zone } = this.table;
    this.currentView = new CatalogView(this, "CurrentView", {
      name: `${name}_current`,
      description: `The present of ${name}: the last version of each key that is not deleted`,
      database: platform.lake.database(zone),
      ...judged.current,
    });
  }

  private placeOf({ zone, name }: Table) {
    return { lake: this.props.platform.lake, zone, prefix: this.prefix, name };
  }

  /** Rejected rows of refused runs lie apart from the quarantine, whose readers must not see them. */
  private get refused(): S3Location {
    return this.props.platform.lake.location(Zone.QUARANTINE, `${REFUSED_PREFIX}${this.prefix}`);
  }

  private get refusedTable(): string {
    return `${this.table.name}_refused`;
  }

  private get tableName(): string {
    return tableNameOf(this.props.pipeline);
  }

  private get hasNamedSources(): boolean {
    return this.sources.some(({ name }) => name !== undefined);
  }

  private decideSources(): DeliveriesSource[] {
    const { lake } = this.props.platform;
    const database = lake.database(Zone.RAW).name;
    return this.props.judged.tables.sources.map(({ name, folder, layout, table, refusesStrangers }) => ({
      kind: "deliveries",
      name,
      layout,
      location: lake.location(Zone.RAW, `${this.deliveries}${folder}`),
      ...(refusesStrangers === true ? { refusesStrangers } : {}),
      database,
      table: name === undefined ? this.tableName : `${this.tableName}_${table}`,
    }));
  }

  private decideTable(): Table {
    const { tableFormat, writeMode = "rebuild", crawlProcessed = false } = this.props;
    const parquet = crawlProcessed ? "crawler" : "declaration";
    const registeredBy = tableFormat === "iceberg" ? "iceberg" : parquet;
    return { ...this.tableIn(Zone.PROCESSED, this.tableName), registeredBy, writeMode };
  }

  private decideAggregate(): Table | undefined {
    const { aggregateTable } = this.props;
    if (aggregateTable === undefined) return undefined;
    return {
      ...this.tableIn(Zone.CURATED, aggregateTable),
      registeredBy: "declaration",
      writeMode: "rebuild",
    };
  }

  /** A model's files lie in a folder of its own name. */
  private decideModel(name: string): Table {
    const { lake } = this.props.platform;
    return {
      ...this.tableIn(Zone.CURATED, name),
      location: lake.location(Zone.CURATED, `${name}/`),
      registeredBy: "declaration",
      writeMode: "rebuild",
    };
  }

  private tableIn(zone: Zone.PROCESSED | Zone.CURATED, name: string) {
    const { lake } = this.props.platform;
    return { zone, name, database: lake.database(zone).name, location: lake.location(zone, this.prefix) };
  }

  /** The rules that the job applies before it writes, as a query over what readers see. */
  private defineQuality(): DataQuality {
    const { lake } = this.props.platform;
    const { database, name } = this.table;
    return new DataQuality(this, "Quality", {
      rulesFile: this.props.rulesFile,
      contractFile: this.props.contractFile,
      table: { database, name },
      quarantineTable: { database: lake.database(Zone.QUARANTINE).name, name },
    });
  }

  private defineJob(): GlueSparkJob {
    const { props, artifacts } = this;
    const { platform, pipeline, workerType = "G.1X", maxWorkers = 2 } = props;
    const { lake, account, region } = platform;
    const name = this.jobName;
    const { contractFile, rulesFile } = props;
    const plan = new ContractPlan(this, "Plan", { contractFile, rulesFile, artifacts });
    const models = this.defineModels();
    const job = new GlueSparkJob(this, "Transform", {
      name,
      description:
        props.description ??
        `Checks, quarantines, deduplicates and rebuilds the ${pipeline} of the delivery dates it is given`,
      script: join(GLUE_SCRIPTS.jobs, "transform_deliveries.py"),
      modules: GLUE_SCRIPTS.etl,
      artifacts,
      temporary: lake.location(Zone.ARTIFACTS, `temp/${name}/`),
      // The folder of all sources, because the job names what lies beside theirs.
      inputs: [lake.location(Zone.RAW, this.deliveries)],
      jars: this.jars(),
      files: models === undefined ? [plan] : [plan, models],
      outputs: this.outputs(),
      arguments: { ...this.jobArguments(plan), ...this.modelArguments(models) },
      glueVersion: platform.glueVersion,
      capacity: { kind: "autoScaling", workerType, maxWorkers },
      timeoutMinutes: props.jobTimeoutMinutes ?? DEFAULT_JOB_TIMEOUT_MINUTES,
      icebergTable: this.icebergTable(),
      executionClass: props.executionClass,
      jobRunQueuingEnabled: props.jobRunQueuingEnabled,
      maxConcurrentRuns: props.maxConcurrentRuns,
      securityConfiguration: platform.securityConfiguration,
      logRetentionDays: platform.logRetentionDays,
      account,
      region,
    });
    this.grantLock(job);
    if (this.isRawCrawled)
      for (const { table } of this.sources) lake.grantDescribeTable(job.role, Zone.RAW, table);
    for (const table of [...this.declaredTables(), ...this.models])
      lake.grantRegisterPartitions(job.role, table.zone, table.name);
    return job;
  }

  private get isRawCrawled(): boolean {
    return this.props.crawlRaw !== false;
  }

  /** Spark 3.5 reads XML with a jar that Glue does not have. */
  private jars(): string[] | undefined {
    const { judged, platform } = this.props;
    const hasXml = judged.tables.sources.some(({ isXml }) => isXml === true);
    return hasXml && platform.glueVersion === "5.1" ? [GLUE_SCRIPTS.sparkXml] : undefined;
  }

  /** Without a step for it the job holds the lock itself, and asks whether another owner is still at work. */
  private grantLock(job: GlueSparkJob): void {
    const { platform, pipeline, workflow } = this.props;
    if (workflow === undefined) {
      platform.locks.grantFence(job.role, pipeline);
      return;
    }
    const { region, account, name } = workflow;
    const partition = partitionOf(region);
    platform.locks.grantHold(job.role, pipeline);
    job.role.addToPolicy(
      {
        actions: ["glue:GetJobRun"],
        resources: [`arn:${partition}:glue:${region}:${account}:job/${this.jobName}`],
      },
      {
        actions: ["states:DescribeExecution"],
        resources: [`arn:${partition}:states:${region}:${account}:execution:${name}:*`],
      },
    );
  }

  private icebergTable() {
    const { database, name, location, writeMode, registeredBy } = this.table;
    if (registeredBy !== "iceberg") return undefined;
    return { database, name, location, writeMode, orderColumn: this.props.orderColumn };
  }

  private outputs(): S3Location[] {
    const { lake } = this.props.platform;
    const quarantine = lake.location(Zone.QUARANTINE, this.prefix);
    const written = [this.table.location, quarantine, this.refused, this.books];
    const curated = [this.aggregate, ...this.models].filter((table) => table !== undefined);
    return [...written, ...curated.map(({ location }) => location)];
  }

  /** The job registers the partitions of what is declared. */
  private declaredTables(): Table[] {
    return [this.table, this.aggregate].filter(
      (table): table is Table => table?.registeredBy === "declaration",
    );
  }

  private jobArguments(plan: ContractPlan): Record<string, string> {
    const { platform, pipeline, timeZone, lagDays } = this.props;
    const { lake, locks } = platform;
    return {
      pipeline,
      source_bucket: lake.bucket(Zone.RAW).bucketName,
      source_prefix: this.deliveries,
      output_bucket: this.table.location.bucketName,
      output_prefix: this.prefix,
      quarantine_bucket: lake.bucket(Zone.QUARANTINE).bucketName,
      quarantine_prefix: this.prefix,
      books_bucket: this.books.bucketName,
      books_prefix: this.books.prefix,
      plan_uri: plan.uri,
      ...this.crawledArguments(),
      lock_table: locks.tableName,
      ...(this.props.workflow === undefined ? {} : { workflow_arn: workflowArn(this.props.workflow) }),
      time_zone: timeZone,
      lag_days: String(lagDays),
      ...this.refusedArguments(),
      ...this.curatedArguments(),
    };
  }

  /** The tables of crawls; the job adds to the name what the plan says of each source. */
  private crawledArguments(): Record<string, string> {
    if (!this.isRawCrawled) return {};
    const { name } = this.props.platform.lake.database(Zone.RAW);
    return { source_database: name, source_table: this.tableName };
  }

  /** The models as the job loads them. */
  private defineModels(): ArtifactText | undefined {
    const { pipeline, judged } = this.props;
    if (judged.models.length === 0) return undefined;
    return new ArtifactText(this, "Models", {
      name: `${pipeline}.models.json`,
      text: modelsText(judged.models),
      artifacts: this.artifacts,
      prefix: "models/",
    });
  }

  private modelArguments(models: ArtifactText | undefined): Record<string, string> {
    const [first] = this.models;
    if (models === undefined || first === undefined) return {};
    return {
      models_uri: models.uri,
      models_bucket: first.location.bucketName,
      models_database: first.database,
    };
  }

  private refusedArguments(): Record<string, string> {
    const { lake, workgroup, showValuesInMessages } = this.props.platform;
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
    const { aggregate } = this;
    const tables = this.declaredTables().flatMap(({ zone, database, name }) => {
      const layer = zone === Zone.PROCESSED ? "output" : "curated";
      return [[`${layer}_database`, database] as const, [`${layer}_table`, name] as const];
    });
    const place: Record<string, string> =
      aggregate === undefined
        ? {}
        : { curated_bucket: aggregate.location.bucketName, curated_prefix: this.prefix };
    return { ...place, ...Object.fromEntries(tables) };
  }
}
