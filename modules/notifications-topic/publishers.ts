import { partitionOf, viaService } from "../core/partition";
import { type IEncryptionKey } from "../encryption/encryption-key";
import { type IGrantable } from "../iam/grantable";
import { type PolicyStatement, type ResourcePolicyStatement } from "../iam/policy-statement";

/** The account and region of publishing rules and alarms. */
export interface Place {
  /** AWS account id, 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** The actions on a topic's key that publishing needs: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html */
const KEY_ACTIONS: readonly string[] = ["kms:Decrypt", "kms:GenerateDataKey*"];

/** The publishers of a topic: rules and alarms as statements of its policy and its key's, roles by their own policies. */
export class Publishers {
  private readonly ruleArns = new Set<string>();
  private readonly alarmArns = new Set<string>();

  constructor(private readonly place: Place) {}

  /** @param key the topic's key; an {@link EncryptionKey} lets EventBridge use it */
  addRule(ruleArn: string, key: IEncryptionKey | undefined): void {
    this.ruleArns.add(ruleArn);
    key?.allowService("events.amazonaws.com", KEY_ACTIONS, this.keyConditions);
  }

  /** @param key the topic's key; an {@link EncryptionKey} lets CloudWatch use it */
  addAlarms(namePrefix: string, key: IEncryptionKey | undefined): void {
    const { account, region } = this.place;
    this.alarmArns.add(`arn:${partitionOf(region)}:cloudwatch:${region}:${account}:alarm:${namePrefix}*`);
    key?.allowService("cloudwatch.amazonaws.com", KEY_ACTIONS, this.keyConditions);
  }

  /** Lets a role publish, by its own policy. */
  grant(grantable: IGrantable, topicArn: string, key: IEncryptionKey | undefined): void {
    grantable.grantee.addToPolicy({ actions: ["sns:Publish"], resources: [topicArn] });
    if (key === undefined) return;
    grantable.grantee.addToPolicy({
      actions: KEY_ACTIONS,
      resources: [key.keyArn],
      conditions: { StringEquals: { "kms:ViaService": viaService("sns", this.place.region) } },
    });
  }

  /** Limits the use of the key to requests of this account. */
  private get keyConditions(): NonNullable<PolicyStatement["conditions"]> {
    return { StringEquals: { "aws:SourceAccount": this.place.account } };
  }

  /** The statements for the topic's policy. */
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

  /** The statements for the key's policy, in which `*` is the key. */
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
