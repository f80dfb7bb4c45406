import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";
import { clientOptions } from "../../local/clients";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH, PYTHON } from "../../local/places";
import { providerSource } from "../../local/provider-source";
import { DESTROY, filledIn, PLAN, WORKFLOWS } from "../support/deployer-policy";

/**
 * An environment applied as a pipeline applies it: by Terraform with the credentials of the deployer's role, its state in the
 * bucket that exists before the first deployment, every call decided by IAM and recorded.
 */

export const PLACE = {
  project: "etl",
  environment: BENCH.environment,
  account: BENCH.accountId,
  region: BENCH.region,
};
const STACK = `${PLACE.project}-${PLACE.environment}`;
const STATE_BUCKET = `${STACK}-terraform-state-${PLACE.account}-${PLACE.region}`;

/** The two roles of a pipeline, and their documents. One of the pipelines is run by a workflow. */
export const ROLES = {
  deployer: [...DESTROY, ...WORKFLOWS],
  planner: [...PLAN, "plan-workflows"],
} as const;
export type Role = keyof typeof ROLES;

/** Prints the variables that hold a session's credentials. */
const ASSUME = `
import boto3, json, sys
endpoint, ca, region, role = sys.argv[1:]
sts = boto3.client("sts", endpoint_url=endpoint, verify=ca, region_name=region)
made = sts.assume_role(RoleArn=role, RoleSessionName="pipeline")["Credentials"]
names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey", "AWS_SESSION_TOKEN": "SessionToken"}
print(json.dumps({variable: made[name] for variable, name in names.items()}))
`;

export interface Said {
  readonly code: number | null;
  readonly text: string;
}

interface Decision {
  readonly action: string;
  readonly resource: string;
  readonly principal: string;
  readonly verdict: string;
}

export class DeployerBench {
  /** The folder of the synthesised stack. */
  readonly stack: string;
  readonly trace: string;
  private credentials: Readonly<Record<string, string>> = {};

  private constructor(
    private readonly clone: string,
    private readonly aws: EmbeddedAws,
    private readonly variables: NodeJS.ProcessEnv,
  ) {
    this.stack = join(clone, "cdktf.out", "stacks", STACK);
    this.trace = join(clone, ".local", "trace.jsonl");
  }

  /** @param clone a checkout of its own */
  static async open(clone: string): Promise<DeployerBench> {
    const local = join(clone, ".local");
    const aws = await EmbeddedAws.start(local, ["--trace", join(local, "trace.jsonl")]);
    try {
      await asOwner(aws);
      const source = await providerSource(join(local, "settings"), process.env);
      return new DeployerBench(clone, aws, {
        ...process.env,
        ...source.variables,
        GITHUB_OUTPUT: join(local, "output"),
        GITHUB_STEP_SUMMARY: join(local, "summary"),
        AWS_ENDPOINT_URL: aws.at.endpoint,
        AWS_CA_BUNDLE: aws.at.caBundle,
        AWS_EC2_METADATA_DISABLED: "true",
        CHECKPOINT_DISABLE: "1",
        TF_IN_AUTOMATION: "1",
        STACK,
        ETL_ENVIRONMENTS: PLACE.environment,
        ETL_ACCOUNT_ID: PLACE.account,
        ETL_REGION: PLACE.region,
        ETL_DEV_ORCHESTRATION: "mobile-users:workflow",
      });
    } catch (error) {
      await aws.stop();
      throw error;
    }
  }

  /** Points the synthesised stack at the embedded AWS; its state goes to S3, also in dev. */
  redirect(): void {
    const { endpoint, caBundle } = this.aws.at;
    const backend = {
      bucket: STATE_BUCKET,
      key: `${STACK}.tfstate`,
      region: PLACE.region,
      encrypt: true,
      use_lockfile: true,
      use_path_style: true,
      custom_ca_bundle: caBundle,
      endpoints: { s3: endpoint, sts: endpoint, iam: endpoint },
    };
    const aws = [{ region: PLACE.region, s3_use_path_style: true, max_retries: 2 }];
    const override = { terraform: { backend: { s3: backend } }, provider: { aws } };
    writeFileSync(join(this.stack, "override.tf.json"), JSON.stringify(override, null, 2));
  }

  /** From here on commands have the credentials of a role, as a job of a pipeline has. */
  as(role: Role): void {
    const { accessKeyId, secretAccessKey, endpoint, caBundle } = this.aws.at;
    const owner = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const arn = `arn:aws:iam::${PLACE.account}:role/${role}`;
    const said = execFileSync(PYTHON, ["-c", ASSUME, endpoint, caBundle, PLACE.region, arn], {
      env: { ...process.env, ...owner },
      encoding: "utf8",
    });
    this.credentials = JSON.parse(said) as Record<string, string>;
  }

  /** Runs a command of the workflow in a shell, as CI does. */
  shell(command: string, variables: Readonly<Record<string, string>> = {}): Said {
    const { status, stdout, stderr } = spawnSync("bash", ["-eo", "pipefail", "-c", command], {
      cwd: this.clone,
      env: { ...this.variables, ...this.credentials, ...variables },
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: status, text: `${stdout}\n${stderr}` };
  }

  terraform(...args: readonly string[]): Said {
    return this.shell(["terraform", `-chdir=${this.stack}`, ...args].join(" "));
  }

  /** The rights that a role was refused, as the policy documents name them. */
  denied(): string[] {
    const lines = readFileSync(this.trace, "utf8").trim().split("\n");
    const refused = lines
      .map((line) => JSON.parse(line) as Decision)
      .filter(({ verdict }) => verdict !== "allowed");
    return [
      ...new Set(refused.map(({ principal, action, resource }) => `${principal}: ${action} on ${resource}`)),
    ];
  }

  /** Resolves when the state of the embedded AWS is on disk, a second later. */
  settled(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 2_000));
  }

  close(): Promise<void> {
    return this.aws.stop();
  }
}

/** Creates what a first deployment needs: the roles with their policies, and the state bucket. */
async function asOwner({ at }: EmbeddedAws): Promise<void> {
  const iam = new IAMClient(clientOptions(at));
  const s3 = new S3Client({ ...clientOptions(at), forcePathStyle: true });
  const owner = { AWS: `arn:aws:iam::${PLACE.account}:root` };
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: owner, Action: "sts:AssumeRole" }],
  };
  for (const [RoleName, documents] of Object.entries(ROLES)) {
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }));
    for (const PolicyName of documents)
      await iam.send(
        new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: filledIn(PolicyName, PLACE) }),
      );
  }
  await s3.send(new CreateBucketCommand({ Bucket: STATE_BUCKET }));
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: STATE_BUCKET, VersioningConfiguration }));
}
