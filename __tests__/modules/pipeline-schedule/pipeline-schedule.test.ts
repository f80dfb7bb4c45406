import { type TerraformStack } from "cdktf";
import {
  PipelineSchedule,
  type PipelineScheduleProps,
} from "../../../modules/pipeline-schedule/pipeline-schedule";
import { stateMachineRun } from "../../../modules/core/run";
import { ACCOUNT, byText, REGION, refusal, synth, unknownText } from "../../support/synth";

const MACHINE = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:etl-dev-events`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:etl-dev-events-schedule-dead-letters`;
const minimum: PipelineScheduleProps = {
  name: "etl-dev-events",
  run: stateMachineRun({ name: "etl-dev-events", account: ACCOUNT, region: REGION }),
  expression: "cron(0 4 * * ? *)",
  account: ACCOUNT,
  region: REGION,
};
const make = (stack: TerraformStack, props: Partial<PipelineScheduleProps> = {}, id = "Schedule") =>
  new PipelineSchedule(stack, id, { ...minimum, ...props });

test("minimum: on, in UTC, to the minute, tried again for an hour, with dead letters and a group of its own", () => {
  const { at, counts, reference } = synth((stack) => make(stack));
  expect(counts).toEqual({
    aws_iam_role: 1,
    aws_iam_role_policy: 1,
    aws_scheduler_schedule: 1,
    aws_scheduler_schedule_group: 1,
    aws_sqs_queue: 1,
    aws_sqs_queue_policy: 1,
  });
  expect(at("Schedule/Resource")).toEqual({
    name: "etl-dev-events",
    group_name: reference("Schedule/Group", "name"),
    description: "Starts etl-dev-events",
    schedule_expression: "cron(0 4 * * ? *)",
    schedule_expression_timezone: "UTC",
    state: "ENABLED",
    flexible_time_window: { mode: "OFF" },
    target: {
      arn: `${MACHINE}:live`,
      role_arn: reference("Schedule/Role/Resource", "arn"),
      input: '{"mode":"daily","scheduledTime":"<aws.scheduler.scheduled-time>"}',
      dead_letter_config: { arn: reference("Schedule/DeadLetters", "arn") },
      retry_policy: { maximum_retry_attempts: 10, maximum_event_age_in_seconds: 3600 },
    },
    depends_on: [reference("Schedule/Role/Policy/Resource", "x").slice(2, -3)],
  });
  expect(at("Schedule/Group")).toEqual({ name: "etl-dev-events" });
});

test("dead letters are encrypted, kept as long as SQS can, and taken over TLS only", () => {
  const { at, reference, statements } = synth((stack) => make(stack));
  expect(at("Schedule/DeadLetters")).toEqual({
    name: "etl-dev-events-schedule-dead-letters",
    message_retention_seconds: 1_209_600,
    sqs_managed_sse_enabled: true,
  });
  expect(at("Schedule/DeadLettersPolicy").queue_url).toBe(reference("Schedule/DeadLetters", "url"));
  expect(statements("Schedule/DeadLettersPolicy")).toEqual([
    {
      Sid: "OnlyOverTls",
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:*",
      Resource: QUEUE,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ]);
});

test("the role: assumed for this group of this account, starts that alias, sends to that queue, and nothing else", () => {
  const { at, statements } = synth((stack) => make(stack));
  expect(JSON.parse(at("Schedule/Role/Resource").assume_role_policy as string)).toEqual({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "scheduler.amazonaws.com" },
        Action: "sts:AssumeRole",
        Condition: {
          StringEquals: {
            "aws:SourceAccount": ACCOUNT,
            "aws:SourceArn": `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/etl-dev-events`,
          },
        },
      },
    ],
  });
  expect(byText(statements("Schedule/Role/Policy/Resource"))).toEqual(
    byText([
      {
        Effect: "Allow",
        Action: "states:StartExecution",
        Resource: MACHINE,
        Condition: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": "live" } },
      },
      { Effect: "Allow", Action: "sqs:SendMessage", Resource: QUEUE },
    ]),
  );
});

test("every prop changed, two in one stack", () => {
  const { at, built, counts } = synth((stack) => {
    make(stack, {}, "Other");
    return make(stack, {
      name: "events",
      run: stateMachineRun({ name: "m", alias: "next", account: "111122223333", region: "cn-north-1" }),
      expression: "cron(30 4 ? * MON-FRI *)",
      account: "111122223333",
      region: "cn-north-1",
      timeZone: "Asia/Shanghai",
      enabled: false,
      start: "2030-01-01T00:00:00Z",
      end: "2031-01-01T00:00:00Z",
      retryAttempts: 0,
      retrySeconds: 60,
      flexibleMinutes: 15,
      description: "Every working day",
      tags: { team: "data" },
    });
  });
  expect(counts).toMatchObject({ aws_scheduler_schedule: 2, aws_sqs_queue: 2, aws_iam_role: 2 });
  expect(at("Schedule/Resource")).toMatchObject({
    name: "events",
    description: "Every working day",
    schedule_expression: "cron(30 4 ? * MON-FRI *)",
    schedule_expression_timezone: "Asia/Shanghai",
    state: "DISABLED",
    start_date: "2030-01-01T00:00:00Z",
    end_date: "2031-01-01T00:00:00Z",
    flexible_time_window: { mode: "FLEXIBLE", maximum_window_in_minutes: 15 },
    target: {
      arn: "arn:aws-cn:states:cn-north-1:111122223333:stateMachine:m:next",
      retry_policy: { maximum_retry_attempts: 0, maximum_event_age_in_seconds: 60 },
    },
  });
  for (const path of ["Schedule/Group", "Schedule/DeadLetters", "Schedule/Role/Resource"]) {
    expect(at(path)).toMatchObject({ tags: { team: "data" } });
  }
  expect({ ...built }).toMatchObject({
    scheduleName: "events",
    groupName: "events",
    enabled: false,
    deadLetterQueueName: "events-schedule-dead-letters",
    deadLetterQueueArn: "arn:aws-cn:sqs:cn-north-1:111122223333:events-schedule-dead-letters",
    longestGapMinutes: 3 * 24 * 60,
  });
});

test("refusals, all at once", () => {
  const mistakes = {
    name: "etl events",
    run: { start: { arn: "etl-events", actions: [], resources: [] } },
    account: "<account>",
    expression: "cron(61 4 * 13 * *)",
    timeZone: "Europe/Berlyn",
    start: "2030-01-01",
    retryAttempts: 186,
    retrySeconds: 59,
    flexibleMinutes: 0.5,
  };
  expect(refusal((stack) => make(stack, mistakes)).split("; '")).toEqual([
    "PipelineSchedule 'etl-dev/Schedule': 'account' still holds a placeholder, got \"<account>\"; fill it in",
    'name\' must be 1 to 55 letters, digits or ._-, got "etl events" (10 characters)',
    'run.start.arn\' must be an ARN, got "etl-events"',
    'expression\' must have 0 to 59 in minutes, as a list, a range or a step, got "61"',
    'expression\' must have 1 to 12 or JAN to DEC in month, as a list, a range or a step, got "13"',
    'expression\' must have ? for exactly one of day of month and day of week, got "*" and "*"',
    'timeZone\' must be a time zone of the IANA database such as Europe/Berlin or UTC, got "Europe/Berlyn"',
    'start\' must be an instant as YYYY-MM-DDThh:mm:ssZ, got "2030-01-01"',
    "retryAttempts' must be a whole number from 0 to 185, got 186",
    "retrySeconds' must be a whole number from 60 to 86400, got 59",
    "flexibleMinutes' must be a whole number from 1 to 1440, got 0.5",
  ]);
});

test.each<[Partial<PipelineScheduleProps>, string]>([
  [
    { expression: "cron(0 4 31 2 ? *)" },
    "'expression' must fire at least once in UTC, got \"cron(0 4 31 2 ? *)\", which never does",
  ],
  [
    // The clock goes from 2 to 3 on that day.
    { expression: "cron(30 2 29 3 ? 2026)", timeZone: "Europe/Berlin" },
    "'expression' must fire at least once in Europe/Berlin, got \"cron(30 2 29 3 ? 2026)\", which never does",
  ],
  [
    { expression: "cron(0 4 1 1 ? *)", start: "2030-01-02T00:00:00Z", end: "2030-12-31T00:00:00Z" },
    "'expression' must fire at least once from 2030-01-02T00:00:00Z until 2030-12-31T00:00:00Z in UTC, " +
      'got "cron(0 4 1 1 ? *)", which never does',
  ],
  [
    { start: "2031-01-01T00:00:00Z", end: "2030-01-01T00:00:00Z" },
    "'end' must be after start 2031-01-01T00:00:00Z, got \"2030-01-01T00:00:00Z\"",
  ],
])("one that never fires is refused: %j", (props, mistake) => {
  expect(refusal((stack) => make(stack, props))).toBe(`PipelineSchedule 'etl-dev/Schedule': ${mistake}`);
});

test("a machine without an alias is refused, because a deployment decides what runs", () => {
  const start = { arn: MACHINE, actions: ["states:StartExecution"], resources: [MACHINE] };
  expect(refusal((stack) => make(stack, { run: { start } }))).toBe(
    `PipelineSchedule 'etl-dev/Schedule': 'run.start.arn' must name an alias of the state machine, so that a deployment decides what runs, got "${MACHINE}"`,
  );
});

test("what only Terraform can resolve is left alone", () => {
  const run = stateMachineRun({
    name: unknownText(),
    account: unknownText(),
    region: REGION,
    arn: unknownText(),
  });
  const props = { name: unknownText(), run, account: unknownText() };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});
