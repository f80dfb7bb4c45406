import { join } from "node:path";
import { Construct } from "constructs";
import {
  deliveredColumns,
  type Extract,
  type ExtractTable,
  extractText,
  readExtract,
} from "../../contracts/extracts";
import { ArtifactText } from "../../modules/artifacts/artifact-text";
import { GLUE_SCRIPTS } from "../../modules/artifacts/glue-scripts";
import { CatalogTable } from "../../modules/catalog-table/catalog-table";
import { readJson, sentence } from "../../modules/contract-plan/plan-files";
import type { ExecutionClass } from "../../modules/core/job-runs";
import { shownPath } from "../../modules/core/refusals";
import type { Run } from "../../modules/core/run";
import type { S3Location } from "../../modules/core/s3-location";
import { Zone } from "../../modules/data-lake/zone";
import { EtlOrchestrator } from "../../modules/etl-orchestrator/etl-orchestrator";
import type { RunOverrides } from "../../modules/etl-orchestrator/run-overrides";
import { LOCK_ARGUMENTS, RUN_ARGUMENTS, Step } from "../../modules/etl-orchestrator/step";
import type { JdbcEngine } from "../../modules/glue-connection/jdbc-url";
import { encryptStatements } from "../../modules/iam/s3-actions";
import { GlueSparkJob } from "../../modules/glue-spark-job/glue-spark-job";
import type { WorkerType } from "../../modules/glue-spark-job/job-capacity";
import type { IGlueConnection } from "../../modules/glue-spark-job/job-connections";
import type { PipelineAlarms } from "../../modules/pipeline-alarms/pipeline-alarms";
import type { PipelineSchedule } from "../../modules/pipeline-schedule/pipeline-schedule";
import { defineAlarms, defineSchedule, type PipelineAlarmSettings } from "../contract-pipeline/watching";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import { lagMistakes, nameMistakes } from "../pipeline-mistakes";
import { Steps } from "../steps";
import { DEFAULT_LAG_DAYS, DEFAULT_TIME_ZONE, type ScheduleTrigger } from "../trigger";

/** A connection to a database, of an engine that an extract reads. */
export interface DatabaseConnection extends IGlueConnection {
  /** The kind of database. */
  readonly engine: JdbcEngine;
}

/** An extract: its platform, its file, its connection, and changes from the defaults. */
export interface DatabaseExtractProps {
  /** Shared with the other pipelines of its environment. */
  readonly platform: EtlPlatform;
  /** Lower-case words joined by hyphens: the name of its lock and of its folder in the raw zone; with underscores, the start of its tables. */
  readonly pipeline: string;
  /** Absolute path of the declared tables, `<pipeline>.extract.json`. */
  readonly extractFile: string;
  /** The connection to the database, e.g. a `GlueConnection`; of PostgreSQL. */
  readonly connection: DatabaseConnection;
  /**
   * The clock that starts runs.
   * @default - runs are started by hand
   */
  readonly schedule?: ScheduleTrigger;
  /** @default - the defaults of each */
  readonly alarms?: PipelineAlarmSettings;
  /** @default - says that it copies the tables of a database */
  readonly description?: string;
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
   * Overrides of the job's settings, for the pipeline's runs only.
   * @default - nothing
   */
  readonly runOverrides?: RunOverrides;
  /**
   * The prefix of scripts and modules in the artifacts zone.
   * @default - the pipeline's name and a slash
   */
  readonly artifactsPrefix?: string;
  /**
   * Changes the flow by the names of its steps: AcquireLock, RunJob, CheckBooks, ReleaseLock, RecordMetrics, Notify.
   * @default - the flow as it is
   */
  readonly steps?: (steps: Steps) => Steps;
}

/** The first day that a delivery may have. */
const FIRST_DAY = "2000-01-01";
const DEFAULT_JOB_TIMEOUT_MINUTES = 60;

/**
 * Tables of a database become deliveries in the raw zone, `<pipeline>/<table>/dt=YYYY-MM-DD/` of Parquet: one a table and run date, all read at one
 * point in time. A run validates its input, acquires the lock, runs the job, checks the books, releases the lock, records metrics and
 * notifies. The tables are declared, and so nobody crawls the database or the deliveries.
 *
 * @throws Error naming every mistake in the declared tables and the props, before anything is created
 */
export class DatabaseExtract extends Construct {
  /** The name that it was given. */
  readonly pipeline: string;
  /** The job of a run, and the folder of the books that it writes. */
  readonly task: { readonly job: GlueSparkJob; readonly jobName: string; readonly books: S3Location };
  /** The names of the deliveries' tables in the raw zone, by those of the database. */
  readonly tables: Readonly<Record<string, string>>;
  /** Its runs. */
  readonly run: Run;
  /** The state machine: `aliasArn` is what starts a run. */
  readonly orchestrator: EtlOrchestrator;
  /** Only with a schedule. */
  readonly schedule?: PipelineSchedule;
  /** The alarms of its runs. */
  readonly alarms: PipelineAlarms;
  private readonly name: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: DatabaseExtractProps,
  ) {
    super(scope, id);
    const extract = this.refuse();

    const { platform, pipeline, schedule } = props;
    this.pipeline = pipeline;
    this.name = `${platform.name}-${pipeline}`;
    const books = platform.lake.location(Zone.PROCESSED, `books/${pipeline}/`);

    const jobName = `${this.name}-extract`;
    this.task = { job: this.defineJob(jobName, extract, books), jobName, books };
    this.tables = this.declareTables(extract.tables);
    this.orchestrator = this.defineOrchestrator(extract.tables);

    const { run, crawlStateMachineName } = this.orchestrator;
    this.run = run;
    const watched = { platform, pipeline, name: this.name, hasSources: true, run, crawlStateMachineName };
    if (schedule !== undefined) this.schedule = defineSchedule(this, watched, schedule);
    this.alarms = defineAlarms(this, watched, props.alarms ?? {}, this.schedule);
  }

  /** DPU-hours that one run is billed at most: as the job says, or as the state machine starts it if that is more. */
  get maxDpuHoursPerRun(): number | undefined {
    const { job } = this.task;
    const hours = [job.maxDpuHoursPerRun, this.orchestrator.maxDpuHoursPerRun[job.jobName]];
    const known = hours.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  }

  private refuse(): Extract {
    const { pipeline, schedule, extractFile, connection } = this.props;
    const { name, document, mistakes: unreadable } = readJson(extractFile);
    const { extract, mistakes } = readExtract(document);
    const all = [
      ...nameMistakes(pipeline),
      ...lagMistakes(schedule?.lagDays),
      ...(connection.engine === "postgresql"
        ? []
        : [
            `'connection.engine' must be postgresql, got ${JSON.stringify(connection.engine)}: an extract asks the database for its ` +
              "columns, bounds and sums, and knows the words of PostgreSQL only; write a job of your own with GlueSparkJob",
          ]),
      ...sentence(name, unreadable.length > 0 ? unreadable : mistakes),
    ];
    if (all.length > 0) throw new Error(`Extract '${shownPath(this.node.path)}': ${all.join("; ")}`);
    return extract;
  }

  private defineJob(name: string, extract: Extract, books: S3Location): GlueSparkJob {
    const { platform, pipeline, connection, schedule, ...props } = this.props;
    const { lake, locks, account, region } = platform;
    const artifacts = lake.location(Zone.ARTIFACTS, props.artifactsPrefix ?? `${pipeline}/`);
    const deliveries = lake.location(Zone.RAW, `${pipeline}/`);
    const compiled = new ArtifactText(this, "Extract", {
      name: `${pipeline}.extract.json`,
      text: extractText(extract),
      artifacts,
      prefix: "extracts/",
    });
    const job = new GlueSparkJob(this, "Job", {
      name,
      description:
        props.description ??
        `Copies the tables of ${pipeline} as they are at one point in time, as the deliveries of a date`,
      script: join(GLUE_SCRIPTS.jobs, "extract_tables.py"),
      modules: GLUE_SCRIPTS.etl,
      artifacts,
      temporary: lake.location(Zone.ARTIFACTS, `temp/${name}/`),
      inputs: [],
      files: [compiled],
      outputs: [deliveries],
      connections: [connection],
      arguments: {
        pipeline,
        output_bucket: deliveries.bucketName,
        output_prefix: deliveries.prefix,
        books_bucket: books.bucketName,
        books_prefix: books.prefix,
        extract_uri: compiled.uri,
        connection: connection.connectionName,
        lock_table: locks.tableName,
        time_zone: schedule?.timeZone ?? DEFAULT_TIME_ZONE,
        lag_days: String(schedule?.lagDays ?? DEFAULT_LAG_DAYS),
      },
      glueVersion: platform.glueVersion,
      capacity: {
        kind: "autoScaling",
        workerType: props.workerType ?? "G.1X",
        maxWorkers: props.maxWorkers ?? 2,
      },
      timeoutMinutes: props.jobTimeoutMinutes ?? DEFAULT_JOB_TIMEOUT_MINUTES,
      executionClass: props.executionClass,
      jobRunQueuingEnabled: props.jobRunQueuingEnabled,
      securityConfiguration: platform.securityConfiguration,
      logRetentionDays: platform.logRetentionDays,
      account,
      region,
    });
    // It writes its books, and reads none.
    job.role.addToPolicy(
      { actions: ["s3:PutObject"], resources: [`${books.bucketArn}/${books.prefix}*`] },
      ...encryptStatements(books, region),
    );
    locks.grantFence(job.role, pipeline);
    locks.grantMarks(job.role, pipeline);
    return job;
  }

  /** A delivery is found by its day, so that nobody has to register it. */
  private declareTables(tables: readonly ExtractTable[]): Record<string, string> {
    const { lake } = this.props.platform;
    const names = tables.map((table) => {
      const name = `${this.pipeline.replaceAll("-", "_")}_${table.name}`;
      new CatalogTable(this, `Table-${table.name}`, {
        name,
        description: table.description ?? `The deliveries of ${table.name}, as they were in the database`,
        database: lake.database(Zone.RAW),
        location: lake.location(Zone.RAW, `${this.pipeline}/${table.name}/`),
        columns: deliveredColumns(table),
        partition: { name: "dt", from: FIRST_DAY },
      });
      return [table.name, name] as const;
    });
    return Object.fromEntries(names);
  }

  private defineOrchestrator(tables: readonly ExtractTable[]): EtlOrchestrator {
    const { platform, steps } = this.props;
    const all = new Steps(this.defaultSteps(tables));
    return new EtlOrchestrator(this, "Orchestrator", {
      name: this.name,
      pipeline: this.pipeline,
      environment: platform.environment,
      steps: (steps?.(all) ?? all).all,
      notifications: platform.notifications,
      failureMessenger: platform.failureMessenger,
      runbookUrl: platform.runbookUrl,
      logRetentionDays: platform.logRetentionDays,
      includeExecutionData: platform.logExecutionData,
      account: platform.account,
      region: platform.region,
    });
  }

  /** Each table balances by itself. */
  private defaultSteps(tables: readonly ExtractTable[]): Step[] {
    const { locks: table } = this.props.platform;
    const { job, books } = this.task;
    const runArguments = { ...RUN_ARGUMENTS, ...LOCK_ARGUMENTS };
    const sources = tables.map(({ name }) => name);
    return [
      Step.acquireLock("AcquireLock", { table }),
      Step.runJob("RunJob", { ...job, runArguments, overrides: this.props.runOverrides }),
      Step.checkBooks("CheckBooks", { books, emptyGoesTo: "ReleaseLock", sources }),
      Step.releaseLock("ReleaseLock", { table }),
      Step.recordMetrics("RecordMetrics", { hasSources: true }),
      Step.notify("Notify", { hasSources: true }),
    ];
  }
}
