import { misspeltGlueArgument } from "../core/glue-arguments";
import { type RunShape, startMinutes } from "../core/job-runs";
import { PIPELINE_DIMENSION, PIPELINE_METRICS, PIPELINE_NAMESPACE } from "../core/pipeline-metrics";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type S3Location, s3Uri } from "../core/s3-location";
import { type JsonObject } from "../../definition-checks/asl";
import { fragment } from "./fragment";
import { billedRun, overrideMistakes, type RunJobStepProps, withOverrides } from "./run-overrides";
import { resultKey, type PlaceholderValues } from "./state-machine-definition";

/** How often a lock that somebody else holds is looked at, seconds. */
const LOCK_POLL_SECONDS = 30;
/** How often a crawl is looked at, seconds. */
export const CRAWL_POLL_SECONDS = 30;

const DEFAULT_CRAWL_DEADLINE_MINUTES = 60;
const DEFAULT_LOCK_WAIT_MINUTES = 120;
/** Athena's own limit for a query is 30 minutes, https://docs.aws.amazon.com/athena/latest/ug/service-limits.html; queueing comes on top. */
const QUERY_SECONDS = 45 * 60;
/** What all retries of a run that never started may wait: six attempts of at most ten minutes. */
const RUN_JOB_RETRY_SECONDS = 6 * 600;
const API_CALL_SECONDS = 5 * 60;

/** One part of a pipeline's flow: plain data, made by the functions of {@link Step}. */
export interface Step {
  /** UpperCamel, unique in its flow; the state's name, and in lowerCamel the key of its result. */
  readonly name: string;
  /** What made it, such as `notify`: what a message calls it. */
  readonly kind?: string;
  /** The name of the check-books step whose figures it needs. */
  readonly needsBooks?: string;
  readonly fragment: JsonObject;
  readonly values: PlaceholderValues;
  /** An upper bound of what the step takes, retries included, seconds. */
  readonly boundSeconds: number;
  /** Placeholders that lead to a later step; `undefined` is the last one. */
  readonly goesTo?: Readonly<Record<string, string | undefined>>;
  /** Set on a crawl: what the child machine needs to know. */
  readonly crawl?: { readonly crawlerName: string; readonly deadlineMinutes: number };
  /** Set on a job run: what bounds it, its overrides considered. */
  readonly jobRun?: { readonly jobName: string; readonly run: RunShape };
  /** The keys of what the step reads from S3. */
  readonly decryptsWith?: readonly string[];
  /** A path at which the step finds the ARN of an execution of its own machine. */
  readonly ownExecutionAt?: string;
  /** What the caller got wrong, `field` and message. */
  readonly mistakes: readonly { readonly field: string; readonly message: string }[];
}

/** A child crawl machine's own time-out, seconds: the deadline by count of polls comes first, slow calls included. */
export const crawlMachineTimeoutSeconds = (deadlineMinutes: number): number =>
  Math.ceil(deadlineMinutes * 60 * 1.25) + 600;

/**
 * The arguments of a run, as the job scripts of this project read them; `$.run` is what the validated input became. A full
 * stop stands for none: a run has dates, or the scheduled time from which the job tells its date.
 */
export const RUN_ARGUMENTS: Readonly<Record<string, string>> = {
  run_mode: "$.run.mode",
  from_date: "$.run.fromDate",
  to_date: "$.run.toDate",
  run_id: "$.run.id",
  source_subprefix: "$.run.sourcePrefix",
  scheduled_time: "$.run.scheduledTime",
};

/** One more argument for a job that fences its writes with the lock: the owner is the execution. */
export const LOCK_ARGUMENTS: Readonly<Record<string, string>> = { lock_owner: "$$.Execution.Id" };

export interface AcquireLockStepProps {
  /** The table of locks: one item per pipeline. */
  readonly table: { readonly tableName: string };
  /**
   * How long another run is waited for, minutes; 1 to 1440. After it the execution fails as `PipelineBusy`.
   * @default 120
   */
  readonly waitMinutes?: number;
}

export interface ReleaseLockStepProps {
  readonly table: { readonly tableName: string };
}

export interface CrawlStepProps {
  readonly crawlerName: string;
  /**
   * Waiting for another crawl included, minutes; 1 to 1440.
   * @default 60
   */
  readonly deadlineMinutes?: number;
}

export interface CheckBooksStepProps {
  /** The folder of all books of the pipeline: the run's summary is `<prefix><run id>/summary.json`. */
  readonly books: S3Location;
  /**
   * The later step that an empty delivery goes to.
   * @default the last step, which tells of it
   */
  readonly emptyGoesTo?: string;
}

export interface CheckQualityStepProps {
  /**
   * One row with the columns seen, verdict, score, failed. The parameters stand in the order of its question marks.
   */
  readonly query: { readonly sql: string; readonly parameters: readonly QualityParameter[] };
  readonly workgroup: { readonly workgroupName: string };
  /** Where the judged rows lie in folders `run_date=YYYY-MM-DD/`: the message says how to take them back. */
  readonly output: S3Location;
  /**
   * The check-books step whose figures the query is given.
   * @default "CheckBooks"
   */
  readonly books?: string;
}

/** What a quality query asks for: the run's dates, and the rows that the job says it read and wrote. */
export type QualityParameter = "fromDate" | "toDate" | "read" | "written";

export interface RecordMetricsStepProps {
  /**
   * The check-books step whose figures become metrics.
   * @default "CheckBooks"
   */
  readonly books?: string;
}

export interface NotifyStepProps {
  /**
   * The check-books step whose figures the message tells.
   * @default "CheckBooks"
   */
  readonly books?: string;
}

const NAME = /^[A-Z][A-Za-z0-9]{0,39}$/;

function step(parts: Omit<Step, "mistakes">, mistakes: Step["mistakes"] = []): Step {
  const badName = NAME.test(parts.name)
    ? []
    : [
        {
          field: "name",
          message: `must be a word in UpperCamel of at most 40 letters and digits, got ${JSON.stringify(parts.name)}`,
        },
      ];
  return { ...parts, mistakes: [...badName, ...mistakes] };
}

/** What a run's argument would do to Glue's own. */
function glueArgumentMistake(name: string): string | undefined {
  if (name === "conf" || name === "TempDir")
    return "must not be given with a run, whose value would take the place of the job's own; set it at the job";
  const glues = misspeltGlueArgument(name);
  return (
    glues && `is no argument of Glue, which calls its own '${glues}'; set it at the job, or take another name`
  );
}

const wholeBetween = (field: string, value: number, from: number, to: number): Step["mistakes"] =>
  Number.isInteger(value) && value >= from && value <= to
    ? []
    : [{ field, message: `must be a whole number from ${from} to ${to}, got ${value}` }];

export const Step = {
  /** Validates the input and leaves the run at `$.run`. The orchestrator puts it first by itself. */
  validateInput: (): Step =>
    step({
      name: "ValidateInput",
      kind: "validateInput",
      fragment: fragment("validate-input"),
      values: {},
      boundSeconds: 60,
    }),

  /** A crawl, awaited: fails as `CrawlFailed`, `CrawlCancelled` or `CrawlDeadlineExceeded`. */
  crawl(name: string, props: CrawlStepProps): Step {
    const deadlineMinutes = props.deadlineMinutes ?? DEFAULT_CRAWL_DEADLINE_MINUTES;
    const timeoutSeconds = crawlMachineTimeoutSeconds(deadlineMinutes) + 300;
    return step(
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

  /** A job run, awaited. Retried only when it never started. */
  runJob(name: string, props: RunJobStepProps): Step {
    const run = billedRun(props);
    // So that the reason for a slow run is Glue's, not the orchestrator's.
    const timeoutSeconds = (run.timeoutMinutes + startMinutes(run)) * 60;
    const given = Object.entries(props.runArguments ?? RUN_ARGUMENTS);
    const args = given.map(
      ([key, value]) => [`--${key}${/^\$\$?\./.test(value) ? ".$" : ""}`, value] as const,
    );
    return step(
      {
        name,
        kind: "runJob",
        fragment: withOverrides(fragment("run-job"), props),
        values: {
          JobName: props.jobName,
          Arguments: Object.fromEntries(args),
          TimeoutSeconds: timeoutSeconds,
        },
        boundSeconds: timeoutSeconds + RUN_JOB_RETRY_SECONDS,
        jobRun: { jobName: props.jobName, run },
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
          // What is read from the execution is no literal.
          const message = /^\$\$?\.|\$\{/.test(value) ? undefined : plaintextSecretMistake(key, value);
          return message === undefined ? [] : [{ field: `runArguments.${key}`, message }];
        }),
        ...given
          .filter(([, value]) => value === "")
          .map(([key]) => ({
            field: "runArguments",
            message: `must not be empty, which Glue refuses, got an empty ${key}`,
          })),
      ],
    );
  },

  /** Reads the run's books and does the sum: fails as `BooksMissing`, `BooksUnreadable` or `BooksDoNotBalance`. */
  checkBooks(name: string, { books, emptyGoesTo }: CheckBooksStepProps): Step {
    return step({
      name,
      kind: "checkBooks",
      fragment: fragment("check-books"),
      values: { BooksBucket: books.bucketName, BooksPrefix: books.prefix },
      boundSeconds: API_CALL_SECONDS,
      goesTo: { WhenEmpty: emptyGoesTo },
      decryptsWith: books.encryptionKeyArn === undefined ? [] : [books.encryptionKeyArn],
    });
  },

  /**
   * Takes the pipeline's lock, waiting for a run that holds it; a run that ended without releasing it is taken over.
   * Fails as `PipelineBusy`.
   */
  acquireLock(name: string, { table, waitMinutes = DEFAULT_LOCK_WAIT_MINUTES }: AcquireLockStepProps): Step {
    return step(
      {
        name,
        kind: "acquireLock",
        fragment: fragment("acquire-lock"),
        values: {
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

  /** Gives the pipeline's lock back. What fails before it leaves the lock to be taken over. */
  releaseLock: (name: string, { table }: ReleaseLockStepProps): Step =>
    step({
      name,
      kind: "releaseLock",
      fragment: fragment("release-lock"),
      values: { TableName: table.tableName },
      boundSeconds: API_CALL_SECONDS,
    }),

  /** Asks the quality rules of what readers see: fails as `DataQualityCheckFailed` or `QualityUnreadable`. */
  checkQuality(name: string, props: CheckQualityStepProps): Step {
    const { query, workgroup, output, books = "CheckBooks" } = props;
    const summary = `$.results.${resultKey(books)}.summary`;
    const literals: Readonly<Record<QualityParameter, string>> = {
      fromDate: String.raw`States.Format('\'{}\'', $.run.fromDate)`,
      toDate: String.raw`States.Format('\'{}\'', $.run.toDate)`,
      read: `States.Format('{}', ${summary}.read)`,
      written: `States.Format('{}', ${summary}.written)`,
    };
    return step({
      name,
      kind: "checkQuality",
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
   * Puts the figures of a check-books step as metrics: rows read, written, quarantined and duplicate, each `Count`, with the
   * machine's name as the only dimension. Before the success is told, so that a success told is a success counted.
   */
  recordMetrics(name: string, { books = "CheckBooks" }: RecordMetricsStepProps = {}): Step {
    const { rowsRead, rowsWritten, rowsQuarantined, rowsDuplicate } = PIPELINE_METRICS;
    return step({
      name,
      kind: "recordMetrics",
      needsBooks: books,
      fragment: fragment("record-metrics"),
      values: {
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

  /** Publishes the success, with the figures of a check-books step, to the notifications topic. */
  notify(name: string, { books = "CheckBooks" }: NotifyStepProps = {}): Step {
    return step({
      name,
      kind: "notify",
      needsBooks: books,
      fragment: fragment("notify"),
      values: { Books: resultKey(books) },
      boundSeconds: API_CALL_SECONDS,
    });
  },
};
