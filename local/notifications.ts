import { SubscribeCommand, type SNSClient, UnsubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { pause } from "./interrupts";

/** A message as a subscriber of the topic received it. */
export interface Notification {
  readonly subject?: string;
  /** The text before the JSON, for people. Not set when the message is only JSON. */
  readonly text?: string;
  /** JSON is parsed, other text stays text. */
  readonly message: unknown;
}

/** The line before the JSON, which is the last line of a message. */
const JSON_SEPARATOR = "--- JSON ---";

const FIRST_MESSAGE_MS = 15_000;
/** The wait for a second message, which would be one too many. */
const ANOTHER_MESSAGE_MS = 1_000;

/** A temporary queue that is subscribed to a topic. */
export class NotificationListener {
  private constructor(
    private readonly sqs: SQSClient,
    private readonly sns: SNSClient,
    private readonly queueUrl: string,
    private readonly subscriptionArn: string,
  ) {}

  static async subscribe(sqs: SQSClient, sns: SNSClient, topicArn: string): Promise<NotificationListener> {
    const name = `bench-${topicArn.split(":").at(-1)}-${process.pid}`;
    const policy = (queueArn: string) => ({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "sns.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: queueArn,
          Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
        },
      ],
    });
    const queueArn = `${topicArn.split(":").slice(0, 5).join(":").replace(":sns:", ":sqs:")}:${name}`;
    const created = await sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { Policy: JSON.stringify(policy(queueArn)) } }),
    );
    const queueUrl = created.QueueUrl!;
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ["QueueArn"] }),
    );
    const endpoint = Attributes?.QueueArn ?? queueArn;
    const { SubscriptionArn } = await sns.send(
      new SubscribeCommand({
        TopicArn: topicArn,
        Protocol: "sqs",
        Endpoint: endpoint,
        ReturnSubscriptionArn: true,
      }),
    );
    return new NotificationListener(sqs, sns, queueUrl, SubscriptionArn!);
  }

  /** Messages received so far. Waits up to 15 s for the first one and 1 s for another. */
  async received(): Promise<Notification[]> {
    const notifications: Notification[] = [];
    let deadline = Date.now() + FIRST_MESSAGE_MS;
    while (Date.now() < deadline) {
      const { Messages = [] } = await this.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: this.queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }),
      );
      for (const { Body, ReceiptHandle } of Messages) {
        notifications.push(open(Body ?? ""));
        await this.sqs.send(new DeleteMessageCommand({ QueueUrl: this.queueUrl, ReceiptHandle }));
        deadline = Date.now() + ANOTHER_MESSAGE_MS;
      }
      await pause(200);
    }
    return notifications;
  }

  async close(): Promise<void> {
    await this.sns.send(new UnsubscribeCommand({ SubscriptionArn: this.subscriptionArn }));
    await this.sqs.send(new DeleteQueueCommand({ QueueUrl: this.queueUrl }));
  }
}

/** Opens SNS's envelope. A message for people ends with a line of JSON. */
export function open(body: string): Notification {
  const envelope = parsed(body) as { Subject?: string; Message?: string };
  const whole = envelope.Message ?? body;
  const end = whole.lastIndexOf(`\n${JSON_SEPARATOR}\n`);
  if (end < 0) return { subject: envelope.Subject, message: parsed(whole) };
  return {
    subject: envelope.Subject,
    text: whole.slice(0, end).trimEnd(),
    message: parsed(whole.slice(end + JSON_SEPARATOR.length + 2)),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
