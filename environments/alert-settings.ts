import { z } from "zod";
import { runbookUrlMistake } from "../modules/core/runbook";
import { text } from "../pipelines/filled-text";

/** The subscribers of an environment's topics: a part of its schema. */

/** A queue's ARN; https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html */
const QUEUE_ARN = /^arn:aws(-cn|-us-gov)?:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$/;

/** A function's, with a version or an alias; https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const FUNCTION_ARN =
  /^arn:aws(-cn|-us-gov)?:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?$/;

/**
 * A subscriber. An e-mail address has to confirm, an https endpoint too; the policy of a queue or of a function must let the topic
 * send. https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
 */
const subscriptionSchema = z.discriminatedUnion(
  "protocol",
  [
    z.strictObject({
      protocol: z.literal("email"),
      endpoint: text().pipe(z.email("must be an e-mail address")),
    }),
    z.strictObject({
      protocol: z.literal("https"),
      endpoint: text().refine((url) => /^https:\/\/[^\s/]+\.[^\s]+$/.test(url), "must be an https address"),
    }),
    z.strictObject({
      protocol: z.literal("sqs"),
      endpoint: text().refine((arn) => QUEUE_ARN.test(arn), "must be the ARN of a standard queue"),
    }),
    z.strictObject({
      protocol: z.literal("lambda"),
      endpoint: text().refine((arn) => FUNCTION_ARN.test(arn), "must be the ARN of a function"),
    }),
  ],
  "must be email, https, sqs or lambda",
);

/** A subscription's id in the stack is made of protocol and endpoint, so no endpoint may stand there twice. */
const subscribers = () =>
  z
    .array(subscriptionSchema)
    .refine(
      (all) => new Set(all.map(({ protocol, endpoint }) => `${protocol} ${endpoint}`)).size === all.length,
      "must not name anybody twice",
    );

export const subscriptionsSchema = z.strictObject({
  /** Subscribers of the notifications topic: every run's end, with the command that continues a failed one. */
  notifications: subscribers(),
  /** Subscribers of the alerts topic: alarms. These people are paged. */
  alerts: subscribers(),
});

export const runbookUrlSchema = text().refine((url) => runbookUrlMistake(url) === undefined, {
  error: "must be the https address of the folder docs/runbook, ending with a slash",
});

export type Subscription = z.infer<typeof subscriptionSchema>;
export type Subscriptions = z.infer<typeof subscriptionsSchema>;
