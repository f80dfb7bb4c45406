import { TerraformOutput, type TerraformStack } from "cdktf";
import { EncryptionKey } from "../../../modules/encryption/encryption-key";
import { ServiceRole } from "../../../modules/iam/service-role";
import {
  NotificationsTopic,
  type NotificationsTopicProps,
} from "../../../modules/notifications-topic/notifications-topic";
import { KEY_ARN } from "../../support/places";
import { ACCOUNT, byText, REGION, refusal, synth, unknownText } from "../../support/synth";

const minimum: NotificationsTopicProps = { name: "etl-dev-notifications", account: ACCOUNT, region: REGION };
const make = (
  stack: TerraformStack,
  props: Partial<NotificationsTopicProps> = {},
  id = "Topic",
): NotificationsTopic => new NotificationsTopic(stack, id, { ...minimum, ...props });
const RULES = ["failed", "failed-new"].map((name) => `arn:aws:events:${REGION}:${ACCOUNT}:rule/${name}`);

test("minimum: encrypted with a key of its own, and nobody may publish", () => {
  const { at, counts, reference, statements } = synth((stack) => make(stack));
  expect(counts).toEqual({ aws_kms_alias: 1, aws_kms_key: 1, aws_sns_topic: 1, aws_sns_topic_policy: 1 });
  expect(at("Topic/Resource")).toEqual({
    name: "etl-dev-notifications",
    kms_master_key_id: reference("Topic/Key/Resource", "arn"),
  });
  expect(at("Topic/Policy").arn).toBe(reference("Topic/Resource", "arn"));
  expect(statements("Topic/Policy")).toEqual([
    {
      Sid: "AccountDecides",
      Effect: "Allow",
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
      Action: [
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
      ],
      Resource: reference("Topic/Resource", "arn"),
    },
  ]);
});

test("its own key rotates, and goes with it", () => {
  const { at } = synth((stack) => make(stack));
  expect(at("Topic/Key/Resource")).toMatchObject({ enable_key_rotation: true });
  expect(at("Topic/Key/Resource").lifecycle).toBeUndefined();
});

test("every prop changed", () => {
  const all: NotificationsTopicProps = {
    name: "other",
    account: "111122223333",
    region: "us-gov-west-1",
    encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN),
    tags: { team: "data" },
  };
  const { at, counts, statements } = synth((stack) => make(stack, all));
  expect(counts).toEqual({ aws_sns_topic: 1, aws_sns_topic_policy: 1 });
  expect(at("Topic/Resource")).toEqual({ name: "other", kms_master_key_id: KEY_ARN, tags: { team: "data" } });
  expect(statements("Topic/Policy")[0]?.Principal).toEqual({ AWS: "arn:aws-us-gov:iam::111122223333:root" });
});

test.each([
  ["one rule that was let in publishes", RULES.slice(0, 1)],
  ["rules that were let in publish", RULES],
])("%s, no other, and EventBridge may use the key once", (_what, rules) => {
  const { reference, statements } = synth((stack) => {
    const topic = make(stack);
    for (const rule of rules) topic.allowPublishFromRule(rule);
  });
  expect(statements("Topic/Policy")).toHaveLength(2);
  expect(statements("Topic/Policy")).toContainEqual({
    Sid: "RulesPublish",
    Effect: "Allow",
    Principal: { Service: "events.amazonaws.com" },
    Action: "sns:Publish",
    Resource: reference("Topic/Resource", "arn"),
    Condition: { ArnEquals: { "aws:SourceArn": rules.length === 1 ? rules[0]! : rules } },
  });
  const forEvents = statements("Topic/Key/Resource").filter(({ Sid }) => Sid === undefined);
  expect(forEvents).toEqual([
    {
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
  ]);
});

const alarms = (prefix: string) => `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:${prefix}*`;

test.each([
  ["alarms of a prefix that was let in publish", ["etl-dev-events-"]],
  ["alarms of several prefixes publish", ["etl-dev-events-", "etl-dev-mobile-"]],
])("%s, no other account's, and CloudWatch may use the key once", (_what, prefixes) => {
  const { reference, statements } = synth((stack) => {
    const topic = make(stack);
    for (const prefix of prefixes) topic.allowPublishFromAlarms(prefix);
    topic.allowPublishFromAlarms(prefixes[0]!);
  });
  expect(statements("Topic/Policy")).toHaveLength(2);
  expect(statements("Topic/Policy")).toContainEqual({
    Sid: "AlarmsPublish",
    Effect: "Allow",
    Principal: { Service: "cloudwatch.amazonaws.com" },
    Action: "sns:Publish",
    Resource: reference("Topic/Resource", "arn"),
    Condition: {
      StringEquals: { "aws:SourceAccount": ACCOUNT },
      ArnLike: { "aws:SourceArn": prefixes.length === 1 ? alarms(prefixes[0]!) : prefixes.map(alarms) },
    },
  });
  const forServices = statements("Topic/Key/Resource").filter(({ Sid }) => Sid === undefined);
  expect(forServices).toEqual([
    {
      Effect: "Allow",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
      Resource: "*",
      Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
    },
  ]);
});

test("rules and alarms are let in side by side", () => {
  const { statements } = synth((stack) => {
    const topic = make(stack);
    topic.allowPublishFromRule(RULES[0]!);
    topic.allowPublishFromAlarms("etl-dev-events-");
  });
  expect(statements("Topic/Policy").map(({ Sid }) => Sid)).toEqual([
    "AccountDecides",
    "AlarmsPublish",
    "RulesPublish",
  ]);
});

test("one rule is a text, not a list of one; the order of rules does not matter", () => {
  const policy = (...rules: string[]) =>
    synth((stack) => {
      const topic = make(stack);
      for (const rule of rules) topic.allowPublishFromRule(rule);
    }).at("Topic/Policy").policy;
  expect(policy(RULES[0]!)).toContain(`{"ArnEquals":{"aws:SourceArn":"${RULES[0]}"}}`);
  expect(policy(...RULES)).toBe(policy(...[...RULES].reverse()));
});

test("a role that was let in publishes, with the key through SNS", () => {
  const { reference, statements } = synth((stack) => {
    make(stack).grantPublish(
      new ServiceRole(stack, "Role", { name: "machine", service: "states.amazonaws.com" }),
    );
  });
  expect(byText(statements("Role/Policy/Resource"))).toEqual(
    byText([
      { Effect: "Allow", Action: "sns:Publish", Resource: reference("Topic/Resource", "arn") },
      {
        Effect: "Allow",
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: reference("Topic/Key/Resource", "arn"),
        Condition: { StringEquals: { "kms:ViaService": `sns.${REGION}.amazonaws.com` } },
      },
    ]),
  );
});

test("in China the key knows SNS by the name that it has there", () => {
  const { statements } = synth((stack) => {
    make(stack, { region: "cn-north-1" }).grantPublish(
      new ServiceRole(stack, "Role", { name: "machine", service: "states.amazonaws.com" }),
    );
  });
  expect(
    statements("Role/Policy/Resource").find(({ Condition }) => Condition !== undefined)?.Condition,
  ).toEqual({
    StringEquals: { "kms:ViaService": "sns.cn-north-1.amazonaws.com.cn" },
  });
  expect(statements("Topic/Policy")[0]?.Principal).toEqual({ AWS: `arn:aws-cn:iam::${ACCOUNT}:root` });
});

test("two in one stack keep their publishers apart", () => {
  const { statements } = synth((stack) => {
    make(stack).allowPublishFromRule(RULES[0]!);
    make(stack, { name: "other" }, "Other");
  });
  expect(statements("Topic/Policy")).toHaveLength(2);
  expect(statements("Other/Policy")).toHaveLength(1);
});

test("what it made can be read back", () => {
  const { outputs, reference } = synth((stack) => {
    const { encryptionKey, topicArn } = make(stack);
    new TerraformOutput(stack, "topic", { value: { topicArn, keyArn: encryptionKey.keyArn } });
  });
  expect(outputs.topic?.value).toEqual({
    topicArn: reference("Topic/Resource", "arn"),
    keyArn: reference("Topic/Key/Resource", "arn"),
  });
});

test("refusals, all at once", () => {
  expect(
    refusal((stack) => make(stack, { name: "etl notifications", account: "<account>", region: "here" })),
  ).toBe(
    "NotificationsTopic 'etl-dev/Topic': 'account' still holds a placeholder, got \"<account>\"; fill it in; " +
      "'name' must be 1 to 256 letters, digits, hyphens or underscores, got \"etl notifications\"; " +
      "'region' must be an AWS region such as eu-west-1, got \"here\"",
  );
});

test("what only Terraform can resolve is left alone", () => {
  const props = {
    name: unknownText(),
    account: unknownText(),
    encryptionKey: EncryptionKey.fromKeyArn(unknownText()),
  };
  expect(() => synth((stack) => make(stack, props))).not.toThrow();
});
