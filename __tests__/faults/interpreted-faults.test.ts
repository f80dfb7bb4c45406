import { type Json } from "../../definition-checks/asl";
import { Step } from "../../modules/etl-orchestrator/step";
import { BEFORE, crawler, ended, FOREIGN, throws, well } from "../support/crawler";
import { ServiceError, type Answer } from "../support/interpreter";
import { lockTable } from "../support/lock-table";
import {
  ACCOUNT,
  eventsProps,
  eventsSteps,
  LOCKS,
  REGION,
  type SynthesisedOrchestrator,
  synthOrchestrator,
} from "../support/orchestrator";
import {
  body,
  DAILY,
  EXECUTION_ARN,
  published,
  runPipeline,
  stepsOf,
  summary,
  verdict,
} from "../support/pipeline-run";
import { messagesOf, statusEvent } from "../support/status-events";
import { faultsOf, keep, kindOf, type Seen } from "./fault-table";

/** The faults of the table that services can be scripted to show, on the synthesised definitions and rules. */

const OTHER = `${EXECUTION_ARN}-other`;
const error = (name: string, message?: string) => throws(new ServiceError(name, message));
const failedRun = (run: object) =>
  error("States.TaskFailed", JSON.stringify({ Id: "jr_1", JobName: "etl-dev-events-transform", ...run }));
const jobFails = (ErrorMessage: string) => ({
  "glue:startJobRun.sync": failedRun({ JobRunState: "FAILED", ErrorMessage }),
});
const books = (rest: object) => ({ "aws-sdk:s3:getObject": body(summary(rest)) });
const query = (StateChangeReason: string) => ({
  "athena:startQueryExecution.sync": error(
    "States.TaskFailed",
    JSON.stringify({ QueryExecution: { Status: { State: "FAILED", StateChangeReason } } }),
  ),
});
const ofGlue = (run: string): string => `arn:aws:glue:${REGION}:${ACCOUNT}:${run}`;
const locked = (...statuses: string[]) => ({
  ...lockTable(OTHER).answers,
  "aws-sdk:sfn:describeExecution": throws(...statuses.map((Status) => ({ Status }))),
});

/** The behaviour of the services in each fault; `input` where the input is the fault. */
const SCRIPTS: Readonly<Record<string, () => { input?: Json; answers?: Record<string, Answer> }>> = {
  none: () => ({}),
  "input-invalid": () => ({ input: {} }),
  "lock-stale": () => ({ answers: locked("FAILED") }),
  "lock-of-workflow-run": () => ({
    answers: {
      ...lockTable(ofGlue("workflow/etl-dev-events:wr_1")).answers,
      "aws-sdk:glue:getWorkflowRun": throws(new ServiceError("Glue.EntityNotFoundException")),
    },
  }),
  "lock-of-job-run": () => ({
    answers: {
      ...lockTable(ofGlue("job/etl-dev-events-transform:jr_1")).answers,
      "aws-sdk:glue:getJobRun": () => ({ JobRun: { JobRunState: "FAILED" } }),
    },
  }),
  "lock-busy-then-free": () => {
    const locks = lockTable(OTHER);
    const looks = ["RUNNING", "RUNNING", "SUCCEEDED"];
    const look: Answer = () => ({ Status: looks.length > 1 ? looks.shift()! : looks[0]! });
    return { answers: { ...locks.answers, "aws-sdk:sfn:describeExecution": look } };
  },
  "lock-busy-for-ever": () => ({ answers: locked("RUNNING") }),
  "lock-table-down": () => ({
    answers: { "dynamodb:putItem": error("DynamoDB.InternalServerErrorException", "InternalServerError") },
  }),
  "lock-lost": () => ({ answers: jobFails(`LockLost: pipeline events is owned by ${OTHER}`) }),
  "crawl-failed": () => ({ answers: crawler([ended("FAILED", { ErrorMessage: "Access denied" })]) }),
  "crawl-cancelled": () => ({ answers: crawler([ended("CANCELLED")]) }),
  "crawl-busy-then-free": () => {
    const running = new ServiceError("Glue.CrawlerRunningException");
    const answers = well();
    const start = answers["aws-sdk:glue:startCrawler"]!;
    let refusals = 2;
    return {
      answers: {
        ...answers,
        "aws-sdk:glue:startCrawler": (call) => {
          if (refusals-- > 0) throw running;
          return start(call);
        },
      },
    };
  },
  "crawl-busy-for-ever": () => ({
    answers: crawler([], { State: "RUNNING", LastCrawl: { ...BEFORE, StartTime: FOREIGN } }),
  }),
  "crawl-never-ends": () => ({ answers: crawler([{ State: "RUNNING", LastCrawl: BEFORE }]) }),
  "crawl-stale-success": () => ({ answers: crawler([{ State: "READY", LastCrawl: BEFORE }]) }),
  "delivery-missing": () => ({
    answers: jobFails("MissingDelivery: no delivery under s3://raw/events/ for 2010-12-01"),
  }),
  "delivery-empty": () => ({
    answers: books({ outcome: "EMPTY", read: 0, written: 0, duplicates: 0, quarantined: 0 }),
  }),
  "job-failed": () => ({ answers: jobFails("ValueError: no") }),
  "job-timeout": () => ({ answers: { "glue:startJobRun.sync": failedRun({ JobRunState: "TIMEOUT" }) } }),
  "job-stopped": () => ({ answers: { "glue:startJobRun.sync": failedRun({ JobRunState: "STOPPED" }) } }),
  "job-concurrent-then-free": () => ({
    answers: {
      "glue:startJobRun.sync": throws(new ServiceError("Glue.ConcurrentRunsExceededException"), { Id: "jr" }),
    },
  }),
  "job-throttled": () => ({
    answers: { "glue:startJobRun.sync": throws(new ServiceError("Glue.ThrottlingException"), { Id: "jr" }) },
  }),
  "job-role-denied": () => ({ answers: jobFails("StorageError: cannot read s3://raw/: AccessDenied") }),
  "kms-denied": () => ({
    answers: { "aws-sdk:s3:getObject": error("S3.S3Exception", "not authorized to perform: kms:Decrypt") },
  }),
  "books-missing": () => ({ answers: { "aws-sdk:s3:getObject": error("S3.NoSuchKeyException") } }),
  "books-unreadable": () => ({ answers: { "aws-sdk:s3:getObject": body({ rows: 100 }) } }),
  "books-unbalanced": () => ({ answers: books({ written: 89 }) }),
  "restated-unbalanced": () => ({
    answers: books({
      restated: { dates: ["2010-12-02"], read: 10, written: 8, duplicates: 1, quarantined: 0 },
    }),
  }),
  "gate-below-threshold": () => ({
    answers: books({
      outcome: "REFUSED",
      written: 0,
      quality: { verdict: "FAILED", score: 60, threshold: 80, failed: "few_malformed: 9 of 100" },
    }),
  }),
  "gate-after-publishing": () => ({
    answers: { "athena:getQueryResults": verdict(["90", "FAILED", "60", "few_malformed: 9 of 100"]) },
  }),
  "rows-not-visible": () => ({
    answers: { "athena:getQueryResults": verdict(["0", "FAILED", "90", "rows_are_visible: 0 of 90"]) },
  }),
  "athena-failed": () => ({ answers: query("TABLE_NOT_FOUND: line 1:15") }),
  "athena-scan-limit": () => ({
    answers: query("Query exhausted resources: Bytes scanned limit was exceeded"),
  }),
  "athena-result-empty": () => ({ answers: { "athena:getQueryResults": verdict() } }),
  "cloudwatch-down": () => ({
    answers: {
      "aws-sdk:cloudwatch:putMetricData": error(
        "CloudWatch.InternalServiceException",
        "InternalServiceFault",
      ),
    },
  }),
  "sns-down": () => ({ answers: { "sns:publish": error("SNS.InternalErrorException", "InternalError") } }),
  "drift-refused": () => ({ answers: jobFails("SourceDrifted: new: channel string") }),
};

let synthesised: SynthesisedOrchestrator;
const seen: Seen[] = [];
beforeAll(() => {
  // As a pipeline has it that may be run by a workflow too.
  const [, ...others] = eventsSteps();
  const workflow = { workflowName: "etl-dev-events", jobName: "etl-dev-events-transform" };
  const acquire = Step.acquireLock("AcquireLock", { table: LOCKS, waitMinutes: 5, workflow });
  synthesised = synthOrchestrator({ ...eventsProps(), steps: [acquire, ...others] });
});
afterAll(() => keep("interpreter", seen));

const FAULTS = faultsOf("interpreter");

test("every fault of this runner has a script, and every script a fault", () => {
  expect(Object.keys(SCRIPTS).sort()).toEqual(FAULTS.map(({ id }) => id).sort());
});

test.each(FAULTS.map((fault) => [fault.fault, fault] as const))("%s", async (_what, fault) => {
  const { input = DAILY, answers } = SCRIPTS[fault.id]!();
  const outcome = await runPipeline(synthesised, input, answers);

  // Each message that is sent: the flow's own, and those of the rules for a failed execution's status event.
  const failures =
    outcome.status === "FAILED"
      ? await messagesOf(
          synthesised,
          statusEvent({ status: "FAILED", error: outcome.error ?? null, cause: outcome.cause ?? null }),
        )
      : [];
  const taken = outcome.path.includes("Succeeded") ? published(outcome).slice(-1) : [];
  const messages = [...taken, ...failures].map(({ message }) => message);

  const got = {
    status: outcome.status,
    error: outcome.error ?? null,
    steps: stepsOf(outcome),
    messages: messages.map(kindOf),
  };
  const passed =
    JSON.stringify(got) ===
      JSON.stringify({
        status: fault.status,
        error: fault.error,
        steps: fault.steps,
        messages: [fault.message],
      }) &&
    (fault.cause === null || (outcome.cause ?? "").includes(fault.cause));
  seen.push({ id: fault.id, runner: "interpreter", passed });

  expect(got).toEqual({
    status: fault.status,
    error: fault.error,
    steps: fault.steps,
    messages: [fault.message],
  });
  if (fault.cause !== null) expect(outcome.cause).toContain(fault.cause);
});
