import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { Lazy, TerraformVariable, type TerraformStack } from "cdktf";
import { type JsonObject } from "../../../definition-checks/asl";
import {
  EtlOrchestrator,
  type HandWrittenDefinition,
} from "../../../modules/etl-orchestrator/etl-orchestrator";
import { isPolicyResource } from "../../../modules/iam/policy-statement";
import { ACCOUNT, eventsProps, REGION } from "../../support/orchestrator";
import { refusal, type Statement, synth } from "../../support/synth";

type Parameters = Readonly<Record<string, unknown>>;

const task = (call: string, parameters: Parameters): JsonObject =>
  ({
    StartAt: "Call",
    States: {
      Call: {
        Type: "Task",
        Resource: `arn:\${Partition}:states:::${call}`,
        Parameters: parameters,
        TimeoutSeconds: 60,
        ResultPath: null,
        Retry: [{ ErrorEquals: ["States.Timeout"], MaxAttempts: 1 }],
        End: true,
      },
    },
  }) as JsonObject;

const orchestrator = (stack: TerraformStack, definition: HandWrittenDefinition, region = REGION) =>
  new EtlOrchestrator(stack, "O", {
    ...eventsProps(),
    steps: undefined,
    definition: { ...definition, allow: { Call: ["async-start", "retry-missing"] } },
    region,
  });

const rights = (call: string, parameters: Parameters, region = REGION): Statement[] =>
  synth((stack) => orchestrator(stack, { template: task(call, parameters) }, region))
    .statements("O/Role/Policy/Resource")
    .filter(({ Sid }) => Sid === undefined);

const HERE = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:`;
const THERE = "arn:aws:lambda:eu-west-1:210987654321:function:";

test.each<[string, Parameters, string | string[]]>([
  ["a name", { FunctionName: "clean" }, `${HERE}clean`],
  ["an ARN", { FunctionName: `${THERE}clean` }, `${THERE}clean`],
  [
    "a partial ARN",
    { FunctionName: "210987654321:function:clean" },
    `arn:aws:lambda:${REGION}:210987654321:function:clean`,
  ],
  [
    "an account and a name",
    { FunctionName: "210987654321:clean" },
    `arn:aws:lambda:${REGION}:210987654321:function:clean`,
  ],
  ["a partial ARN with a region", { FunctionName: "eu-west-1:210987654321:function:clean" }, `${THERE}clean`],
  ["function: and a name", { FunctionName: "function:clean" }, `${HERE}clean`],
  ["a name with an alias", { FunctionName: "clean:live" }, `${HERE}clean:live`],
  ["a name with a version", { FunctionName: "clean:7" }, `${HERE}clean:7`],
  ["an ARN with an alias", { FunctionName: `${THERE}clean:live` }, `${THERE}clean:live`],
  [
    "a partial ARN with a version",
    { FunctionName: "210987654321:function:clean:7" },
    `arn:aws:lambda:${REGION}:210987654321:function:clean:7`,
  ],
  ["the latest version", { FunctionName: "clean:$LATEST" }, [`${HERE}clean`, `${HERE}clean:$LATEST`]],
  ["a name and a qualifier", { FunctionName: "clean", Qualifier: "live" }, `${HERE}clean:live`],
  ["an ARN and a qualifier", { FunctionName: `${THERE}clean`, Qualifier: "7" }, `${THERE}clean:7`],
  ["the same qualifier twice", { FunctionName: "clean:live", Qualifier: "live" }, `${HERE}clean:live`],
  ["a qualifier of the execution", { FunctionName: "clean", "Qualifier.$": "$.run.alias" }, `${HERE}clean:*`],
])("a function by %s: the right is on its real ARN", (_, parameters, resource) => {
  const expected = { Effect: "Allow", Action: "lambda:InvokeFunction", Resource: resource };
  expect(rights("lambda:invoke", parameters)).toEqual([expected]);
});

test("the same of a call that waits for a token, and in China", () => {
  const waits = task("lambda:invoke.waitForTaskToken", {
    FunctionName: "clean:live",
    Payload: { "token.$": "$$.Task.Token" },
  });
  const one = synth((stack) => orchestrator(stack, { template: waits }, "cn-north-1")).statements(
    "O/Role/Policy/Resource",
  );
  expect(one).toContainEqual({
    Effect: "Allow",
    Action: "lambda:InvokeFunction",
    Resource: `arn:aws-cn:lambda:cn-north-1:${ACCOUNT}:function:clean:live`,
  });
});

test("what Terraform alone knows is made an ARN by Terraform, whether it is a name or an ARN", () => {
  const made = synth((stack) => {
    const name = new TerraformVariable(stack, "function", { type: "string" }).stringValue;
    const values = { Function: name };
    const template = task("lambda:invoke", { FunctionName: "${Function}", Qualifier: "live" });
    orchestrator(stack, { template, values });
  });
  expect(made.statements("O/Role/Policy/Resource")).toContainEqual({
    Effect: "Allow",
    Action: "lambda:InvokeFunction",
    Resource: expect.stringMatching(/^\$\{local\.O_FunctionArn1_[0-9A-F]+\}:live$/) as unknown,
  });
  const { locals } = JSON.parse(made.json) as { locals: Record<string, string> };
  expect(Object.values(locals)).toEqual([
    `\${startswith(var.function, "arn:") ? var.function : join("", ["${HERE}", var.function])}`,
  ]);
});

test.each<[string, (one: LambdaFunction) => string]>([
  ["ARN", (one) => one.arn],
  ["name", (one) => one.functionName],
  ["qualified ARN", (one) => one.qualifiedArn],
])("a function of the stack by its %s", (_, which) => {
  const { json } = synth((stack) => {
    const one = new LambdaFunction(stack, "Clean", { functionName: "clean", role: "r" });
    const template = task("lambda:invoke", { FunctionName: "${Function}" });
    orchestrator(stack, { template, values: { Function: which(one) } });
  });
  const { locals } = JSON.parse(json) as { locals: Record<string, string> };
  expect(Object.values(locals)).toHaveLength(1);
});

const MACHINE = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:other`;

test.each<[string, string, Parameters, Statement[]]>([
  [
    "a machine",
    "states:startExecution",
    { StateMachineArn: MACHINE },
    [{ Effect: "Allow", Action: "states:StartExecution", Resource: MACHINE }],
  ],
  [
    "an alias of a machine",
    "states:startExecution",
    { StateMachineArn: `${MACHINE}:live` },
    [
      {
        Effect: "Allow",
        Action: "states:StartExecution",
        Resource: MACHINE,
        Condition: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": "live" } },
      },
    ],
  ],
  [
    "a table by its ARN",
    "dynamodb:getItem",
    { TableName: "arn:aws:dynamodb:eu-west-1:210987654321:table/locks", Key: { id: { S: "a" } } },
    [
      {
        Effect: "Allow",
        Action: "dynamodb:GetItem",
        Resource: "arn:aws:dynamodb:eu-west-1:210987654321:table/locks",
      },
    ],
  ],
  [
    "a topic of its own",
    "sns:publish",
    { TopicArn: "arn:aws:sns:eu-west-1:210987654321:news", Message: "done" },
    [{ Effect: "Allow", Action: "sns:Publish", Resource: "arn:aws:sns:eu-west-1:210987654321:news" }],
  ],
])("%s", (_, call, parameters, expected) => {
  expect(rights(call, parameters)).toEqual(expected);
});

test.each<[string, string, Parameters, string]>([
  [
    "a function's path",
    "lambda:invoke",
    { FunctionName: "functions/clean" },
    "'definition' state Call calls the function \"functions/clean\", which is neither a function's name nor its ARN",
  ],
  [
    "two qualifiers",
    "lambda:invoke",
    { FunctionName: "clean:live", Qualifier: "7" },
    '\'definition\' state Call calls the function "clean:live" with the Qualifier "7"; Lambda accepts only one of them',
  ],
  [
    "a function of the execution",
    "lambda:invoke",
    { "FunctionName.$": "$.run.function" },
    "'definition' makes the call lambda:invoke of state Call, whose rights cannot be derived; give them as 'definition.statements'",
  ],
  [
    "a topic's name",
    "sns:publish",
    { TopicArn: "news", Message: "done" },
    "'definition' state Call would need sns:Publish on \"news\", which is not an ARN; write the whole ARN",
  ],
  [
    "a machine's name",
    "states:startExecution",
    { StateMachineArn: "other" },
    "'definition' state Call would need states:StartExecution on \"other\", which is not an ARN; write the whole ARN",
  ],
])("refused: %s", (_, call, parameters, mistake) => {
  const template = task(call, parameters);
  expect(refusal((stack) => orchestrator(stack, { template }))).toBe(
    `EtlOrchestrator 'etl-dev/O': ${mistake}`,
  );
});

test("a grant on something that is not an ARN is refused", () => {
  const statements = [{ actions: ["lambda:InvokeFunction"], resources: ["clean", "*"] }];
  const template = task("lambda:invoke", { "FunctionName.$": "$.run.function" });
  expect(refusal((stack) => orchestrator(stack, { template, statements }))).toBe(
    "ServiceRole 'etl-dev/O/Role': 'resources' must be ARNs or \"*\", got \"clean\" for lambda:InvokeFunction",
  );
});

test("every resource that the steps of a pipeline derive is an ARN, or * for actions without resources", () => {
  const { statements } = synth((stack) => new EtlOrchestrator(stack, "O", eventsProps()));
  const all = ["O/Role/Policy/Resource", "O/Crawl/Role/Policy/Resource"].flatMap((path) => statements(path));
  const resources = all.flatMap(({ Resource }) => Resource);
  expect(resources.length).toBeGreaterThan(10);
  expect(resources.filter((one) => !isPolicyResource(one))).toEqual([]);
  const everything = all.filter(({ Resource }) => [Resource].flat().includes("*"));
  expect(everything.map(({ Sid, Action }) => Sid ?? Action)).toEqual(
    expect.arrayContaining(["LogDelivery", "Tracing", "cloudwatch:PutMetricData"]),
  );
  expect(everything).toHaveLength(5);
});

test.each([
  ["*", true],
  ["arn:aws:s3:::lake/*", true],
  ["arn:*:s3:::lake", true],
  ["arn:aws:states:eu-west-1:000000000000:stateMachine:a", true],
  ["clean", false],
  ["clean:*", false],
  ["arn:aws:s3", false],
  ["arn:aws:athena:x", false],
  ["", false],
])("%s as a policy's resource: %s", (resource, ok) => {
  expect(isPolicyResource(resource)).toBe(ok);
});

test("what only Terraform can resolve is left alone", () => {
  const template = task("states:startExecution", {
    StateMachineArn: Lazy.stringValue({ produce: () => "x" }),
  });
  expect(() => synth((stack) => orchestrator(stack, { template }))).not.toThrow();
});
