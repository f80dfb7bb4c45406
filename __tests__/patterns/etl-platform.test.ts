import { EtlPlatform, type EtlPlatformProps } from "../../index";
import { ACCOUNT, refusal, REGION, synth } from "../support/synth";

const MINIMUM: EtlPlatformProps = { name: "shop-dev", account: ACCOUNT, region: REGION };
const SUBSCRIBERS = {
  notifications: [
    { protocol: "email", endpoint: "team@example.com" },
    { protocol: "https", endpoint: "https://example.com/runs" },
  ],
  alerts: [{ protocol: "sqs", endpoint: `arn:aws:sqs:${REGION}:${ACCOUNT}:alerts` }],
} as const;

const platform = (change: Partial<EtlPlatformProps> = {}, id = "Platform") =>
  synth((stack) => new EtlPlatform(stack, id, { ...MINIMUM, ...change }));

test("of its name, account and region it makes lake, topics, messenger, workgroup and locks, guarded", () => {
  const { built, counts, at, all } = platform();
  expect(counts).toMatchObject({ aws_s3_bucket: 7, aws_sns_topic: 2, aws_sfn_state_machine: 1 });
  expect(counts).not.toHaveProperty("aws_sns_topic_subscription");
  expect(counts).not.toHaveProperty("aws_glue_security_configuration");
  expect(all("aws_s3_bucket").map(({ lifecycle }) => lifecycle)).toEqual(
    all("aws_s3_bucket").map(() => ({ prevent_destroy: true })),
  );
  expect(at("Platform/Lake/Raw/Resource")).toMatchObject({ bucket: `shop-dev-raw-${ACCOUNT}-${REGION}` });
  expect(at("Platform/Lake/Raw/Database")).toMatchObject({ name: "shop_dev_raw" });
  expect(at("Platform/Notifications/Resource")).toMatchObject({ name: "shop-dev-notifications" });
  expect(at("Platform/Alerts/Resource")).toMatchObject({ name: "shop-dev-alerts" });
  expect(at("Platform/Locks/Resource")).toMatchObject({ name: "shop-dev-locks" });
  expect(at("Platform/Workgroup/Resource")).toMatchObject({
    name: "shop-dev",
    configuration: { bytes_scanned_cutoff_per_query: 107_374_182_400 },
  });
  expect(at("Platform/Failures/LogGroup")).toMatchObject({ retention_in_days: 90 });
  expect(built).toMatchObject({
    ...{ name: "shop-dev", environment: "shop-dev", account: ACCOUNT, region: REGION },
    ...{ glueVersion: "5.1", logRetentionDays: 90, logExecutionData: false, showValuesInMessages: false },
    ...{ runbookUrl: undefined, securityConfiguration: undefined },
  });
});

test("every prop that is changed from its default is made, and can be read back", () => {
  const { built, at, all } = platform({
    environment: "dev",
    ...{ retainData: false, allowDataDestruction: true },
    subscribers: SUBSCRIBERS,
    ...{ glueVersion: "6.0", logRetentionDays: 14, logExecutionData: true, showValuesInMessages: true },
    scanLimitBytes: 10_485_760,
    runbookUrl: "https://wiki.example.com/runbook/",
    encryptJobLogs: true,
  });
  expect(built).toMatchObject({
    ...{ environment: "dev", glueVersion: "6.0", logRetentionDays: 14, logExecutionData: true },
    ...{ showValuesInMessages: true, runbookUrl: "https://wiki.example.com/runbook/" },
  });
  expect(built.securityConfiguration).toBeDefined();
  expect(all("aws_glue_security_configuration")).toMatchObject([
    { name: expect.stringMatching(/^shop-dev-[0-9a-f]{8}$/) as string },
  ]);
  expect(all("aws_s3_bucket").filter(({ force_destroy: force }) => force !== true)).toEqual([]);
  expect(at("Platform/Workgroup/Resource")).toMatchObject({
    force_destroy: true,
    configuration: { bytes_scanned_cutoff_per_query: 10_485_760 },
  });
  expect(at("Platform/Failures/LogGroup")).toMatchObject({ retention_in_days: 14 });
});

test("subscribers are subscribed to their topic", () => {
  const { at, all, reference } = platform({ subscribers: SUBSCRIBERS });
  expect(all("aws_sns_topic_subscription")).toHaveLength(3);
  const [notifications, alerts] = ["Notifications", "Alerts"].map((topic) =>
    reference(`Platform/${topic}/Resource`, "arn"),
  );
  expect(at("Platform/Email-team@example.com")).toMatchObject({
    topic_arn: notifications,
    protocol: "email",
  });
  const [queue] = all("aws_sns_topic_subscription").filter(({ protocol }) => protocol === "sqs");
  expect(queue).toMatchObject({ topic_arn: alerts, endpoint: SUBSCRIBERS.alerts[0].endpoint });
  const [site] = all("aws_sns_topic_subscription").filter(({ protocol }) => protocol === "https");
  expect(site).toMatchObject({ topic_arn: notifications, endpoint: "https://example.com/runs" });
});

test("two platforms stand in one stack", () => {
  const { counts } = synth((stack) => {
    new EtlPlatform(stack, "One", MINIMUM);
    new EtlPlatform(stack, "Two", { ...MINIMUM, name: "shop-two" });
  });
  expect(counts).toMatchObject({ aws_s3_bucket: 14, aws_dynamodb_table: 2, aws_athena_workgroup: 2 });
});

test.each<[Partial<EtlPlatformProps>, string]>([
  [
    { retainData: false },
    "DataLake 'etl-dev/Platform/Lake': 'retainData' must be true unless 'allowDataDestruction' is true as well, got false; destroying data needs both",
  ],
  [
    { scanLimitBytes: 1 },
    "AthenaWorkgroup 'etl-dev/Platform/Workgroup': 'scanLimitBytes' must be a whole number, at least 10485760 (10 MiB), got 1",
  ],
  [
    { logRetentionDays: 2 },
    "FailureMessenger 'etl-dev/Platform/Failures': 'logRetentionDays' must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, got 2",
  ],
])("%j is refused by the construct that it is for", (change, message) => {
  expect(refusal((stack) => new EtlPlatform(stack, "Platform", { ...MINIMUM, ...change }))).toBe(message);
});
