import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Construct } from "constructs";
import { type Mart, martText, readMart } from "../../contracts/marts";
import { ArtifactText } from "../../modules/artifacts/artifact-text";
import { GLUE_SCRIPTS } from "../../modules/artifacts/glue-scripts";
import { readJson, sentence } from "../../modules/contract-plan/plan-files";
import type { ExecutionClass } from "../../modules/core/job-runs";
import { type Mistake, shownPath } from "../../modules/core/refusals";
import type { Run } from "../../modules/core/run";
import type { S3Location } from "../../modules/core/s3-location";
import { Zone } from "../../modules/data-lake/zone";
import { EtlOrchestrator } from "../../modules/etl-orchestrator/etl-orchestrator";
import type { RunOverrides } from "../../modules/etl-orchestrator/run-overrides";
import { LOCK_ARGUMENTS, RUN_ARGUMENTS, Step } from "../../modules/etl-orchestrator/step";
import { GlueSparkJob } from "../../modules/glue-spark-job/glue-spark-job";
import type { WorkerType } from "../../modules/glue-spark-job/job-capacity";
import type { PipelineAlarms } from "../../modules/pipeline-alarms/pipeline-alarms";
import type { PipelineSchedule } from "../../modules/pipeline-schedule/pipeline-schedule";
import { defineAlarms, defineSchedule, type PipelineAlarmSettings } from "../contract-pipeline/watching";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import { lagMistakes, nameMistakes } from "../pipeline-mistakes";
import { Steps } from "../steps";
import type { Table } from "../table";
import { DEFAULT_LAG_DAYS, DEFAULT_TIME_ZONE, type ScheduleTrigger } from "../trigger";

/** A mart: its platform, its file, and changes from the defaults. */
export interface ModelPipelineProps {
  /** Shared with the other pipelines of its environment. */
  readonly platform: EtlPlatform;
  /** Lower-case words joined by hyphens: the name of its lock and of its folder in the curated zone. */
  readonly pipeline: string;
  /** Absolute path of the declaration, `<pipeline>.mart.json`. Each `<table>.sql` beside it is the SELECT of a table. */
  readonly martFile: string;
  /**
   * Input tables that do not lie where pipelines of this platform put theirs: the folder of the zone that is named like the table, with hyphens.
   * @default - none
   */
  readonly inputTables?: readonly Pick<Table, "zone" | "name" | "location">[];
  /**
   * The clock that starts runs.
   * @default - runs are started by hand
   */
  readonly schedule?: ScheduleTrigger;
  /** @default - the defaults of each */
  readonly alarms?: PipelineAlarmSettings;
  /** @default - the description of the mart */
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

const DEFAULT_JOB_TIMEOUT_MINUTES = 60;
/** The zones that marts read. */
const ZONES = { processed: Zone.PROCESSED, curated: Zone.CURATED } as const;

/**
 * Tables become the tables of a mart, in the curated zone, as Iceberg. A run validates its input, acquires the lock, runs the job, checks the
 * books, releases the lock, records metrics and notifies. The job reads each input at one snapshot, and may read nothing else.
 *
 * @throws Error naming every mistake in the declaration and the props, before anything is created
 */
export class ModelPipeline extends Construct {
  /** The name that it was given. */
  readonly pipeline: string;
  /** The job of a run, and the folder of the books that it writes. */
  readonly task: { readonly job: GlueSparkJob; readonly jobName: string; readonly books: S3Location };
  /** The tables of the mart, in the order in which they are published. */
  readonly tables: readonly Table[];
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
    private readonly props: ModelPipelineProps,
  ) {
    super(scope, id);
    const mart = this.refuse();

    const { platform, pipeline, schedule } = props;
    this.pipeline = pipeline;
    this.name = `${platform.name}-${pipeline}`;
    this.tables = mart.tables.map(({ name }) => this.decideTable(name));
    const books = platform.lake.location(Zone.PROCESSED, `books/${pipeline}/`);

    const jobName = `${this.name}-mart`;
    this.task = { job: this.defineJob(jobName, mart, books), jobName, books };
    this.orchestrator = this.defineOrchestrator(mart);

    const { run, crawlStateMachineName } = this.orchestrator;
    this.run = run;
    const watched = { platform, pipeline, name: this.name, hasSources: false, run, crawlStateMachineName };
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

  private refuse(): Mart {
    const { pipeline, schedule, martFile, inputTables = [] } = this.props;
    const { name, document, mistakes: unreadable } = readJson(martFile);
    const { mart, mistakes } = readMart({ document, selects: selectsBeside(martFile, document) });
    const all = [
      ...nameMistakes(pipeline),
      ...lagMistakes(schedule?.lagDays),
      ...sentence(name, unreadable.length > 0 ? unreadable : mistakes),
      ...sentence("'inputTables'", inputMistakes(mart, inputTables)),
    ];
    if (all.length > 0) throw new Error(`Mart '${shownPath(this.node.path)}': ${all.join("; ")}`);
    return mart;
  }

  private decideTable(name: string): Table {
    const { lake } = this.props.platform;
    return {
      ...{ zone: Zone.CURATED, name, database: lake.database(Zone.CURATED).name },
      location: lake.location(Zone.CURATED, `${this.pipeline}/${name}/`),
      registeredBy: "iceberg",
      writeMode: "rebuild",
    };
  }

  /** The place of each input, and its name in the catalogue. */
  private decideInputs({ inputs }: Mart) {
    const { platform, inputTables = [] } = this.props;
    const { lake } = platform;
    return inputs.map(({ table, zone }) => {
      const given = inputTables.find((one) => one.name === table && one.zone === ZONES[zone]);
      const location = given?.location ?? lake.location(ZONES[zone], `${table.replaceAll("_", "-")}/`);
      return { location, database: lake.database(ZONES[zone]).name, name: table };
    });
  }

  private defineJob(name: string, mart: Mart, books: S3Location): GlueSparkJob {
    const { platform, pipeline, schedule, ...props } = this.props;
    const { lake, locks, account, region } = platform;
    const artifacts = lake.location(Zone.ARTIFACTS, props.artifactsPrefix ?? `${pipeline}/`);
    const output = lake.location(Zone.CURATED, `${pipeline}/`);
    const inputs = this.decideInputs(mart);
    const compiled = new ArtifactText(this, "Mart", {
      name: `${pipeline}.mart.json`,
      text: martText(mart),
      artifacts,
      prefix: "marts/",
    });
    const job = new GlueSparkJob(this, "Job", {
      name,
      description: props.description ?? mart.description ?? `Makes the tables of ${pipeline} of other tables`,
      script: join(GLUE_SCRIPTS.jobs, "make_mart.py"),
      modules: GLUE_SCRIPTS.etl,
      artifacts,
      temporary: lake.location(Zone.ARTIFACTS, `temp/${name}/`),
      inputs: inputs.map(({ location }) => location),
      files: [compiled],
      outputs: [output, books],
      icebergTables: { warehouse: output, reads: inputs, writes: this.tables },
      arguments: {
        pipeline,
        mart_uri: compiled.uri,
        source_database: lake.database(Zone.PROCESSED).name,
        output_database: lake.database(Zone.CURATED).name,
        output_bucket: output.bucketName,
        output_prefix: output.prefix,
        books_bucket: books.bucketName,
        books_prefix: books.prefix,
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
    locks.grantFence(job.role, pipeline);
    return job;
  }

  private defineOrchestrator({ tables }: Mart): EtlOrchestrator {
    const { platform, steps } = this.props;
    const all = new Steps(this.defaultSteps(tables.map(({ name }) => name)));
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

  /** Each table balances by itself: the rows that were made are those that lie in it. */
  private defaultSteps(sources: readonly string[]): Step[] {
    const { locks: table } = this.props.platform;
    const { job, books } = this.task;
    const runArguments = { ...RUN_ARGUMENTS, ...LOCK_ARGUMENTS };
    return [
      Step.acquireLock("AcquireLock", { table }),
      Step.runJob("RunJob", { ...job, runArguments, overrides: this.props.runOverrides }),
      Step.checkBooks("CheckBooks", { books, emptyGoesTo: "ReleaseLock", sources }),
      Step.releaseLock("ReleaseLock", { table }),
      Step.recordMetrics("RecordMetrics", {}),
      Step.notify("Notify", { hasSources: true }),
    ];
  }
}

/** The text of each `<table>.sql` beside the declaration. */
function selectsBeside(martFile: string, document: unknown): Record<string, string> {
  const tables = (document as { tables?: unknown } | undefined)?.tables;
  if (typeof tables !== "object" || tables === null) return {};
  const files = Object.keys(tables).map((name) => [name, join(dirname(martFile), `${name}.sql`)] as const);
  const found = files.filter(([name, file]) => /^[a-z_0-9]+$/.test(name) && existsSync(file));
  return Object.fromEntries(found.map(([name, file]) => [name, readFileSync(file, "utf8")]));
}

function inputMistakes({ inputs }: Mart, given: readonly Pick<Table, "zone" | "name">[]): Mistake[] {
  return given
    .filter(({ name, zone }) => !inputs.some((one) => one.table === name && ZONES[one.zone] === zone))
    .map(({ name }) => ["", `has ${name}, which the mart does not read: leave it out`] as const);
}
