import { SqsQueue } from "@cdktf/provider-aws/lib/sqs-queue";
import { SqsQueuePolicy } from "@cdktf/provider-aws/lib/sqs-queue-policy";
import { type Construct } from "constructs";
import { policyDocument } from "./policy-document";
import { type ResourcePolicyStatement } from "./policy-statement";

/** The longest retention of a queue, 14 days, in seconds. */
const RETENTION_SECONDS = 14 * 24 * 3_600;

/** A queue for messages that could not be delivered or worked on. */
export interface DeadLetters {
  /** Physical name. */
  readonly name: string;
  /** The ARN composed of that name, so that a plan knows it. */
  readonly arn: string;
  readonly tags?: Record<string, string>;
  /** The senders besides roles of the account that have the right. @default - nobody */
  readonly senders?: readonly ResourcePolicyStatement[];
}

/**
 * Makes `DeadLetters` and `DeadLettersPolicy` directly below a construct. The queue keeps messages for 14 days, refuses calls without TLS,
 * and is encrypted with SQS's own key, so that who sends needs no right to a key.
 */
export function defineDeadLetters(
  scope: Construct,
  { name, arn, tags, senders = [] }: DeadLetters,
): SqsQueue {
  const queue = new SqsQueue(scope, "DeadLetters", {
    name,
    messageRetentionSeconds: RETENTION_SECONDS,
    sqsManagedSseEnabled: true,
    tags,
  });
  new SqsQueuePolicy(scope, "DeadLettersPolicy", {
    queueUrl: queue.url,
    policy: policyDocument(() => [onlyOverTls(arn), ...senders]),
  });
  return queue;
}

/** Refuses calls of a queue without TLS. */
export const onlyOverTls = (queueArn: string): ResourcePolicyStatement => ({
  sid: "OnlyOverTls",
  effect: "Deny",
  principal: "*",
  actions: ["sqs:*"],
  resources: [queueArn],
  conditions: { Bool: { "aws:SecureTransport": "false" } },
});
