import { type CallPattern } from "./service-integrations";

/**
 * The parameters and answers of the calls that definitions make. A test compares these tables with the models of the AWS SDK;
 * `lambda:invoke` is from the page of its integration. Names are in PascalCase, as Step Functions requires ("AWS SDK service
 * integrations", developer guide).
 */

export interface CallShape {
  /** Required parameters. */
  readonly required: readonly string[];
  /** Optional parameters; `undefined` if they are not listed here. */
  readonly optional?: readonly string[];
  /** Members of the answer; `undefined` if they are not listed here. */
  readonly answer?: readonly string[];
  /** Members of the answer of a call that waits (`.sync`). */
  readonly awaited?: readonly string[];
  /** Optional paths of the answer, `[*]` for any index, with the reason why they may be missing. */
  readonly sometimes?: Readonly<Record<string, string>>;
  /** The same for the answer of a call that waits. */
  readonly awaitedSometimes?: Readonly<Record<string, string>>;
}

const START_JOB_RUN = {
  required: ["JobName"],
  optional: [
    "JobRunQueuingEnabled",
    "JobRunId",
    "Arguments",
    "AllocatedCapacity",
    "Timeout",
    "MaxCapacity",
    "SecurityConfiguration",
    "NotificationProperty",
    "WorkerType",
    "NumberOfWorkers",
    "ExecutionClass",
    "ExecutionRoleSessionPolicy",
  ],
};
const JOB_RUN = [
  "Id",
  "Attempt",
  "PreviousRunId",
  "TriggerName",
  "JobName",
  "JobMode",
  "JobRunQueuingEnabled",
  "StartedOn",
  "LastModifiedOn",
  "CompletedOn",
  "JobRunState",
  "Arguments",
  "ErrorMessage",
  "PredecessorRuns",
  "AllocatedCapacity",
  "ExecutionTime",
  "Timeout",
  "MaxCapacity",
  "WorkerType",
  "NumberOfWorkers",
  "SecurityConfiguration",
  "LogGroupName",
  "NotificationProperty",
  "GlueVersion",
  "DPUSeconds",
  "ExecutionClass",
  "MaintenanceWindow",
  "ProfileName",
  "StateDetail",
  "ExecutionRoleSessionPolicy",
];
const EXECUTION = [
  "ExecutionArn",
  "StateMachineArn",
  "Status",
  "StartDate",
  "Name",
  "StopDate",
  "Input",
  "InputDetails",
  "Output",
  "OutputDetails",
  "TraceHeader",
  "MapRunArn",
  "Error",
  "Cause",
  "StateMachineVersionArn",
  "StateMachineAliasArn",
  "RedriveCount",
  "RedriveDate",
  "RedriveStatus",
  "RedriveStatusReason",
];
/** A value of a query's answer. The first row is the header of a SELECT, which is always there. */
export const ATHENA_VALUE = "ResultSet.Rows[*].Data[*].VarCharValue";
const NOT_OF_EVERY_QUERY = {
  "QueryExecution.Status.AthenaError": "a query that did not fail has none",
  "QueryExecution.Status.StateChangeReason": "a query that did not fail may have none",
};
const LAST_PAGE = "the last page has none";
const WRITTEN_ITEM = ["Attributes", "ConsumedCapacity", "ItemCollectionMetrics"];
const CONDITIONAL_WRITE = [
  "Expected",
  "ReturnValues",
  "ReturnConsumedCapacity",
  "ReturnItemCollectionMetrics",
  "ConditionalOperator",
  "ConditionExpression",
  "ExpressionAttributeNames",
  "ExpressionAttributeValues",
  "ReturnValuesOnConditionCheckFailure",
];

const LISTED: Readonly<Record<string, CallShape>> = {
  // The optimised integration adds the job's name to the answer (developer guide, "Run AWS Glue jobs").
  "glue:startJobRun": {
    ...START_JOB_RUN,
    answer: ["JobName", "JobRunId"],
    awaited: JOB_RUN,
    awaitedSometimes: { ErrorMessage: "a run that did not fail has none" },
  },
  "aws-sdk:glue:startJobRun": { ...START_JOB_RUN, answer: ["JobRunId"] },
  "aws-sdk:glue:getJobRun": {
    required: ["JobName", "RunId"],
    optional: ["PredecessorsIncluded"],
    answer: ["JobRun"],
    sometimes: {
      "JobRun.ErrorMessage": "a run that did not fail has none",
      "JobRun.CompletedOn": "a run that has not ended has none",
    },
  },
  "aws-sdk:glue:getJobRuns": {
    required: ["JobName"],
    optional: ["NextToken", "MaxResults"],
    answer: ["JobRuns", "NextToken"],
    sometimes: { NextToken: LAST_PAGE },
  },
  "aws-sdk:glue:startCrawler": { required: ["Name"], optional: [], answer: [] },
  "aws-sdk:glue:stopCrawler": { required: ["Name"], optional: [], answer: [] },
  "aws-sdk:glue:getCrawler": {
    required: ["Name"],
    optional: [],
    answer: ["Crawler"],
    sometimes: { "Crawler.LastCrawl": "a crawler has none before its first crawl has ended" },
  },
  "aws-sdk:glue:startDataQualityRulesetEvaluationRun": {
    required: ["DataSource", "Role", "RulesetNames"],
    optional: ["NumberOfWorkers", "Timeout", "ClientToken", "AdditionalRunOptions", "AdditionalDataSources"],
    answer: ["RunId"],
  },
  "aws-sdk:glue:getDataQualityRulesetEvaluationRun": {
    required: ["RunId"],
    optional: [],
    answer: [
      "RunId",
      "DataSource",
      "Role",
      "NumberOfWorkers",
      "Timeout",
      "AdditionalRunOptions",
      "Status",
      "ErrorString",
      "StartedOn",
      "LastModifiedOn",
      "CompletedOn",
      "ExecutionTime",
      "RulesetNames",
      "ResultIds",
      "AdditionalDataSources",
    ],
    sometimes: { ResultIds: "a run that did not succeed has none" },
  },
  "athena:startQueryExecution": {
    required: ["QueryString"],
    optional: [
      "ClientRequestToken",
      "QueryExecutionContext",
      "ResultConfiguration",
      "WorkGroup",
      "ExecutionParameters",
      "ResultReuseConfiguration",
      "EngineConfiguration",
    ],
    answer: ["QueryExecutionId"],
    awaited: ["QueryExecution"],
    awaitedSometimes: NOT_OF_EVERY_QUERY,
  },
  "athena:getQueryExecution": {
    required: ["QueryExecutionId"],
    optional: [],
    answer: ["QueryExecution"],
    sometimes: {
      ...NOT_OF_EVERY_QUERY,
      "QueryExecution.Status.CompletionDateTime": "a query that has not ended has none",
    },
  },
  "athena:getQueryResults": {
    required: ["QueryExecutionId"],
    optional: ["NextToken", "MaxResults", "QueryResultType"],
    answer: ["UpdateCount", "ResultSet", "NextToken"],
    sometimes: {
      NextToken: LAST_PAGE,
      [ATHENA_VALUE]: "Athena leaves it out where the value is NULL, and where there is no such row",
    },
  },
  "athena:stopQueryExecution": { required: [], optional: ["QueryExecutionId"], answer: [] },
  "dynamodb:putItem": {
    required: ["TableName", "Item"],
    optional: CONDITIONAL_WRITE,
    answer: WRITTEN_ITEM,
  },
  "dynamodb:deleteItem": {
    required: ["TableName", "Key"],
    optional: CONDITIONAL_WRITE,
    answer: WRITTEN_ITEM,
  },
  "dynamodb:updateItem": {
    required: ["TableName", "Key"],
    optional: [...CONDITIONAL_WRITE, "AttributeUpdates", "UpdateExpression"],
    answer: WRITTEN_ITEM,
  },
  "dynamodb:getItem": {
    required: ["TableName", "Key"],
    optional: [
      "AttributesToGet",
      "ConsistentRead",
      "ReturnConsumedCapacity",
      "ProjectionExpression",
      "ExpressionAttributeNames",
    ],
    answer: ["Item", "ConsumedCapacity"],
    sometimes: { Item: "there is none under a key that the table does not hold" },
  },
  "aws-sdk:sfn:describeExecution": {
    required: ["ExecutionArn"],
    optional: ["IncludedData"],
    answer: EXECUTION,
    sometimes: {
      Output: "an execution that did not succeed has none",
      Error: "only a failed execution has one",
      Cause: "only a failed execution has one",
      StopDate: "a running execution has none",
    },
  },
  "states:startExecution": {
    required: ["StateMachineArn"],
    optional: ["Name", "Input", "TraceHeader"],
    answer: ["ExecutionArn", "StartDate"],
    awaited: EXECUTION,
    awaitedSometimes: {
      Error: "only a failed execution has one",
      Cause: "only a failed execution has one",
    },
  },
  "lambda:invoke": {
    required: ["FunctionName"],
    optional: [
      "ClientContext",
      "DurableExecutionName",
      "InvocationType",
      "LogType",
      "Payload",
      "Qualifier",
      "TenantId",
    ],
    answer: ["DurableExecutionArn", "ExecutedVersion", "FunctionError", "LogResult", "Payload", "StatusCode"],
    sometimes: { FunctionError: "a call that did not fail has none" },
  },
  "sns:publish": {
    required: ["Message"],
    optional: [
      "TopicArn",
      "TargetArn",
      "PhoneNumber",
      "Subject",
      "MessageStructure",
      "MessageAttributes",
      "MessageDeduplicationId",
      "MessageGroupId",
    ],
    answer: ["MessageId", "SequenceNumber"],
  },
  "sqs:sendMessage": {
    required: ["QueueUrl", "MessageBody"],
    optional: [
      "DelaySeconds",
      "MessageAttributes",
      "MessageSystemAttributes",
      "MessageDeduplicationId",
      "MessageGroupId",
    ],
    answer: [
      "MD5OfMessageBody",
      "MD5OfMessageAttributes",
      "MD5OfMessageSystemAttributes",
      "MessageId",
      "SequenceNumber",
    ],
  },
  "aws-sdk:cloudwatch:putMetricData": {
    required: ["Namespace"],
    optional: ["MetricData", "EntityMetricData", "StrictEntityValidation"],
    answer: [],
  },
  "aws-sdk:s3:getObject": { required: ["Bucket", "Key"] },
  "aws-sdk:s3:listObjectsV2": {
    required: ["Bucket"],
    answer: [
      "IsTruncated",
      "Contents",
      "Name",
      "Prefix",
      "Delimiter",
      "MaxKeys",
      "CommonPrefixes",
      "EncodingType",
      "KeyCount",
      "ContinuationToken",
      "NextContinuationToken",
      "StartAfter",
      "RequestCharged",
    ],
    sometimes: {
      Contents: "a prefix without objects has none",
      CommonPrefixes: "a call without a Delimiter, or a prefix without objects, has none",
      NextContinuationToken: LAST_PAGE,
    },
  },
  "aws-sdk:glue:startWorkflowRun": { required: ["Name"], optional: ["RunProperties"], answer: ["RunId"] },
  "aws-sdk:glue:getWorkflowRun": {
    required: ["Name", "RunId"],
    optional: ["IncludeGraph"],
    answer: ["Run"],
    sometimes: {
      "Run.CompletedOn": "a run that has not ended has none",
      "Run.ErrorMessage": "a run without an error has none",
      "Run.Graph": "only a call with IncludeGraph has it",
      "Run.PreviousRunId": "a run that was not resumed has none",
    },
  },
  "aws-sdk:redshiftdata:executeStatement": { required: ["Sql"] },
  "aws-sdk:redshiftdata:batchExecuteStatement": { required: ["Sqls"] },
  "aws-sdk:redshiftdata:describeStatement": {
    required: ["Id"],
    optional: [],
    answer: [
      "ClusterIdentifier",
      "CreatedAt",
      "Database",
      "DbUser",
      "Duration",
      "Error",
      "HasResultSet",
      "Id",
      "QueryParameters",
      "QueryString",
      "RedshiftPid",
      "RedshiftQueryId",
      "ResultFormat",
      "ResultRows",
      "ResultSize",
      "SecretArn",
      "SessionId",
      "Status",
      "SubStatements",
      "UpdatedAt",
      "WorkgroupName",
    ],
    sometimes: { Error: "a statement that did not fail has none" },
  },
  "aws-sdk:redshiftdata:getStatementResult": {
    required: ["Id"],
    optional: ["NextToken"],
    answer: ["ColumnMetadata", "NextToken", "Records", "TotalNumRows"],
    sometimes: {
      NextToken: LAST_PAGE,
      ...Object.fromEntries(
        ["BlobValue", "BooleanValue", "DoubleValue", "LongValue", "StringValue"].map((member) => [
          `Records[*][*].${member}`,
          "a value that is NULL has IsNull instead, and there may be no such row",
        ]),
      ),
    },
  },
};

/** The SDK's own integration of Athena takes and gives the same. */
const ATHENA_CALLS = Object.entries(LISTED)
  .filter(([call]) => call.startsWith("athena:"))
  .map(([call, shape]): [string, CallShape] => [
    `aws-sdk:${call}`,
    { ...shape, awaited: undefined, awaitedSometimes: undefined },
  ]);

export const CALLS: Readonly<Record<string, CallShape>> = {
  ...LISTED,
  ...Object.fromEntries(ATHENA_CALLS),
};

/** The shape of a call; a missing optimised integration is judged as the SDK integration. */
export const callShape = (call: string): CallShape | undefined => CALLS[call] ?? CALLS[`aws-sdk:${call}`];

/** Members that optimised integrations add to every answer. */
const METADATA = ["SdkHttpMetadata", "SdkResponseMetadata"];

/** The members of a call's answer, if they are listed here. */
export function answerOf(call: string, pattern: CallPattern): readonly string[] | undefined {
  if (pattern === ".waitForTaskToken") return undefined;
  const shape = CALLS[call];
  const members = pattern === "" ? shape?.answer : shape?.awaited;
  return members && [...members, ...METADATA];
}

/** The optional paths of an answer, by the name of the call with its pattern. */
export function optionalPathsOf(call: string): readonly (readonly [path: string, why: string])[] {
  const [, plain = call, waits] = /^(.*?)(\.sync(?::2)?)?$/.exec(call) ?? [];
  const shape = CALLS[plain];
  return Object.entries((waits === undefined ? shape?.sometimes : shape?.awaitedSometimes) ?? {});
}

/** Calls whose answer is a list that grows with the data, and the parameter that limits it. */
export const LISTS: Readonly<Record<string, string>> = {
  "athena:getQueryResults": "MaxResults",
  "aws-sdk:athena:getQueryResults": "MaxResults",
  "aws-sdk:glue:getJobRuns": "MaxResults",
  "aws-sdk:glue:getPartitions": "MaxResults",
  "aws-sdk:glue:getTables": "MaxResults",
  "aws-sdk:dynamodb:query": "Limit",
  "aws-sdk:dynamodb:scan": "Limit",
  "aws-sdk:s3:listObjects": "MaxKeys",
  "aws-sdk:s3:listObjectsV2": "MaxKeys",
};
