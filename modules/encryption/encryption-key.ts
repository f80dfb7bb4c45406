import { KmsAlias } from "@cdktf/provider-aws/lib/kms-alias";
import { KmsKey } from "@cdktf/provider-aws/lib/kms-key";
import { Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals } from "../core/refusals";
import { policyDocument } from "../iam/policy-document";
import { type PolicyStatement, type ResourcePolicyStatement } from "../iam/policy-statement";

/** A KMS key, made here or brought. */
export interface IEncryptionKey {
  readonly keyArn: string;
  /**
   * Lets an AWS service use the key. A brought key's policy belongs to its owner, who must have said it there already.
   */
  allowService(service: string, actions: readonly string[], conditions: PolicyStatement["conditions"]): void;
}

export interface EncryptionKeyProps {
  /** Alias, without `alias/`. */
  readonly name: string;
  readonly account: string;
  readonly region: string;
  /** @default - "Encrypts <name>" */
  readonly description?: string;
  /**
   * Whether Terraform refuses to destroy it: without the key what it encrypted cannot be read.
   * @default true
   */
  readonly retain?: boolean;
  /**
   * Days between its deletion and its end, 7 to 30.
   * @default 30
   */
  readonly deletionWindowDays?: number;
  /** @default - none beside the provider's */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * A symmetric customer key that rotates every year; its policy is rendered late, so that its users can add to it.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class EncryptionKey extends Construct implements IEncryptionKey {
  readonly resource: KmsKey;
  readonly keyArn: string;
  private readonly statements: ResourcePolicyStatement[] = [];

  constructor(scope: Construct, id: string, props: EncryptionKeyProps) {
    super(scope, id);
    refuse(this, props);

    this.statements.push({
      // The account's own IAM policies decide; without this statement nobody could ever mend the key.
      sid: "AccountDecides",
      principal: { AWS: `arn:${partitionOf(props.region)}:iam::${props.account}:root` },
      actions: ["kms:*"],
      resources: ["*"],
    });
    this.resource = new KmsKey(this, "Resource", {
      description: props.description ?? `Encrypts ${props.name}`,
      enableKeyRotation: true,
      deletionWindowInDays: props.deletionWindowDays ?? 30,
      policy: policyDocument(() => this.statements),
      lifecycle: (props.retain ?? true) ? { preventDestroy: true } : undefined,
      tags: props.tags && { ...props.tags },
    });
    new KmsAlias(this, "Alias", { name: `alias/${props.name}`, targetKeyId: this.resource.keyId });
    this.keyArn = this.resource.arn;
  }

  /**
   * A key from elsewhere; its policy stays its owner's.
   *
   * @param keyArn of the key itself: policies compare it with the key that was used, and an alias never is
   * @throws Error when it is no key's ARN
   */
  static fromKeyArn(keyArn: string): IEncryptionKey {
    if (!Token.isUnresolved(keyArn) && !/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(keyArn)) {
      throw new Error(
        `EncryptionKey: 'keyArn' must be a key's ARN (arn:aws:kms:<region>:<account>:key/<id>), got ${JSON.stringify(keyArn)}; ` +
          "an alias or a bare id will not do",
      );
    }
    return { keyArn, allowService: () => undefined };
  }

  allowService(service: string, actions: readonly string[], conditions: PolicyStatement["conditions"]): void {
    this.statements.push({ principal: { Service: service }, actions, resources: ["*"], conditions });
  }
}

function refuse(scope: Construct, props: EncryptionKeyProps): void {
  const { name, deletionWindowDays: days } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("EncryptionKey", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.check(
    !isKnown(name) || (/^[A-Za-z0-9/_-]{1,250}$/.test(name) && !name.startsWith("aws/")),
    "name",
    `must be 1 to 250 letters, digits or /_- and not begin with aws/, got ${JSON.stringify(name)}`,
  );
  refusals.noteAll(placeMistakes(props, isKnown));
  refusals.check(
    days === undefined || !isKnown(days) || (Number.isInteger(days) && days >= 7 && days <= 30),
    "deletionWindowDays",
    `must be a whole number from 7 to 30, got ${days}`,
  );
  refusals.throwIfAny();
}
