/**
 * Lists the service integrations and their call patterns.
 * Source: "Integrating optimized services with Step Functions" and "AWS SDK service integrations" of the Step Functions
 * Developer Guide: SDK integrations have the request and the task-token pattern, never `.sync`.
 */

export type CallPattern = "" | ".sync" | ".sync:2" | ".waitForTaskToken";

export interface Integration {
  readonly kind: "optimised" | "sdk" | "function" | "activity" | "unknown";
  /** `glue:startJobRun`, `aws-sdk:glue:getCrawler`; the ARN itself for a function or an activity. */
  readonly call: string;
  readonly pattern: CallPattern;
}

const REQUEST: readonly CallPattern[] = [""];
const REQUEST_SYNC: readonly CallPattern[] = ["", ".sync"];

const OPTIMISED: Readonly<Record<string, readonly CallPattern[]>> = {
  "athena:getQueryExecution": REQUEST,
  "athena:getQueryResults": REQUEST,
  "athena:startQueryExecution": REQUEST_SYNC,
  "athena:stopQueryExecution": REQUEST,
  "batch:submitJob": REQUEST_SYNC,
  "codebuild:startBuild": REQUEST_SYNC,
  "databrew:startJobRun": REQUEST_SYNC,
  "dynamodb:deleteItem": REQUEST,
  "dynamodb:getItem": REQUEST,
  "dynamodb:putItem": REQUEST,
  "dynamodb:updateItem": REQUEST,
  "ecs:runTask": ["", ".sync", ".waitForTaskToken"],
  "elasticmapreduce:addStep": REQUEST_SYNC,
  "elasticmapreduce:createCluster": REQUEST_SYNC,
  "elasticmapreduce:terminateCluster": REQUEST_SYNC,
  "emr-serverless:startJobRun": REQUEST_SYNC,
  "events:putEvents": ["", ".waitForTaskToken"],
  "glue:startJobRun": REQUEST_SYNC,
  "http:invoke": REQUEST,
  "lambda:invoke": ["", ".waitForTaskToken"],
  "sns:publish": ["", ".waitForTaskToken"],
  "sqs:sendMessage": ["", ".waitForTaskToken"],
  "states:startExecution": ["", ".sync", ".sync:2", ".waitForTaskToken"],
};

const SERVICE_ARN =
  /^arn:[^:]+:states:::(aws-sdk:[a-z0-9]+:[A-Za-z0-9]+|[a-z-]+:[A-Za-z0-9]+)(\.[A-Za-z]+(?::\d)?)?$/;

/** Reads a Task's `Resource`; an unresolved one can only be the ARN of a function or an activity. */
export function integrationOf(
  resource: string,
  isKnown: (value: string) => boolean = () => true,
): Integration {
  const service = SERVICE_ARN.exec(resource);
  if (service?.[1] !== undefined)
    return {
      kind: service[1].startsWith("aws-sdk:") ? "sdk" : "optimised",
      call: service[1],
      pattern: (service[2] ?? "") as CallPattern,
    };
  if (/^arn:[^:]+:states:[^:]+:\d{12}:activity:/.test(resource))
    return { kind: "activity", call: resource, pattern: "" };
  if (/^arn:[^:]+:lambda:[^:]+:\d{12}:function:/.test(resource) || !isKnown(resource))
    return { kind: "function", call: resource, pattern: "" };
  return { kind: "unknown", call: resource, pattern: "" };
}

/** The mistake in a Task's `Resource`, or `undefined`. */
export function integrationMistake(
  resource: string,
  isKnown?: (value: string) => boolean,
): { what: string; remedy: string } | undefined {
  const { kind, call, pattern } = integrationOf(resource, isKnown);
  switch (kind) {
    case "unknown":
      return {
        what: `the resource ${resource} is neither a service integration nor the ARN of a function or an activity`,
        remedy: "write arn:<partition>:states:::<service>:<call>, and account ids with 12 digits",
      };
    case "sdk":
      if (pattern !== "" && pattern !== ".waitForTaskToken")
        return {
          what: `the integration ${call}${pattern} does not exist: SDK integrations have no ${pattern}`,
          remedy: "call it plainly and poll until it is done (a crawl: Step.crawl)",
        };
      return undefined;
    case "optimised": {
      const patterns = OPTIMISED[call];
      if (patterns === undefined)
        return {
          what: `the integration ${call}${pattern} does not exist`,
          remedy: `write aws-sdk:${call} and poll until it is done (a crawl: Step.crawl)`,
        };
      if (!patterns.includes(pattern))
        return {
          what: `the integration ${call} has no pattern ${pattern || "without waiting"}`,
          remedy: `write one of ${patterns.map((known) => call + known).join(", ")}`,
        };
      return undefined;
    }
    case "function":
    case "activity":
      return undefined;
  }
}
