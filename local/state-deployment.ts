import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HeadBucketCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { execa } from "execa";
import { type Endpoint } from "./endpoint";
import { LOCAL } from "./places";
import { providerOverride } from "./provider-override";
import { providerSource } from "./provider-source";
import { UserError } from "./user-error";

/** How far an earlier bootstrap got. */
export type Stage = "nothing there" | "applied, not moved" | "bucket without a state" | "complete";

interface Stack {
  readonly terraform: {
    readonly backend: { readonly s3: Readonly<Record<"bucket" | "key" | "region", string>> };
  };
  readonly provider: { readonly aws: readonly [{ readonly allowed_account_ids: readonly [string] }] };
  readonly resource: { readonly aws_s3_bucket: Readonly<Record<string, unknown>> };
}

const LOCAL_STATE = "terraform.tfstate";
const BACKEND_OVERRIDE = "backend_override.tf.json";
const EMBEDDED_OVERRIDE = "override.tf.json";
const EMBEDDED_BACKEND = "embedded.tfbackend.json";
/** `terraform plan -detailed-exitcode`: 0 no changes, 2 changes. */
const CHANGES = 2;

/** Runs Terraform on the stack of a state bucket: first with a local state, then with the state in the bucket. */
export class StateDeployment {
  readonly bucket: string;
  readonly key: string;
  private readonly account: string;
  private readonly address: string;
  private readonly folder: string;
  private readonly s3: S3Client;

  /** @param synthesised the stack's folder of `cdktf.out` */
  constructor(
    synthesised: string,
    s3Of: (region: string) => S3Client,
    private readonly at: Endpoint | undefined,
  ) {
    const stack = JSON.parse(readFileSync(join(synthesised, "cdk.tf.json"), "utf8")) as Stack;
    const { bucket, key, region } = stack.terraform.backend.s3;
    this.bucket = bucket;
    this.key = key;
    this.account = stack.provider.aws[0].allowed_account_ids[0];
    this.address = `aws_s3_bucket.${Object.keys(stack.resource.aws_s3_bucket)[0]!}`;
    this.s3 = s3Of(region);
    this.folder = join(LOCAL, "bootstrap", bucket);
    this.layOut(synthesised);
  }

  /** @throws UserError when the bucket belongs to another account, or access is denied */
  async stage(): Promise<Stage> {
    const there = await this.isThere(
      this.s3.send(new HeadBucketCommand({ Bucket: this.bucket, ExpectedBucketOwner: this.account })),
    );
    const applied = existsSync(join(this.folder, LOCAL_STATE));
    if (!there) return "nothing there";
    const moved = await this.isThere(
      this.s3.send(new HeadObjectCommand({ Bucket: this.bucket, Key: this.key })),
    );
    if (moved) return "complete";
    return applied ? "applied, not moved" : "bucket without a state";
  }

  /** @param adopt first import the existing bucket into the state */
  async applyLocally(adopt: boolean): Promise<void> {
    const override = { terraform: { backend: { local: { path: LOCAL_STATE } } } };
    writeFileSync(join(this.folder, BACKEND_OVERRIDE), JSON.stringify(override));
    await this.terraform("init", "-input=false", "-reconfigure");
    if (adopt) await this.terraform("import", "-input=false", this.address, this.bucket);
    await this.terraform("apply", "-input=false", "-auto-approve");
  }

  /** Moves the local state into the bucket. The local one is deleted only when the other exists. */
  async migrate(): Promise<void> {
    rmSync(join(this.folder, BACKEND_OVERRIDE), { force: true });
    await this.terraform("init", "-input=false", "-migrate-state", "-force-copy", ...this.backendConfig());
    if ((await this.stage()) !== "complete") {
      throw new UserError(
        `the state is not in s3://${this.bucket}/${this.key} after the move: run the same command again`,
      );
    }
    for (const file of readdirSync(this.folder).filter((name) => name.startsWith(LOCAL_STATE))) {
      rmSync(join(this.folder, file));
    }
  }

  /**
   * Applies changes since the state was written.
   *
   * @param initialise `true`: this command has not initialised the folder yet
   * @returns `true` when something changed
   */
  async applyChanges(initialise: boolean): Promise<boolean> {
    if (initialise) await this.terraform("init", "-input=false", "-reconfigure", ...this.backendConfig());
    const planned = await this.terraform("plan", "-input=false", "-detailed-exitcode", "-out=plan");
    if (planned !== CHANGES) return false;
    await this.terraform("apply", "-input=false", "plan");
    return true;
  }

  /** Removes an abandoned lock. @param id as Terraform printed it */
  async unlock(id: string): Promise<void> {
    await this.terraform("init", "-input=false", "-reconfigure", ...this.backendConfig());
    await this.terraform("force-unlock", "-force", id);
  }

  private backendConfig(): string[] {
    return this.at === undefined ? [] : [`-backend-config=${EMBEDDED_BACKEND}`];
  }

  private layOut(synthesised: string): void {
    mkdirSync(this.folder, { recursive: true });
    for (const entry of readdirSync(this.folder)) {
      const kept = entry.startsWith(".terraform") || entry.startsWith(LOCAL_STATE);
      if (!kept) rmSync(join(this.folder, entry), { recursive: true });
    }
    cpSync(synthesised, this.folder, { recursive: true });
    if (this.at === undefined) return;
    writeFileSync(join(this.folder, EMBEDDED_OVERRIDE), JSON.stringify(providerOverride(this.at)));
    writeFileSync(join(this.folder, EMBEDDED_BACKEND), JSON.stringify(embeddedBackend(this.at)));
  }

  private async isThere(asked: Promise<unknown>): Promise<boolean> {
    try {
      await asked;
      return true;
    } catch (error) {
      const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
      if (status === 404) return false;
      const { name, message } = error as Error;
      const why =
        status === 403
          ? `it does not belong to account ${this.account}, or your credentials may not read it`
          : `${name}: ${message}`;
      throw new UserError(`s3://${this.bucket} cannot be read: ${why}`);
    }
  }

  private async terraform(verb: string, ...args: readonly string[]): Promise<number> {
    const source = await providerSource(join(LOCAL, "terraform"), process.env);
    const embedded = this.at && { AWS_CA_BUNDLE: this.at.caBundle, AWS_EC2_METADATA_DISABLED: "true" };
    const variables = { ...source.variables, ...embedded, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
    const { exitCode, all } = await execa("terraform", [verb, ...plain(verb), ...args], {
      cwd: this.folder,
      env: variables,
      all: true,
      reject: false,
      stdin: "ignore",
    });
    if (exitCode === 0 || (exitCode === CHANGES && verb === "plan")) return exitCode;
    throw new UserError(`terraform ${verb} failed:\n${all}\nto recover, see docs/state.md`);
  }
}

/** `force-unlock` refuses the option. */
function plain(verb: string): string[] {
  return verb === "force-unlock" ? [] : ["-no-color"];
}

/** Backend settings for the embedded AWS, in a file of their own: the synthesised file stays as it is. */
function embeddedBackend({ endpoint, accessKeyId, secretAccessKey, caBundle }: Endpoint): object {
  return {
    access_key: accessKeyId,
    secret_key: secretAccessKey,
    custom_ca_bundle: caBundle,
    use_path_style: true,
    skip_credentials_validation: true,
    skip_metadata_api_check: true,
    endpoints: { s3: endpoint, sts: endpoint, iam: endpoint },
  };
}
