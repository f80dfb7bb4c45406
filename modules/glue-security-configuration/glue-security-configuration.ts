import { createHash } from "node:crypto";
import { GlueSecurityConfiguration as GlueSecurityConfigurationResource } from "@cdktf/provider-aws/lib/glue-security-configuration";
import { type ITerraformDependable, Token } from "cdktf";
import { Construct } from "constructs";
import { partitionOf } from "../core/partition";
import { placeMistakes } from "../core/place";
import { placeholderMistakes } from "../core/placeholder";
import { Refusals, shownPath } from "../core/refusals";
import { type IEncryptionKey } from "../encryption/encryption-key";

/** Props of {@link GlueSecurityConfiguration}. */
export interface GlueSecurityConfigurationProps {
  /** First part of the physical name, 1 to 200 letters, digits and `_.-`; a hash of the settings follows. */
  readonly name: string;
  /** The symmetric key that encrypts what jobs write to S3, their logs and their bookmarks. */
  readonly encryptionKey: IEncryptionKey;
  /** AWS account id, 12 digits. */
  readonly account: string;
  /** AWS region, e.g. `eu-west-1`. */
  readonly region: string;
}

/**
 * The encryption of a job's files, logs and bookmarks. Glue cannot change a security configuration: a change creates another one with
 * another name, before jobs stop using the old one.
 *
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html,
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html (the key's policy for log groups)
 *
 * @throws Error naming every mistake in the props, before anything is created
 */
export class GlueSecurityConfiguration extends Construct {
  /** The security configuration. */
  readonly resource: GlueSecurityConfigurationResource;
  /** Physical name with the hash; known in a plan. */
  readonly configurationName: string;
  /** The key. */
  readonly encryptionKey: IEncryptionKey;
  /** The resource, for `dependsOn` of a job that names it. */
  readonly dependencies: ITerraformDependable[];

  constructor(scope: Construct, id: string, props: GlueSecurityConfigurationProps) {
    super(scope, id);
    refuse(this, props);

    const { name, encryptionKey, account, region } = props;
    this.encryptionKey = encryptionKey;
    // A token's text changes between synths, so a key of the stack is identified by its path.
    const keyArn = encryptionKey.keyArn;
    const identity = Token.isUnresolved(keyArn) ? [shownPath(scope.node.path), id] : [keyArn];
    const said = JSON.stringify([SETTINGS_VERSION, ...identity]);
    this.configurationName = `${name}-${createHash("sha256").update(said).digest("hex").slice(0, 8)}`;
    this.resource = new GlueSecurityConfigurationResource(this, "Resource", {
      name: this.configurationName,
      encryptionConfiguration: {
        s3Encryption: { s3EncryptionMode: "SSE-KMS", kmsKeyArn: keyArn },
        cloudwatchEncryption: { cloudwatchEncryptionMode: "SSE-KMS", kmsKeyArn: keyArn },
        jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS", kmsKeyArn: keyArn },
      },
      lifecycle: { createBeforeDestroy: true },
    });
    this.dependencies = [this.resource];
    // CloudWatch Logs uses the key directly; allow it for Glue's log groups only.
    encryptionKey.allowService(`logs.${region}.amazonaws.com`, LOG_KEY_ACTIONS, {
      ArnLike: {
        "kms:EncryptionContext:aws:logs:arn": `arn:${partitionOf(region)}:logs:${region}:${account}:log-group:/aws-glue/*`,
      },
    });
  }
}

/** Raise this with every change of the resource's settings, so that the name changes too. */
const SETTINGS_VERSION = 1;

const LOG_KEY_ACTIONS = [
  "kms:Decrypt",
  "kms:DescribeKey",
  "kms:Encrypt",
  "kms:GenerateDataKey*",
  "kms:ReEncrypt*",
];

function refuse(scope: Construct, props: GlueSecurityConfigurationProps): void {
  const { name } = props;
  const isKnown = (value: unknown): boolean => !Token.isUnresolved(value);
  const refusals = new Refusals("GlueSecurityConfiguration", scope.node.path);
  refusals.noteUnfilled(placeholderMistakes(props, isKnown));
  refusals.check(
    !isKnown(name) || /^[A-Za-z0-9_.-]{1,200}$/.test(name),
    "name",
    `must be 1 to 200 letters, digits or _.-, got ${JSON.stringify(name)}`,
  );
  refusals.noteAll(placeMistakes(props, isKnown));
  refusals.throwIfAny();
}
