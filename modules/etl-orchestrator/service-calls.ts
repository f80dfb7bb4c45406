import { type PolicyStatement } from "../iam/policy-statement";
import { isPolicyResource } from "../iam/policy-statement";
import { everyState, isObject, type Definition, type JsonObject } from "../../definition-checks/asl";
import { type FunctionPlace, invokedArns } from "./function-arns";
import { integrationOf } from "../../definition-checks/service-integrations";

/** The values that ARNs in derived rights are composed of. */
export interface ServiceCallScope extends FunctionPlace {
  /** The possible values of parameters that are read from the state: `{ "$.crawlerName": ["etl-dev-events-raw"] }`. */
  readonly pathValues?: Readonly<Record<string, readonly string[]>>;
  /** The workgroups of the definition's queries; later calls about a query do not name its workgroup. */
  readonly workgroupArns?: readonly string[];
}

export interface DerivedRights {
  readonly statements: readonly PolicyStatement[];
  /** Topics that the definition publishes to; their constructs grant it, with the topic's key. */
  readonly topicArns: readonly string[];
  /** Calls whose rights cannot be derived, as text, and the states that make them. */
  readonly unknown: readonly { readonly state: string; readonly call: string }[];
  /** Calls that name an invalid resource, as text. */
  readonly mistakes: readonly string[];
}

interface Call {
  readonly parameters: JsonObject;
  readonly scope: ServiceCallScope;
  readonly isKnown?: (value: string) => boolean;
  /** Notes a mistake in the call, as words that follow the state's name. */
  readonly refuse: (mistake: string) => void;
}

/** The values a parameter may have; empty if they are known at run time only. */
function valuesOf({ parameters, scope }: Call, name: string): readonly string[] {
  const literal = parameters[name];
  if (typeof literal === "string") return [literal];
  const dynamic = parameters[`${name}.$`];
  return typeof dynamic === "string" ? (scope.pathValues?.[dynamic] ?? []) : [];
}

/** A key as a pattern: placeholders of `States.Format` become `*`. */
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
const workflows = (call: Call) =>
  valuesOf(call, "Name").map(
    (name) => `arn:${call.scope.partition}:glue:${call.scope.region}:${call.scope.account}:workflow/${name}`,
  );
/** The ARNs of tables, which are given by name or ARN: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html. */
const tables = (call: Call) =>
  valuesOf(call, "TableName").map((name) =>
    name.startsWith("arn:")
      ? name
      : `arn:${call.scope.partition}:dynamodb:${call.scope.region}:${call.scope.account}:table/${name}`,
  );
const workgroupArn = ({ partition, region, account }: ServiceCallScope, name: string) =>
  `arn:${partition}:athena:${region}:${account}:workgroup/${name}`;
/** The ARNs of functions. A qualifier that is known at run time only becomes `*`. */
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

/** The executions of a machine, for the rights to wait for one and to stop it. */
const executions = (call: Call) =>
  valuesOf(call, "StateMachineArn").flatMap((arn) => {
    const parts = /^(arn:.+:states:.+):stateMachine:([^:]+)/.exec(arn);
    return parts === null ? [] : [`${parts[1]}:execution:${parts[2]}:*`];
  });

/** The rule by which Step Functions waits for a nested execution. */
const NESTED_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule";

const RIGHTS: Readonly<Record<string, (call: Call) => PolicyStatement[]>> = {
  "glue:startJobRun": (call) => allow(["glue:StartJobRun"], jobs(call)),
  // Without BatchStopJobRun the job of a stopped execution would keep running, and be billed.
  "glue:startJobRun.sync": (call) =>
    allow(["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"], jobs(call)),
  "aws-sdk:glue:startCrawler": (call) => allow(["glue:StartCrawler"], crawlers(call)),
  "aws-sdk:glue:getWorkflowRun": (call) => allow(["glue:GetWorkflowRun"], workflows(call)),
  "aws-sdk:glue:getJobRun": (call) => allow(["glue:GetJobRun"], jobs(call)),
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
  // Without StopQueryExecution the query of a stopped execution would keep running, and be billed.
  "athena:startQueryExecution.sync": (call) =>
    allow(
      ["athena:GetQueryExecution", "athena:StartQueryExecution", "athena:StopQueryExecution"],
      valuesOf(call, "WorkGroup").map((name) => workgroupArn(call.scope, name)),
    ),
  "athena:getQueryExecution": (call) => allow(["athena:GetQueryExecution"], call.scope.workgroupArns ?? []),
  "athena:getQueryResults": (call) => allow(["athena:GetQueryResults"], call.scope.workgroupArns ?? []),
  "athena:stopQueryExecution": (call) => allow(["athena:StopQueryExecution"], call.scope.workgroupArns ?? []),
  // Metrics are not resources; only their namespace can be limited:
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

/**
 * Derives the rights that a definition's service calls need. RIGHTS has one row per integration: the actions, and the resources read from
 * the state's Parameters. Sources: the page of each integration in the Step Functions Developer Guide ("IAM policies for calling …"), and
 * the Service Authorization Reference.
 */
export function rightsOf(
  definition: Definition,
  place: ServiceCallScope,
  isKnown: (value: string) => boolean = () => true,
): DerivedRights {
  const statements: PolicyStatement[] = [];
  const topicArns = new Set<string>();
  const unknown: { state: string; call: string }[] = [];
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
        refuse(
          `would need ${right} on ${JSON.stringify(resource)}, which is not an ARN; write the whole ARN`,
        );
    };
    if (kind === "activity") continue;
    if (kind === "function") {
      statements.push(...allow(["lambda:InvokeFunction"], [integration]));
    } else if (integration === "sns:publish") {
      const topics = valuesOf(call, "TopicArn");
      for (const arn of topics) judge(arn, "sns:Publish");
      topics.forEach((arn) => topicArns.add(arn));
      if (topics.length === 0) unknown.push({ state: name, call: `${integration} of state ${name}` });
    } else {
      const derived = RIGHTS[integration + pattern]?.(call) ?? [];
      for (const { actions, resources } of derived)
        for (const resource of resources) judge(resource, actions.join(", "));
      if (derived.length === 0 && found.length === 0)
        unknown.push({ state: name, call: `${integration}${pattern} of state ${name}` });
      statements.push(...derived);
    }
    mistakes.push(...found);
  }
  return { statements, topicArns: [...topicArns], unknown, mistakes };
}

/**
 * The right of every machine to deliver logs. These actions cannot be limited to a resource, because log delivery is set up per account
 * (Service Authorization Reference).
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
/** The right of every traced machine. X-Ray has no resources (Service Authorization Reference). */
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
