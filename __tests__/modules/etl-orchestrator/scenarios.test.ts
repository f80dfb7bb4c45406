import { type Definition, type Json, type JsonObject } from "../../../modules/etl-orchestrator/asl";
import { crawler, ended, throws, well } from "../../support/crawler";
import { interpret, ServiceError, type Answer, type Outcome } from "../../support/interpreter";
import {
  BOOKS_BUCKET,
  CRAWL_MACHINE_ARN,
  eventsProps,
  MACHINE_ARN,
  synthOrchestrator,
  TOPIC_ARN,
} from "../../support/orchestrator";

/** The synthesised definitions, parent and child, interpreted with scripted answers. */

const RUN_ID = "run-1";
const EXECUTION_ARN = `${MACHINE_ARN.replace(":stateMachine:", ":execution:")}:${RUN_ID}`;
let parent: Definition;
let child: Definition;
beforeAll(() => {
  const synthesised = synthOrchestrator(eventsProps());
  parent = synthesised.definition("etl-dev-events");
  child = synthesised.definition("etl-dev-events-crawl");
});

const summary = (rest: object = {}) => ({
  pipeline: "events",
  runId: RUN_ID,
  outcome: "SUCCEEDED",
  read: 100,
  written: 90,
  duplicates: 7,
  quarantined: 3,
  ...rest,
});
const body =
  (books: unknown): Answer =>
  () => ({ Body: typeof books === "string" ? books : JSON.stringify(books) });
const answers = (own: Record<string, Answer> = {}): Record<string, Answer> => ({
  ...well(),
  "glue:startJobRun.sync": () => ({ Id: "jr_1", JobRunState: "SUCCEEDED" }),
  "aws-sdk:s3:getObject": body(summary()),
  "sns:publish": () => ({ MessageId: "m-1" }),
  ...own,
});
const run = (input: Json, own?: Record<string, Answer>): Promise<Outcome> =>
  interpret({
    definition: parent,
    stateMachineArn: MACHINE_ARN,
    name: RUN_ID,
    input,
    answers: answers(own),
    machines: { [CRAWL_MACHINE_ARN]: child },
  });

const STEPS = ["ValidateInput", "CrawlRaw", "RunJob", "CheckBooks", "CrawlProcessed", "Notify", "Succeeded"];
const steps = ({ path }: Outcome) => path.filter((state) => STEPS.includes(state));
const made = ({ calls }: Outcome, integration: string) =>
  calls.filter((call) => call.integration === integration).map(({ parameters }) => parameters);
const published = (outcome: Outcome) =>
  made(outcome, "sns:publish").map(({ Message, ...rest }) => ({
    ...rest,
    Message: JSON.parse(Message as string) as JsonObject,
  }));
const ending = ({ status, error, cause }: Outcome) => ({ status, error, cause });
const DAILY = { runDate: "2010-12-01" };

describe("the pipeline", () => {
  test("daily: every step in order, the job told of the run, the success published once", async () => {
    const outcome = await run(DAILY);
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(steps(outcome)).toEqual(STEPS);
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
        },
      },
    ]);
    expect(made(outcome, "aws-sdk:s3:getObject")).toEqual([
      { Bucket: BOOKS_BUCKET, Key: `books/events/${RUN_ID}/summary.json` },
    ]);
    expect(published(outcome)).toEqual([
      {
        TopicArn: TOPIC_ARN,
        Subject: "etl-dev-events: run succeeded",
        Message: {
          pipeline: "events",
          status: "SUCCEEDED",
          outcome: "SUCCEEDED",
          mode: "daily",
          fromDate: "2010-12-01",
          toDate: "2010-12-01",
          sourcePrefix: ".",
          runId: RUN_ID,
          execution: EXECUTION_ARN,
          read: 100,
          written: 90,
          duplicates: 7,
          quarantined: 3,
        },
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
      },
    ]);
  });

  test("an empty delivery: no processed crawl, told as a success", async () => {
    const empty = summary({ outcome: "EMPTY", read: 0, written: 0, duplicates: 0, quarantined: 0 });
    const outcome = await run(DAILY, { "aws-sdk:s3:getObject": body(empty) });
    expect(ending(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(steps(outcome)).toEqual([
      "ValidateInput",
      "CrawlRaw",
      "RunJob",
      "CheckBooks",
      "Notify",
      "Succeeded",
    ]);
    expect(published(outcome).map(({ Message }) => Message.outcome)).toEqual(["EMPTY"]);
  });

  test("a failed job is not repeated, and nothing is published", async () => {
    const cause = '{"JobRunState":"FAILED","ErrorMessage":"MissingDelivery: nothing under dt=2010-12-01/"}';
    const outcome = await run(DAILY, {
      "glue:startJobRun.sync": throws(new ServiceError("States.TaskFailed", cause)),
    });
    expect(ending(outcome)).toEqual({ status: "FAILED", error: "States.TaskFailed", cause });
    expect(steps(outcome)).toEqual(["ValidateInput", "CrawlRaw", "RunJob"]);
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
    expect(steps(outcome)).toEqual(["ValidateInput", "CrawlRaw"]);
    expect(published(outcome)).toEqual([]);
  });
});

describe("the books", () => {
  const failing = async (books: Answer) => {
    const outcome = await run(DAILY, { "aws-sdk:s3:getObject": books });
    expect(steps(outcome)).toEqual(["ValidateInput", "CrawlRaw", "RunJob", "CheckBooks"]);
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
    ["that are a list", []],
  ])("%s", async (_what, books) => {
    expect(await failing(body(books))).toEqual({
      status: "FAILED",
      error: "BooksUnreadable",
      cause: `the books of run ${RUN_ID} are not books of that run with an outcome and four row counts: ${JSON.stringify(books)}`,
    });
  });

  test("that are no JSON fail too", async () => {
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
