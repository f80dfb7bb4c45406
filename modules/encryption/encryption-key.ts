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

/** A KMS key, created by {@link EncryptionKey} or existing. */
export interface IEncryptionKey {
  /** The key's ARN, not an alias. */
  readonly keyArn: string;
  /** Lets an AWS service use the key. For an existing key this does nothing: its owner must allow the service in its policy. */
  allowService(service: string, actions: readonly string[], conditions: PolicyStatement["conditions"]): void;
  /** Lets another account give its roles the use of the key. For an existing key this does nothing: its owner must allow the account. */
  allowAccount(
    principal: string,
    actions: readonly string[],
    conditions: PolicyStatement["conditions"],
  ): void;
}

/** Props of {@link EncryptionKey}. */
export interface EncryptionKeyProps {
  /** The alias without `alias/`: 1 to 250 letters, digits and `/_-`, not beginning with `aws/`. */
  readonly name: string;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
  /** @default - "Encrypts <name>" */
  readonly description?: string;
  /**
   * `true`: Terraform refuses to destroy the key, without which its data cannot be read.
   * @default true
   */
  readonly retain?: boolean;
  /**
   * Days from scheduling its deletion to deleting it, 7 to 30:
   * https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
   * @default 30
   */
  readonly deletionWindowDays?: number;
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * A symmetric customer managed key that rotates every year. Its policy is rendered with the stack, so that constructs can add to it.
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class EncryptionKey extends Construct implements IEncryptionKey {
  /** The key. */
  readonly resource: KmsKey;
  /** The key's ARN. */
  readonly keyArn: string;
  private readonly statements: ResourcePolicyStatement[] = [];

  constructor(scope: Construct, id: string, props: EncryptionKeyProps) {
    super(scope, id);
    refuse(this, props);

    this.statements.push({
      // The account's own IAM policies decide; without this statement nobody could ever change the key.
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
   * Refers to an existing key; its policy is not changed.
   *
   * @param keyArn the ARN of the key, not of an alias: bucket policies compare it with the key that was used
   * @throws Error if it is not the ARN of a key
   */
  static fromKeyArn(keyArn: string): IEncryptionKey {
    if (!Token.isUnresolved(keyArn) && !/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(keyArn)) {
      throw new Error(
        `EncryptionKey: 'keyArn' must be a key's ARN (arn:aws:kms:<region>:<account>:key/<id>), got ${JSON.stringify(keyArn)}; ` +
          "an alias or a bare id is not accepted",
      );
    }
    return { keyArn, allowService: () => undefined, allowAccount: () => undefined };
  }

  /** Lets an AWS service use the key, e.g. `events.amazonaws.com`, by a statement in the key's policy. */
  allowService(service: string, actions: readonly string[], conditions: PolicyStatement["conditions"]): void {
    this.statements.push({ principal: { Service: service }, actions, resources: ["*"], conditions });
  }

  /**
   * Lets another account give its roles the use of the key, by a statement in the key's policy.
   *
   * @param principal the account as a principal, `arn:aws:iam::<account>:root`
   */
  allowAccount(
    principal: string,
    actions: readonly string[],
    conditions: PolicyStatement["conditions"],
  ): void {
    this.statements.push({ principal: { AWS: principal }, actions, resources: ["*"], conditions });
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
