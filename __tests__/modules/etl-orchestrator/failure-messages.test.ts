import { type Json, type JsonObject } from "../../../modules/etl-orchestrator/asl";
import { matches } from "../../support/event-rules";
import {
  eventsProps,
  MACHINE_ARN,
  RecordingTopic,
  synthOrchestrator,
  TOPIC_ARN,
} from "../../support/orchestrator";
import {
  EXECUTION,
  type FailureRule,
  failureRules,
  messagesOf,
  statusEvent,
} from "../../support/status-events";

/** Status events put through the synthesised rules: exactly one message each. */

let rules: FailureRule[];
const notifications = new RecordingTopic();

beforeAll(() => {
  rules = failureRules(synthOrchestrator({ ...eventsProps(), notifications }));
});

const without = (event: JsonObject, ...fields: string[]): JsonObject => ({
  ...event,
  detail: Object.fromEntries(
    Object.entries(event.detail as JsonObject).filter(([key]) => !fields.includes(key)),
  ),
});

const told = (event: JsonObject) => rules.filter(({ pattern }) => matches(pattern, event));
function message(event: JsonObject): JsonObject {
  const messages = messagesOf(rules, event);
  expect(messages).toHaveLength(1);
  return messages[0]!;
}

const CONSOLE = `https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/${EXECUTION}`;
const REDRIVE = `aws stepfunctions redrive-execution --region us-east-1 --execution-arn ${EXECUTION}`;
const START =
  `aws stepfunctions start-execution --region us-east-1 --state-machine-arn ${MACHINE_ARN}:live --input ` +
  `"$(aws stepfunctions describe-execution --region us-east-1 --execution-arn ${EXECUTION} --query input --output text)"`;

const JOB_CAUSE = JSON.stringify({
  Id: "jr_1",
  JobRunState: "FAILED",
  ErrorMessage: 'ValueError: no such column "dt=2010-12-01/"\n',
});
const MISSING_CAUSE = JSON.stringify({
  Id: "jr_2",
  JobRunState: "FAILED",
  ErrorMessage: "MissingDelivery: no delivery under s3://raw/events/ for 2010-12-01",
});

describe.each<[string, JsonObject, string, string?]>([
  [
    "a delivery that is missing",
    { status: "FAILED", error: "States.TaskFailed", cause: MISSING_CAUSE },
    REDRIVE,
    "MISSING",
  ],
  [
    "the same words in another failure",
    { status: "FAILED", error: "CrawlFailed", cause: MISSING_CAUSE },
    REDRIVE,
  ],
  [
    "an abort while nothing was there",
    { status: "ABORTED", error: "States.TaskFailed", cause: MISSING_CAUSE },
    REDRIVE,
  ],
  ["a failed job run", { status: "FAILED", error: "States.TaskFailed", cause: JOB_CAUSE }, REDRIVE],
  [
    "a failed crawl",
    { status: "FAILED", error: "CrawlFailed", cause: "crawler x did not succeed: {}" },
    REDRIVE,
  ],
  ["a task that took too long", { status: "FAILED", error: "States.Timeout", cause: null }, REDRIVE],
  [
    "a right that is missing",
    { status: "FAILED", error: "Glue.AccessDeniedException", cause: "no" },
    REDRIVE,
  ],
  ["a failure without an error", { status: "FAILED" }, REDRIVE],
  ["an execution that took too long", { status: "TIMED_OUT" }, REDRIVE],
  ["the same with an error", { status: "TIMED_OUT", error: "States.Timeout", cause: null }, REDRIVE],
  ["an execution that was aborted", { status: "ABORTED" }, REDRIVE],
  [
    "the same with an error of a Fail state",
    { status: "ABORTED", error: "InvalidInput", cause: "why not" },
    REDRIVE,
  ],
  [
    "an input that was refused",
    { status: "FAILED", error: "InvalidInput", cause: 'runDate is missing, got "{}"' },
    START,
  ],
  [
    "books that do not balance",
    { status: "FAILED", error: "BooksDoNotBalance", cause: "read 2 rows, but …" },
    START,
  ],
  ["books that are missing", { status: "FAILED", error: "BooksMissing", cause: "the job …" }, START],
  ["books that cannot be read", { status: "FAILED", error: "BooksUnreadable", cause: "the books …" }, START],
  ["a definition that cannot go on", { status: "FAILED", error: "States.Runtime", cause: "no path" }, START],
])("%s", (_what, detail, command, outcome = "FAILED") => {
  test("is told once, with cause, link and the command that continues", () => {
    const event = statusEvent(detail);
    expect(message(event)).toEqual({
      pipeline: "events",
      status: detail.status,
      outcome,
      execution: EXECUTION,
      error: detail.error ?? null,
      cause: detail.cause ?? null,
      console: CONSOLE,
      advice: expect.any(String) as string,
      command,
      runbook: `docs/runbook/${outcome === "MISSING" ? "missing-delivery" : command === START ? "new-execution" : "redrive"}.md`,
    });
  });

  test("is told once when the event leaves out error and cause, or one of them", () => {
    for (const fields of [["error", "cause"], ["error"], ["cause"]]) {
      expect(message(without(statusEvent(detail), ...fields))).toEqual({
        pipeline: "events",
        status: detail.status,
        outcome: "FAILED",
        execution: EXECUTION,
        error: null,
        cause: null,
        console: CONSOLE,
        advice: expect.stringContaining("link") as string,
        command: REDRIVE,
        runbook: "docs/runbook/without-cause.md",
      });
    }
  });
});

test.each<[string, JsonObject]>([
  ["that runs", statusEvent({ status: "RUNNING", stopDate: null })],
  ["that succeeded", statusEvent({ status: "SUCCEEDED", output: "{}" })],
  ["that waits for a redrive", statusEvent({ status: "PENDING_REDRIVE" })],
  [
    "of another machine",
    statusEvent({ status: "FAILED", error: "E", cause: "c", stateMachineArn: `${MACHINE_ARN}-crawl` }),
  ],
  [
    "of another kind of event",
    { ...statusEvent({ status: "FAILED", error: "E", cause: "c" }), "detail-type": "Other" },
  ],
  ["of another source", { ...statusEvent({ status: "FAILED", error: "E", cause: "c" }), source: "mine" }],
])("an execution %s is not told as a failure", (_what, event) => {
  expect(told(event)).toEqual([]);
});

test("every rule publishes to the topic, and the topic lets each of them", () => {
  expect(rules.map(({ target }) => target.arn)).toEqual(Array(4).fill(TOPIC_ARN));
  expect(new Set(notifications.rules).size).toBe(4);
});

/** All combinations of what the patterns look at. */
test("the rules are disjoint and leave out no failure", () => {
  const errors: Json[] = [
    "InvalidInput",
    "BooksDoNotBalance",
    "States.Runtime",
    "States.TaskFailed",
    "",
    null,
  ];
  const causes: Json[] = ["c", "", null, MISSING_CAUSE];
  for (const status of ["FAILED", "TIMED_OUT", "ABORTED"])
    for (const error of errors)
      for (const cause of causes)
        for (const left of [[], ["error"], ["cause"], ["error", "cause"]])
          expect(told(without(statusEvent({ status, error, cause }), ...left))).toHaveLength(1);
});

describe("links to the runbook", () => {
  const withUrl = (runbookUrl: string) => failureRules(synthOrchestrator({ ...eventsProps(), runbookUrl }));

  test("lead where the pages are", () => {
    const [told] = messagesOf(
      withUrl("https://wiki.example.com/runbook/"),
      statusEvent({ status: "FAILED", error: "InvalidInput", cause: "no" }),
    );
    expect(told?.runbook).toBe("https://wiki.example.com/runbook/new-execution.md");
  });

  test("leave messages within EventBridge's limits, the longest address included", () => {
    const address = `https://wiki.example.com/${"x".repeat(274)}/`;
    expect(address).toHaveLength(300);
    for (const { target } of withUrl(address)) {
      const { input_template: template, input_paths: paths } = target.input_transformer as {
        input_template: string;
        input_paths: object;
      };
      expect(template).toContain(address);
      expect(template.length).toBeLessThanOrEqual(8_192);
      expect(Object.keys(paths).length).toBeLessThanOrEqual(100);
    }
  });

  test.each([
    "http://wiki.example.com/",
    "https://wiki.example.com/runbook",
    `https://w.example/${"x".repeat(300)}/`,
  ])("are refused as %s", (runbookUrl) => {
    expect(() => withUrl(runbookUrl)).toThrow(
      "'runbookUrl' must be the https address of the folder docs/runbook, ending with a slash, of at most 300 characters",
    );
  });

  test("are refused as a placeholder", () => {
    expect(() => withUrl("https://github.com/<owner>/<repository>/blob/main/docs/runbook/")).toThrow(
      "'runbookUrl' still holds a placeholder",
    );
  });
});
