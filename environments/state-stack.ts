import { AwsProvider } from "@cdktf/provider-aws/lib/provider";
import { S3Backend, TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";
import { ZoneBucket } from "../index";
import type { EnvironmentSettings } from "./settings";

/** Days that earlier states can still be brought back. */
const EARLIER_STATE_DAYS = 365;

/** The stack of the bucket that holds an environment's Terraform state. */
export function stateBucketName({ project, environment, accountId, region }: EnvironmentSettings): string {
  return `${project}-${environment}-terraform-state-${accountId}-${region}`;
}

/** The one backend of all stacks: S3 with its own lock file beside the state (Terraform 1.11 or later). */
export function defineS3Backend(stack: TerraformStack, settings: EnvironmentSettings): void {
  const { accountId, region } = settings;
  new S3Backend(stack, {
    bucket: stateBucketName(settings),
    key: `${stack.node.id}.tfstate`,
    region,
    encrypt: true,
    allowedAccountIds: [accountId],
  });
  stack.addOverride("terraform.backend.s3.use_lockfile", true);
}

/**
 * The bucket of an environment's state, which keeps its own state too once it is there: `npm run bootstrap` applies it with a
 * state of its own beside it, then moves that in. Versioned, encrypted, closed, and not to be destroyed.
 */
export class StateStack extends TerraformStack {
  readonly bucket: ZoneBucket;

  constructor(scope: Construct, settings: EnvironmentSettings) {
    const { project, environment, accountId, region } = settings;
    super(scope, `${project}-${environment}-state`);
    defineS3Backend(this, settings);
    const tags = { ...settings.tags, project, environment };
    new AwsProvider(this, "Aws", { region, allowedAccountIds: [accountId], defaultTags: [{ tags }] });
    this.bucket = new ZoneBucket(this, "Bucket", {
      name: stateBucketName(settings),
      retainData: true,
      noncurrentVersionDays: EARLIER_STATE_DAYS,
    });
    new TerraformOutput(this, "state_bucket", { value: this.bucket.bucketName, staticId: true });
  }
}
