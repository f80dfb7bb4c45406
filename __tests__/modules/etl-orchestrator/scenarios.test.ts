import { type Json } from "../../../definition-checks/asl";
import { crawler, ended, throws } from "../../support/crawler";
import { ServiceError, type Answer, type Outcome } from "../../support/interpreter";
import { lockTable } from "../../support/lock-table";
import {
  BOOKS_BUCKET,
  CRAWL_MACHINE_ARN,
  eventsProps,
  LOCKS,
  QUERY,
  type SynthesisedOrchestrator,
  synthOrchestrator,
  TOPIC_ARN,
} from "../../support/orchestrator";
import {
  body,
  DAILY,
  EXECUTION_ARN,
  made,
  published,
  RUN_ID,
  runPipeline,
  STEPS,
  stepsOf,
  summary,
  verdict,
} from "../../support/pipeline-run";

/** The synthesised definitions, parent and child, interpreted with scripted answers. */

let synthesised: SynthesisedOrchestrator;
beforeAll(() => {
  synthesised = synthOrchestrator(eventsProps());
});
const run = (input: Json, own?: Record<string, Answer>): Promise<Outcome> =>
  runPipeline(synthesised, input, own);
const upTo = (step: string) => STEPS.slice(0, STEPS.indexOf(step) + 1);
const ending = ({ status, error, cause }: Outcome) => ({ status, error, cause });

describe("the pipeline", () => {
  test("daily: every step in order, the job told of the run, the success published once", async () => {
    const outcome = await run(DAILY);
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(stepsOf(outcome)).toEqual(STEPS);
    expect(made(outcome, "states:startExecution.sync:2")).toEqual([
      {
        StateMachineArn: CRAWL_MACHINE_ARN,
        Input: {
          crawlerName: "etl-dev-events-raw",
          maxPolls: 10,
          AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: EXECUTION_ARN,
        },
      },
      {
        StateMachineArn: CRAWL_MACHINE_ARN,
        Input: {
          crawlerName: "etl-dev-events-processed",
          maxPolls: 20,
          AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: EXECUTION_ARN,
        },
      },
    ]);
    expect(made(outcome, "glue:startJobRun.sync")).toEqual([
      {
        JobName: "etl-dev-events-transform",
        Arguments: {
          "--run_mode": "daily",
          "--from_date": "2010-12-01",
          "--to_date": "2010-12-01",
          "--run_id": RUN_ID,
          "--source_subprefix": ".",
          "--scheduled_time": ".",
          "--lock_owner": EXECUTION_ARN,
        },
      },
    ]);
    expect(made(outcome, "aws-sdk:s3:getObject")).toEqual([
      { Bucket: BOOKS_BUCKET, Key: `books/events/${RUN_ID}/summary.json` },
    ]);
    expect(made(outcome, "sns:publish")).toEqual([expect.objectContaining({ TopicArn: TOPIC_ARN })]);
    expect(published(outcome)).toEqual([
      {
        subject: "events (etl-dev-events): SUCCEEDED",
        text: [
          "events (etl-dev-events): SUCCEEDED",
          "Run dates 2010-12-01 to 2010-12-01: read 100 = written 90 + duplicates 7 + quarantined 3.",
          `Run: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/${EXECUTION_ARN}`,
        ].join("\n\n"),
        message: {
          pipeline: "events",
          status: "SUCCEEDED",
          outcome: "SUCCEEDED",
          mode: "daily",
          fromDate: "2010-12-01",
          toDate: "2010-12-01",
          sourcePrefix: ".",
          runId: RUN_ID,
          execution: EXECUTION_ARN,
          books: summary(),
        },
      },
    ]);
    expect(made(outcome, "athena:startQueryExecution.sync")).toEqual([
      {
        QueryString: QUERY.sql,
        ExecutionParameters: ["'2010-12-01'", "'2010-12-01'", "100", "90"],
        WorkGroup: "etl-dev",
      },
    ]);
  });

  test("a back-fill of a prefix is one run of the job", async () => {
    const outcome = await run({
      mode: "backfill",
      fromDate: "2010-12-01",
      toDate: "2010-12-03",
      sourcePrefix: "shop-a/",
    });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(made(outcome, "glue:startJobRun.sync").map(({ Arguments }) => Arguments)).toEqual([
      {
        "--run_mode": "backfill",
        "--from_date": "2010-12-01",
        "--to_date": "2010-12-03",
        "--run_id": RUN_ID,
        "--source_subprefix": "shop-a/",
        "--scheduled_time": ".",
        "--lock_owner": EXECUTION_ARN,
      },
    ]);
  });

  test("a scheduled run: the job tells the date, and every later step has it", async () => {
    const told = { fromDate: "2010-12-01", toDate: "2010-12-01" };
    const scheduled = { mode: "daily", scheduledTime: "2010-12-02T04:00:00Z" };
    const outcome = await run(scheduled, { "aws-sdk:s3:getObject": body(summary(told)) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(stepsOf(outcome)).toEqual(STEPS);
    expect(made(outcome, "glue:startJobRun.sync").map(({ Arguments }) => Arguments)).toEqual([
      {
        "--run_mode": "daily",
        "--from_date": ".",
        "--to_date": ".",
        "--run_id": RUN_ID,
        "--source_subprefix": ".",
        "--scheduled_time": "2010-12-02T04:00:00Z",
        "--lock_owner": EXECUTION_ARN,
      },
    ]);
    expect(made(outcome, "athena:startQueryExecution.sync")).toEqual([
      expect.objectContaining({ ExecutionParameters: ["'2010-12-01'", "'2010-12-01'", "100", "90"] }),
    ]);
    expect(published(outcome).map(({ message }) => message)).toEqual([
      expect.objectContaining({ mode: "daily", sourcePrefix: ".", runId: RUN_ID, ...told }),
    ]);
  });

  test("a scheduled run that is refused names the date, and one whose books tell none is not believed", async () => {
    const scheduled = { mode: "daily", scheduledTime: "2010-12-02T04:00:00Z" };
    const quality = { verdict: "FAILED", score: 50, threshold: 80, failed: "price 1 of 2" };
    const refused = summary({
      fromDate: "2010-12-01",
      toDate: "2010-12-01",
      outcome: "REFUSED",
      quality,
    });
    const outcome = await run(scheduled, { "aws-sdk:s3:getObject": body(refused) });
    expect(outcome).toMatchObject({ status: "FAILED", error: "DataQualityCheckFailed" });
    expect(outcome.cause).toContain("rows read for 2010-12-01 to 2010-12-01 fail their rules");
    expect(await run(scheduled, { "aws-sdk:s3:getObject": body(summary()) })).toMatchObject({
      status: "FAILED",
      error: "BooksUnreadable",
    });
  });

  test("a refusal that the job has worded is reported in the job's words", async () => {
    const quality = { verdict: "FAILED", score: 50, threshold: 80, failed: "price 1 of 2" };
    const refused = (text: unknown) =>
      run(DAILY, {
        "aws-sdk:s3:getObject": body(summary({ outcome: "REFUSED", quality, refused: { text } })),
      });
    const words = `price: 1 of 2 rows; to see them: select "x" from t where a = 'b'`;
    expect(ending(await refused(words))).toEqual({
      status: "FAILED",
      error: "DataQualityCheckFailed",
      cause: words,
    });
    expect((await refused(7)).cause).toContain("fail their rules (score 50, threshold 80): price 1 of 2.");
  });

  const figure = (MetricName: string, Value: number) => ({
    MetricName,
    Dimensions: [{ Name: "StateMachineName", Value: "etl-dev-events" }],
    Value,
    Unit: "Count",
  });

  test.each([
    ["a day", DAILY, { read: 100, written: 90, duplicates: 7, quarantined: 3 }],
    [
      "a back-fill, whose books are summed",
      { mode: "backfill", fromDate: "2010-12-01", toDate: "2010-12-03" },
      { read: 300, written: 270, duplicates: 21, quarantined: 9 },
    ],
    ["an empty delivery", DAILY, { outcome: "EMPTY", read: 0, written: 0, duplicates: 0, quarantined: 0 }],
  ])("the figures of %s become metrics, in one call", async (_what, input, figures) => {
    const outcome = await run(input, { "aws-sdk:s3:getObject": body(summary(figures)) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(made(outcome, "aws-sdk:cloudwatch:putMetricData")).toEqual([
      {
        Namespace: "EtlPipelines",
        MetricData: [
          figure("RowsRead", figures.read),
          figure("RowsWritten", figures.written),
          figure("RowsQuarantined", figures.quarantined),
          figure("RowsDuplicate", figures.duplicates),
        ],
      },
    ]);
  });

  test("a throttled call for metrics is repeated", async () => {
    const outcome = await run(DAILY, {
      "aws-sdk:cloudwatch:putMetricData": throws(
        new ServiceError("CloudWatch.CloudWatchException", "Rate exceeded"),
        {},
      ),
    });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(made(outcome, "aws-sdk:cloudwatch:putMetricData")).toHaveLength(2);
  });

  test("an empty delivery: no processed crawl, told as a success", async () => {
    const empty = summary({ outcome: "EMPTY", read: 0, written: 0, duplicates: 0, quarantined: 0 });
    const outcome = await run(DAILY, { "aws-sdk:s3:getObject": body(empty) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(stepsOf(outcome)).toEqual([...upTo("CheckBooks"), "ReleaseLock", "RecordMetrics", "Notify"]);
    expect(published(outcome)).toEqual([
      expect.objectContaining({
        subject: "events (etl-dev-events): EMPTY",
        message: expect.objectContaining({ outcome: "EMPTY" }) as object,
      }),
    ]);
  });

  test("an empty delivery that restated later dates: these are crawled, and no rows are judged", async () => {
    const restated = { dates: ["2010-12-03"], read: 4, written: 4, duplicates: 0, quarantined: 0 };
    const empty = summary({ outcome: "EMPTY", read: 0, written: 0, duplicates: 0, quarantined: 0, restated });
    const outcome = await run(DAILY, { "aws-sdk:s3:getObject": body(empty) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(stepsOf(outcome)).toEqual(STEPS);
    expect(made(outcome, "athena:startQueryExecution.sync")).toEqual([]);
  });

  test("a failed job is not repeated, and nothing is published", async () => {
    const cause = '{"JobRunState":"FAILED","ErrorMessage":"MissingDelivery: nothing under dt=2010-12-01/"}';
    const outcome = await run(DAILY, {
      "glue:startJobRun.sync": throws(new ServiceError("States.TaskFailed", cause)),
    });
    expect(ending(outcome)).toEqual({ status: "FAILED", error: "States.TaskFailed", cause });
    expect(stepsOf(outcome)).toEqual(upTo("RunJob"));
    expect(made(outcome, "glue:startJobRun.sync")).toHaveLength(1);
    expect(published(outcome)).toEqual([]);
  });

  test.each([
    "Glue.ConcurrentRunsExceededException",
    "Glue.ResourceNumberLimitExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ThrottlingException",
  ])("a run that never started is started again: %s", async (name) => {
    const busy = new ServiceError(name);
    const outcome = await run(DAILY, { "glue:startJobRun.sync": throws(busy, busy, { Id: "jr_3" }) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(made(outcome, "glue:startJobRun.sync")).toHaveLength(3);
  });

  test.each(["Glue.EntityNotFoundException", "Glue.InvalidInputException", "States.Timeout"])(
    "a run that cannot start is not: %s",
    async (name) => {
      const outcome = await run(DAILY, { "glue:startJobRun.sync": throws(new ServiceError(name)) });
      expect(outcome).toMatchObject({ status: "FAILED", error: name });
      expect(made(outcome, "glue:startJobRun.sync")).toHaveLength(1);
    },
  );

  test("a topic that refuses for a while is tried again", async () => {
    const refused = new ServiceError("SNS.ThrottledException");
    const outcome = await run(DAILY, { "sns:publish": throws(refused, refused, { MessageId: "m" }) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(published(outcome)).toHaveLength(3);
  });

  test("a failed crawl is a failed Task of the parent, so a redrive crawls again", async () => {
    const outcome = await run(DAILY, crawler([ended("FAILED", { ErrorMessage: "Access denied" })]));
    expect(outcome).toMatchObject({ status: "FAILED", error: "States.TaskFailed" });
    expect(JSON.parse(outcome.cause!)).toMatchObject({
      Error: "CrawlFailed",
      Cause: expect.stringContaining('"ErrorMessage":"Access denied"') as string,
      Status: "FAILED",
    });
    expect(stepsOf(outcome)).toEqual(upTo("CrawlRaw"));
    expect(published(outcome)).toEqual([]);
  });
});

describe("the books", () => {
  const failing = async (books: Answer) => {
    const outcome = await run(DAILY, { "aws-sdk:s3:getObject": books });
    expect(stepsOf(outcome)).toEqual(upTo("CheckBooks"));
    expect(published(outcome)).toEqual([]);
    return ending(outcome);
  };

  test("that do not balance", async () => {
    expect(await failing(body(summary({ written: 89 })))).toEqual({
      status: "FAILED",
      error: "BooksDoNotBalance",
      cause: "read 100 rows, but written 89 + duplicates 7 + quarantined 3 = 99",
    });
  });

  test("that are missing", async () => {
    expect(await failing(throws(new ServiceError("S3.NoSuchKeyException")))).toEqual({
      status: "FAILED",
      error: "BooksMissing",
      cause: `the job succeeded and left no books at s3://${BOOKS_BUCKET}/books/events/${RUN_ID}/summary.json`,
    });
  });

  test("that S3 refuses, as it refuses what is missing to whom may not list", async () => {
    expect(await failing(throws(new ServiceError("S3.S3Exception", "Access Denied")))).toEqual({
      status: "FAILED",
      error: "BooksUnreadable",
      cause: `the books at s3://${BOOKS_BUCKET}/books/events/${RUN_ID}/summary.json are missing or may not be read: Access Denied`,
    });
  });

  test.each([
    ["of another run", summary({ runId: "run-0" })],
    ["without a count", { ...summary(), read: undefined }],
    ["with a null for a count", summary({ written: null })],
    ["with text for a count", summary({ duplicates: "7" })],
    ["with a count below zero", summary({ quarantined: -3 })],
    ["with an unknown outcome", summary({ outcome: "FAILED" })],
    ["refused without a reason", summary({ outcome: "REFUSED", quality: { score: 0 } })],
    ["with restated dates that are not counted", summary({ restated: { dates: ["2010-12-02"] } })],
    ["that are a list", []],
  ])("%s", async (_what, books) => {
    expect(await failing(body(books))).toEqual({
      status: "FAILED",
      error: "BooksUnreadable",
      cause: `the books of run ${RUN_ID} are not books of that run with an outcome and four row counts: ${JSON.stringify(books)}`,
    });
  });

  test("that are not valid JSON fail too", async () => {
    expect(await failing(body("junk"))).toMatchObject({ status: "FAILED" });
  });

  test("that S3 refuses for a while are read again", async () => {
    const refused = new ServiceError("S3.SdkClientException");
    const outcome = await run(DAILY, {
      "aws-sdk:s3:getObject": throws(refused, { Body: JSON.stringify(summary()) }),
    });
    expect(outcome.status).toBe("SUCCEEDED");
  });
});

describe("the lock", () => {
  const other = `${EXECUTION_ARN.replace(/run-1$/, "other")}`;
  const owner = (...statuses: string[]): Answer => throws(...statuses.map((Status) => ({ Status })));
  const lost = new ServiceError("Sfn.ExecutionDoesNotExistException");

  test("is taken before anything is read, and released before the success is reported", async () => {
    const locks = lockTable();
    const held: (string | undefined)[] = [];
    const outcome = await run(DAILY, {
      ...locks.answers,
      "glue:startJobRun.sync": () => {
        held.push(locks.owner());
        return { Id: "jr_1", JobRunState: "SUCCEEDED" };
      },
      "sns:publish": () => {
        held.push(locks.owner());
        return {};
      },
    });
    expect(outcome.status).toBe("SUCCEEDED");
    expect(held).toEqual([EXECUTION_ARN, undefined]);
    expect(made(outcome, "dynamodb:putItem")).toEqual([
      expect.objectContaining({
        TableName: LOCKS.tableName,
        Item: {
          pipeline: { S: "events" },
          owner: { S: EXECUTION_ARN },
          since: { S: expect.any(String) as string },
        },
      }),
    ]);
  });

  test.each([
    ["ended", owner("FAILED")],
    ["was aborted", owner("ABORTED")],
    ["took too long", owner("TIMED_OUT")],
    ["is forgotten", throws(lost)],
  ])(
    "an owner that %s is taken over, on the condition that it is still the owner",
    async (_what, describe) => {
      const locks = lockTable(other);
      const outcome = await run(DAILY, { ...locks.answers, "aws-sdk:sfn:describeExecution": describe });
      expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
      expect(made(outcome, "dynamodb:putItem").at(-1)).toMatchObject({
        ConditionExpression: "#owner = :stale OR #owner = :me",
        ExpressionAttributeValues: { ":stale": { S: other }, ":me": { S: EXECUTION_ARN } },
      });
      expect(locks.owner()).toBeUndefined();
    },
  );

  test("of two that take a stale lock over, one waits", async () => {
    const locks = lockTable(other);
    const rival = `${other}-rival`;
    const looks: string[] = [];
    const outcome = await run(DAILY, {
      ...locks.answers,
      "aws-sdk:sfn:describeExecution": ({ parameters }) => {
        looks.push(parameters.ExecutionArn as string);
        if (parameters.ExecutionArn !== rival) {
          locks.give(rival); // between our reading and our taking over
          return { Status: "FAILED" };
        }
        if (looks.length === 4) locks.free();
        return { Status: "RUNNING" };
      },
    });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(looks).toEqual([other, rival, rival, rival]);
  });

  test.each(["RUNNING", "PENDING_REDRIVE"])(
    "an owner that is %s is waited for, then given up",
    async (Status) => {
      const locks = lockTable(other);
      const outcome = await run(DAILY, { ...locks.answers, "aws-sdk:sfn:describeExecution": owner(Status) });
      expect(outcome).toMatchObject({ status: "FAILED", error: "PipelineBusy" });
      expect(outcome.cause).toContain("another run of events held the lock for 10 polls of 30 s");
      expect(outcome.cause).toContain(other);
      expect(stepsOf(outcome)).toEqual(upTo("AcquireLock"));
      expect(locks.owner()).toBe(other);
    },
  );

  test("an owner that is no execution holds it: somebody paused the pipeline", async () => {
    const locks = lockTable("paused by the platform team");
    const outcome = await run(DAILY, {
      ...locks.answers,
      "aws-sdk:sfn:describeExecution": throws(new ServiceError("Sfn.InvalidArnException")),
    });
    expect(outcome).toMatchObject({ status: "FAILED", error: "PipelineBusy" });
    expect(outcome.cause).toContain("paused by the platform team");
  });

  test("that somebody else has by the end stays theirs", async () => {
    const locks = lockTable();
    const outcome = await run(DAILY, {
      ...locks.answers,
      "athena:getQueryResults": (call) => {
        locks.give(other);
        return verdict(["90", "PASSED", "100", ""])(call);
      },
    });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(locks.owner()).toBe(other);
  });
});

describe("the quality of what readers see", () => {
  test.each(["PASSED", "WARNED"])("%s goes on", async (word) => {
    const outcome = await run(DAILY, { "athena:getQueryResults": verdict(["90", word, "90", "a: 1 of 2"]) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
  });

  test("FAILED says that the rows are visible, and how to take them back", async () => {
    const answer = verdict(["90", "FAILED", "66", "few_malformed: 9 of 100"]);
    const outcome = await run(DAILY, { "athena:getQueryResults": answer });
    expect(ending(outcome)).toEqual({
      status: "FAILED",
      error: "DataQualityCheckFailed",
      cause:
        "what readers see of the run dates 2010-12-01 to 2010-12-01 fails its rules (score 66, 90 rows seen): " +
        "few_malformed: 9 of 100. The rows are visible. To take them back, for each date: " +
        `aws s3 rm --recursive s3://${BOOKS_BUCKET}/events/run_date=YYYY-MM-DD/`,
    });
    expect(published(outcome)).toEqual([]);
  });

  test.each<[string, Answer]>([
    ["no row", verdict()],
    ["no rows at all", () => ({ ResultSet: { Rows: [] } })],
    ["another word", verdict(["90", "MAYBE", "100", ""])],
    ["nulls", () => JSON.parse('{"ResultSet":{"Rows":[{"Data":[]},{"Data":[{},{},{},{}]}]}}') as Json],
    [
      "a failure without its rules",
      () => JSON.parse('{"ResultSet":{"Rows":[{},{"Data":[{},{"VarCharValue":"FAILED"},{},{}]}]}}') as Json,
    ],
  ])("%s is no verdict", async (_what, answer) => {
    const outcome = await run(DAILY, { "athena:getQueryResults": answer });
    expect(outcome).toMatchObject({ status: "FAILED", error: "QualityUnreadable" });
    expect(outcome.cause).toContain("query q-1 gave no verdict on the run dates 2010-12-01 to 2010-12-01");
  });
});
