import { misspeltGlueArgument } from "../core/glue-arguments";
import { startMinutes } from "../core/job-runs";
import { PIPELINE_DIMENSION, PIPELINE_METRICS, PIPELINE_NAMESPACE } from "../core/pipeline-metrics";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { EXECUTION_OWNER, EXECUTION_RUN_ID } from "../core/run";
import { type S3Location, s3Uri } from "../core/s3-location";
import {
  type InvokeFunctionStepProps,
  invokeFunction,
  QUERY_SECONDS,
  query,
  type QueryStepProps,
  task,
  type TaskStepProps,
} from "./call-steps";
import {
  choose,
  type ChooseStepProps,
  fail,
  type FailStepProps,
  forEach,
  type ForEachStepProps,
  parallel,
  type ParallelStepProps,
} from "./flow-steps";
import { type JsonObject } from "../../definition-checks/asl";
import { fragment } from "./fragment";
import { billedRun, overrideMistakes, type RunJobStepProps, withOverrides } from "./run-overrides";
import { resultKey } from "./state-machine-definition";
import { type RunInput, validateInput } from "./run-input";
import { sourcesInWords, withMissingSources, withSourceChecks } from "./source-figures";
import { makeStep, type FlowStep, wholeBetween } from "./step-data";

/** Seconds between two looks at a lock that another run holds. */
const LOCK_POLL_SECONDS = 30;
/** Seconds between two looks at a crawl. */
export const CRAWL_POLL_SECONDS = 30;

const DEFAULT_CRAWL_DEADLINE_MINUTES = 60;
const DEFAULT_LOCK_WAIT_MINUTES = 120;
/** The longest wait for all retries of a start: six attempts of at most ten minutes. */
const RUN_JOB_RETRY_SECONDS = 6 * 600;
const API_CALL_SECONDS = 5 * 60;

/** A step of a pipeline's flow: plain data, made by the functions of {@link Step}. */
export type Step = FlowStep;

/** The time-out of the child crawl machine in seconds. It is long enough that the deadline, counted in polls, comes first. */
export const crawlMachineTimeoutSeconds = (deadlineMinutes: number): number =>
  Math.ceil(deadlineMinutes * 60 * 1.25) + 600;

/**
 * The arguments of a run, as the job scripts of this project read them; `$.run` holds the validated input. A full stop stands for an empty
 * value: a run has either dates, or the scheduled time from which the job derives its date.
 */
export const RUN_ARGUMENTS: Readonly<Record<string, string>> = {
  run_mode: "$.run.mode",
  from_date: "$.run.fromDate",
  to_date: "$.run.toDate",
  run_id: EXECUTION_RUN_ID,
  source_subprefix: "$.run.sourcePrefix",
  scheduled_time: "$.run.scheduledTime",
};

/** The further argument of a job that fences its writes with the lock: the lock's owner, which is the execution. */
export const LOCK_ARGUMENTS: Readonly<Record<string, string>> = { lock_owner: EXECUTION_OWNER };

/** Props of `Step.acquireLock`. */
export interface AcquireLockStepProps {
  /** The table of locks, with one item per pipeline. */
  readonly table: { readonly tableName: string };
  /**
   * The longest wait for another run in minutes, 1 to 1440. After it the execution fails as `PipelineBusy`.
   * @default 120
   */
  readonly waitMinutes?: number;
  /**
   * A Glue workflow and its job that may hold the same lock, because it has orchestrated the pipeline. Their runs are waited for, and
   * taken over from once they have ended.
   * @default - only executions of this state machine hold the lock
   */
  readonly workflow?: { readonly workflowName: string; readonly jobName: string };
}

/** Props of `Step.releaseLock`. */
export interface ReleaseLockStepProps {
  /** The table of locks, as in `Step.acquireLock`. */
  readonly table: { readonly tableName: string };
}

/** Props of `Step.crawl`. */
export interface CrawlStepProps {
  /** Physical name of the crawler. */
  readonly crawlerName: string;
  /**
   * The longest duration in minutes, 1 to 1440, including the wait for another crawl. After it the step fails as `CrawlDeadlineExceeded`.
   * @default 60
   */
  readonly deadlineMinutes?: number;
}

/** Props of `Step.checkBooks`. */
export interface CheckBooksStepProps {
  /** The location of the pipeline's books: a run's summary is `<prefix><run id>/summary.json`. */
  readonly books: S3Location;
  /**
   * The later step to go to after an empty delivery.
   * @default - the last step
   */
  readonly emptyGoesTo?: string;
  /**
   * The names of the sources, whose figures must balance each by itself: words of small letters and digits, joined by `_`.
   * @default - none, and only the sums are checked
   */
  readonly sources?: readonly string[];
}

/** Props of `Step.checkQuality`. */
export interface CheckQualityStepProps {
  /**
   * A query that returns one row with the columns seen, verdict, score, failed; `parameters` are the values for its question marks in
   * order. `DataQuality.query` is one.
   */
  readonly query: { readonly sql: string; readonly parameters: readonly QualityParameter[] };
  /** The workgroup that runs the query. */
  readonly workgroup: { readonly workgroupName: string };
  /** The location of the checked rows, in folders `run_date=YYYY-MM-DD/`; the failure message says how to undo them. */
  readonly output: S3Location;
  /**
   * The check-books step whose figures are passed to the query.
   * @default "CheckBooks"
   */
  readonly books?: string;
}

/** A value for a quality query: one of the run's dates, or the number of rows the job read or wrote. */
export type QualityParameter = "fromDate" | "toDate" | "read" | "written";

/** Props of `Step.recordMetrics`. */
export interface RecordMetricsStepProps {
  /**
   * The check-books step whose figures become metrics.
   * @default "CheckBooks"
   */
  readonly books?: string;
  /**
   * `true`: the books count the sources that have not delivered, which becomes the metric `SourcesMissing`.
   * @default false
   */
  readonly hasSources?: boolean;
}

/** Props of `Step.notify`. */
export interface NotifyStepProps {
  /**
   * The check-books step whose figures the message reports.
   * @default "CheckBooks"
   */
  readonly books?: string;
  /**
   * `true`: the message has the figures of each source, as the books say them.
   * @default false
   */
  readonly hasSources?: boolean;
}

/** The mistake in a run's argument that conflicts with Glue's own, or `undefined`. */
function glueArgumentMistake(name: string): string | undefined {
  if (name === "conf" || name === "TempDir")
    return "must not be given with a run, because it would replace the job's own; set it on the job";
  const glues = misspeltGlueArgument(name);
  return (
    glues && `is not an argument of Glue, whose own is '${glues}'; set that on the job, or use another name`
  );
}

/** The states of the lock without those that ask Glue about an owner. */
function withoutWorkflow(whole: JsonObject): JsonObject {
  const isOfGlue = (name: unknown): boolean => /(Workflow|Job)Run/.test(String(name));
  const states = Object.entries(whole.States as Readonly<Record<string, JsonObject>>)
    .filter(([name]) => !isOfGlue(name))
    .map(([name, state]) => {
      if (!Array.isArray(state.Choices)) return [name, state] as const;
      return [
        name,
        { ...state, Choices: (state.Choices as JsonObject[]).filter((one) => !isOfGlue(one.Next)) },
      ] as const;
    });
  return { ...whole, States: Object.fromEntries(states) };
}

/** Makes the steps of an {@link EtlOrchestrator}. */
export const Step = {
  /** Validates the input and writes the run to `$.run`. The orchestrator adds it as the first step. */
  validateInput: (input?: RunInput): Step => validateInput(input),

  /** Runs a crawler and waits for it. Fails as `CrawlFailed`, `CrawlCancelled` or `CrawlDeadlineExceeded`. */
  crawl(name: string, props: CrawlStepProps): Step {
    const deadlineMinutes = props.deadlineMinutes ?? DEFAULT_CRAWL_DEADLINE_MINUTES;
    const timeoutSeconds = crawlMachineTimeoutSeconds(deadlineMinutes) + 300;
    return makeStep(
      {
        name,
        kind: "crawl",
        fragment: fragment("call-crawl"),
        values: {
          CrawlerName: props.crawlerName,
          MaxPolls: Math.ceil((deadlineMinutes * 60) / CRAWL_POLL_SECONDS),
          TimeoutSeconds: timeoutSeconds,
        },
        boundSeconds: timeoutSeconds,
        crawl: { crawlerName: props.crawlerName, deadlineMinutes },
      },
      wholeBetween("deadlineMinutes", deadlineMinutes, 1, 1_440),
    );
  },

  /** Runs a job and waits for it. Only a start that failed is retried. */
  runJob(name: string, props: RunJobStepProps): Step {
    const run = billedRun(props);
    // Glue's time-out comes first, so that Glue reports the reason.
    const timeoutSeconds = (run.timeoutMinutes + startMinutes(run)) * 60;
    const given = Object.entries(props.runArguments ?? RUN_ARGUMENTS);
    const args = given.map(
      ([key, value]) => [`--${key}${/^\$\$?\./.test(value) ? ".$" : ""}`, value] as const,
    );
    return makeStep(
      {
        name,
        kind: "runJob",
        needs: given.some(([key]) => Object.hasOwn(LOCK_ARGUMENTS, key))
          ? [{ kinds: ["acquireLock"], why: "the job writes only while its run holds the lock" }]
          : [],
        fragment: withOverrides(fragment("run-job"), props),
        values: {
          JobName: props.jobName,
          Arguments: Object.fromEntries(args),
          TimeoutSeconds: timeoutSeconds,
        },
        boundSeconds: timeoutSeconds + RUN_JOB_RETRY_SECONDS,
        jobRun: { jobName: props.jobName, run },
        reads: given.map(([, value]) => value),
      },
      [
        ...wholeBetween("timeoutMinutes", props.timeoutMinutes, 1, 10_079),
        ...overrideMistakes(props),
        ...given
          .filter(([key]) => !/^[A-Za-z0-9_]+$/.test(key))
          .map(([key]) => ({
            field: "runArguments",
            message: `must have names of letters, digits and underscores, without dashes, got ${JSON.stringify(key)}`,
          })),
        ...given.flatMap(([key]) => {
          const message = glueArgumentMistake(key);
          return message === undefined ? [] : [{ field: `runArguments.${key}`, message }];
        }),
        ...given.flatMap(([key, value]) => {
          // A value that is read from the execution is not a literal.
          const message = /^\$\$?\.|\$\{/.test(value) ? undefined : plaintextSecretMistake(key, value);
          return message === undefined ? [] : [{ field: `runArguments.${key}`, message }];
        }),
        ...given
          .filter(([, value]) => value === "")
          .map(([key]) => ({
            field: "runArguments",
            message: `must not be empty, because Glue refuses empty arguments, got an empty ${key}`,
          })),
      ],
    );
  },

  /** Reads the run's books and checks that they balance. Fails as `BooksMissing`, `BooksUnreadable` or `BooksDoNotBalance`. */
  checkBooks(name: string, { books, emptyGoesTo, sources = [] }: CheckBooksStepProps): Step {
    return makeStep({
      name,
      kind: "checkBooks",
      needs: [{ kinds: ["runJob", "invokeFunction", "task"], why: "it writes the books" }],
      fragment: withSourceChecks(fragment("check-books"), sources),
      values: { BooksBucket: books.bucketName, BooksPrefix: books.prefix },
      boundSeconds: API_CALL_SECONDS,
      goesTo: { WhenEmpty: emptyGoesTo },
      decryptsWith: books.encryptionKeyArn === undefined ? [] : [books.encryptionKeyArn],
    });
  },

  /**
   * Acquires the pipeline's lock. Waits for a run that holds it, and takes over from a run that ended without releasing it. Fails as
   * `PipelineBusy`.
   */
  acquireLock(
    name: string,
    { table, waitMinutes = DEFAULT_LOCK_WAIT_MINUTES, workflow }: AcquireLockStepProps,
  ): Step {
    const whole = fragment("acquire-lock");
    return makeStep(
      {
        name,
        kind: "acquireLock",
        fragment: workflow === undefined ? withoutWorkflow(whole) : whole,
        values: {
          ...(workflow === undefined
            ? {}
            : { WorkflowName: workflow.workflowName, JobName: workflow.jobName }),
          TableName: table.tableName,
          PollSeconds: LOCK_POLL_SECONDS,
          MaxPolls: Math.ceil((waitMinutes * 60) / LOCK_POLL_SECONDS),
        },
        boundSeconds: Math.ceil(waitMinutes * 60 * 1.25) + API_CALL_SECONDS,
        ownExecutionAt: `$.results.${resultKey(name)}.held.Item.owner.S`,
      },
      wholeBetween("waitMinutes", waitMinutes, 1, 1_440),
    );
  },

  /** Releases the pipeline's lock. If an earlier step fails, the next run takes the lock over. */
  releaseLock: (name: string, { table }: ReleaseLockStepProps): Step =>
    makeStep({
      name,
      kind: "releaseLock",
      needs: [{ kinds: ["acquireLock"], why: "the lock of that step is released" }],
      leavesNoResult: true,
      fragment: fragment("release-lock"),
      values: { TableName: table.tableName },
      boundSeconds: API_CALL_SECONDS,
    }),

  /** Applies the quality rules to what readers see, by an Athena query. Fails as `DataQualityCheckFailed` or `QualityUnreadable`. */
  checkQuality(name: string, props: CheckQualityStepProps): Step {
    const { query, workgroup, output, books = "CheckBooks" } = props;
    const summary = `$.results.${resultKey(books)}.summary`;
    const literals: Readonly<Record<QualityParameter, string>> = {
      fromDate: String.raw`States.Format('\'{}\'', $.run.fromDate)`,
      toDate: String.raw`States.Format('\'{}\'', $.run.toDate)`,
      read: `States.Format('{}', ${summary}.read)`,
      written: `States.Format('{}', ${summary}.written)`,
    };
    return makeStep({
      name,
      kind: "checkQuality",
      leavesNoResult: true,
      needsBooks: books,
      fragment: fragment("check-quality"),
      values: {
        Sql: query.sql,
        Parameters: `States.Array(${query.parameters.map((parameter) => literals[parameter]).join(", ")})`,
        Workgroup: workgroup.workgroupName,
        Books: resultKey(books),
        OutputUri: s3Uri(output),
      },
      boundSeconds: QUERY_SECONDS + API_CALL_SECONDS,
    });
  },

  /**
   * Puts the figures of a check-books step as metrics: rows read, written, quarantined and duplicate, and with `hasSources` the sources that
   * have not delivered, each `Count`, with the machine's name as the only dimension. Put it before `notify`, so that every reported success has its metrics.
   */
  recordMetrics(
    name: string,
    { books = "CheckBooks", hasSources = false }: RecordMetricsStepProps = {},
  ): Step {
    const { rowsRead, rowsWritten, rowsQuarantined, rowsDuplicate, sourcesMissing } = PIPELINE_METRICS;
    return makeStep({
      name,
      kind: "recordMetrics",
      leavesNoResult: true,
      needsBooks: books,
      fragment: hasSources ? withMissingSources(fragment("record-metrics")) : fragment("record-metrics"),
      values: {
        ...(hasSources ? { SourcesMissing: sourcesMissing } : {}),
        Books: resultKey(books),
        Namespace: PIPELINE_NAMESPACE,
        Dimension: PIPELINE_DIMENSION,
        RowsRead: rowsRead,
        RowsWritten: rowsWritten,
        RowsQuarantined: rowsQuarantined,
        RowsDuplicate: rowsDuplicate,
      },
      boundSeconds: API_CALL_SECONDS,
    });
  },

  /** Publishes the success with the figures of a check-books step to the notifications topic. */
  notify(name: string, { books = "CheckBooks", hasSources = false }: NotifyStepProps = {}): Step {
    return makeStep({
      name,
      kind: "notify",
      needsBooks: books,
      fragment: fragment("notify"),
      values: { Books: resultKey(books), ...sourcesInWords(resultKey(books), hasSources) },
      boundSeconds: API_CALL_SECONDS,
    });
  },

  /**
   * Calls a function and waits for its answer, which is at `$.results.<step>.payload`. An error of the function fails the step with the name of
   * the exception; the function is not called again, unless it was throttled or is `idempotent`.
   */
  invokeFunction: (name: string, props: InvokeFunctionStepProps): Step => invokeFunction(name, props),

  /** Runs one statement in Athena and waits for it. Fails as `States.TaskFailed` with the reason, or as `QueryAnswerMissing`. */
  query: (name: string, props: QueryStepProps): Step => query(name, props),

  /** Makes any call of Step Functions. Its resource, parameters, errors and rights are checked at synth. */
  task: (name: string, props: TaskStepProps): Step => task(name, props),

  /** Goes one of several ways, and on behind them. A step behind it cannot count on the results of one way. */
  choose: (name: string, props: ChooseStepProps): Step => choose(name, props),

  /**
   * Does several things at once. The first branch that fails stops the others and fails the run; a redrive runs only the branches that did not
   * succeed.
   */
  parallel: (name: string, props: ParallelStepProps): Step => parallel(name, props),

  /**
   * Does the same for each item of a bounded list (an inline Map). Leaves `$.results.<step>` with `items`, one per item in order: `item`,
   * `status` (SUCCEEDED or FAILED), `kept`, or `failure` with `item`, `error` and `cause`; and `failed`, the number of failures.
   */
  forEach: (name: string, props: ForEachStepProps): Step => forEach(name, props),

  /** Ends the execution as failed. A redrive would fail again, so the message tells to start a new execution. */
  fail: (name: string, props: FailStepProps): Step => fail(name, props),
};
