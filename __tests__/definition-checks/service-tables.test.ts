import * as athena from "@aws-sdk/client-athena";
import * as cloudwatch from "@aws-sdk/client-cloudwatch";
import * as dynamodb from "@aws-sdk/client-dynamodb";
import * as glue from "@aws-sdk/client-glue";
import * as s3 from "@aws-sdk/client-s3";
import * as sfn from "@aws-sdk/client-sfn";
import * as sns from "@aws-sdk/client-sns";
import * as sqs from "@aws-sdk/client-sqs";
import { GLUE_WORKER_TYPES } from "../../definition-checks/run-parameter-checks";
import { namedErrors } from "../../definition-checks/service-errors";
import { CALLS } from "../../definition-checks/service-shapes";
import { STATUSES } from "../../definition-checks/service-statuses";

/** The tables of calls, statuses and errors against the models that the AWS SDK carries. */

const CLIENTS: Readonly<Record<string, object>> = {
  ...{ athena, cloudwatch, dynamodb, glue, s3, sfn, sns, sqs },
  states: sfn,
};
const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** A structure of a model: [kind, namespace, name, traits, members, their types, how many of the first are required]. */
type Structure = readonly [
  number,
  string,
  string,
  unknown,
  (readonly string[])?,
  (readonly unknown[])?,
  number?,
];
type Operation = readonly [number, string, string, unknown, () => Structure, () => Structure];

const model = (client: object, name: string): unknown => (client as Record<string, unknown>)[`${name}$`];
const membersOf = (structure: Structure): string[] => (structure[4] ?? []).map(upperFirst);

function operationOf(call: string) {
  const [service = "", operation = ""] = call.replace("aws-sdk:", "").split(":");
  const found = model(CLIENTS[service] ?? {}, upperFirst(operation)) as Operation;
  const input = found[4]();
  return {
    required: membersOf(input).slice(0, input[6] ?? 0),
    parameters: membersOf(input),
    answer: membersOf(found[5]()),
  };
}

const sorted = (names: readonly string[]) => [...names].sort();
/**
 * The SDK's clients of Lambda and of the Redshift Data API are not among the dependencies; their rows are from the page of the integration
 * and from https://docs.aws.amazon.com/redshift-data/latest/APIReference/.
 */
const UNMODELLED = /^lambda:invoke$|:redshiftdata:/;
const MODELLED = Object.entries(CALLS).filter(([call]) => !UNMODELLED.test(call));

test.each(MODELLED)("%s takes and gives what its model says", (call, shape) => {
  const { required, parameters, answer } = operationOf(call);
  expect(sorted(shape.required)).toEqual(sorted(required));
  if (shape.optional !== undefined)
    expect(sorted([...shape.required, ...shape.optional])).toEqual(sorted(parameters));
  // The optimised integration adds these.
  const added = call === "glue:startJobRun" ? ["JobName"] : [];
  if (shape.answer !== undefined) expect(sorted(shape.answer)).toEqual(sorted([...answer, ...added]));
  for (const path of Object.keys(shape.sometimes ?? {})) expect(shape.answer).toContain(path.split(".")[0]);
});

test("a call that waits gives what describes its run", () => {
  expect(sorted(CALLS["glue:startJobRun"]?.awaited ?? [])).toEqual(
    sorted(membersOf(model(glue, "JobRun") as Structure)),
  );
  expect(sorted(CALLS["states:startExecution"]?.awaited ?? [])).toEqual(
    sorted(operationOf("aws-sdk:sfn:describeExecution").answer),
  );
  expect(CALLS["athena:startQueryExecution"]?.awaited).toEqual(
    operationOf("athena:getQueryExecution").answer,
  );
});

const ENUMERATIONS: Readonly<Record<string, object>> = {
  "aws-sdk:glue:getJobRun JobRun.JobRunState": glue.JobRunState,
  "aws-sdk:glue:getJobRuns JobRuns[0].JobRunState": glue.JobRunState,
  "aws-sdk:glue:getCrawler Crawler.State": glue.CrawlerState,
  "aws-sdk:glue:getCrawler Crawler.LastCrawl.Status": glue.LastCrawlStatus,
  "athena:getQueryExecution QueryExecution.Status.State": athena.QueryExecutionState,
  "aws-sdk:athena:getQueryExecution QueryExecution.Status.State": athena.QueryExecutionState,
  "aws-sdk:glue:getWorkflowRun Run.Status": glue.WorkflowRunStatus,
  "aws-sdk:sfn:describeExecution Status": sfn.ExecutionStatus,
  "aws-sdk:glue:getDataQualityRulesetEvaluationRun Status": glue.TaskStatusType,
};

test.each(STATUSES.filter(({ call }) => !UNMODELLED.test(call)))(
  "every status of $what at $path is known",
  (kind) => {
    const values = Object.values(ENUMERATIONS[`${kind.call} ${kind.path}`] ?? {}) as string[];
    expect(sorted([...kind.unfinished, ...kind.ended, ...kind.failed])).toEqual(sorted(values));
  },
);

test("every worker type is known", () => {
  expect(sorted(GLUE_WORKER_TYPES)).toEqual(sorted(Object.values(glue.WorkerType)));
});

/** Errors that no model has: the SDK's own, each service's general one, and the common ones of all services. */
const COMMON = /\.(?:SdkClientException|(?:CloudWatch|S3|Sfn|AWSLambda)Exception|AccessDeniedException)$/;
const COMMON_OF_SFN = "Sfn.ThrottlingException";

test("errors are called as their models call them, with Exception at the end", () => {
  const clientOf = (prefix: string) => CLIENTS[prefix.toLowerCase()];
  const unknown = namedErrors().filter((error) => {
    const [prefix = "", name = ""] = error.split(".");
    const client = clientOf(prefix);
    if (client === undefined || COMMON.test(error) || error === COMMON_OF_SFN) return false;
    // The Java SDK, whose names Step Functions gives, ends an Error and a Fault in Exception too.
    const modelled = ["Exception", "", "Fault"].map((end) => name.replace(/Exception$/, end));
    return modelled.every((one) => model(client, one) === undefined);
  });
  expect(unknown).toEqual([]);
});
