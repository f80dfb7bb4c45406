import { type IGrantable } from "../iam/grantable";

/** A topic for messages of successes and failures. */
export interface INotificationTarget {
  /** The topic's ARN. */
  readonly topicArn: string;
  /** Lets an EventBridge rule publish to the topic. */
  allowPublishFromRule(ruleArn: string): void;
  /** Lets a role publish to the topic, and use its key. */
  grantPublish(grantable: IGrantable): void;
}
