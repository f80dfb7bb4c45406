import { partitionOf, viaService } from "../../modules/core/partition";
import { PIPELINE_NAMESPACE } from "../../modules/core/pipeline-metrics";
import type { S3Location } from "../../modules/core/s3-location";
import type { PolicyStatement } from "../../modules/iam/policy-statement";
import { DECRYPT, encryptStatements, READ_OBJECT } from "../../modules/iam/s3-actions";
import type { ArrivingPipeline } from "./arrival-props";

interface Place {
  readonly account: string;
  readonly region: string;
}

/** The rights of the function on the ledger. */
export const ledgerStatement = (ledgerArn: string): PolicyStatement => ({
  actions: ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"].map((action) => `dynamodb:${action}`),
  resources: [ledgerArn],
});

/**
 * Lambda takes messages with the function's role, which for a quiet period also sends itself one for later.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export const queueStatement = (queueArn: string, hasQuiet: boolean): PolicyStatement => ({
  actions: [
    "ReceiveMessage",
    "DeleteMessage",
    "GetQueueAttributes",
    ...(hasQuiet ? ["SendMessage"] : []),
  ].map((action) => `sqs:${action}`),
  resources: [queueArn],
});

/** Metrics are not resources; only their namespace can be limited. */
export const METRICS_STATEMENT: PolicyStatement = {
  actions: ["cloudwatch:PutMetricData"],
  resources: ["*"],
  conditions: { StringEquals: { "cloudwatch:namespace": PIPELINE_NAMESPACE } },
};

/** The rights to list a pipeline's deliveries, to read its manifests and the lists of what its runs read, and to start and ask for its runs. */
export function pipelineStatements(
  { pipeline, complete, undatedZone }: ArrivingPipeline,
  { account, region }: Place,
): PolicyStatement[] {
  const { run, task } = pipeline;
  const { actions, resources, conditions } = run.start;
  const execution = `arn:${partitionOf(region)}:states:${region}:${account}:execution:${run.name}:*`;
  // The rights to copy hold that of manifests.
  const manifests =
    complete.rule === "manifest" && undatedZone === undefined
      ? task.sources.flatMap(({ location }) => readStatements(location, `*/${complete.name}`, region))
      : [];
  return [
    ...task.sources.map(({ location }) => ({
      actions: ["s3:ListBucket"],
      resources: [location.bucketArn],
      conditions: { StringLike: { "s3:prefix": `${location.prefix}*` } },
    })),
    // Tells a list that is not there from one that may not be read.
    {
      actions: ["s3:ListBucket"],
      resources: [task.books.bucketArn],
      conditions: { StringLike: { "s3:prefix": `${task.books.prefix}*/files.json` } },
    },
    ...manifests,
    ...(undatedZone === undefined
      ? []
      : task.sources.flatMap(({ location }) => copyStatements(location, region))),
    ...readStatements(task.books, "*/files.json", region),
    { actions, resources, conditions },
    { actions: ["states:DescribeExecution"], resources: [execution] },
  ];
}

/** A copy reads and writes an object. */
const copyStatements = (location: S3Location, region: string): PolicyStatement[] => [
  {
    actions: [...READ_OBJECT, "s3:PutObject"],
    resources: [`${location.bucketArn}/${location.prefix}*`],
  },
  ...encryptStatements(location, region),
];

function readStatements(location: S3Location, names: string, region: string): PolicyStatement[] {
  const { bucketArn, prefix, encryptionKeyArn } = location;
  return [
    { actions: READ_OBJECT, resources: [`${bucketArn}/${prefix}${names}`] },
    ...(encryptionKeyArn === undefined
      ? []
      : [
          {
            actions: DECRYPT,
            resources: [encryptionKeyArn],
            conditions: { StringEquals: { "kms:ViaService": viaService("s3", region) } },
          },
        ]),
  ];
}
