import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import {
  type ArrivingPipeline,
  ContractPipeline,
  type ContractPipelineProps,
  EtlPlatform,
  FileArrival,
  type FileArrivalProps,
} from "../../index";
import { contractFile, rulesFile } from "../support/contracts";
import { shopsFiles } from "../support/shops";
import { WHOLE_CHANGES } from "../support/whole-contracts";
import { ACCOUNT, byText, refusal, REGION, type Statement, synth } from "../support/synth";

/** Arriving files are given a queue, a ledger, a function, three rules, alarms, and rights for what the function calls. */

const folder = mkdtempSync(join(tmpdir(), "etl-arrival-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NAME = "shop-arrival";
const sqs = (name: string) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
const QUIET = { rule: "quiet", seconds: 60 } as const;

interface Given {
  readonly rule?: Partial<ArrivingPipeline>;
  readonly pipeline?: Partial<ContractPipelineProps>;
  readonly more?: (platform: EtlPlatform) => ContractPipeline[];
  readonly arrival?: Partial<FileArrivalProps>;
}

function orders(stack: TerraformStack, platform: EtlPlatform, more: Partial<ContractPipelineProps> = {}) {
  return new ContractPipeline(stack, "Orders", {
    platform,
    pipeline: "orders",
    contractFile: contractFile("customers"),
    rulesFile: rulesFile("customers"),
    ...more,
  });
}

function make(stack: TerraformStack, given: Given = {}): FileArrival {
  const platform = new EtlPlatform(stack, "Platform", { name: "shop", account: ACCOUNT, region: REGION });
  const pipeline = orders(stack, platform, given.pipeline);
  return new FileArrival(stack, "Arrival", {
    platform,
    pipelines: [{ pipeline, complete: QUIET, ...given.rule }],
    ...given.arrival,
  });
}

const arrival = (given?: Given) => synth((stack) => make(stack, given));

interface Settings {
  readonly [name: string]: unknown;
  readonly pipelines: readonly Readonly<Record<string, unknown>>[];
}

const settingsOf = (block: Record<string, unknown>): Settings =>
  JSON.parse((block.environment as { variables: { SETTINGS: string } }).variables.SETTINGS) as Settings;

test("minimum: a queue whose messages the function takes in batches, and that gives up on bad ones", () => {
  const { at, reference, built } = arrival();
  expect(at("Arrival/Queue")).toMatchObject({
    name: NAME,
    sqs_managed_sse_enabled: true,
    visibility_timeout_seconds: 360,
    message_retention_seconds: 1_209_600,
  });
  expect(at("Arrival/Queue").redrive_policy).toBe(
    `{"deadLetterTargetArn":"${reference("Arrival/DeadLetters", "arn")}","maxReceiveCount":5}`,
  );
  expect(at("Arrival/Messages")).toMatchObject({
    event_source_arn: reference("Arrival/Queue", "arn"),
    function_name: reference("Arrival/Function/Resource", "function_name"),
    batch_size: 1_000,
    maximum_batching_window_in_seconds: 5,
    function_response_types: ["ReportBatchItemFailures"],
    scaling_config: { maximum_concurrency: 2 },
  });
  expect(at("Arrival/Ledger")).toMatchObject({
    name: NAME,
    hash_key: "delivery",
    range_key: "item",
    billing_mode: "PAY_PER_REQUEST",
    point_in_time_recovery: { enabled: true },
  });
  expect(built.alarmNames).toEqual(
    ["errors", "throttles", "queue-age", "dead-letters", "orders-half", "orders-files-quarantined"].map(
      (suffix) => `${NAME}-${suffix}`,
    ),
  );
});

test("the function knows the bucket, the folders and the rules", () => {
  const { at, reference } = arrival();
  expect(settingsOf(at("Arrival/Function/Resource"))).toEqual({
    name: NAME,
    bucket: reference("Platform/Lake/Raw/Policy", "bucket"),
    booksBucket: reference("Platform/Lake/Processed/Policy", "bucket"),
    ledger: NAME,
    queue: reference("Arrival/Queue", "url"),
    machines: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:`,
    alias: "live",
    mostDays: 31,
    metrics: {
      namespace: "EtlPipelines",
      dimension: "FileArrival",
      leftAlone: "FilesLeftAlone",
      quarantined: "FilesQuarantined",
      half: "HalfDeliveries",
    },
    pipelines: [
      {
        name: "orders",
        machine: "shop-orders",
        places: [{ prefix: "orders/", layout: "dt" }],
        complete: QUIET,
        deadlineMinutes: 240,
        endings: [],
        undatedZone: null,
      },
    ],
  });
});

test("three rules reach the queue, and only they may send: new objects, ends of runs, the clock", () => {
  const { at, reference } = arrival();
  const bucket = reference("Platform/Lake/Raw/Policy", "bucket");
  expect(JSON.parse(at("Arrival/Arrived").event_pattern as string)).toEqual({
    source: ["aws.s3"],
    "detail-type": ["Object Created"],
    detail: { bucket: { name: [bucket] } },
  });
  expect(JSON.parse(at("Arrival/Ended").event_pattern as string)).toEqual({
    source: ["aws.states"],
    "detail-type": ["Step Functions Execution Status Change"],
    detail: {
      stateMachineArn: [`arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:shop-orders`],
      status: ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
    },
  });
  expect(at("Arrival/Look")).toMatchObject({ schedule_expression: "rate(5 minutes)" });
  expect(at("Arrival/LookTarget")).toMatchObject({ input: '{"source":"look"}' });
  for (const id of ["Arrived", "Ended", "Look"]) {
    expect(at(`Arrival/${id}`)).toMatchObject({ name: `${NAME}-${id.toLowerCase()}` });
    expect(at(`Arrival/${id}Target`)).toMatchObject({
      rule: reference(`Arrival/${id}`, "name"),
      arn: reference("Arrival/Queue", "arn"),
      dead_letter_config: { arn: reference("Arrival/DeadLetters", "arn") },
    });
  }
  for (const [policy, queue] of [
    ["QueuePolicy", NAME],
    ["DeadLettersPolicy", `${NAME}-dead-letters`],
  ] as const) {
    const { Statement } = JSON.parse(at(`Arrival/${policy}`).policy as string) as { Statement: object[] };
    expect(Statement).toEqual([
      {
        Sid: "OnlyOverTls",
        Effect: "Deny",
        Principal: "*",
        Action: "sqs:*",
        Resource: sqs(queue),
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
      {
        Sid: "RulesSend",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: sqs(queue),
        Condition: {
          ArnLike: { "aws:SourceArn": `arn:aws:events:${REGION}:${ACCOUNT}:rule/${NAME}-*` },
        },
      },
    ]);
  }
});

const rightsOf = (given?: Given) => {
  const made = arrival(given);
  const { statements, reference } = made;
  const own = statements("Arrival/Function/Role/Policy/Resource").filter(
    ({ Action, Condition }) =>
      !String(Action).startsWith("logs:") && !JSON.stringify(Condition ?? "").includes("aws:lambda"),
  );
  return { own: byText(own), reference };
};

const common = (reference: (id: string, attribute: string) => string, hasQuiet = true): Statement[] => {
  const key = reference("Platform/Lake/Key/Resource", "arn");
  return [
    {
      Effect: "Allow",
      Action: [
        ...["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        ...(hasQuiet ? ["sqs:SendMessage"] : []),
      ],
      Resource: sqs(NAME),
    },
    {
      Effect: "Allow",
      Action: [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
      ],
      Resource: `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${NAME}`,
    },
    {
      Effect: "Allow",
      Action: "cloudwatch:PutMetricData",
      Resource: "*",
      Condition: { StringEquals: { "cloudwatch:namespace": "EtlPipelines" } },
    },
    {
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: reference("Platform/Lake/Raw/Resource", "arn"),
      Condition: { StringLike: { "s3:prefix": "orders/*" } },
    },
    {
      Effect: "Allow",
      Action: "s3:ListBucket",
      Resource: reference("Platform/Lake/Processed/Resource", "arn"),
      Condition: { StringLike: { "s3:prefix": "books/orders/*/files.json" } },
    },
    {
      Effect: "Allow",
      Action: "kms:Decrypt",
      Resource: key,
      Condition: { StringEquals: { "kms:ViaService": `s3.${REGION}.amazonaws.com` } },
    },
    {
      Effect: "Allow",
      Action: "states:StartExecution",
      Resource: reference("Orders/Orchestrator/Resource", "arn"),
      Condition: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": "live" } },
    },
    {
      Effect: "Allow",
      Action: "states:DescribeExecution",
      Resource: `arn:aws:states:${REGION}:${ACCOUNT}:execution:shop-orders:*`,
    },
  ];
};

const readOf = (resource: string): Statement => ({
  Effect: "Allow",
  Action: "s3:GetObject",
  Resource: resource,
});

describe("its rights are those of its calls, and no file of a delivery is among them", () => {
  test("without a manifest", () => {
    const { own, reference } = rightsOf();
    const books = `${reference("Platform/Lake/Processed/Resource", "arn")}/books/orders/*/files.json`;
    expect(own).toEqual(byText([...common(reference), readOf(books)]));
  });

  test("with a manifest it reads that", () => {
    const { own, reference } = rightsOf({ rule: { complete: { rule: "manifest", name: "_files.json" } } });
    const books = `${reference("Platform/Lake/Processed/Resource", "arn")}/books/orders/*/files.json`;
    const manifest = `${reference("Platform/Lake/Raw/Resource", "arn")}/orders/*/_files.json`;
    const both = { ...readOf(""), Resource: [books, manifest].sort() };
    expect(own).toEqual(byText([...common(reference, false), both]));
  });

  test("with a zone for undated files it copies them", () => {
    const complete = { rule: "manifest", name: "_files.json" } as const;
    const { own, reference } = rightsOf({ rule: { undatedZone: "Europe/Berlin", complete } });
    expect(JSON.stringify(own)).not.toContain("_files.json"); // what it copies it may read
    const folder = `${reference("Platform/Lake/Raw/Resource", "arn")}/orders/*`;
    expect(own).toContainEqual({
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject"],
      Resource: folder,
    });
    expect(own).toContainEqual({
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: reference("Platform/Lake/Key/Resource", "arn"),
      Condition: { StringEquals: { "kms:ViaService": `s3.${REGION}.amazonaws.com` } },
    });
  });
});

test("a message that is tried again is no alarm of the queue's age", () => {
  const { at, reference } = arrival({ arrival: { maxReceives: 10 } });
  const topic = [reference("Platform/Alerts/Resource", "arn")];
  expect(at("Arrival/QueueAge")).toMatchObject({
    namespace: "AWS/SQS",
    metric_name: "ApproximateAgeOfOldestMessage",
    dimensions: { QueueName: NAME },
    statistic: "Maximum",
    threshold: 10 * 360 + 600,
    comparison_operator: "GreaterThanOrEqualToThreshold",
    treat_missing_data: "notBreaching",
    alarm_actions: topic,
    ok_actions: topic,
  });
  expect(at("Arrival/DeadLettersAlarm")).toMatchObject({
    metric_name: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: `${NAME}-dead-letters` },
    threshold: 1,
  });
  for (const [id, metric] of [
    ["Half-orders", "HalfDeliveries"],
    ["Quarantined-orders", "FilesQuarantined"],
  ] as const)
    expect(at(`Arrival/${id}`)).toMatchObject({
      namespace: "EtlPipelines",
      metric_name: metric,
      dimensions: { FileArrival: `${NAME}/orders` },
      threshold: 1,
    });
});

test("every prop changed", () => {
  const { at, all } = arrival({
    rule: {
      complete: { rule: "count", files: 3 },
      deadlineMinutes: 30,
      endings: [".csv", ".gz"],
      undatedZone: "Europe/Berlin",
    },
    arrival: {
      name: "landing",
      lookEveryMinutes: 1,
      batchWindowSeconds: 60,
      maxReceives: 7,
      actionsEnabled: false,
      tags: { team: "data" },
    },
  });
  expect(settingsOf(at("Arrival/Function/Resource")).pipelines[0]).toMatchObject({
    complete: { rule: "count", files: 3 },
    deadlineMinutes: 30,
    endings: [".csv", ".gz"],
    undatedZone: "Europe/Berlin",
  });
  expect(at("Arrival/Look")).toMatchObject({ name: "landing-look", schedule_expression: "rate(1 minute)" });
  expect(at("Arrival/Messages")).toMatchObject({ maximum_batching_window_in_seconds: 60 });
  expect(at("Arrival/Queue")).toMatchObject({ name: "landing", tags: { team: "data" } });
  const own = all("aws_cloudwatch_metric_alarm").filter(({ alarm_name: name }) =>
    String(name).startsWith("landing-"),
  );
  expect(own.map(({ actions_enabled: enabled }) => enabled)).toEqual(own.map(() => false));
});

test("several sources are several folders, each with its layout", () => {
  const { at } = arrival({ pipeline: shopsFiles(folder) });
  const [{ places }] = settingsOf(at("Arrival/Function/Resource")).pipelines as [{ places: object[] }];
  expect(places.length).toBeGreaterThan(1);
  for (const place of places)
    expect(place).toMatchObject({ prefix: expect.stringMatching(/^orders\/.+\/$/) as string });
});

test("a producer may put below the pipeline's prefix, with the key, and nothing else", () => {
  const { at, reference } = synth((stack) => make(stack).grantProducer("orders", "999988887777"));
  const bucket = reference("Platform/Lake/Raw/Resource", "arn");
  const principal = { AWS: "arn:aws:iam::999988887777:root" };
  const of = (id: string) =>
    (JSON.parse(at(id).policy as string) as { Statement: { Principal: unknown }[] }).Statement.filter(
      ({ Principal }) => JSON.stringify(Principal) === JSON.stringify(principal),
    );
  expect(of("Platform/Lake/Raw/Policy")).toEqual([
    {
      Effect: "Allow",
      Principal: principal,
      Action: ["s3:AbortMultipartUpload", "s3:PutObject"],
      Resource: `${bucket}/orders/*`,
    },
  ]);
  expect(of("Platform/Lake/Key/Resource")).toEqual([
    {
      Effect: "Allow",
      Principal: principal,
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: "*",
      Condition: {
        StringEquals: {
          "kms:EncryptionContext:aws:s3:arn": bucket,
          "kms:ViaService": `s3.${REGION}.amazonaws.com`,
        },
      },
    },
  ]);
});

test("refuses a producer of an unknown pipeline, or without an account", () => {
  expect(() => synth((stack) => make(stack).grantProducer("order", "999988887777"))).toThrow(
    "FileArrival 'etl-dev/Arrival': 'pipeline' must be one of orders, got 'order'; correct the spelling",
  );
  expect(() => synth((stack) => make(stack).grantProducer("orders", "9999"))).toThrow(
    "'accountId' must be 12 digits, got \"9999\"",
  );
});

test.each<[string, Given, string]>([
  ["no pipeline", { arrival: { pipelines: [] } }, "'pipelines' must not be empty"],
  [
    "a name with a dot",
    { arrival: { name: "a.b" } },
    "'name' must be letters, digits, '_' and '-', got \"a.b\"",
  ],
  [
    "a long name",
    { arrival: { name: "a".repeat(56) } },
    `'name' must have at most 55 characters, because its role is named '<name>-function', got "${"a".repeat(56)}" (56)`,
  ],
  [
    "looks",
    { arrival: { lookEveryMinutes: 0 } },
    "'lookEveryMinutes' must be a whole number from 1 to 60, got 0",
  ],
  [
    "window",
    { arrival: { batchWindowSeconds: 0 } },
    "'batchWindowSeconds' must be a whole number from 1 to 300, got 0",
  ],
  [
    "receives",
    { arrival: { maxReceives: 1.5 } },
    "'maxReceives' must be a whole number from 1 to 1000, got 1.5",
  ],
  [
    "a workflow",
    { pipeline: { orchestration: "workflow" } },
    "'pipelines.orders' must be orchestrated by a state machine: a Glue workflow cannot be given the dates of a run's deliveries; use a schedule",
  ],
  [
    "a deadline",
    { rule: { deadlineMinutes: 0 } },
    "'pipelines.orders.deadlineMinutes' must be a whole number from 1 to 10080, got 0",
  ],
  [
    "a quiet period",
    { rule: { complete: { rule: "quiet", seconds: 901 } } },
    "'pipelines.orders.complete.seconds' must be a whole number from 1 to 900, got 901",
  ],
  [
    "a count",
    { rule: { complete: { rule: "count", files: 0 } } },
    "'pipelines.orders.complete.files' must be a whole number from 1 to 10000, got 0",
  ],
  [
    "a marker that runs would read",
    { rule: { complete: { rule: "marker", name: "done.txt" } } },
    "'pipelines.orders.complete.name' must begin with '_' or '.', so that no run reads it as data, and be no path, got \"done.txt\"",
  ],
  [
    "an ending",
    { rule: { endings: ["/x"] } },
    "'pipelines.orders.endings' must be ends of names such as '.csv', got \"/x\"",
  ],
  ["a zone", { rule: { undatedZone: "Berlin" } }, "'pipelines.orders.undatedZone' must"],
  [
    "a zone where runs refuse what lies beside days",
    { rule: { undatedZone: "UTC" }, pipeline: { ...shopsFiles(folder), crawlRaw: false } },
    '\'pipelines.orders.undatedZone\' must be left out, got "UTC", or the sources web_shop must say "unknownFolders": "skip" in the contract: ' +
      "the file that is copied stays where it lies, and ends each run as InvalidDelivery",
  ],
])("refuses %s", (_, given, message) => {
  expect(refusal((stack) => make(stack, given))).toContain(message);
});

test("refuses a pipeline of AWS DMS, whose files come all day", () => {
  const contract = join(folder, "dms.schema.json");
  const rules = join(folder, "dms.quality.json");
  writeFileSync(contract, JSON.stringify(WHOLE_CHANGES["files of DMS"]));
  const few = { name: "few", type: "quarantineLimit", reason: "malformed", atMost: 0.1, action: "halt" };
  writeFileSync(rules, JSON.stringify({ threshold: 0, rules: [few] }));
  const props = { contractFile: contract, rulesFile: rules, crawlRaw: false };
  const written = { tableFormat: "iceberg", writeMode: "changes" } as const;
  expect(refusal((stack) => make(stack, { pipeline: { ...props, ...written } }))).toContain(
    "'pipelines.orders' must not read files of AWS DMS, which come all day: no rule says when a date is complete; use a schedule",
  );
});

test("refuses a pipeline that is named twice, and reports all mistakes at once", () => {
  const twice = (stack: TerraformStack) => {
    const platform = new EtlPlatform(stack, "Platform", { name: "shop", account: ACCOUNT, region: REGION });
    const pipeline = orders(stack, platform);
    const one = { pipeline, complete: QUIET };
    return new FileArrival(stack, "Arrival", { platform, pipelines: [one, one], maxReceives: 0 });
  };
  expect(refusal(twice)).toBe(
    "FileArrival 'etl-dev/Arrival': 'pipelines' must name each pipeline once, got 'orders' more than once; " +
      "'maxReceives' must be a whole number from 1 to 1000, got 0",
  );
});
