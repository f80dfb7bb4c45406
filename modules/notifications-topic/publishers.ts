import { partitionOf, viaService } from "../core/partition";
import { type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { type PolicyStatement, type ResourcePolicyStatement } from "../iam/policy-statement";

/** Where rules and alarms stand that publish. */
export interface Place {
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** What a service does with a topic's key to publish: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html */
const KEY_ACTIONS: readonly string[] = ["kms:Decrypt", "kms:GenerateDataKey*"];

/** Who may publish to a topic: rules and alarms as statements of its policy and of its key's, roles by their own. */
export class Publishers {
  private readonly ruleArns = new Set<string>();
  private readonly alarmArns = new Set<string>();

  constructor(private readonly place: Place) {}

  /** @param key of the topic; one that was made here lets EventBridge use it */
  addRule(ruleArn: string, key: IEncryptionKey | undefined): void {
    this.ruleArns.add(ruleArn);
    key?.allowService("events.amazonaws.com", KEY_ACTIONS, this.keyConditions);
  }

  /** @param key of the topic; one that was made here lets CloudWatch use it */
  addAlarms(namePrefix: string, key: IEncryptionKey | undefined): void {
    const { account, region } = this.place;
    this.alarmArns.add(`arn:${partitionOf(region)}:cloudwatch:${region}:${account}:alarm:${namePrefix}*`);
    key?.allowService("cloudwatch.amazonaws.com", KEY_ACTIONS, this.keyConditions);
  }

  /** By the role's own policy. */
  grant(grantable: IGrantable, topicArn: string, key: IEncryptionKey | undefined): void {
    grantable.grantee.addToPolicy({ actions: ["sns:Publish"], resources: [topicArn] });
    if (key === undefined) return;
    grantable.grantee.addToPolicy({
      actions: KEY_ACTIONS,
      resources: [key.keyArn],
      conditions: { StringEquals: { "kms:ViaService": viaService("sns", this.place.region) } },
    });
  }

  /** Only for what is done in the account's name. */
  private get keyConditions(): NonNullable<PolicyStatement["conditions"]> {
    return { StringEquals: { "aws:SourceAccount": this.place.account } };
  }

  /** Of the topic's policy. */
  statements(topicArn: string): ResourcePolicyStatement[] {
    const rules: ResourcePolicyStatement = {
      sid: "RulesPublish",
      principal: { Service: "events.amazonaws.com" },
      actions: ["sns:Publish"],
      resources: [topicArn],
      conditions: { ArnEquals: { "aws:SourceArn": [...this.ruleArns] } },
    };
    const alarms: ResourcePolicyStatement = {
      sid: "AlarmsPublish",
      principal: { Service: "cloudwatch.amazonaws.com" },
      actions: ["sns:Publish"],
      resources: [topicArn],
      conditions: {
        StringEquals: { "aws:SourceAccount": this.place.account },
        ArnLike: { "aws:SourceArn": [...this.alarmArns] },
      },
    };
    return [...(this.ruleArns.size === 0 ? [] : [rules]), ...(this.alarmArns.size === 0 ? [] : [alarms])];
  }

  /** Of its key's policy, where `*` is the key. */
  keyStatements(): ResourcePolicyStatement[] {
    return this.statements("*").map(({ sid, principal }) => ({
      sid,
      principal,
      actions: KEY_ACTIONS,
      resources: ["*"],
      conditions: this.keyConditions,
    }));
  }
}
