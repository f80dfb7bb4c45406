import { type IGrantable } from "../iam/grantable";

/** Where an orchestrator tells of successes and failures. */
export interface INotificationTarget {
  readonly topicArn: string;
  /** Lets an EventBridge rule publish. */
  allowPublishFromRule(ruleArn: string): void;
  /** Lets a role publish, encrypted topics included. */
  grantPublish(grantable: IGrantable): void;
}
