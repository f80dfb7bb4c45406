import { ServiceError } from "../../support/interpreter";
import { type Json, type JsonObject } from "../../../definition-checks/asl";
import { matches } from "../../support/event-rules";
import {
  eventsProps,
  MACHINE_ARN,
  RecordingTopic,
  type SynthesisedOrchestrator,
  synthOrchestrator,
  TOPIC_ARN,
} from "../../support/orchestrator";
import {
  asReceived,
  EXECUTION,
  type FailureRule,
  failureRules,
  handedOn,
  MESSENGER,
  messagesOf,
  runMessenger,
  statusEvent,
} from "../../support/status-events";

/** Status events put through the synthesised rules and the messenger's definition: exactly one message each. */

let synthesised: SynthesisedOrchestrator;
let rules: FailureRule[];
const notifications = new RecordingTopic();

beforeAll(() => {
  synthesised = synthOrchestrator({ ...eventsProps(), environment: "dev", notifications });
  rules = failureRules(synthesised);
});

const without = (event: JsonObject, ...fields: string[]): JsonObject => ({
  ...event,
  detail: Object.fromEntries(
    Object.entries(event.detail as JsonObject).filter(([key]) => !fields.includes(key)),
  ),
});

const told = (event: JsonObject) => rules.filter(({ pattern }) => matches(pattern, event));
async function received(event: JsonObject) {
  const messages = await messagesOf(synthesised, event);
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
  test("is reported once, with cause, link and the command that continues", async () => {
    const { subject, text, message } = await received(statusEvent(detail));
    expect(subject).toBe(`events in dev: ${outcome === "MISSING" ? outcome : (detail.status as string)}`);
    const lines = text!.split("\n");
    expect(lines[0]).toBe(subject);
    expect(lines).toEqual(expect.arrayContaining([`Run: ${CONSOLE}`, command]));
    expect(message).toEqual({
      pipeline: "events",
      environment: "dev",
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

  test("is reported once if the event leaves out error and cause, or one of them", async () => {
    for (const fields of [["error", "cause"], ["error"], ["cause"]]) {
      const { message } = await received(without(statusEvent(detail), ...fields));
      expect(message).toEqual({
        pipeline: "events",
        environment: "dev",
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

/** The cause as the text says it: one sentence, however it arrived. */
describe.each<[string, Json, Json, string]>([
  ["a job", "States.TaskFailed", JOB_CAUSE, 'ValueError: no such column "dt=2010-12-01/"\n'],
  [
    "a job that was ended",
    "States.TaskFailed",
    JSON.stringify({ Id: "jr_3", JobName: "etl-dev-events-transform", JobRunState: "TIMEOUT" }),
    "the run of job etl-dev-events-transform ended TIMEOUT",
  ],
  [
    "a child execution",
    "States.TaskFailed",
    JSON.stringify({ Error: "CrawlFailed", Cause: "crawler x did not succeed: no", Status: "FAILED" }),
    "CrawlFailed: crawler x did not succeed: no",
  ],
  [
    "a query",
    "States.TaskFailed",
    JSON.stringify({ QueryExecution: { Status: { State: "FAILED", StateChangeReason: "TABLE_NOT_FOUND" } } }),
    "the query failed: TABLE_NOT_FOUND",
  ],
  [
    "a function",
    "ValueError",
    JSON.stringify({ errorMessage: "no such shop", errorType: "ValueError", stackTrace: ["line 1"] }),
    "no such shop",
  ],
  [
    "JSON of an unknown kind",
    "States.TaskFailed",
    '{"reason": {"code": 7}}',
    'States.TaskFailed: {"reason": {"code": 7}}',
  ],
  ["fields that are no texts", "E", '{"ErrorMessage": 7}', 'E: {"ErrorMessage": 7}'],
  ["a text in braces", "Refused", "{x} is no column", "Refused: {x} is no column"],
  ["a text that begins and ends with braces", "Refused", "{x} is not {y}", "Refused: {x} is not {y}"],
  ["JSON that was cut off", "E", '{"ErrorMessage": "no', 'E: {"ErrorMessage": "no'],
  ["a text", "InvalidInput", "runDate is missing\\", "InvalidInput: runDate is missing\\"],
  ["an empty text", "InvalidInput", "", "InvalidInput, without a cause"],
  ["no cause", "States.Timeout", null, "States.Timeout, without a cause"],
  ["nothing", null, null, "the event does not say why"],
])("the cause of %s", (_what, error, cause, sentence) => {
  test(`is "${sentence.trim()}"`, async () => {
    const { text, message } = await received(statusEvent({ status: "FAILED", error, cause }));
    expect(text).toContain(`\n\nCause: ${sentence}\n\nRun: `);
    expect(message).toMatchObject({ error, cause });
  });
});

test.each([
  ["TIMED_OUT", "the execution ran past its time-out"],
  ["ABORTED", "the execution was stopped by hand"],
])("an execution that is %s without a cause says so", async (status, sentence) => {
  const { text } = await received(statusEvent({ status }));
  expect(text).toContain(`Cause: ${sentence}\n`);
});

test("every rule of the machine starts the messenger in a role that may do nothing else", () => {
  const { all, named, statements } = synthesised;
  const targets = (untold: boolean) =>
    rules.filter(({ name }) => name.endsWith("-untold") === untold).map(({ target }) => target);
  const arn = `${MACHINE_ARN}-fail`;
  const role = Object.keys(all("aws_iam_role")).find(
    (key) => all("aws_iam_role")[key] === named("aws_iam_role", `${MESSENGER}-rules`),
  );
  expect(targets(false)).toEqual(
    Array(4).fill(expect.objectContaining({ arn, role_arn: `\${aws_iam_role.${role}.arn}` })),
  );
  const policy = Object.values(all("aws_iam_role_policy")).find(
    (one) => one.role === `\${aws_iam_role.${role}.name}`,
  );
  expect(JSON.parse(policy!.policy as string)).toMatchObject({
    Statement: [{ Effect: "Allow", Action: "states:StartExecution", Resource: arn }],
  });
  expect(targets(true)).toEqual([expect.objectContaining({ arn: TOPIC_ARN })]);
  expect(notifications.rules).toHaveLength(1);
  expect(statements(MESSENGER)).toEqual(
    expect.arrayContaining([expect.objectContaining({ Action: "sns:Publish", Resource: TOPIC_ARN })]),
  );
});

describe("a messenger that fails itself", () => {
  const failure = statusEvent({ status: "FAILED", error: "InvalidInput", cause: "no" });
  const handed = () => handedOn(rules, failure)[0]!;

  test("fails when the topic does not take the message, and is not silent about it", async () => {
    const refuse = () => {
      throw new ServiceError("SNS.AuthorizationErrorException");
    };
    const { status } = await runMessenger(synthesised, JSON.parse(handed()) as Json, refuse);
    expect(status).toBe("FAILED");
  });

  test.each(["FAILED", "TIMED_OUT", "ABORTED"])(
    "and is %s is reported once, with its unchanged input",
    (status) => {
      const stateMachineArn = `${MACHINE_ARN}-fail`;
      const event = statusEvent({
        status,
        error: "States.Runtime",
        cause: "x",
        stateMachineArn,
        input: handed(),
      });
      const plain = handedOn(rules, event);
      expect(plain).toHaveLength(1);
      const { message } = asReceived({ Message: plain[0]! });
      expect(message).toMatchObject({
        outcome: "FAILED",
        advice: expect.stringContaining("could not be written") as string,
      });
      expect(JSON.parse(message.input as string)).toMatchObject({
        message: { pipeline: "events", error: "InvalidInput", cause: "no", console: CONSOLE },
      });
    },
  );

  test("that succeeded tells nobody", () => {
    const stateMachineArn = `${MACHINE_ARN}-fail`;
    expect(handedOn(rules, statusEvent({ status: "SUCCEEDED", stateMachineArn }))).toEqual([]);
  });
});

test.each([
  ["an environment", { environment: "prod" }, "events in prod: FAILED"],
  ["none", { environment: undefined }, "events (etl-dev-events): FAILED"],
  [
    "letters that a subject may not have",
    { pipeline: 'Größe "x"', environment: "dev" },
    "Gr??e ?x? in dev: FAILED",
  ],
  ["a long name", { pipeline: "p".repeat(200), environment: "dev" }, `${"p".repeat(73)} in dev: FAILED`],
])("the subject of a pipeline with %s", async (_what, props, subject) => {
  const one = synthOrchestrator({ ...eventsProps(), ...props });
  const [told] = await messagesOf(one, statusEvent({ status: "FAILED", error: "E", cause: "c" }));
  expect(told?.subject).toBe(subject);
  expect(told?.subject!.length).toBeLessThan(100);
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
  const of = (runbookUrl: string) => synthOrchestrator({ ...eventsProps(), runbookUrl });
  const withUrl = (runbookUrl: string) => failureRules(of(runbookUrl));
  const failure = statusEvent({ status: "FAILED", error: "InvalidInput", cause: "no" });

  test("lead where the pages are", async () => {
    const [told] = await messagesOf(of("https://wiki.example.com/runbook/"), failure);
    expect(told?.message.runbook).toBe("https://wiki.example.com/runbook/new-execution.md");
    expect(told?.text).toMatch(/\nRunbook: https:\/\/wiki\.example\.com\/runbook\/new-execution\.md$/);
  });

  test("are the page's path and the place where it lies without an address", async () => {
    const { text } = await received(failure);
    expect(text).toMatch(
      /\nRunbook: docs\/runbook\/new-execution\.md, in the repository that deployed this pipeline$/,
    );
  });

  test("leave messages within EventBridge's limits, the longest address included", () => {
    const address = `https://wiki.example.com/${"x".repeat(274)}/`;
    expect(address).toHaveLength(300);
    const rulesOfMachine = withUrl(address).filter(({ name }) => !name.endsWith("-untold"));
    for (const { target } of rulesOfMachine) {
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
