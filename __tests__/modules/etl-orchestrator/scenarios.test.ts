import { type Definition, type Json, type JsonObject } from "../../../modules/etl-orchestrator/asl";
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

type LastCrawl = {
  StartTime: string;
  Status: string;
  ErrorMessage?: string;
  LogGroup?: string;
  LogStream?: string;
};
type Look = { State: string; LastCrawl?: LastCrawl };
const BEFORE: LastCrawl = { StartTime: "2010-11-30T06:00:00.000Z", Status: "SUCCEEDED" };
const OURS = "2010-12-01T06:00:01.000Z";
const FOREIGN = "2010-12-01T05:59:00.000Z";
const ended = (Status: string, rest: object = {}): Look => ({
  State: "READY",
  LastCrawl: { StartTime: OURS, Status, ...rest },
});

/** A crawler: what it looks like before our start, then look by look after it; the last look stays. */
function crawler(after: readonly Look[], before: Look = { State: "READY", LastCrawl: BEFORE }) {
  const started: Record<string, number> = {};
  const answers: Record<string, Answer> = {
    "aws-sdk:glue:getCrawler": ({ parameters }) => {
      const name = parameters.Name as string;
      const count = started[name];
      if (count === undefined) return { Crawler: { Name: name, ...before } };
      started[name] = count + 1;
      return { Crawler: { Name: name, ...(after[count] ?? after.at(-1)!) } };
    },
    "aws-sdk:glue:startCrawler": ({ parameters }) => {
      started[parameters.Name as string] = 0;
      return {};
    },
  };
  return answers;
}

const well = () => crawler([{ State: "RUNNING", LastCrawl: BEFORE }, ended("SUCCEEDED")]);
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
const throws =
  (...errors: (ServiceError | Json)[]): Answer =>
  () => {
    const next = errors.length > 1 ? errors.shift()! : errors[0]!;
    if (next instanceof ServiceError) throw next;
    return next;
  };
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
const crawl = (own: Record<string, Answer>, maxPolls = 10): Promise<Outcome> =>
  interpret({
    definition: child,
    stateMachineArn: CRAWL_MACHINE_ARN,
    input: { crawlerName: "etl-dev-events-raw", maxPolls, AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: "x" },
    answers: own,
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
const ended_ = ({ status, error, cause }: Outcome) => ({ status, error, cause });
const DAILY = { runDate: "2010-12-01" };

describe("the pipeline", () => {
  test("daily: every step in order, the job told of the run, the success published once", async () => {
    const outcome = await run(DAILY);
    expect(ended_(outcome)).toEqual({ status: "SUCCEEDED" });
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
          "--mode": "daily",
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
    expect(ended_(outcome)).toEqual({ status: "SUCCEEDED" });
    expect(made(outcome, "glue:startJobRun.sync").map(({ Arguments }) => Arguments)).toEqual([
      {
        "--mode": "backfill",
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
    expect(ended_(outcome)).toEqual({ status: "SUCCEEDED" });
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
    expect(ended_(outcome)).toEqual({ status: "FAILED", error: "States.TaskFailed", cause });
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
    expect(ended_(outcome)).toEqual({ status: "SUCCEEDED" });
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
    expect(ended_(outcome)).toEqual({ status: "SUCCEEDED" });
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
    return ended_(outcome);
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

describe("a crawl", () => {
  const starts = (outcome: Outcome) => made(outcome, "aws-sdk:glue:startCrawler").length;

  test("runs to its end", async () => {
    const outcome = await crawl(well());
    expect(outcome).toMatchObject({
      status: "SUCCEEDED",
      output: { crawlerName: "etl-dev-events-raw", startTime: OURS, polls: 2 },
    });
    expect(outcome.path).toEqual([
      "PrepareCrawl",
      "ReadLastCrawl",
      "IsCrawlerFree",
      "StartCrawler",
      ...["WaitForCrawl", "ReadCrawl", "CountPoll", "HasCrawlEnded"],
      ...["WaitForCrawl", "ReadCrawl", "CountPoll", "HasCrawlEnded"],
      "DescribeCrawl",
      "HowCrawlEnded",
      "TakeCrawl",
    ]);
  });

  test("may be the crawler's first", async () => {
    const outcome = await crawl(crawler([{ State: "RUNNING" }, ended("SUCCEEDED")], { State: "READY" }));
    expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { polls: 2 } });
  });

  test("that stops is not over yet", async () => {
    const stopping = { State: "STOPPING", LastCrawl: { StartTime: OURS, Status: "SUCCEEDED" } };
    expect(await crawl(crawler([stopping, ended("SUCCEEDED")]))).toMatchObject({ output: { polls: 2 } });
  });

  test("that does not show yet is waited for", async () => {
    const notYet = { State: "READY", LastCrawl: BEFORE };
    expect(await crawl(crawler([notYet, notYet, ended("SUCCEEDED")]))).toMatchObject({
      output: { polls: 3 },
    });
  });

  test.each([
    ["FAILED", "CrawlFailed"],
    ["CANCELLED", "CrawlCancelled"],
    ["SOMETHING_NEW", "CrawlFailed"],
  ])("that ends %s fails as %s, with its message and log", async (Status, error) => {
    const last = {
      ErrorMessage: "Access denied",
      LogGroup: "/aws-glue/crawlers",
      LogStream: "etl-dev-events-raw",
    };
    const outcome = await crawl(crawler([ended(Status, last)]));
    expect(ended_(outcome)).toEqual({
      status: "FAILED",
      error,
      cause: `crawler etl-dev-events-raw did not succeed: ${JSON.stringify({ StartTime: OURS, Status, ...last })}`,
    });
  });

  test("that fails without a word still fails by its name", async () => {
    expect(await crawl(crawler([ended("FAILED")]))).toMatchObject({ error: "CrawlFailed" });
  });

  test("an old success is no success: the crawl that never shows exceeds its deadline", async () => {
    const outcome = await crawl(crawler([{ State: "READY", LastCrawl: BEFORE }]), 4);
    expect(ended_(outcome)).toEqual({
      status: "FAILED",
      error: "CrawlDeadlineExceeded",
      cause:
        "crawler etl-dev-events-raw was started and has not shown the end of its crawl after 4 polls of 30 s; it was READY when last seen",
    });
  });

  test("that never ends exceeds its deadline", async () => {
    const outcome = await crawl(crawler([{ State: "RUNNING", LastCrawl: BEFORE }]), 4);
    expect(outcome).toMatchObject({ status: "FAILED", error: "CrawlDeadlineExceeded" });
    expect(outcome.path.filter((state) => state === "WaitForCrawl")).toHaveLength(4);
  });

  /** A foreign crawl holds the crawler for some looks, ends, and leaves its own start behind. */
  function busy(looksLikeReady: boolean) {
    let refusals = 2;
    let mine = false;
    const foreign: LastCrawl = { StartTime: FOREIGN, Status: "SUCCEEDED" };
    const own: Record<string, Answer> = {
      "aws-sdk:glue:getCrawler": () => {
        if (mine) return { Crawler: { ...ended("SUCCEEDED") } };
        if (refusals === 0) return { Crawler: { State: "READY", LastCrawl: foreign } };
        if (!looksLikeReady) refusals -= 1;
        return { Crawler: { State: looksLikeReady ? "READY" : "RUNNING", LastCrawl: BEFORE } };
      },
      "aws-sdk:glue:startCrawler": () => {
        if (refusals > 0) {
          refusals -= 1;
          throw new ServiceError("Glue.CrawlerRunningException");
        }
        mine = true;
        return {};
      },
    };
    return own;
  }

  test("finds the crawler running: waits, then starts one of its own", async () => {
    const outcome = await crawl(busy(false));
    expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { startTime: OURS } });
    expect(starts(outcome)).toBe(1);
  });

  test("is refused because one began meanwhile: waits, then starts again", async () => {
    const outcome = await crawl(busy(true));
    expect(outcome).toMatchObject({ status: "SUCCEEDED", output: { startTime: OURS } });
    expect(starts(outcome)).toBe(3);
  });

  test("never takes the foreign crawl for its own", async () => {
    // The foreign crawl ends between our last look and our start, so it is the last crawl when ours has not shown yet.
    const looks: Look[] = [
      { State: "RUNNING", LastCrawl: BEFORE },
      { State: "READY", LastCrawl: { StartTime: FOREIGN, Status: "SUCCEEDED" } },
      { State: "READY", LastCrawl: { StartTime: FOREIGN, Status: "SUCCEEDED" } },
      { State: "RUNNING", LastCrawl: { StartTime: FOREIGN, Status: "SUCCEEDED" } },
      ended("FAILED"),
    ];
    const outcome = await crawl({
      "aws-sdk:glue:getCrawler": () => ({ Crawler: (looks.length > 1 ? looks.shift() : looks[0])! }),
      "aws-sdk:glue:startCrawler": () => ({}),
    });
    expect(outcome).toMatchObject({ status: "FAILED", error: "CrawlFailed" });
    expect(outcome.cause).toContain(OURS);
  });

  test("does not wait for ever for a busy crawler", async () => {
    const outcome = await crawl({ "aws-sdk:glue:getCrawler": () => ({ Crawler: { State: "RUNNING" } }) }, 3);
    expect(ended_(outcome)).toEqual({
      status: "FAILED",
      error: "CrawlDeadlineExceeded",
      cause:
        "crawler etl-dev-events-raw was busy with a crawl that this execution did not start for 3 polls of 30 s; it was RUNNING when last seen",
    });
    expect(starts(outcome)).toBe(0);
  });

  test("outlives a throttled call", async () => {
    const slow = new ServiceError("Glue.ThrottlingException");
    const throttled = throws(
      slow,
      slow,
      { Crawler: { State: "READY" } },
      { Crawler: { ...ended("SUCCEEDED") } },
    );
    const outcome = await crawl({
      "aws-sdk:glue:getCrawler": throttled,
      "aws-sdk:glue:startCrawler": throws(slow, {}),
    });
    expect(outcome.status).toBe("SUCCEEDED");
  });

  test("of a crawler that does not exist fails with that name", async () => {
    const outcome = await crawl({
      "aws-sdk:glue:getCrawler": throws(new ServiceError("Glue.EntityNotFoundException")),
    });
    expect(outcome).toMatchObject({ status: "FAILED", error: "Glue.EntityNotFoundException" });
  });
});
