import { Construct } from "constructs";
import type { ContractSource } from "../../contracts/source-contracts";
import { shownPath } from "../../modules/core/refusals";
import type { S3Location } from "../../modules/core/s3-location";
import { type DatabaseReference } from "../../modules/data-lake/data-lake";
import { Zone } from "../../modules/data-lake/zone";
import { EtlOrchestrator } from "../../modules/etl-orchestrator/etl-orchestrator";
import type { RunOverrides } from "../../modules/etl-orchestrator/run-overrides";
import { LOCK_ARGUMENTS, RUN_ARGUMENTS, Step } from "../../modules/etl-orchestrator/step";
import { GlueCrawler, type GlueCrawlerProps } from "../../modules/glue-crawler/glue-crawler";
import type { PipelineAlarms } from "../../modules/pipeline-alarms/pipeline-alarms";
import type { PipelineSchedule } from "../../modules/pipeline-schedule/pipeline-schedule";
import type { Orchestration } from "../../modules/core/orchestrations";
import type { Run, WorkflowAttributes } from "../../modules/core/run";
import type { GlueWorkflow } from "../../modules/glue-workflow/glue-workflow";
import type { OnCrawl } from "../../modules/glue-workflow/workflow-trigger";
import { DEFAULT_SLOW_FACTOR } from "../../modules/schedules/missed-run";
import type { WorkflowWatcher } from "../workflow-watcher/workflow-watcher";
import { defineWorkflow, upperCamel, type WatchedWorkflow } from "./pipeline-workflow";
import { type TriggerNames, unfitForWorkflow, workflowNodes } from "./unfit-for-workflow";
import type { EtlPlatform } from "../etl-platform/etl-platform";
import { readPipelineFiles } from "../ingest-task/contract-files";
import {
  DEFAULT_JOB_TIMEOUT_MINUTES,
  type IngestJobProps,
  IngestTask,
  type JudgedFiles,
  tableNameOf,
} from "../ingest-task/ingest-task";
import { lagMistakes, nameMistakes } from "../pipeline-mistakes";
import { Steps } from "../steps";
import { DEFAULT_LAG_DAYS, DEFAULT_TIME_ZONE, type ScheduleTrigger } from "../trigger";
import { DEFAULT_USUAL_MINUTES, defineAlarms, defineSchedule, type PipelineAlarmSettings } from "./watching";

/** A pipeline: its platform, its two files, and changes from the defaults. */
export interface ContractPipelineProps extends IngestJobProps {
  /** Shared with the other pipelines of its environment. */
  readonly platform: EtlPlatform;
  /**
   * Lower-case words joined by hyphens: the name of its lock and of its folder in every zone; with underscores, of its table.
   */
  readonly pipeline: string;
  /** Absolute path of the contract, `<pipeline>.schema.json`. */
  readonly contractFile: string;
  /** Absolute path of the quality rules, `<pipeline>.quality.json`. */
  readonly rulesFile: string;
  /**
   * The clock that starts runs.
   * @default - runs are started by hand
   */
  readonly schedule?: ScheduleTrigger;
  /** @default - the defaults of each */
  readonly alarms?: PipelineAlarmSettings;
  /**
   * The orchestrator of its runs: a state machine, or a Glue workflow for teams that stay with Glue's triggers (docs/workflows.md).
   * @default "stepFunctions"
   */
  readonly orchestration?: Orchestration;
  /**
   * With a workflow: the physical names of its triggers behind the platform's, by what they start: the name of a source, or `raw`
   * without one; `job`; `processed`.
   * @default - `<pipeline>-start` for the first, `<pipeline>-<what it starts>-trigger` for others
   */
  readonly triggerNames?: TriggerNames;
  /**
   * With a workflow: `succeeded` lets a failed crawl of deliveries end the run, as triggers of Glue are usually written.
   * @default "ended"
   */
  readonly onCrawl?: OnCrawl;
  /**
   * The ends of the physical names of the crawlers of deliveries, by the contract's sources, e.g. `{ ios: "segmentlogs-IOS" }`.
   * @default - `<pipeline>-raw-<source>`
   */
  readonly rawCrawlerNames?: Readonly<Record<string, string>>;
  /**
   * The physical name of the crawler of the published table behind the platform's, where the table is crawled.
   * @default - `<pipeline>-processed`
   */
  readonly processedCrawlerName?: string;
  /**
   * How long a crawl may take before the run fails, minutes; 1 to 1440.
   * @default 60
   */
  readonly crawlDeadlineMinutes?: number;
  /**
   * Overrides of the job's settings, for the pipeline's runs only.
   * @default - nothing
   */
  readonly runOverrides?: RunOverrides;
  /**
   * Changes the flow by the names of its steps: AcquireLock, CrawlRaw, RunJob, CheckBooks, CrawlProcessed (where the table is crawled),
   * CheckQuality, ReleaseLock, RecordMetrics, Notify. CrawlRaw crawls all sources.
   * @default - the flow as it is
   */
  readonly steps?: (steps: Steps) => Steps;
}

/**
 * A pipeline of one contract: deliveries in the raw zone become one table, checked, without duplicates, judged, watched. A run validates its
 * input, acquires the lock, crawls the deliveries, runs the job, checks the books, crawls the published table (where it is crawled),
 * checks the quality that readers see, releases the lock, records metrics and notifies.
 *
 * A Glue workflow has crawls and jobs only. With `orchestration: "workflow"` the job holds the lock and checks its books, a watcher records
 * metrics and notifies, and nobody queries what readers see.
 *
 * @throws Error naming every mistake in the contract, the quality rules and the props, before anything is created
 */
export class ContractPipeline extends Construct {
  /** The name that it was given. */
  readonly pipeline: string;
  /** The job with its sources and tables. */
  readonly task: IngestTask;
  /** The crawlers of the deliveries, in the order of `task.sources`. */
  readonly rawCrawlers: readonly GlueCrawler[];
  /** Only where the published table is crawled. */
  readonly processedCrawler?: GlueCrawler;
  /** Its runs, whoever orchestrates them. */
  readonly run: Run;
  /** Only where a Glue workflow orchestrates. */
  readonly workflow?: GlueWorkflow;
  /** Reports the workflow's runs. */
  readonly watcher?: WorkflowWatcher;
  /** Only with a schedule and a state machine; a workflow has a trigger for it. */
  readonly schedule?: PipelineSchedule;
  /** The alarms of its runs. */
  readonly alarms: PipelineAlarms;
  private readonly name: string;
  private readonly stateMachine?: EtlOrchestrator;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: ContractPipelineProps,
  ) {
    super(scope, id);
    const judged = this.refuse();

    const { platform, pipeline, schedule } = props;
    this.pipeline = pipeline;
    this.name = `${platform.name}-${pipeline}`;

    const crawled = props.crawlRaw === false ? [] : judged.tables.sources;
    this.rawCrawlers = crawled.map((source) => this.rawCrawler(source));
    this.task = this.defineTask(judged);
    if (this.task.table.registeredBy === "crawler") this.processedCrawler = this.crawlerOfTable();
    this.task.declareTables();
    const hasSources = this.sourceNames.length > 0;
    // A day without a change writes nothing to a table of every version.
    const minimumOf = props.writeMode === "changes" ? ("read" as const) : undefined;
    const watched = { platform, pipeline, name: this.name, hasSources, minimumOf };
    if (this.isWorkflow) {
      const { workflow, watcher } = this.defineWorkflow();
      this.workflow = workflow;
      this.watcher = watcher;
      this.run = workflow.run;
      this.alarms = defineAlarms(this, { ...watched, run: this.run }, props.alarms ?? {}, workflow);
      return;
    }
    const { run, crawlStateMachineName } = (this.stateMachine = this.defineOrchestrator());
    this.run = run;
    if (schedule !== undefined) this.schedule = defineSchedule(this, { ...watched, run }, schedule);
    const executions = { ...watched, run, crawlStateMachineName };
    this.alarms = defineAlarms(this, executions, props.alarms ?? {}, this.schedule);
  }

  /**
   * The state machine: `aliasArn` is what starts a run.
   *
   * @throws Error where a Glue workflow orchestrates: then there is `workflow`
   */
  get orchestrator(): EtlOrchestrator {
    if (this.stateMachine === undefined)
      throw new Error(
        `Pipeline '${shownPath(this.node.path)}': 'orchestrator' is the state machine, and a Glue workflow orchestrates; use 'workflow' or 'run'`,
      );
    return this.stateMachine;
  }

  private get isWorkflow(): boolean {
    return this.props.orchestration === "workflow";
  }

  private get sourceNames(): string[] {
    return this.task.sources.flatMap(({ name }) => name ?? []);
  }

  /** DPU-hours that one run is billed at most: as the job says, or as the state machine starts it if that is more. */
  get maxDpuHoursPerRun(): number | undefined {
    const { job } = this.task;
    const hours = [job.maxDpuHoursPerRun, this.stateMachine?.maxDpuHoursPerRun[job.jobName]];
    const known = hours.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  }

  private refuse(): JudgedFiles {
    const { pipeline, schedule } = this.props;
    const files = { ...this.props, table: tableNameOf(pipeline), written: this.props };
    const { tables, current, models, sentences } = readPipelineFiles(files);
    const mistakes = [
      ...nameMistakes(pipeline),
      ...lagMistakes(schedule?.lagDays),
      ...folderMistakes(this.props.deliveriesFolder),
      ...(tables === undefined ? [] : this.crawlMistakes(tables)),
      ...(tables === undefined ? [] : crawlerNameMistakes(this.props.rawCrawlerNames, tables.sources)),
      ...(tables === undefined ? [] : this.orchestrationMistakes(tables)),
      ...sentences,
    ];
    return tables === undefined || mistakes.length > 0 ? this.fail(mistakes) : { tables, current, models };
  }

  /** Sources of one folder cannot be crawled: a crawler would make one table of the files of all. Neither can a full load and changes. */
  private crawlMistakes({ sources }: JudgedFiles["tables"]): string[] {
    const { crawlRaw, orchestration } = this.props;
    if (crawlRaw === false)
      return orchestration === "workflow"
        ? ["'crawlRaw' must not be false with a Glue workflow, which begins with the crawls of deliveries"]
        : [];
    if (sources.some(({ layout }) => layout === "dms"))
      return [
        "'crawlRaw' must be false with files of AWS DMS: a full load and changes may have different columns, and no folder is a date",
      ];
    const shared = sources.filter(({ endings }) => endings !== undefined).flatMap(({ name }) => name ?? []);
    if (shared.length === 0) return [];
    return [
      `'crawlRaw' must be false: the sources ${shared.join(", ")} have 'endings', and a crawler reads whole folders`,
    ];
  }

  private orchestrationMistakes({ sources }: JudgedFiles["tables"]): string[] {
    const { props } = this;
    const names = sources.flatMap(({ name }) => name ?? []);
    if (this.isWorkflow) return unfitForWorkflow(props, workflowNodes(names, props.crawlProcessed === true));
    return [];
  }

  private fail(mistakes: readonly string[]): never {
    throw new Error(`Pipeline '${shownPath(this.node.path)}': ${mistakes.join("; ")}`);
  }

  private decideSteps(): readonly Step[] {
    const steps = new Steps(this.defaultSteps());
    return (this.props.steps?.(steps) ?? steps).all;
  }

  private crawler(
    id: string,
    zone: Zone.RAW | Zone.PROCESSED,
    { name = `${this.name}-${zone}`, folder = "", tablePrefix, grouping }: CrawledFolder = {},
  ): GlueCrawler {
    const { lake, account, region } = this.props.platform;
    const { deliveriesFolder = `${this.pipeline}/` } = this.props;
    const root = zone === Zone.RAW ? deliveriesFolder : `${this.pipeline}/`;
    const target: S3Location = lake.location(zone, `${root}${folder}`);
    const database: DatabaseReference = lake.database(zone);
    return new GlueCrawler(this, id, { name, target, database, account, region, tablePrefix, grouping });
  }

  private crawlerOfTable(): GlueCrawler {
    const { platform, processedCrawlerName: own } = this.props;
    const name = own === undefined ? undefined : `${platform.name}-${own}`;
    return this.crawler("ProcessedCrawler", Zone.PROCESSED, { name });
  }

  /** The tables of several sources lie in one database, and must have the pipeline's name in theirs. */
  private rawCrawler({ name, folder }: ContractSource): GlueCrawler {
    if (name === undefined) return this.crawler("RawCrawler", Zone.RAW);
    const own = this.props.rawCrawlerNames?.[name];
    return this.crawler(`RawCrawler${upperCamel(name)}`, Zone.RAW, {
      folder,
      name: own === undefined ? `${this.name}-${Zone.RAW}-${name}` : `${this.props.platform.name}-${own}`,
      tablePrefix: `${this.pipeline.replaceAll("-", "_")}_`,
      // The bucket and the pipeline's folder are the first two levels.
      grouping: { tableLevel: 2 + folder.split("/").length - 1 },
    });
  }

  /** Its id is not part of any address, so that the task's resources stand directly below the pipeline. */
  private defineTask(judged: JudgedFiles): IngestTask {
    return new IngestTask(this, "Default", {
      ...this.props,
      judged,
      ...this.runDate,
      workflow: this.isWorkflow ? this.workflowAttributes : undefined,
    });
  }

  /** How the date of a scheduled run follows from its start. */
  private get runDate() {
    const { timeZone = DEFAULT_TIME_ZONE, lagDays = DEFAULT_LAG_DAYS } = this.props.schedule ?? {};
    return { timeZone, lagDays };
  }

  private get workflowAttributes(): WorkflowAttributes {
    const { account, region } = this.props.platform;
    return { name: this.name, account, region };
  }

  private defineWorkflow(): WatchedWorkflow {
    const { props, name, task, processedCrawler } = this;
    const { usualMinutes = DEFAULT_USUAL_MINUTES, actionsEnabled } = props.alarms ?? {};
    const keys = task.sources.map((source) => source.name ?? "raw");
    return defineWorkflow(this, {
      ...props,
      name,
      task,
      rawCrawlers: Object.fromEntries(keys.map((key, index) => [key, this.rawCrawlers[index]!])),
      processedCrawler,
      jobTimeoutMinutes: props.jobTimeoutMinutes ?? DEFAULT_JOB_TIMEOUT_MINUTES,
      lateAfterMinutes: Math.ceil(DEFAULT_SLOW_FACTOR * usualMinutes),
      ...this.runDate,
      actionsEnabled,
    });
  }

  private defineOrchestrator(): EtlOrchestrator {
    const { platform } = this.props;
    const orchestrator = new EtlOrchestrator(this, "Orchestrator", {
      name: this.name,
      pipeline: this.pipeline,
      environment: platform.environment,
      steps: this.decideSteps(),
      notifications: platform.notifications,
      failureMessenger: platform.failureMessenger,
      runbookUrl: platform.runbookUrl,
      logRetentionDays: platform.logRetentionDays,
      includeExecutionData: platform.logExecutionData,
      account: platform.account,
      region: platform.region,
    });
    // The quality query runs with the machine's role: it reads what is judged and writes its answer.
    platform.workgroup.grantResults(orchestrator.role);
    for (const zone of [Zone.PROCESSED, Zone.QUARANTINE]) {
      platform.lake.grantQueryTable(orchestrator.role, zone, this.task.table.name);
      platform.lake.grantRead(orchestrator.role, zone, `${this.pipeline}/`);
    }
    return orchestrator;
  }

  private defaultSteps(): Step[] {
    const { task, props } = this;
    const { locks: table, workgroup } = props.platform;
    const { runOverrides: overrides, crawlDeadlineMinutes: deadlineMinutes } = props;
    const runArguments = { ...RUN_ARGUMENTS, ...LOCK_ARGUMENTS };
    const { qualityQuery: query } = task;
    const { sourceNames: sources } = this;
    // It may have been a Glue workflow's before.
    const workflow = { workflowName: this.name, jobName: task.job.jobName };
    return [
      Step.acquireLock("AcquireLock", { table, workflow }),
      ...(this.rawCrawlers.length === 0 ? [] : [this.crawlRaw(deadlineMinutes)]),
      Step.runJob("RunJob", { ...task.job, runArguments, overrides }),
      Step.checkBooks("CheckBooks", { books: task.books, emptyGoesTo: "ReleaseLock", sources }),
      ...(this.processedCrawler === undefined
        ? []
        : [Step.crawl("CrawlProcessed", { ...this.processedCrawler, deadlineMinutes })]),
      Step.checkQuality("CheckQuality", { query, workgroup, output: task.table.location }),
      Step.releaseLock("ReleaseLock", { table }),
      Step.recordMetrics("RecordMetrics", { hasSources: sources.length > 0 }),
      Step.notify("Notify", { hasSources: sources.length > 0 }),
    ];
  }

  /** Several sources are crawled at once. */
  private crawlRaw(deadlineMinutes: number | undefined): Step {
    const crawls = this.task.sources.map(({ name = "" }, index) => {
      const { crawlerName } = this.rawCrawlers[index]!;
      return { name, step: Step.crawl(`CrawlRaw${upperCamel(name)}`, { crawlerName, deadlineMinutes }) };
    });
    if (crawls.length === 1) return crawls[0]!.step;
    const branches = crawls.map(({ name, step }) => [lowerCamel(name), [step]] as const);
    return Step.parallel("CrawlRaw", { branches: Object.fromEntries(branches) });
  }
}

/** The differences from the crawl of a pipeline's whole folder. */
type CrawledFolder = Partial<Pick<GlueCrawlerProps, "name" | "tablePrefix" | "grouping">> & {
  readonly folder?: string;
};

const lowerCamel = (name: string): string => name.charAt(0) + upperCamel(name).slice(1);

function crawlerNameMistakes(
  names: Readonly<Record<string, string>> = {},
  sources: readonly ContractSource[],
): string[] {
  const known = sources.flatMap(({ name }) => name ?? []);
  const strangers = Object.keys(names).filter((name) => !known.includes(name));
  const has = known.length === 0 ? "it declares no sources" : `its sources are ${known.join(", ")}`;
  return strangers.map(
    (name) => `'rawCrawlerNames.${name}' must be named like a source of the contract; ${has}`,
  );
}

function folderMistakes(folder: string | undefined): string[] {
  if (folder === undefined || /^(?:[A-Za-z0-9][A-Za-z0-9_.-]*\/)+$/.test(folder)) return [];
  return [
    `'deliveriesFolder' must be one or more folders of letters, digits, '_', '-' and '.', each ending in '/', got '${folder}'`,
  ];
}
