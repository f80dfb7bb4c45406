import { type PolicyStatement } from "../iam/policy-statement";
import { isPolicyResource } from "../iam/policy-statement";
import { everyState, isObject, type Definition, type JsonObject } from "../../definition-checks/asl";
import { type FunctionPlace, invokedArns } from "./function-arns";
import { integrationOf } from "../../definition-checks/service-integrations";

/**
 * The rights a definition needs, read from the service calls it makes. One row per integration: which actions on
 * which resource, taken from the state's Parameters. Sources: the page of each integration in the Step Functions
 * Developer Guide ("IAM policies for calling …"), and the Service Authorization Reference for what can be named.
 */

export interface ServiceCallScope extends FunctionPlace {
  /** What a parameter read from the state may be: `{ "$.crawlerName": ["etl-dev-events-raw"] }`. */
  readonly pathValues?: Readonly<Record<string, readonly string[]>>;
  /** Those that the definition starts queries in: what is asked of a query later names none. */
  readonly workgroupArns?: readonly string[];
}

export interface DerivedRights {
  readonly statements: readonly PolicyStatement[];
  /** Topics that are published to: their owner grants it, with the topic's key. */
  readonly topicArns: readonly string[];
  /** Calls whose rights cannot be derived, in words. */
  readonly unknown: readonly string[];
  /** Calls of something that is no resource, in words. */
  readonly mistakes: readonly string[];
}

interface Call {
  readonly parameters: JsonObject;
  readonly scope: ServiceCallScope;
  readonly isKnown?: (value: string) => boolean;
  /** Takes what is wrong with the call, in words that follow the state's name. */
  readonly refuse: (mistake: string) => void;
}

/** The values a parameter may have; empty when only the execution knows. */
function valuesOf({ parameters, scope }: Call, name: string): readonly string[] {
  const literal = parameters[name];
  if (typeof literal === "string") return [literal];
  const dynamic = parameters[`${name}.$`];
  return typeof dynamic === "string" ? (scope.pathValues?.[dynamic] ?? []) : [];
}

/** A key as a pattern: what `States.Format` fills in at run time becomes `*`. */
function keyPattern({ parameters }: Call): string | undefined {
  if (typeof parameters.Key === "string") return parameters.Key;
  const dynamic = parameters["Key.$"];
  const template = typeof dynamic === "string" ? /^States\.Format\('([^']*)'/.exec(dynamic)?.[1] : undefined;
  return template?.replaceAll("{}", "*");
}

const allow = (actions: readonly string[], resources: readonly string[]): PolicyStatement[] =>
  resources.length === 0 ? [] : [{ effect: "Allow", actions, resources }];

const crawlers = (call: Call) =>
  valuesOf(call, "Name").map(
    (name) => `arn:${call.scope.partition}:glue:${call.scope.region}:${call.scope.account}:crawler/${name}`,
  );
const jobs = (call: Call) =>
  valuesOf(call, "JobName").map(
    (name) => `arn:${call.scope.partition}:glue:${call.scope.region}:${call.scope.account}:job/${name}`,
  );
/** By name or by ARN, https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html. */
const tables = (call: Call) =>
  valuesOf(call, "TableName").map((name) =>
    name.startsWith("arn:")
      ? name
      : `arn:${call.scope.partition}:dynamodb:${call.scope.region}:${call.scope.account}:table/${name}`,
  );
const workgroupArn = ({ partition, region, account }: ServiceCallScope, name: string) =>
  `arn:${partition}:athena:${region}:${account}:workgroup/${name}`;
/** A qualifier that only the execution knows may be any. */
const functions = (call: Call) => {
  const { Qualifier: literal } = call.parameters;
  const qualifier =
    "Qualifier.$" in call.parameters ? "*" : typeof literal === "string" ? literal : undefined;
  return valuesOf(call, "FunctionName").flatMap((name) => {
    const arns = invokedArns(name, qualifier, call.scope, call.isKnown);
    if (typeof arns !== "string") return arns;
    call.refuse(arns);
    return [];
  });
};

const QUALIFIED_MACHINE = /^(arn:.+:states:.+:stateMachine:[^:]+):([^:]+)$/;

/**
 * A version or an alias is checked as its machine, with the qualifier as a condition.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
 */
const startsMachine = (call: Call): PolicyStatement[] =>
  valuesOf(call, "StateMachineArn").map((arn) => {
    const [, machine = arn, qualifier] = QUALIFIED_MACHINE.exec(arn) ?? [];
    return {
      effect: "Allow",
      actions: ["states:StartExecution"],
      resources: [machine],
      ...(qualifier === undefined
        ? {}
        : { conditions: { "ForAnyValue:StringEquals": { "states:StateMachineQualifier": qualifier } } }),
    };
  });

/** The executions of a machine, for the rights of waiting for one and stopping it. */
const executions = (call: Call) =>
  valuesOf(call, "StateMachineArn").flatMap((arn) => {
    const parts = /^(arn:.+:states:.+):stateMachine:([^:]+)/.exec(arn);
    return parts === null ? [] : [`${parts[1]}:execution:${parts[2]}:*`];
  });

/** Step Functions awaits a nested execution through a rule that it manages under this name. */
const NESTED_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule";

const RIGHTS: Readonly<Record<string, (call: Call) => PolicyStatement[]>> = {
  "glue:startJobRun": (call) => allow(["glue:StartJobRun"], jobs(call)),
  // Without BatchStopJobRun a stopped execution leaves the job running and paid.
  "glue:startJobRun.sync": (call) =>
    allow(["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"], jobs(call)),
  "aws-sdk:glue:startCrawler": (call) => allow(["glue:StartCrawler"], crawlers(call)),
  "aws-sdk:glue:getCrawler": (call) => allow(["glue:GetCrawler"], crawlers(call)),
  "aws-sdk:s3:getObject": (call) => {
    const key = keyPattern(call);
    return key === undefined
      ? []
      : allow(
          ["s3:GetObject"],
          valuesOf(call, "Bucket").map((bucket) => `arn:${call.scope.partition}:s3:::${bucket}/${key}`),
        );
  },
  "athena:startQueryExecution": (call) =>
    allow(
      ["athena:StartQueryExecution"],
      valuesOf(call, "WorkGroup").map((name) => workgroupArn(call.scope, name)),
    ),
  // Without StopQueryExecution a stopped execution leaves the query running and paid.
  "athena:startQueryExecution.sync": (call) =>
    allow(
      ["athena:GetQueryExecution", "athena:StartQueryExecution", "athena:StopQueryExecution"],
      valuesOf(call, "WorkGroup").map((name) => workgroupArn(call.scope, name)),
    ),
  "athena:getQueryExecution": (call) => allow(["athena:GetQueryExecution"], call.scope.workgroupArns ?? []),
  "athena:getQueryResults": (call) => allow(["athena:GetQueryResults"], call.scope.workgroupArns ?? []),
  "athena:stopQueryExecution": (call) => allow(["athena:StopQueryExecution"], call.scope.workgroupArns ?? []),
  // Metrics are no resources; what can be limited is the namespace,
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html.
  "aws-sdk:cloudwatch:putMetricData": (call) =>
    valuesOf(call, "Namespace").map((namespace) => ({
      effect: "Allow" as const,
      actions: ["cloudwatch:PutMetricData"],
      resources: ["*"],
      conditions: { StringEquals: { "cloudwatch:namespace": namespace } },
    })),
  "dynamodb:deleteItem": (call) => allow(["dynamodb:DeleteItem"], tables(call)),
  "dynamodb:getItem": (call) => allow(["dynamodb:GetItem"], tables(call)),
  "dynamodb:putItem": (call) => allow(["dynamodb:PutItem"], tables(call)),
  "dynamodb:updateItem": (call) => allow(["dynamodb:UpdateItem"], tables(call)),
  "aws-sdk:sfn:describeExecution": (call) =>
    allow(["states:DescribeExecution"], valuesOf(call, "ExecutionArn")),
  "lambda:invoke": (call) => allow(["lambda:InvokeFunction"], functions(call)),
  "lambda:invoke.waitForTaskToken": (call) => allow(["lambda:InvokeFunction"], functions(call)),
  "states:startExecution": startsMachine,
  "states:startExecution.sync:2": (call) =>
    executions(call).length === 0
      ? []
      : [
          ...startsMachine(call),
          ...allow(["states:DescribeExecution", "states:StopExecution"], executions(call)),
          ...allow(
            ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            [
              `arn:${call.scope.partition}:events:${call.scope.region}:${call.scope.account}:rule/${NESTED_RULE}`,
            ],
          ),
        ],
};

function workgroupsOf(definition: Definition, scope: ServiceCallScope): string[] {
  const names = everyState(definition).flatMap(({ state }) =>
    isObject(state.Parameters) && typeof state.Parameters.WorkGroup === "string"
      ? [state.Parameters.WorkGroup]
      : [],
  );
  return [...new Set(names)].map((name) => workgroupArn(scope, name));
}

/** The rights of a definition's service calls. */
export function rightsOf(
  definition: Definition,
  place: ServiceCallScope,
  isKnown: (value: string) => boolean = () => true,
): DerivedRights {
  const statements: PolicyStatement[] = [];
  const topicArns = new Set<string>();
  const unknown: string[] = [];
  const mistakes: string[] = [];
  const scope: ServiceCallScope = { ...place, workgroupArns: workgroupsOf(definition, place) };
  for (const { name, state } of everyState(definition)) {
    if (state.Type !== "Task" || typeof state.Resource !== "string") continue;
    const { kind, call: integration, pattern } = integrationOf(state.Resource, isKnown);
    const found: string[] = [];
    const refuse = (mistake: string) => found.push(`state ${name} ${mistake}`);
    const parameters = isObject(state.Parameters) ? state.Parameters : {};
    const call: Call = { parameters, scope, isKnown, refuse };
    const judge = (resource: string, right: string) => {
      if (isKnown(resource) && !isPolicyResource(resource))
        refuse(`would need ${right} on ${JSON.stringify(resource)}, which is no ARN; write the whole ARN`);
    };
    if (kind === "activity") continue;
    if (kind === "function") {
      statements.push(...allow(["lambda:InvokeFunction"], [integration]));
    } else if (integration === "sns:publish") {
      const topics = valuesOf(call, "TopicArn");
      for (const arn of topics) judge(arn, "sns:Publish");
      topics.forEach((arn) => topicArns.add(arn));
      if (topics.length === 0) unknown.push(`${integration} of state ${name}`);
    } else {
      const derived = RIGHTS[integration + pattern]?.(call) ?? [];
      for (const { actions, resources } of derived)
        for (const resource of resources) judge(resource, actions.join(", "));
      if (derived.length === 0 && found.length === 0)
        unknown.push(`${integration}${pattern} of state ${name}`);
      statements.push(...derived);
    }
    mistakes.push(...found);
  }
  return { statements, topicArns: [...topicArns], unknown, mistakes };
}

/**
 * What every logged and traced machine needs. None of these actions can be limited to a resource: log delivery is set
 * up per account, and X-Ray names no resources (Service Authorization Reference).
 */
export const LOG_DELIVERY_STATEMENT: PolicyStatement = {
  sid: "LogDelivery",
  effect: "Allow",
  actions: [
    "logs:CreateLogDelivery",
    "logs:CreateLogStream",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutLogEvents",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
  ],
  resources: ["*"],
};
export const TRACING_STATEMENT: PolicyStatement = {
  sid: "Tracing",
  effect: "Allow",
  actions: [
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
  ],
  resources: ["*"],
};
