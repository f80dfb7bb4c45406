import { SnsTopic } from "@cdktf/provider-aws/lib/sns-topic";
import { SnsTopicPolicy } from "@cdktf/provider-aws/lib/sns-topic-policy";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf, viaService } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { EncryptionKey, type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { policyDocument } from "../iam/policy-document";
import { type ResourcePolicyStatement } from "../iam/policy-statement";

export interface NotificationsTopicProps {
  /** Physical name, 1 to 256 letters, digits, hyphens and underscores. */
  readonly name: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
  /**
   * The key that messages are encrypted with. SNS's own `alias/aws/sns` will not do: neither EventBridge nor CloudWatch may
   * use it, and their messages would be dropped without a word.
   * @default - a key of the topic's own
   */
  readonly encryptionKey?: IEncryptionKey;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * An encrypted topic whose policy lets in exactly those who publish: the rules and alarms named to it, and roles by grants of
 * their own.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class NotificationsTopic extends Construct {
  readonly resource: SnsTopic;
  readonly topicArn: string;
  readonly encryptionKey: IEncryptionKey;
  private readonly ruleArns: string[] = [];
  private readonly alarmArns = new Set<string>();

  constructor(
    scope: Construct,
    id: string,
    private readonly props: NotificationsTopicProps,
  ) {
    super(scope, id);
    this.refuse();

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

  /** Lets an EventBridge rule publish, and EventBridge use the key for it. */
  allowPublishFromRule(ruleArn: string): void {
    if (this.ruleArns.length === 0) this.allowKey("events.amazonaws.com");
    this.ruleArns.push(ruleArn);
  }

  /**
   * Lets the account's CloudWatch alarms whose names begin with `namePrefix` publish, and CloudWatch use the key for it.
   * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
   */
  allowPublishFromAlarms(namePrefix: string): void {
    const { account, region } = this.props;
    if (this.alarmArns.size === 0) this.allowKey("cloudwatch.amazonaws.com");
    this.alarmArns.add(`arn:${partitionOf(region)}:cloudwatch:${region}:${account}:alarm:${namePrefix}*`);
  }

  /** Lets a role publish. */
  grantPublish(grantable: IGrantable): void {
    grantable.grantee.addToPolicy(
      { actions: ["sns:Publish"], resources: [this.topicArn] },
      {
        actions: ["kms:Decrypt", "kms:GenerateDataKey*"],
        resources: [this.encryptionKey.keyArn],
        conditions: { StringEquals: { "kms:ViaService": viaService("sns", this.props.region) } },
      },
    );
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
    // It encrypts what is on its way; nothing is lost with it.
    return new EncryptionKey(this, "Key", { name, account, region, retain: false, tags });
  }

  /** Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html, "compatibility with AWS services". */
  private allowKey(service: string): void {
    this.encryptionKey.allowService(service, ["kms:Decrypt", "kms:GenerateDataKey*"], {
      StringEquals: { "aws:SourceAccount": this.props.account },
    });
  }

  private statements(): ResourcePolicyStatement[] {
    const { account, region } = this.props;
    const resources = [this.resource.arn];
    const owner: ResourcePolicyStatement = {
      // The account's own IAM policies decide who else may do what: nobody publishes by being in the account.
      sid: "AccountDecides",
      principal: { AWS: `arn:${partitionOf(region)}:iam::${account}:root` },
      actions: [
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
      ],
      resources,
    };
    const rules: ResourcePolicyStatement = {
      sid: "RulesPublish",
      principal: { Service: "events.amazonaws.com" },
      actions: ["sns:Publish"],
      resources,
      conditions: { ArnEquals: { "aws:SourceArn": this.ruleArns } },
    };
    const alarms: ResourcePolicyStatement = {
      sid: "AlarmsPublish",
      principal: { Service: "cloudwatch.amazonaws.com" },
      actions: ["sns:Publish"],
      resources,
      conditions: {
        StringEquals: { "aws:SourceAccount": account },
        ArnLike: { "aws:SourceArn": [...this.alarmArns] },
      },
    };
    return [
      owner,
      ...(this.ruleArns.length === 0 ? [] : [rules]),
      ...(this.alarmArns.size === 0 ? [] : [alarms]),
    ];
  }
}
