import type { JsonObject } from "../../definition-checks/asl";

/**
 * The events of all new objects of a bucket: what arrives for nobody is counted, so nothing is filtered here.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
 */
export const arrivedPattern = (bucketName: string): JsonObject => ({
  source: ["aws.s3"],
  "detail-type": ["Object Created"],
  detail: { bucket: { name: [bucketName] } },
});

/**
 * The ends of executions, in whatever way.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
export const endedPattern = (machineArns: readonly string[]): JsonObject => ({
  source: ["aws.states"],
  "detail-type": ["Step Functions Execution Status Change"],
  detail: { stateMachineArn: [...machineArns], status: ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"] },
});
