import { Token } from "cdktf";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { policyDocument } from "../iam/policy-document";
import { Publishers } from "./publishers";

/** A topic, created by {@link NotificationsTopic} or existing. */
export interface INotificationsTopic {
  /** The topic's ARN. */
  readonly topicArn: string;
  /** Lets an EventBridge rule publish. */
  allowPublishFromRule(ruleArn: string): void;
  /** Lets the account's CloudWatch alarms whose names begin with `namePrefix` publish. */
  allowPublishFromAlarms(namePrefix: string): void;
  /** Lets a role publish to the topic, and use its key. */
  grantPublish(grantable: IGrantable): void;
}

/** An existing topic. */
export interface TopicAttributes {
  /**
   * The ARN of a standard topic of this account and region. EventBridge delivers to other accounts only with a role of the rule, and
   * not to other regions: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html. A FIFO topic needs a
   * message group, which alarms do not set: https://docs.aws.amazon.com/sns/latest/dg/fifo-message-grouping.html
   */
  readonly topicArn: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The key that encrypts messages. Its policy must allow `events.amazonaws.com` and `cloudwatch.amazonaws.com` (see
   * `keyPolicyToAdd`), or their messages are silently dropped. The key of `alias/aws/sns` cannot allow them:
   * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, "compatibility with AWS services".
   * @default - none: the topic is not encrypted
   */
  readonly encryptionKey?: IEncryptionKey;
}

/**
 * An existing topic. A topic has one policy, which is not changed: its owner must add the statements of `policyToAdd`, so that rules and
 * alarms may publish.
 */
export class BroughtTopic implements INotificationsTopic {
  /** The topic's ARN. */
  readonly topicArn: string;
  /** A policy document with the statements to add to the topic's policy. Without them no message arrives. */
  readonly policyToAdd: string;
  /** A policy document with the statements to add to the policy of the topic's key; empty if the topic has none. */
  readonly keyPolicyToAdd: string;
  private readonly publishers: Publishers;

  constructor(private readonly attributes: TopicAttributes) {
    refuse(attributes);

    this.topicArn = attributes.topicArn;
    this.publishers = new Publishers(attributes);
    this.policyToAdd = policyDocument(() => this.publishers.statements(this.topicArn));
    this.keyPolicyToAdd = policyDocument(() =>
      attributes.encryptionKey === undefined ? [] : this.publishers.keyStatements(),
    );
  }

  /** Adds a rule to `policyToAdd`. An {@link EncryptionKey} also lets EventBridge use it. */
  allowPublishFromRule(ruleArn: string): void {
    this.publishers.addRule(ruleArn, this.attributes.encryptionKey);
  }

  /** Adds alarms to `policyToAdd`. An {@link EncryptionKey} also lets CloudWatch use it. */
  allowPublishFromAlarms(namePrefix: string): void {
    this.publishers.addAlarms(namePrefix, this.attributes.encryptionKey);
  }

  /** Lets a role publish, by its own policy; that suffices within one account, unless the topic's policy denies it. */
  grantPublish(grantable: IGrantable): void {
    this.publishers.grant(grantable, this.topicArn, this.attributes.encryptionKey);
  }
}

function refuse(attributes: TopicAttributes): void {
  const { topicArn, account, region } = attributes;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("NotificationsTopic", isKnown(topicArn) ? topicArn : "brought");
  refusals.noteUnfilled(placeholderMistakes(attributes, isKnown));
  refusals.noteAll(placeMistakes(attributes, isKnown));
  if (isKnown(topicArn)) {
    const [, inRegion, inAccount] =
      /^arn:aws(?:-cn|-us-gov)?:sns:([a-z0-9-]+):(\d{12}):[A-Za-z0-9_-]{1,256}$/.exec(topicArn) ?? [];
    refusals.check(
      inRegion !== undefined,
      "topicArn",
      `must be a standard topic's ARN (arn:aws:sns:<region>:<account>:<name>), got ${JSON.stringify(topicArn)}`,
    );
    const elsewhere = (what: string, found: string | undefined, wanted: string) =>
      refusals.check(
        found === undefined || !isKnown(wanted) || found === wanted,
        "topicArn",
        `must be in ${what} ${wanted}, like its rules and alarms, got ${JSON.stringify(topicArn)}; ` +
          "use a topic there and subscribe the same readers",
      );
    elsewhere("account", inAccount, account);
    elsewhere("region", inRegion, region);
  }
  refusals.throwIfAny();
}
