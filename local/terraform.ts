import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { digests } from "./digests";
import { type Endpoint } from "./embedded-aws";
import { interrupted } from "./interrupts";
import { BENCH, LOCAL } from "./places";
import { providerSource } from "./provider-source";
import { UserError } from "./user-error";

/** Terraform on the synthesised files as they are, with one override file beside them that points at the embedded AWS. */

const OVERRIDE = "override.tf.json";
const APPLIED = "applied.json";
/** How long an interrupted Terraform may take to write its state. */
const GRACE_MS = 60_000;

/** Services whose endpoint is replaced, by the provider's names. */
const SERVICES = [
  ...[
    "athena",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "events",
    "glue",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "scheduler",
  ],
  ...["secretsmanager", "sfn", "sns", "sqs", "ssm", "sts"],
];

export type Outputs = Readonly<Record<string, string>>;

/** The deployment of one stack on the embedded AWS. */
export class Deployment {
  private readonly folder: string;

  /** @param synthesised the stack's folder of `cdktf.out` */
  constructor(
    private readonly synthesised: string,
    stack: string,
    private readonly at: Endpoint,
    private readonly say: (line: string) => void,
  ) {
    this.folder = join(LOCAL, "terraform", stack);
  }

  /** Whether what is deployed was made of the very files that are synthesised now. */
  isCurrent(): boolean {
    const record = join(this.folder, APPLIED);
    if (!existsSync(record) || !existsSync(join(LOCAL, "aws"))) return false;
    return readFileSync(record, "utf8") === JSON.stringify(digests(this.synthesised), null, 2);
  }

  /** Applies the synthesised files. @throws UserError with Terraform's own words */
  async apply(): Promise<void> {
    this.layOut();
    // From here until the end what is deployed is neither the old files nor the new ones.
    rmSync(join(this.folder, APPLIED), { force: true });
    await this.run("init", ["-input=false"]);
    await this.run("apply", ["-input=false", "-auto-approve"]);
    writeFileSync(join(this.folder, APPLIED), JSON.stringify(digests(this.synthesised), null, 2));
  }

  /** Destroys what was applied. @throws UserError with Terraform's own words */
  async destroy(): Promise<void> {
    this.layOut();
    rmSync(join(this.folder, APPLIED), { force: true });
    await this.run("destroy", ["-input=false", "-auto-approve"]);
  }

  async outputs(): Promise<Outputs> {
    const { stdout } = await this.terraform(["output", "-json"]);
    const raw = JSON.parse(stdout) as Record<string, { value: string }>;
    return Object.fromEntries(Object.entries(raw).map(([name, { value }]) => [name, value]));
  }

  private layOut(): void {
    mkdirSync(this.folder, { recursive: true });
    for (const entry of readdirSync(this.folder)) {
      const kept =
        entry.startsWith(".terraform") || entry.startsWith("terraform.tfstate") || entry === APPLIED;
      if (!kept) rmSync(join(this.folder, entry), { recursive: true });
    }
    cpSync(this.synthesised, this.folder, { recursive: true });
    writeFileSync(join(this.folder, OVERRIDE), JSON.stringify(this.override(), null, 2));
  }

  private override(): unknown {
    const { endpoint, accessKeyId, secretAccessKey } = this.at;
    return {
      terraform: { backend: { local: { path: "terraform.tfstate" } } },
      provider: {
        aws: [
          {
            access_key: accessKeyId,
            secret_key: secretAccessKey,
            region: BENCH.region,
            s3_use_path_style: true,
            skip_credentials_validation: true,
            skip_metadata_api_check: "true",
            skip_requesting_account_id: false,
            max_retries: 2,
            endpoints: [Object.fromEntries(SERVICES.map((service) => [service, endpoint]))],
          },
        ],
      },
    };
  }

  private async run(verb: string, args: readonly string[]): Promise<void> {
    const { exitCode, all = "" } = await this.terraform([verb, "-no-color", ...args], (line) => {
      const done = /: (Creation|Modifications|Destruction) complete after/.test(line);
      if (done || /^(Plan|Apply complete|Destroy complete)/.test(line)) this.say(line);
    });
    interrupted.throwIfAborted();
    if (exitCode !== 0) throw new UserError(`terraform ${verb} failed:\n${errorsOf(all)}`);
  }

  private async terraform(args: readonly string[], heard: (line: string) => void = () => undefined) {
    const source = await providerSource(join(LOCAL, "terraform"), process.env);
    if (args[0] === "init" && source.note !== undefined) this.say(source.note);
    const env: Record<string, string | undefined> = {
      ...process.env,
      ...source.variables,
      // The provider trusts this file; SSL_CERT_FILE would make it retry for ever without a word.
      AWS_CA_BUNDLE: this.at.caBundle,
      AWS_EC2_METADATA_DISABLED: "true",
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
    };
    const child = execa("terraform", args, {
      cwd: this.folder,
      env,
      extendEnv: false,
      reject: false,
      all: true,
      // Out of the terminal's group: it must hear of an interrupt once, or it drops its state where it stands.
      detached: true,
      cancelSignal: interrupted,
      killSignal: "SIGINT",
      forceKillAfterDelay: GRACE_MS,
    });
    child.all.on("data", lineByLine(heard));
    const { exitCode, stdout, all } = await child;
    return { exitCode, stdout, all };
  }
}

function lineByLine(heard: (line: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(heard);
  };
}

function errorsOf(output: string): string {
  const start = output.search(/╷|^Error/m);
  const lines = (start < 0 ? output : output.slice(start)).trim().split("\n");
  return lines.slice(-40).join("\n");
}
