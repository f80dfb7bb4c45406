import { S3Bucket } from "@cdktf/provider-aws/lib/s3-bucket";
import { S3BucketLifecycleConfiguration } from "@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration";
import { S3BucketLoggingA } from "@cdktf/provider-aws/lib/s3-bucket-logging";
import { S3BucketNotification } from "@cdktf/provider-aws/lib/s3-bucket-notification";
import { S3BucketOwnershipControls } from "@cdktf/provider-aws/lib/s3-bucket-ownership-controls";
import { S3BucketPolicy } from "@cdktf/provider-aws/lib/s3-bucket-policy";
import { S3BucketPublicAccessBlock } from "@cdktf/provider-aws/lib/s3-bucket-public-access-block";
import { S3BucketServerSideEncryptionConfigurationA } from "@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration";
import { S3BucketVersioningA } from "@cdktf/provider-aws/lib/s3-bucket-versioning";
import { Construct } from "constructs";
import { policyDocument } from "../iam/policy-document";
import { type ResourcePolicyStatement } from "../iam/policy-statement";

/** Props of {@link ZoneBucket}. */
export interface ZoneBucketProps {
  /** Physical name. */
  readonly name: string;
  /**
   * The KMS key that encrypts the bucket.
   * @default - S3's own encryption, which a target of access logs requires
   */
  readonly encryptionKeyArn?: string;
  /**
   * The bucket for its access logs.
   * @default - none; for the log bucket itself
   */
  readonly accessLogs?: ZoneBucket;
  /** `true`: Terraform refuses to destroy the bucket. `false`: destroying the stack empties it. */
  readonly retainData: boolean;
  /** Days that replaced and deleted objects can be restored. */
  readonly noncurrentVersionDays: number;
  /**
   * Days after which current objects expire.
   * @default - never
   */
  readonly expirationDays?: number;
  /**
   * A prefix below which objects expire after 7 days, for Spark's temporary files.
   * @default - none
   */
  readonly temporaryPrefix?: string;
  /**
   * Days after which objects expire, by prefix.
   * @default - none
   */
  readonly expiringPrefixes?: Readonly<Record<string, number>>;
  /**
   * Further statements of the bucket policy.
   * @default - none
   */
  readonly statements?: (bucketArn: string) => readonly ResourcePolicyStatement[];
  /** @default - the provider's default tags only */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A bucket of a {@link DataLake}: private, versioned, encrypted, TLS only. */
export class ZoneBucket extends Construct {
  /** The bucket. */
  readonly resource: S3Bucket;
  /** The bucket's name, which depends on its policy: readers and writers are created after it. */
  readonly bucketName: string;
  /** The bucket's ARN. */
  readonly bucketArn: string;
  /** The bucket policy. */
  readonly policy: S3BucketPolicy;
  private readonly statements: ResourcePolicyStatement[] = [];

  constructor(scope: Construct, id: string, props: ZoneBucketProps) {
    super(scope, id);
    this.resource = new S3Bucket(this, "Resource", {
      bucket: props.name,
      forceDestroy: !props.retainData,
      lifecycle: props.retainData ? { preventDestroy: true } : undefined,
      tags: props.tags && { ...props.tags },
    });
    this.bucketArn = this.resource.arn;
    this.policy = this.defineAccess(props);
    // The name refers to the policy, so that nothing is put into the bucket before its policy and its key exist.
    this.bucketName = this.policy.bucket;
    this.defineKeeping(props);
    this.defineTelling(props);
  }

  /** Adds a statement to the bucket policy. */
  addToPolicy(statement: ResourcePolicyStatement): void {
    this.statements.push(statement);
  }

  private defineAccess(props: ZoneBucketProps): S3BucketPolicy {
    const bucket = this.resource.id;
    const publicAccess = new S3BucketPublicAccessBlock(this, "PublicAccessBlock", {
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
    const ownership = new S3BucketOwnershipControls(this, "OwnershipControls", {
      bucket,
      rule: { objectOwnership: "BucketOwnerEnforced" },
    });
    const keyArn = props.encryptionKeyArn;
    const encryption = new S3BucketServerSideEncryptionConfigurationA(this, "Encryption", {
      bucket,
      rule: [
        keyArn === undefined
          ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
          : {
              applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
              bucketKeyEnabled: true,
            },
      ],
    });
    this.statements.push(...guards(this.bucketArn, keyArn), ...(props.statements?.(this.bucketArn) ?? []));
    return new S3BucketPolicy(this, "Policy", {
      bucket: this.resource.bucket,
      policy: policyDocument(() => this.statements),
      dependsOn: [publicAccess, ownership, encryption],
    });
  }

  private defineKeeping(props: ZoneBucketProps): void {
    const bucket = this.resource.id;
    const versioning = new S3BucketVersioningA(this, "Versioning", {
      bucket,
      versioningConfiguration: { status: "Enabled" },
    });
    const { expirationDays, temporaryPrefix, expiringPrefixes = {} } = props;
    new S3BucketLifecycleConfiguration(this, "Lifecycle", {
      bucket,
      rule: [
        {
          id: "abort-multipart-uploads",
          status: "Enabled",
          filter: [{}],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
        },
        {
          id: "expire-noncurrent-versions",
          status: "Enabled",
          filter: [{}],
          noncurrentVersionExpiration: [{ noncurrentDays: props.noncurrentVersionDays }],
        },
        ...(expirationDays === undefined
          ? []
          : [{ id: "expire", status: "Enabled", filter: [{}], expiration: [{ days: expirationDays }] }]),
        ...(temporaryPrefix === undefined
          ? []
          : [
              {
                id: "expire-temporary",
                status: "Enabled",
                filter: [{ prefix: temporaryPrefix }],
                expiration: [{ days: 7 }],
              },
            ]),
        ...Object.entries(expiringPrefixes).map(([prefix, days]) => ({
          id: `expire-${prefix.slice(0, -1).replaceAll("/", "-")}`,
          status: "Enabled",
          filter: [{ prefix }],
          expiration: [{ days }],
        })),
      ],
      // Rules about versions need versions.
      dependsOn: [versioning],
    });
  }

  private defineTelling({ name, accessLogs }: ZoneBucketProps): void {
    const bucket = this.resource.id;
    if (accessLogs === undefined) return;
    // A bucket has one notification setting. With EventBridge every subscriber has a rule of its own.
    new S3BucketNotification(this, "Notification", { bucket, eventbridge: true });
    new S3BucketLoggingA(this, "AccessLogging", {
      bucket,
      targetBucket: accessLogs.resource.id,
      targetPrefix: `${name}/`,
      dependsOn: [accessLogs.policy],
    });
  }
}

/** Denials for everybody, regardless of their own policies. */
function guards(bucketArn: string, keyArn: string | undefined): ResourcePolicyStatement[] {
  const objects = `${bucketArn}/*`;
  const deny = { effect: "Deny", principal: "*" } as const;
  const tlsOnly: ResourcePolicyStatement = {
    ...deny,
    sid: "DenyWithoutTls",
    actions: ["s3:*"],
    resources: [bucketArn, objects],
    conditions: { Bool: { "aws:SecureTransport": "false" } },
  };
  if (keyArn === undefined) return [tlsOnly];
  const algorithm = "s3:x-amz-server-side-encryption";
  const key = "s3:x-amz-server-side-encryption-aws-kms-key-id";
  const put = { ...deny, actions: ["s3:PutObject"], resources: [objects] };
  return [
    tlsOnly,
    // A put that names no key gets the bucket's default key, so absence (Null) is allowed.
    {
      ...put,
      sid: "DenyAnotherKey",
      conditions: { StringNotEquals: { [key]: keyArn }, Null: { [key]: "false" } },
    },
    // An algorithm without a key would override that default with S3's own key or the account's aws/s3.
    { ...put, sid: "DenyAlgorithmWithoutKey", conditions: { Null: { [algorithm]: "false", [key]: "true" } } },
  ];
}
