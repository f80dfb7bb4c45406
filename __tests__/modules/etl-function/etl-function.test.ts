import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import { unzipSync } from "fflate";
import { packFunction, unzippedBytesOf } from "../../../modules/artifacts/function-code";
import { EncryptionKey } from "../../../modules/encryption/encryption-key";
import { EtlFunction, type EtlFunctionProps } from "../../../modules/etl-function/etl-function";
import { type ILayer } from "../../../modules/etl-function/function-layer";
import { ServiceRole } from "../../../modules/iam/service-role";
import { ROOT } from "../../support/clone";
import { ARTIFACTS, KEY_ARN, place, ROLE } from "../../support/places";
import { ACCOUNT, byText, REGION, refusal, synth, synthToFolder, unknownText } from "../../support/synth";

const FOLDER = join(ROOT, "glue-scripts", "functions", "count_objects");
const ARN = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:etl-dev-count`;
const LOGS = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:/aws/lambda/etl-dev-count`;
const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:etl-dev-count-dead-letters`;
const ALERTS = {
  topicArn: `arn:aws:sns:${REGION}:${ACCOUNT}:etl-dev-alerts`,
  prefixes: [] as string[],
  allowPublishFromAlarms(prefix: string) {
    this.prefixes.push(prefix);
  },
};
const minimum: EtlFunctionProps = {
  name: "etl-dev-count",
  handler: "count_objects.handler",
  folder: FOLDER,
  artifacts: ARTIFACTS,
  account: ACCOUNT,
  region: REGION,
};
const make = (stack: TerraformStack, props: Partial<EtlFunctionProps> = {}, id = "Count") =>
  new EtlFunction(stack, id, { ...minimum, ...props });
const layer = (name: string, change: Partial<ILayer> = {}): ILayer => ({
  layerArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:layer:${name}:1`,
  runtimes: ["python3.11"],
  architectures: ["x86_64"],
  unzippedBytes: 1024 * 1024,
  ...change,
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-function-"));
  for (const name of ["etl", "code/etl"]) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "__init__.py"), "");
  }
  writeFileSync(join(folder, "code", "main.py"), "def handler(event, context): ...\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("minimum: the default Python, a bounded call, JSON logs that are kept, and no alarms", () => {
  const { at, built, counts, reference } = synth((stack) => make(stack));
  expect(counts).toEqual({
    aws_cloudwatch_log_group: 1,
    aws_iam_role: 1,
    aws_iam_role_policy: 1,
    aws_lambda_function: 1,
    aws_s3_object: 1,
  });
  const { zip } = packFunction(FOLDER, []);
  expect(at("Count/Resource")).toEqual({
    function_name: "etl-dev-count",
    role: reference("Count/Role/Resource", "arn"),
    runtime: "python3.11",
    architectures: ["x86_64"],
    handler: "count_objects.handler",
    s3_bucket: reference("Count/Code/Resource", "bucket"),
    s3_key: reference("Count/Code/Resource", "key"),
    source_code_hash: createHash("sha256").update(zip).digest("base64"),
    memory_size: 256,
    timeout: 60,
    ephemeral_storage: { size: 512 },
    tracing_config: { mode: "PassThrough" },
    logging_config: {
      log_format: "JSON",
      log_group: reference("Count/Logs", "name"),
      application_log_level: "INFO",
      system_log_level: "INFO",
    },
    depends_on: [reference("Count/Role/Policy/Resource", "x").slice(2, -3)],
  });
  expect(at("Count/Logs")).toEqual({ name: "/aws/lambda/etl-dev-count", retention_in_days: 90 });
  expect(at("Count/Code/Resource").key).toMatch(
    /^functions\/etl-dev-count\/[0-9a-f]{16}\/count_objects\.zip$/,
  );
  expect({ ...built }).toMatchObject({
    runtime: "python3.11",
    architecture: "x86_64",
    memoryMegabytes: 256,
    timeoutSeconds: 60,
    temporaryStorageMegabytes: 512,
    reservedConcurrency: undefined,
    deadLetterQueueName: undefined,
    unzippedBytes: readFileSync(join(FOLDER, "count_objects.py")).length,
    logGroupName: "/aws/lambda/etl-dev-count",
    alarmNames: [],
  });
});

test("every prop changed, two in one stack", () => {
  const { at, built, counts } = synth((stack) => {
    make(stack, {}, "Other");
    return make(stack, {
      name: "shop-count",
      description: "Counts objects",
      handler: "main.handler",
      folder: join(folder, "code"),
      artifacts: place("shop", "artifacts/"),
      account: "111122223333",
      region: "cn-north-1",
      runtime: "python3.13",
      architecture: "arm64",
      layers: [layer("tables", { runtimes: ["python3.12", "python3.13"], architectures: ["arm64"] })],
      memoryMegabytes: 10_240,
      timeoutSeconds: 900,
      temporaryStorageMegabytes: 10_240,
      environment: { BUCKET: "raw" },
      reservedConcurrency: 1,
      asynchronous: { retries: 0, maximumAgeSeconds: 60 },
      alarms: { alerts: ALERTS, runbookUrl: "https://wiki.example.com/", actionsEnabled: false },
      vpc: { subnetIds: ["subnet-1", "subnet-2"], securityGroupIds: ["sg-1"] },
      encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN),
      tracing: true,
      logRetentionDays: 7,
      tags: { team: "data" },
    });
  });
  expect(counts).toMatchObject({ aws_lambda_function: 2, aws_sqs_queue: 1, aws_iam_role: 2 });
  expect(at("Count/Resource")).toMatchObject({
    function_name: "shop-count",
    description: "Counts objects",
    handler: "main.handler",
    runtime: "python3.13",
    architectures: ["arm64"],
    layers: [`arn:aws:lambda:${REGION}:${ACCOUNT}:layer:tables:1`],
    memory_size: 10_240,
    timeout: 900,
    ephemeral_storage: { size: 10_240 },
    environment: { variables: { BUCKET: "raw" } },
    kms_key_arn: KEY_ARN,
    reserved_concurrent_executions: 1,
    vpc_config: { subnet_ids: ["subnet-1", "subnet-2"], security_group_ids: ["sg-1"] },
    tracing_config: { mode: "Active" },
    tags: { team: "data" },
  });
  expect(at("Count/Asynchronous")).toMatchObject({
    maximum_retry_attempts: 0,
    maximum_event_age_in_seconds: 60,
  });
  expect(at("Count/Logs")).toMatchObject({ retention_in_days: 7, kms_key_id: KEY_ARN });
  expect(at("Count/Errors")).toMatchObject({
    actions_enabled: false,
    alarm_description: expect.stringMatching(
      /^Function shop-count: .* Function: https:\/\/cn-north-1\.console\.amazonaws\.cn\/lambda\/home\?region=cn-north-1#\/functions\/shop-count\?tab=monitoring Runbook: https:\/\/wiki\.example\.com\/function-failed\.md$/,
    ) as string,
  });
  for (const path of ["Count/Logs", "Count/DeadLetters", "Count/Role/Resource", "Count/Errors"])
    expect(at(path)).toMatchObject({ tags: { team: "data" } });
  expect({ ...built }).toMatchObject({
    runtime: "python3.13",
    architecture: "arm64",
    memoryMegabytes: 10_240,
    timeoutSeconds: 900,
    temporaryStorageMegabytes: 10_240,
    reservedConcurrency: 1,
    deadLetterQueueName: "shop-count-dead-letters",
    alarmNames: [
      "shop-count-errors",
      "shop-count-throttles",
      "shop-count-dead-letters",
      "shop-count-undelivered",
    ],
  });
});

describe("its role", () => {
  const LOG_STATEMENT = {
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: `${LOGS}:*`,
  };
  const NETWORK_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ];

  test("is for Lambda", () => {
    const { at } = synth((stack) => make(stack));
    expect(at("Count/Role/Resource").name).toBe("etl-dev-count-function");
    expect(JSON.parse(at("Count/Role/Resource").assume_role_policy as string)).toEqual({
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
      ],
    });
  });

  test.each<[string, Partial<EtlFunctionProps>, object[]]>([
    ["writes its own log group, and nothing else", {}, []],
    [
      "sends to its dead letters",
      { asynchronous: {}, alarms: { alerts: ALERTS } },
      [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: QUEUE }],
    ],
    [
      "makes network interfaces, which its code may not",
      { vpc: { subnetIds: ["subnet-1"], securityGroupIds: ["sg-1"] } },
      [
        { Effect: "Allow", Action: NETWORK_ACTIONS, Resource: "*" },
        {
          Effect: "Deny",
          Action: NETWORK_ACTIONS,
          Resource: "*",
          Condition: { ArnEquals: { "lambda:SourceFunctionArn": ARN } },
        },
      ],
    ],
    [
      "sends traces",
      { tracing: true },
      [{ Effect: "Allow", Action: ["xray:PutTelemetryRecords", "xray:PutTraceSegments"], Resource: "*" }],
    ],
    [
      "reads its own variables with the key",
      { encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN), environment: { BUCKET: "raw" } },
      [
        {
          Effect: "Allow",
          Action: "kms:Decrypt",
          Resource: KEY_ARN,
          Condition: { StringEquals: { "kms:EncryptionContext:aws:lambda:FunctionArn": ARN } },
        },
      ],
    ],
  ])("%s", (_, props, statements) => {
    const { statements: of } = synth((stack) => make(stack, props));
    expect(byText(of("Count/Role/Policy/Resource"))).toEqual(byText([LOG_STATEMENT, ...statements] as never));
  });

  test("may be brought, with a longer name of the function", () => {
    const name = "n".repeat(64);
    const { counts, at } = synth((stack) =>
      make(stack, { name, role: ServiceRole.fromRoleAttributes(stack, "Brought", ROLE) }),
    );
    expect(counts).toMatchObject({ aws_iam_role_policy: 1 });
    expect(counts.aws_iam_role).toBeUndefined();
    expect(at("Count/Resource").role).toBe(ROLE.roleArn);
  });
});

test("a grant is on this function, without a version", () => {
  const { statements, reference } = synth((stack) =>
    make(stack).grantInvoke(ServiceRole.fromRoleAttributes(stack, "Caller", ROLE)),
  );
  expect(statements("Caller/Policy/Resource")).toEqual([
    { Effect: "Allow", Action: "lambda:InvokeFunction", Resource: reference("Count/Resource", "arn") },
  ]);
});

test("its key lets CloudWatch Logs encrypt this log group alone", () => {
  const { statements } = synth((stack) => {
    const key = new EncryptionKey(stack, "Key", { name: "etl", account: ACCOUNT, region: REGION });
    make(stack, { encryptionKey: key });
  });
  expect(statements("Key/Resource")).toContainEqual(
    expect.objectContaining({
      Principal: { Service: `logs.${REGION}.amazonaws.com` },
      Condition: { ArnEquals: { "kms:EncryptionContext:aws:logs:arn": LOGS } },
    }),
  );
});

test("without variables AWS would not keep the key, so neither function nor role has it", () => {
  const encryptionKey = EncryptionKey.fromKeyArn(KEY_ARN);
  const { at } = synth((stack) => make(stack, { encryptionKey, environment: {} }));
  expect(at("Count/Resource")).not.toHaveProperty("kms_key_arn");
  expect(at("Count/Resource")).not.toHaveProperty("environment");
  expect(at("Count/Role/Policy/Resource").policy).not.toContain("kms:");
  expect(at("Count/Logs").kms_key_id).toBe(KEY_ARN);
});

test("asynchronous calls that fail go to a queue: encrypted, kept as long as SQS can, over TLS only", () => {
  const { at, built, reference, statements } = synth((stack) =>
    make(stack, { asynchronous: {}, alarms: { alerts: ALERTS } }),
  );
  expect(at("Count/Asynchronous")).toEqual({
    function_name: reference("Count/Resource", "function_name"),
    maximum_retry_attempts: 2,
    maximum_event_age_in_seconds: 21_600,
    destination_config: { on_failure: { destination: reference("Count/DeadLetters", "arn") } },
  });
  expect(at("Count/DeadLetters")).toEqual({
    name: "etl-dev-count-dead-letters",
    message_retention_seconds: 1_209_600,
    sqs_managed_sse_enabled: true,
  });
  expect(at("Count/DeadLettersPolicy").queue_url).toBe(reference("Count/DeadLetters", "url"));
  expect(statements("Count/DeadLettersPolicy")).toEqual([
    {
      Sid: "OnlyOverTls",
      Effect: "Deny",
      Principal: "*",
      Action: "sqs:*",
      Resource: QUEUE,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
  ]);
  expect(built.deadLetterQueueName).toBe("etl-dev-count-dead-letters");
});

describe("its alarms", () => {
  const topic = [ALERTS.topicArn];
  const lambda = (name: string) => ({
    namespace: "AWS/Lambda",
    metric_name: name,
    dimensions: { FunctionName: "etl-dev-count" },
    statistic: "Sum",
  });
  const queue = {
    namespace: "AWS/SQS",
    metric_name: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName: "etl-dev-count-dead-letters" },
    statistic: "Maximum",
  };
  const ids = ["Errors", "Throttles", "DeadLettersAlarm", "Undelivered"];

  test.each<[string, Partial<EtlFunctionProps>, Record<string, object>]>([
    [
      "of a function whose caller waits report errors and throttles",
      {},
      {
        Errors: { ...lambda("Errors"), alarm_actions: topic },
        Throttles: { ...lambda("Throttles"), alarm_actions: topic },
      },
    ],
    [
      "of one that is called asynchronously report a failure once, from its dead letters",
      { asynchronous: {} },
      {
        Errors: { ...lambda("Errors") },
        Throttles: { ...lambda("Throttles"), alarm_actions: topic },
        DeadLettersAlarm: { ...queue, alarm_actions: topic, ok_actions: topic },
        Undelivered: { ...lambda("DestinationDeliveryFailures"), alarm_actions: topic },
      },
    ],
  ])("%s", (_, props, expected) => {
    ALERTS.prefixes.length = 0;
    const { at, counts } = synth((stack) => make(stack, { alarms: { alerts: ALERTS }, ...props }));
    expect(counts.aws_cloudwatch_metric_alarm).toBe(Object.keys(expected).length);
    for (const id of ids.filter((one) => one in expected)) {
      const { alarm_name: name, alarm_description: text, ...alarm } = at(`Count/${id}`);
      expect(name).toMatch(/^etl-dev-count-[a-z-]+$/);
      expect(text).toMatch(
        /^Function etl-dev-count: [a-z].*\. [A-Z].*\. Function: https:.* Runbook: docs\/runbook\/function-(failed|calls)\.md$/,
      );
      expect(alarm).toEqual({
        ...expected[id],
        period: 300,
        evaluation_periods: 1,
        datapoints_to_alarm: 1,
        comparison_operator: "GreaterThanOrEqualToThreshold",
        threshold: 1,
        treat_missing_data: "notBreaching",
        actions_enabled: true,
      });
    }
    expect(ALERTS.prefixes).toEqual(["etl-dev-count-"]);
  });
});

describe("its code", () => {
  const files = (packages: string[] = []) =>
    Object.keys(unzipSync(packFunction(join(folder, "code"), packages).zip));

  test("is every file but caches and hidden ones, with packages beside it", () => {
    const code = join(folder, "whole");
    for (const [file, text] of [
      ["main.py", "def handler(): ...\n"],
      ["query.sql", "select 1\n"],
      ["inner/part.py", "X = 1\n"],
      ["__pycache__/main.cpython-311.pyc", "x"],
      ["inner/old.pyc", "x"],
      [".DS_Store", "x"],
      [".venv/lib.py", "x"],
    ] as const) {
      mkdirSync(join(code, file, ".."), { recursive: true });
      writeFileSync(join(code, file), text);
    }
    const packages = [join(folder, "etl")];
    const { zip } = packFunction(code, packages);
    expect(Object.keys(unzipSync(zip))).toEqual(["etl/__init__.py", "inner/part.py", "main.py", "query.sql"]);
    expect(unzippedBytesOf(code, packages)).toBe(19 + 6 + 9);
  });

  test("the same files give the same bytes, wherever they lie, whenever they were written and whoever may read them", () => {
    const copy = join(folder, "copy", "code");
    cpSync(join(folder, "code"), copy, { recursive: true, mode: 0 });
    utimesSync(join(copy, "main.py"), new Date("2001-01-01"), new Date("2001-01-01"));
    const zip = Buffer.from(packFunction(join(folder, "code"), []).zip);
    jest.useFakeTimers({ now: new Date("2040-01-01") });
    try {
      expect(Buffer.from(packFunction(copy, []).zip).equals(zip)).toBe(true);
    } finally {
      jest.useRealTimers();
    }
    // The first file in the central directory: made on Unix, and readable by everybody.
    const entry = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
    expect([zip.readUInt8(entry + 5), (zip.readUInt32LE(entry + 38) >>> 16).toString(8)]).toEqual([
      3,
      "100644",
    ]);
    expect(files()).toEqual(["etl/__init__.py", "main.py"]);
  });

  test("new content has a new key, and the old object stays until the function uses it", () => {
    const code = join(folder, "changing");
    cpSync(FOLDER, code, { recursive: true });
    const object = () => synth((stack) => make(stack, { folder: code })).at("Count/Code/Resource");
    const before = object();
    writeFileSync(join(code, "more.py"), "");
    expect(object().key).not.toBe(before.key);
    expect(before.lifecycle).toEqual({ create_before_destroy: true });
  });

  test("is uploaded as it was packed", () => {
    synthToFolder(
      (stack) => make(stack),
      (stack) => {
        const { resource } = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as {
          resource: { aws_s3_object: Record<string, { source: string }> };
        };
        const [{ source }] = Object.values(resource.aws_s3_object) as [{ source: string }];
        expect(readFileSync(join(stack, source)).equals(Buffer.from(packFunction(FOLDER, []).zip))).toBe(
          true,
        );
      },
    );
  });

  test("links are refused, because they would be missing on Lambda", () => {
    const code = join(folder, "linked");
    cpSync(FOLDER, code, { recursive: true });
    symlinkSync(join(folder, "etl"), join(code, "etl"));
    expect(refusal((stack) => make(stack, { folder: code }))).toBe(
      "EtlFunction 'etl-dev/Count': 'folder' must hold files, and not links to files, got etl; name shared packages in 'packages'",
    );
  });
});

test("refusals, all at once", () => {
  const props: Partial<EtlFunctionProps> = {
    name: "n".repeat(56),
    description: "<description>",
    handler: "count_objects.run",
    packages: [join(folder, "etl"), join(folder, "code", "etl"), "etl"],
    artifacts: place("shop", "artifacts"),
    account: "1234",
    runtime: "python3.9" as never,
    architecture: "i386" as never,
    layers: [
      layer("a"),
      ...Array.from({ length: 5 }, () =>
        layer("b", { runtimes: ["python3.9" as never], architectures: ["i386" as never] }),
      ),
    ],
    memoryMegabytes: 64,
    timeoutSeconds: 901,
    temporaryStorageMegabytes: 511,
    environment: {
      AWS_REGION: "eu-west-1",
      X: "1",
      "1A": "x",
      DB_PASSWORD: "hunter2",
      LONG: "x".repeat(4_100),
    },
    reservedConcurrency: 0,
    asynchronous: { retries: 3, maximumAgeSeconds: 59 },
    vpc: { subnetIds: [], securityGroupIds: [] },
    logRetentionDays: 2,
  };
  expect(refusal((stack) => make(stack, props)).split("; '")).toEqual([
    "EtlFunction 'etl-dev/Count': 'description' still holds a placeholder, got \"<description>\"; fill it in",
    'account\' must be an AWS account id of 12 digits, got "1234"',
    `name' must be 1 to 55 letters, digits, hyphens or underscores (its role is named '<name>-function'), got "${"n".repeat(56)}" with 56`,
    "packages[1]' must have another name than the packages before it, got 'etl' again",
    "packages[2]' must be an absolute path, got 'etl'; use join(__dirname, …)",
    'handler\' must name a function, got "count_objects.run", but count_objects.py defines and imports no run',
    expect.stringMatching(/^artifacts\.prefix' must end in a slash/),
    'runtime\' must be one of python3.11, python3.12, python3.13, got "python3.9", which AWS deprecated on 2025-12-15: ' +
      "it gets no security patches, and AWS refuses it for new functions sooner or later",
    'architecture\' must be one of x86_64, arm64, got "i386"',
    "layers[0]' must be built for python3.9 on i386 like the function, got python3.11 on x86_64; " +
      "build it with --runtime python3.9 --architecture i386",
    "layers' must be at most 5, got 6; build one layer of several",
    "memoryMegabytes' must be a whole number from 128 to 10240, got 64",
    "timeoutSeconds' must be a whole number from 1 to 900, got 901; a longer task needs a Glue job",
    "temporaryStorageMegabytes' must be a whole number from 512 to 10240, got 511",
    "reservedConcurrency' must be a whole number at least 1, got 0 (0 would turn the function off); leave it out for no bound",
    "environment.AWS_REGION' is reserved: Lambda sets it, and refuses it here; choose another name",
    "environment.X' must have a name of two or more letters, digits and underscores that begins with a letter",
    "environment.1A' must have a name of two or more letters, digits and underscores that begins with a letter",
    "environment.DB_PASSWORD' looks like a secret, and is written to plans, state and logs; keep it in Secrets Manager and " +
      "pass the secret's ARN as '…_arn' instead",
    "environment' must have at most 4096 bytes of JSON, got 4177; put the rest into a file of 'folder', or into S3",
    "asynchronous.retries' must be a whole number from 0 to 2, got 3",
    "asynchronous.maximumAgeSeconds' must be a whole number from 60 to 21600, got 59",
    "alarms' must be given with 'asynchronous': nobody waits for these calls, so only an alarm reports that one failed",
    "vpc.subnetIds' must not be empty",
    "vpc.securityGroupIds' must not be empty",
    expect.stringMatching(/^logRetentionDays' must be one of 1, 3, .*, got 2$/),
  ]);
});

test.each<[Partial<EtlFunctionProps>, string]>([
  [
    { handler: "handler" },
    "'handler' must be <file>.<function>, such as count_objects.handler, got \"handler\"",
  ],
  [
    { handler: "main.handler" },
    "'handler' must name a file of 'folder', got \"main.handler\", but there is no main.py",
  ],
  [{ folder: "functions" }, "'folder' must be an absolute path, got 'functions'; use join(__dirname, …)"],
  [
    { folder: "/no/folder" },
    "'folder' must be the folder of a function, got '/no/folder', which does not exist or is not a folder",
  ],
  [
    { runtime: "python3.14" as never },
    'runtime\' must be one of python3.11, python3.12, python3.13, got "python3.14", which version 5.100 of the Terraform provider does not know',
  ],
  [
    { runtime: "nodejs22.x" as never },
    "'runtime' must be one of python3.11, python3.12, python3.13, got \"nodejs22.x\"",
  ],
  [
    { runtime: "python3.12", architecture: "arm64", layers: [layer("a")] },
    "'layers[0]' must be built for python3.12 on arm64 like the function, got python3.11 on x86_64; " +
      "build it with --runtime python3.12 --architecture arm64",
  ],
  [
    {
      layers: [
        layer("a", { unzippedBytes: 150 * 1024 * 1024 }),
        layer("b", { unzippedBytes: 100 * 1024 * 1024 }),
      ],
    },
    "'folder' must have, together with 'packages' and 'layers', less than 250.0 MB unzipped, got 250.0 MB: the code 0.0 MB, " +
      "'layers[0]' 150.0 MB, 'layers[1]' 100.0 MB; leave packages out, or use a Glue job",
  ],
  [
    { alarms: { alerts: ALERTS, runbookUrl: "wiki" } },
    "'alarms.runbookUrl' must be the https address of the folder docs/runbook, ending with a slash",
  ],
])("refused: %j", (props, mistake) => {
  expect(refusal((stack) => make(stack, props))).toContain(mistake);
});

test.each([
  ["def handler(event, context): ...", true],
  ["handler: Handler = log(run)", true],
  ["handler = run", true],
  ["from shop import handler", true],
  ["from shop import (\n    run,\n    handler,\n)", true],
  ["from shop import run as handler", true],
  ["from shop import *", true],
  ["class Handlers:\n    def handler(self): ...", false],
  ["def handler_of(event): ...", false],
  ["from shop import (\n    run,\n)\n# the handler", false],
])("a handler is found where it is defined or imported: %s", (source, isFound) => {
  const code = join(folder, "sources");
  mkdirSync(code, { recursive: true });
  writeFileSync(join(code, "main.py"), `"""The handler."""\n\n${source}\n`);
  const build = () => synth((stack) => make(stack, { folder: code, handler: "main.handler" }));
  if (isFound) expect(build).not.toThrow();
  else expect(build).toThrow("but main.py defines and imports no handler");
});

test("a package with the name of a file or folder of the code is refused", () => {
  const props = { folder: join(folder, "code"), handler: "main.handler", packages: [join(folder, "etl")] };
  expect(refusal((stack) => make(stack, props))).toBe(
    "EtlFunction 'etl-dev/Count': 'packages[0]' must have another name than what is in 'folder', got 'etl', which is there too; rename one",
  );
});

test("code and layers of a byte less than 250 MB are accepted", () => {
  const code = unzippedBytesOf(FOLDER, []);
  const layers = [layer("a", { unzippedBytes: 250 * 1024 * 1024 - 1 - code })];
  expect(() => synth((stack) => make(stack, { layers }))).not.toThrow();
  const larger = [layer("a", { unzippedBytes: 250 * 1024 * 1024 - code })];
  expect(refusal((stack) => make(stack, { layers: larger }))).toContain("'folder' must have, together");
});

test("text that only Terraform can resolve is left alone", () => {
  const props: Partial<EtlFunctionProps> = {
    name: unknownText(),
    handler: unknownText(),
    artifacts: place(unknownText(), unknownText()),
    account: unknownText(),
    environment: { BUCKET: unknownText(), LONG: "x".repeat(100) },
    alarms: { alerts: ALERTS, runbookUrl: unknownText() },
  };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});
