/** A topic for alarms. */
export interface IAlertTarget {
  /** The topic's ARN. */
  readonly topicArn: string;
  /** Lets the account's alarms whose names begin with `namePrefix` publish. */
  allowPublishFromAlarms(namePrefix: string): void;
}
