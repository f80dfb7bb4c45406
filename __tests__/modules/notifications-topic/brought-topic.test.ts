import { TerraformOutput, type TerraformStack } from "cdktf";
import { stateMachineRun } from "../../../modules/core/run";
import {
  EncryptionKey,
  NotificationsTopic,
  PipelineAlarms,
  ServiceRole,
  type TopicAttributes,
} from "../../..";
import { KEY_ARN } from "../../support/places";
import { ACCOUNT, byText, REGION, refusal, type Statement, synth, unknownText } from "../../support/synth";

const TOPIC_ARN = `arn:aws:sns:${REGION}:${ACCOUNT}:ours`;
const RULE = `arn:aws:events:${REGION}:${ACCOUNT}:rule/failed`;
const minimum: TopicAttributes = { topicArn: TOPIC_ARN, account: ACCOUNT, region: REGION };
const encrypted: TopicAttributes = { ...minimum, encryptionKey: EncryptionKey.fromKeyArn(KEY_ARN) };
const bring = (attributes: TopicAttributes) => NotificationsTopic.fromTopicAttributes(attributes);
const role = (stack: TerraformStack) =>
  new ServiceRole(stack, "Role", { name: "machine", service: "states.amazonaws.com" });

/** The statements that the owner must add, from a stack with other resources. */
function toAdd(attributes: TopicAttributes, use: (topic: ReturnType<typeof bring>) => void) {
  const { outputs } = synth((stack) => {
    const topic = bring(attributes);
    new TerraformOutput(stack, "topic", { value: topic.policyToAdd });
    new TerraformOutput(stack, "key", { value: topic.keyPolicyToAdd });
    use(topic);
    topic.grantPublish(role(stack));
  });
  const statements = (name: string) =>
    (JSON.parse(outputs[name]!.value as string) as { Statement: Statement[] }).Statement;
  return { topic: statements("topic"), key: statements("key") };
}

test("nothing of it is made, and its policy is not replaced", () => {
  const { counts } = synth((stack) => {
    const topic = bring(encrypted);
    topic.allowPublishFromRule(RULE);
    topic.allowPublishFromAlarms("ours-");
    topic.grantPublish(role(stack));
  });
  expect(counts).toEqual({ aws_iam_role: 1, aws_iam_role_policy: 1 });
});

test("a role publishes to it", () => {
  const { statements } = synth((stack) => bring(minimum).grantPublish(role(stack)));
  expect(statements("Role/Policy/Resource")).toEqual([
    { Effect: "Allow", Action: "sns:Publish", Resource: TOPIC_ARN },
  ]);
});

test.each([
  [REGION, "aws", `sns.${REGION}.amazonaws.com`],
  ["cn-north-1", "aws-cn", "sns.cn-north-1.amazonaws.com.cn"],
])("a role publishes to an encrypted one in %s, with the key through SNS", (region, partition, service) => {
  const topicArn = `arn:${partition}:sns:${region}:${ACCOUNT}:ours`;
  const { statements } = synth((stack) =>
    bring({ ...encrypted, topicArn, region }).grantPublish(role(stack)),
  );
  expect(byText(statements("Role/Policy/Resource"))).toEqual(
    byText([
      { Effect: "Allow", Action: "sns:Publish", Resource: topicArn },
      {
        Effect: "Allow",
        Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
        Resource: KEY_ARN,
        Condition: { StringEquals: { "kms:ViaService": service } },
      },
    ]),
  );
});

test("the owner can read what the topic's policy and the key's must allow", () => {
  const { topic, key } = toAdd(encrypted, (one) => {
    one.allowPublishFromRule(RULE);
    one.allowPublishFromAlarms("ours-");
  });
  expect(topic).toEqual([
    {
      Sid: "AlarmsPublish",
      Effect: "Allow",
      Principal: { Service: "cloudwatch.amazonaws.com" },
      Action: "sns:Publish",
      Resource: TOPIC_ARN,
      Condition: {
        ArnLike: { "aws:SourceArn": `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:ours-*` },
        StringEquals: { "aws:SourceAccount": ACCOUNT },
      },
    },
    {
      Sid: "RulesPublish",
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "sns:Publish",
      Resource: TOPIC_ARN,
      Condition: { ArnEquals: { "aws:SourceArn": RULE } },
    },
  ]);
  const mayUse = (Sid: string, service: string) => ({
    Sid,
    Effect: "Allow",
    Principal: { Service: `${service}.amazonaws.com` },
    Action: ["kms:Decrypt", "kms:GenerateDataKey*"],
    Resource: "*",
    Condition: { StringEquals: { "aws:SourceAccount": ACCOUNT } },
  });
  expect(key).toEqual([mayUse("AlarmsPublish", "cloudwatch"), mayUse("RulesPublish", "events")]);
});

test("without a key, rules or alarms there is nothing to add for them", () => {
  expect(toAdd(minimum, (topic) => topic.allowPublishFromRule(RULE))).toMatchObject({
    topic: [{ Sid: "RulesPublish" }],
    key: [],
  });
  expect(toAdd(encrypted, () => undefined)).toEqual({ topic: [], key: [] });
});

test("a key that was made here lets both services in, each once", () => {
  const { statements } = synth((stack) => {
    const encryptionKey = new EncryptionKey(stack, "Key", { name: "key", account: ACCOUNT, region: REGION });
    const topic = bring({ ...minimum, encryptionKey });
    for (const name of ["one", "two"]) {
      topic.allowPublishFromRule(`${RULE}-${name}`);
      topic.allowPublishFromAlarms(name);
    }
  });
  const services = statements("Key/Resource").flatMap(({ Sid, Principal }) => (Sid ? [] : [Principal]));
  expect(services).toEqual([{ Service: "cloudwatch.amazonaws.com" }, { Service: "events.amazonaws.com" }]);
});

test("alarms tell it", () => {
  const { all } = synth(
    (stack) =>
      new PipelineAlarms(stack, "Alarms", {
        name: "ours",
        pipeline: "events",
        environment: "dev",
        account: ACCOUNT,
        region: REGION,
        run: stateMachineRun({ name: "ours", account: ACCOUNT, region: REGION }),
        alerts: bring(minimum),
        usualMinutes: 10,
      }),
  );
  expect(all("aws_cloudwatch_composite_alarm").map(({ alarm_actions }) => alarm_actions)).toContainEqual([
    TOPIC_ARN,
  ]);
});

const standard = "must be a standard topic's ARN (arn:aws:sns:<region>:<account>:<name>), got";
test.each<[string, Partial<TopicAttributes>, string]>([
  ["a name", { topicArn: "ours" }, `'topicArn' ${standard} "ours"`],
  [
    "a queue",
    { topicArn: `arn:aws:sqs:${REGION}:${ACCOUNT}:ours` },
    `'topicArn' ${standard} "arn:aws:sqs:${REGION}:${ACCOUNT}:ours"`,
  ],
  ["a FIFO topic", { topicArn: `${TOPIC_ARN}.fifo` }, `'topicArn' ${standard} "${TOPIC_ARN}.fifo"`],
  [
    "elsewhere, both at once",
    { account: "111122223333", region: "eu-west-2" },
    `'topicArn' must be in account 111122223333, like its rules and alarms, got "${TOPIC_ARN}"; ` +
      "use a topic there and subscribe the same readers; " +
      `'topicArn' must be in region eu-west-2, like its rules and alarms, got "${TOPIC_ARN}"; ` +
      "use a topic there and subscribe the same readers",
  ],
  ["no account", { account: "12" }, `'account' must be an AWS account id of 12 digits, got "12"`],
])("%s is refused", (_what, wrong, message) => {
  const attributes = { ...minimum, ...wrong };
  expect(refusal(() => bring(attributes))).toContain(
    `NotificationsTopic '${attributes.topicArn}': ${message}`,
  );
});

test("what only Terraform can resolve is left alone", () => {
  const topic = () =>
    bring({
      topicArn: unknownText(),
      account: unknownText(),
      region: REGION,
      encryptionKey: EncryptionKey.fromKeyArn(unknownText()),
    });
  expect(() => synth((stack) => topic().grantPublish(role(stack)))).not.toThrow();
});
