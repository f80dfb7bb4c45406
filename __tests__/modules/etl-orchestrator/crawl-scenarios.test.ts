import { type Definition } from "../../../definition-checks/asl";
import {
  BEFORE,
  crawler,
  ended,
  FOREIGN,
  OURS,
  throws,
  well,
  type LastCrawl,
  type Look,
} from "../../support/crawler";
import { interpret, ServiceError, type Answer, type Outcome } from "../../support/interpreter";
import { CRAWL_MACHINE_ARN, eventsProps, synthOrchestrator } from "../../support/orchestrator";

/** The synthesised child machine, interpreted with scripted answers. */

let child: Definition;
beforeAll(() => {
  child = synthOrchestrator(eventsProps()).definition("etl-dev-events-crawl");
});

const crawl = (own: Record<string, Answer>, maxPolls = 10): Promise<Outcome> =>
  interpret({
    definition: child,
    stateMachineArn: CRAWL_MACHINE_ARN,
    input: { crawlerName: "etl-dev-events-raw", maxPolls, AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: "x" },
    answers: own,
  });

const ending = ({ status, error, cause }: Outcome) => ({ status, error, cause });

describe("a crawl", () => {
  const starts = (outcome: Outcome) =>
    outcome.calls.filter(({ integration }) => integration === "aws-sdk:glue:startCrawler").length;

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
    expect(ending(outcome)).toEqual({
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
    expect(ending(outcome)).toEqual({
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
    expect(ending(outcome)).toEqual({
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
