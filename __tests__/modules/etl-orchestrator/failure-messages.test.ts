import { type Json, type JsonObject } from "../../../modules/etl-orchestrator/asl";
import { matches, transform } from "../../support/event-rules";
import {
  eventsProps,
  MACHINE_ARN,
  RecordingTopic,
  synthOrchestrator,
  TOPIC_ARN,
} from "../../support/orchestrator";

/** Status events put through the synthesised rules: exactly one message each. */

interface Rule {
  readonly name: string;
  readonly pattern: JsonObject;
  readonly target: {
    arn: string;
    input_transformer: { input_paths: Record<string, string>; input_template: string };
  };
}
let rules: Rule[];
const notifications = new RecordingTopic();

beforeAll(() => {
  const { all } = synthOrchestrator({ ...eventsProps(), notifications });
  rules = Object.entries(all("aws_cloudwatch_event_rule")).map(([key, rule]) => ({
    name: rule.name as string,
    pattern: JSON.parse(rule.event_pattern as string) as JsonObject,
    target: Object.values(all("aws_cloudwatch_event_target")).find(
      (target) => target.rule === `\${aws_cloudwatch_event_rule.${key}.name}`,
    ) as never,
  }));
});

const EXECUTION = `${MACHINE_ARN.replace(":stateMachine:", ":execution:")}:8f1d2c3b`;

/** The event as Step Functions sends it; see "Step Functions events" in the EventBridge Events Reference. */
const statusEvent = (detail: JsonObject): JsonObject => ({
  version: "0",
  id: "315c1398-40ff-a850-213b-158f73e60175",
  "detail-type": "Step Functions Execution Status Change",
  source: "aws.states",
  account: "000000000000",
  time: "2010-12-02T06:12:21Z",
  region: "us-east-1",
  resources: [EXECUTION],
  detail: {
    executionArn: EXECUTION,
    stateMachineArn: MACHINE_ARN,
    name: "8f1d2c3b",
    startDate: 1291269600000,
    stopDate: 1291270341000,
    input: '{"runDate":"2010-12-01"}',
    inputDetails: { included: true },
    output: null,
    outputDetails: null,
    stateMachineVersionArn: `${MACHINE_ARN}:3`,
    stateMachineAliasArn: `${MACHINE_ARN}:live`,
    redriveCount: 0,
    redriveDate: null,
    redriveStatus: "REDRIVABLE",
    redriveStatusReason: null,
    error: null,
    cause: null,
    ...detail,
  },
});
const without = (event: JsonObject, ...fields: string[]): JsonObject => ({
  ...event,
  detail: Object.fromEntries(
    Object.entries(event.detail as JsonObject).filter(([key]) => !fields.includes(key)),
  ),
});

const told = (event: JsonObject) => rules.filter(({ pattern }) => matches(pattern, event));
function message(event: JsonObject): JsonObject {
  const matching = told(event);
  expect(matching.map(({ name }) => name)).toHaveLength(1);
  const { input_paths, input_template } = matching[0]!.target.input_transformer;
  return JSON.parse(transform(input_paths, input_template, event)) as JsonObject;
}

const CONSOLE = `https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/${EXECUTION}`;
const REDRIVE = `aws stepfunctions redrive-execution --region us-east-1 --execution-arn ${EXECUTION}`;
const START =
  `aws stepfunctions start-execution --region us-east-1 --state-machine-arn ${MACHINE_ARN}:live --input ` +
  `"$(aws stepfunctions describe-execution --region us-east-1 --execution-arn ${EXECUTION} --query input --output text)"`;

const JOB_CAUSE = JSON.stringify({
  Id: "jr_1",
  JobRunState: "FAILED",
  ErrorMessage: 'MissingDelivery: nothing under "dt=2010-12-01/"\n',
});

describe.each<[string, JsonObject, string]>([
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
])("%s", (_what, detail, command) => {
  test("is told once, with cause, link and the command that continues", () => {
    const event = statusEvent(detail);
    expect(message(event)).toEqual({
      pipeline: "events",
      status: detail.status,
      execution: EXECUTION,
      error: detail.error ?? null,
      cause: detail.cause ?? null,
      console: CONSOLE,
      advice: expect.any(String) as string,
      command,
    });
  });

  test("is told once when the event leaves out error and cause, or one of them", () => {
    for (const fields of [["error", "cause"], ["error"], ["cause"]]) {
      expect(message(without(statusEvent(detail), ...fields))).toEqual({
        pipeline: "events",
        status: detail.status,
        execution: EXECUTION,
        error: null,
        cause: null,
        console: CONSOLE,
        advice: expect.stringContaining("link") as string,
        command: REDRIVE,
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
  expect(rules.map(({ target }) => target.arn)).toEqual([TOPIC_ARN, TOPIC_ARN, TOPIC_ARN]);
  expect(new Set(notifications.rules).size).toBe(3);
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
  const causes: Json[] = ["c", "", null];
  for (const status of ["FAILED", "TIMED_OUT", "ABORTED"])
    for (const error of errors)
      for (const cause of causes)
        for (const left of [[], ["error"], ["cause"], ["error", "cause"]])
          expect(told(without(statusEvent({ status, error, cause }), ...left))).toHaveLength(1);
});
