import { integrationOf } from "./service-integrations";

/**
 * The prefixes of error names in Retry and Catch: the service's name, a full stop, the error with `Exception` at its end. Names
 * are compared exactly, so a wrong prefix silently never matches.
 * Sources: "Handling errors" and "AWS SDK service integrations" of the developer guide; SDK integrations write the
 * service as Java does (`Sns`, `DynamoDb`), the optimised ones by the service's own name (`SNS`, `DynamoDB`).
 */

interface Prefixes {
  readonly optimised?: string;
  readonly sdk: string;
}

const PREFIXES: Readonly<Record<string, Prefixes>> = {
  athena: { optimised: "Athena", sdk: "Athena" },
  batch: { optimised: "Batch", sdk: "Batch" },
  cloudwatch: { sdk: "CloudWatch" },
  codebuild: { optimised: "CodeBuild", sdk: "CodeBuild" },
  dynamodb: { optimised: "DynamoDB", sdk: "DynamoDb" },
  ecs: { optimised: "ECS", sdk: "Ecs" },
  glue: { optimised: "Glue", sdk: "Glue" },
  lambda: { optimised: "Lambda", sdk: "Lambda" },
  s3: { sdk: "S3" },
  sagemaker: { optimised: "SageMaker", sdk: "SageMaker" },
  sfn: { sdk: "Sfn" },
  sns: { optimised: "SNS", sdk: "Sns" },
  sqs: { optimised: "SQS", sdk: "Sqs" },
  states: { optimised: "StepFunctions", sdk: "Sfn" },
};

/** The service that a Task calls, read from the name even if the integration does not exist. */
export function serviceOf(resource: string): { readonly service: string; readonly prefix?: string } {
  const { kind, call } = integrationOf(resource);
  if (/^arn:[^:]*:lambda:/.test(resource)) return { service: "lambda", prefix: "Lambda" };
  if (kind !== "sdk" && kind !== "optimised") return { service: "" };
  const service = call.split(":").at(-2) ?? "";
  const prefixes = PREFIXES[service];
  return { service, prefix: kind === "sdk" ? prefixes?.sdk : (prefixes?.optimised ?? prefixes?.sdk) };
}

/** Errors that are worth a retry, by prefix: the service was busy or could not be reached. */
const TRANSIENT: Readonly<Record<string, readonly string[]>> = {
  Athena: ["TooManyRequestsException", "InternalServerException", "SdkClientException"],
  // CloudWatch's model has no throttling error, so throttling has the service's general name.
  CloudWatch: ["InternalServiceException", "CloudWatchException", "SdkClientException"],
  DynamoDB: [
    "ThrottlingException",
    "RequestLimitExceededException",
    "ProvisionedThroughputExceededException",
    "InternalServerErrorException",
    "SdkClientException",
  ],
  Glue: [
    "ConcurrentRunsExceededException",
    "ResourceNumberLimitExceededException",
    "InternalServiceException",
    "OperationTimeoutException",
    "ThrottlingException",
  ],
  Lambda: ["ServiceException", "AWSLambdaException", "SdkClientException", "TooManyRequestsException"],
  S3: ["S3Exception", "SdkClientException"],
  SNS: ["InternalErrorException", "ThrottledException", "SdkClientException"],
  SQS: ["RequestThrottledException", "SdkClientException"],
  Sfn: ["ThrottlingException", "SfnException", "SdkClientException"],
};

/** The transient errors of a prefix, as full names; empty if they are not listed here. */
export const transientErrors = (prefix: string): string[] =>
  (TRANSIENT[prefix] ?? (prefix === "DynamoDb" ? TRANSIENT.DynamoDB : undefined) ?? []).map(
    (name) => `${prefix}.${name}`,
  );

/** Other errors that are often named, so that a misspelling is found. */
const FURTHER: Readonly<Record<string, readonly string[]>> = {
  Athena: ["InvalidRequestException", "ResourceNotFoundException"],
  CloudWatch: [
    "InvalidParameterValueException",
    "MissingRequiredParameterException",
    "LimitExceededException",
  ],
  DynamoDB: ["ConditionalCheckFailedException", "ResourceNotFoundException"],
  Glue: [
    "CrawlerRunningException",
    "CrawlerStoppingException",
    "EntityNotFoundException",
    "InvalidInputException",
    "AccessDeniedException",
  ],
  Lambda: ["Unknown", "ResourceNotFoundException", "ClientExecutionTimeoutException"],
  S3: ["NoSuchKeyException", "NoSuchBucketException", "AccessDeniedException"],
  SNS: ["NotFoundException", "InvalidParameterException"],
  Sfn: ["ExecutionDoesNotExistException", "InvalidArnException", "ExecutionLimitExceededException"],
};

const asDynamoDB = (prefix: string) => (prefix === "DynamoDb" ? "DynamoDB" : prefix);

/** Matches errors that the same call raises again. */
const DETERMINISTIC =
  /(?:NotFound|DoesNotExist|NoSuch|Invalid|AccessDenied|Unauthorized|NotAuthorized|AuthorizationError|Validation|AlreadyExists|ConditionalCheckFailed|Mismatch|NotSupported|Unsupported|MissingRequiredParameter)/;
const DETERMINISTIC_STATES = [
  "States.DataLimitExceeded",
  "States.IntrinsicFailure",
  "States.NoChoiceMatched",
  "States.ParameterPathFailure",
  "States.Permissions",
  "States.QueryEvaluationError",
  "States.ResultPathMatchFailure",
];

export const isDeterministic = (error: string): boolean =>
  error.startsWith("States.")
    ? DETERMINISTIC_STATES.includes(error)
    : error.includes(".") && DETERMINISTIC.test(error.slice(error.indexOf(".") + 1));

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html */
const STATES_ERRORS = [
  "States.ALL",
  "States.BranchFailed",
  "States.DataLimitExceeded",
  "States.ExceedToleratedFailureThreshold",
  "States.HeartbeatTimeout",
  "States.Http.Socket",
  "States.IntrinsicFailure",
  "States.ItemReaderFailed",
  "States.NoChoiceMatched",
  "States.ParameterPathFailure",
  "States.Permissions",
  "States.QueryEvaluationError",
  "States.ResultPathMatchFailure",
  "States.ResultWriterFailed",
  "States.Runtime",
  "States.TaskFailed",
  "States.Timeout",
];

/** Tells whether one letter is missing, added, changed or swapped. */
function isSlip(written: string, meant: string): boolean {
  if (written === meant || Math.abs(written.length - meant.length) > 1) return false;
  let start = 0;
  while (start < written.length && written[start] === meant[start]) start++;
  const rest = [written.slice(start), meant.slice(start)] as const;
  const [a, b] = rest;
  return (
    a.slice(1) === b ||
    a === b.slice(1) ||
    a.slice(1) === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2))
  );
}
const slipOf = (written: string, names: readonly string[]) =>
  names.find((name) => name.toLowerCase() === written.toLowerCase() && name !== written) ??
  names.find((name) => isSlip(written, name));

/** The correct spelling of a wrong error name in a Task that calls `prefix`; `undefined` if the name may be right. */
export function errorNameMistake(error: string, prefix: string | undefined): string | undefined {
  if (error.startsWith("States.") || slipOf(error, STATES_ERRORS) !== undefined) {
    if (STATES_ERRORS.includes(error)) return undefined;
    return slipOf(error, STATES_ERRORS) ?? `one of ${STATES_ERRORS.join(", ")}`;
  }
  if (prefix === undefined) return undefined;
  const known = [
    ...transientErrors(prefix),
    ...(FURTHER[asDynamoDB(prefix)] ?? []).map((name) => `${prefix}.${name}`),
  ];
  const stop = error.indexOf(".");
  const given = stop < 0 ? "" : error.slice(0, stop);
  if (given === prefix) return known.includes(error) ? undefined : slipOf(error, known);
  // A function raises whatever its code does, so there only a prefix that means Lambda's own is a mistake.
  if (prefix === "Lambda" && !/^(?:aws\.?)?lambda$/i.test(given)) return undefined;
  return `${prefix}.${stop < 0 ? error : error.slice(stop + 1)}`;
}

/** Every error named here, with its prefix, for the test that compares them with the SDK's models. */
export const namedErrors = (): string[] =>
  [TRANSIENT, FURTHER].flatMap((table) =>
    Object.entries(table).flatMap(([prefix, names]) => names.map((name) => `${prefix}.${name}`)),
  );
