import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { EncryptionKey, type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { policyDocument } from "../iam/policy-document";
import { type ResourcePolicyStatement } from "../iam/policy-statement";
import { BroughtTopic, type INotificationsTopic, type TopicAttributes } from "./brought-topic";
import { Publishers } from "./publishers";

/** Props of {@link NotificationsTopic}. */
export interface NotificationsTopicProps {
  /** Physical name, 1 to 256 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /**
   * The key that encrypts messages. SNS's own `alias/aws/sns` is not suitable: EventBridge and CloudWatch may not use it, and their
   * messages would be silently dropped.
   * @default - a new key
   */
  readonly encryptionKey?: IEncryptionKey;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * An encrypted topic. Its policy allows only the rules and alarms added to it; roles publish by grants of their own.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class NotificationsTopic extends Construct implements INotificationsTopic {
  /** The topic. */
  readonly resource: SnsTopic;
  /** The topic's ARN. */
  readonly topicArn: string;
  /** The key that encrypts messages. */
  readonly encryptionKey: IEncryptionKey;
  private readonly publishers: Publishers;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: NotificationsTopicProps,
  ) {
    super(scope, id);
    this.refuse();

    this.publishers = new Publishers(props);
    this.encryptionKey = props.encryptionKey ?? this.defineKey();
    this.resource = new SnsTopic(this, "Resource", {
      name: props.name,
      kmsMasterKeyId: this.encryptionKey.keyArn,
      tags: props.tags && { ...props.tags },
    });
    new SnsTopicPolicy(this, "Policy", {
      arn: this.resource.arn,
      policy: policyDocument(() => this.statements()),
    });

    this.topicArn = this.resource.arn;
  }

  /** Refers to an existing topic. Its policy and its key's are not changed; the result says which statements to add. */
  static fromTopicAttributes(attributes: TopicAttributes): BroughtTopic {
    return new BroughtTopic(attributes);
  }

  /** Lets an EventBridge rule publish, and EventBridge use the key for it. */
  allowPublishFromRule(ruleArn: string): void {
    this.publishers.addRule(ruleArn, this.encryptionKey);
  }

  /**
   * Lets the account's CloudWatch alarms whose names begin with `namePrefix` publish, and CloudWatch use the key for it.
   * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
   */
  allowPublishFromAlarms(namePrefix: string): void {
    this.publishers.addAlarms(namePrefix, this.encryptionKey);
  }

  /** Lets a role publish. */
  grantPublish(grantable: IGrantable): void {
    this.publishers.grant(grantable, this.topicArn, this.encryptionKey);
  }

  private refuse(): void {
    const { name } = this.props;
    const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
    const refusals = new Refusals("NotificationsTopic", this.node.path);
    refusals.noteUnfilled(placeholderMistakes(this.props, isKnown));
    refusals.check(
      !isKnown(name) || /^[A-Za-z0-9_-]{1,256}$/.test(name),
      "name",
      `must be 1 to 256 letters, digits, hyphens or underscores, got ${JSON.stringify(name)}`,
    );
    refusals.noteAll(placeMistakes(this.props, isKnown));
    refusals.throwIfAny();
  }

  private defineKey(): EncryptionKey {
    const { name, account, region, tags } = this.props;
    // The key encrypts messages in transit only, so no data is lost with it.
    return new EncryptionKey(this, "Key", { name, account, region, retain: false, tags });
  }

  private statements(): ResourcePolicyStatement[] {
    const { account, region } = this.props;
    const owner: ResourcePolicyStatement = {
      // The account's IAM policies decide about these actions; publishing is not among them.
      sid: "AccountDecides",
      principal: { AWS: `arn:${partitionOf(region)}:iam::${account}:root` },
      actions: [
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
      ],
      resources: [this.resource.arn],
    };
    return [owner, ...this.publishers.statements(this.resource.arn)];
  }
}
