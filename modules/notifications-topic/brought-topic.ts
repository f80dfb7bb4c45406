import { Token } from "cdktf";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { policyDocument } from "../iam/policy-document";
import { Publishers } from "./publishers";

/** A topic, made here or brought. */
export interface INotificationsTopic {
  readonly topicArn: string;
  /** Lets an EventBridge rule publish. */
  allowPublishFromRule(ruleArn: string): void;
  /** Lets the account's CloudWatch alarms whose names begin with `namePrefix` publish. */
  allowPublishFromAlarms(namePrefix: string): void;
  /** Lets a role publish, encrypted topics included. */
  grantPublish(grantable: IGrantable): void;
}

/** A topic that is known by its ARN only. */
export interface TopicAttributes {
  /**
   * Of a standard topic of this account and region. EventBridge delivers to another account with a role of the rule's only, and
   * to another region not at all: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-cross-account.html. A
   * FIFO topic wants a group with each message, https://docs.aws.amazon.com/sns/latest/dg/fifo-message-grouping.html, and
   * alarms give none.
   */
  readonly topicArn: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
  /**
   * The key that messages are encrypted with. Its policy must let `events.amazonaws.com` and `cloudwatch.amazonaws.com` use it,
   * or their messages are dropped without a word; `keyPolicyToAdd` is how. The key of `alias/aws/sns` never can:
   * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, "compatibility with AWS services".
   * @default - none: the topic is not encrypted
   */
  readonly encryptionKey?: IEncryptionKey;
}

/**
 * A topic from elsewhere. SNS keeps one policy for a topic, and a second one would replace its owner's: rules and alarms are
 * let in by the owner, who finds here what to add.
 */
export class BroughtTopic implements INotificationsTopic {
  readonly topicArn: string;
  /** Statements for the owner to add to the topic's policy, as a policy document: without them nothing is told. */
  readonly policyToAdd: string;
  /** The same for the policy of the topic's key; no statement where the topic has none. */
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

  /** Says so in `policyToAdd`: the topic's policy stays its owner's. A key that was made here lets EventBridge use it. */
  allowPublishFromRule(ruleArn: string): void {
    this.publishers.addRule(ruleArn, this.attributes.encryptionKey);
  }

  /** Says so in `policyToAdd`: the topic's policy stays its owner's. A key that was made here lets CloudWatch use it. */
  allowPublishFromAlarms(namePrefix: string): void {
    this.publishers.addAlarms(namePrefix, this.attributes.encryptionKey);
  }

  /** By the role's own policy, which suffices within one account unless the owner's denies it. */
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
        `must be of ${what} ${wanted}, where its rules and alarms are, got ${JSON.stringify(topicArn)}; ` +
          "subscribe that topic's readers to one that is",
      );
    elsewhere("account", inAccount, account);
    elsewhere("region", inRegion, region);
  }
  refusals.throwIfAny();
}
