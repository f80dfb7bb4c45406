import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { isAstray } from "./astray";
import { digests } from "./digests";
import { type Endpoint } from "./endpoint";
import { interrupted } from "./interrupts";
import { LOCAL } from "./places";
import { forget, killGroup, remember } from "./processes";
import { providerOverride } from "./provider-override";
import { providerSource } from "./provider-source";
import { APPLIED, terraformProcess } from "./return-point";
import { terraformFolder } from "./terraform-state";
import { UserError } from "./user-error";

/** Runs Terraform on the unchanged synthesised files. One override file beside them points at the embedded AWS. */

const OVERRIDE = "override.tf.json";
const PLAN = "plan.tfplan";
/** Time for an interrupted Terraform to write its state. */
const GRACE_MS = 60_000;
const FOLLOW_MS = 300;
const SAY_MS = 3_000;

export type Outputs = Readonly<Record<string, string>>;

/** Terraform's state may disagree with what exists. */
export class AstrayError extends UserError {}

/** `true`: the deployed stack was made from exactly the files that are synthesised now. */
export function isCurrent(synthesised: string, stack: string): boolean {
  const record = join(terraformFolder(stack), APPLIED);
  if (!existsSync(record) || !existsSync(join(LOCAL, "aws"))) return false;
  return readFileSync(record, "utf8") === JSON.stringify(digests(synthesised), null, 2);
}

/** The deployment of one stack on the embedded AWS. */
export class Deployment {
  /** The folder in which Terraform works. */
  private readonly folder: string;

  /**
   * @param synthesised the stack's folder of `cdktf.out`
   * @param local the folder of the bench, in which Terraform keeps the state and its logs
   * @param variables further environment variables of Terraform
   */
  constructor(
    private readonly synthesised: string,
    stack: string,
    private readonly at: Endpoint,
    private readonly say: (line: string) => void,
    private readonly local: string = LOCAL,
    private readonly variables: Readonly<Record<string, string>> = {},
  ) {
    this.folder = terraformFolder(stack, local);
  }

  /**
   * Applies the synthesised files.
   *
   * @param continued an earlier apply did not complete
   * @throws UserError with Terraform's message; AstrayError when its state may disagree with what exists
   */
  async apply(continued = false): Promise<void> {
    this.layOut();
    // During the apply the deployment matches neither the old files nor the new ones.
    rmSync(join(this.folder, APPLIED), { force: true });
    await this.run("init", ["-input=false"]);
    await this.run("apply", ["-input=false", "-auto-approve"], continued);
    writeFileSync(join(this.folder, APPLIED), JSON.stringify(digests(this.synthesised), null, 2));
  }

  /**
   * Plans the synthesised files against the state.
   *
   * @param refresh `false` takes the state for what exists, without reading each resource
   * @returns the plan as JSON
   * @throws UserError with Terraform's message
   */
  async plan({ refresh = true } = {}): Promise<string> {
    this.layOut();
    await this.run("init", ["-input=false"]);
    await this.run("plan", ["-input=false", `-refresh=${refresh}`, `-out=${PLAN}`]);
    const { exitCode, output } = await this.terraform(["show", "-json", PLAN]);
    interrupted.throwIfAborted();
    if (exitCode !== 0) throw new UserError(`terraform show failed:\n${errorsOf(output)}`);
    return output;
  }

  /** Destroys what was applied. @throws UserError with Terraform's message */
  async destroy(): Promise<void> {
    this.layOut();
    rmSync(join(this.folder, APPLIED), { force: true });
    await this.run("destroy", ["-input=false", "-auto-approve"]);
  }

  async outputs(): Promise<Outputs> {
    const { output } = await this.terraform(["output", "-json"]);
    const raw = JSON.parse(output) as Record<string, { value: string }>;
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
    return { terraform: { backend: { local: { path: "terraform.tfstate" } } }, ...providerOverride(this.at) };
  }

  private async run(verb: string, args: readonly string[], continued = false): Promise<void> {
    const counted = new ResourceCount(this.say);
    const { exitCode, signal, output } = await this.terraform([verb, "-no-color", ...args], (line) =>
      counted.hear(line),
    );
    if (signal !== undefined) throw new AstrayError(`terraform ${verb} was ended by ${signal}`);
    if (exitCode !== 0 && verb !== "init" && isAstray(output, continued))
      throw new AstrayError(`terraform ${verb} failed:\n${errorsOf(output)}`);
    interrupted.throwIfAborted();
    if (exitCode !== 0) throw new UserError(`terraform ${verb} failed:\n${errorsOf(output)}`);
  }

  private async terraform(args: readonly string[], heard: (line: string) => void = () => undefined) {
    const source = await providerSource(join(this.local, "terraform"), process.env);
    if (args[0] === "init" && source.note !== undefined) this.say(source.note);
    const env: Record<string, string | undefined> = {
      ...process.env,
      ...source.variables,
      // The provider trusts this file. With SSL_CERT_FILE it would retry for ever without a message.
      AWS_CA_BUNDLE: this.at.caBundle,
      AWS_EC2_METADATA_DISABLED: "true",
      CHECKPOINT_DISABLE: "1",
      TF_IN_AUTOMATION: "1",
      ...this.variables,
    };
    // A file, not a pipe. When this command is killed, Terraform soon fails without a server and ends its provider. A broken
    // pipe would end Terraform at once and leave the provider running.
    const logs = join(this.local, "logs");
    mkdirSync(logs, { recursive: true });
    const log = join(logs, `terraform-${args[0]}.log`);
    writeFileSync(log, "");
    const child = execa("terraform", args, {
      cwd: this.folder,
      env,
      extendEnv: false,
      reject: false,
      stdin: "ignore",
      stdout: { file: log },
      stderr: { file: log },
      // Not in the terminal's group: a second interrupt would make Terraform abandon its state.
      detached: true,
      cancelSignal: AbortSignal.any([interrupted, this.at.gone ?? interrupted]),
      killSignal: "SIGINT",
      forceKillAfterDelay: GRACE_MS,
    });
    const running = terraformProcess(this.folder);
    if (child.pid !== undefined) remember(running, child.pid);
    const follow = follower(log, heard);
    const timer = setInterval(follow, FOLLOW_MS);
    try {
      const { exitCode, signal } = await child;
      // Terraform ends its provider, except when it is killed.
      if (signal !== undefined && child.pid !== undefined) killGroup(child.pid);
      follow();
      return { exitCode, signal, output: readFileSync(log, "utf8") };
    } finally {
      clearInterval(timer);
      forget(running);
    }
  }
}

/** Prints how far Terraform is, instead of a line for each resource. */
class ResourceCount {
  private total?: number;
  private done = 0;
  private saidAt = 0;

  constructor(private readonly say: (line: string) => void) {}

  hear(line: string): void {
    const plan = /^Plan: (\d+) to add, (\d+) to change, (\d+) to destroy/.exec(line);
    if (plan !== null) this.total = Number(plan[1]) + Number(plan[2]) + Number(plan[3]);
    if (plan !== null || /^(Apply|Destroy) complete!/.test(line)) this.say(line);
    const finished = /^([a-z0-9_]+)\.\S+: (Creation|Modifications|Destruction) complete after/.exec(line);
    if (finished === null) return;
    this.done++;
    if (Date.now() - this.saidAt < SAY_MS) return;
    this.saidAt = Date.now();
    this.say(`${this.done} of ${this.total ?? "?"} (${finished[1]})`);
  }
}

/** Reads the lines that were added to a file since the last call. */
function follower(file: string, heard: (line: string) => void): () => void {
  let read = 0;
  return () => {
    const text = readFileSync(file, "utf8");
    const end = text.lastIndexOf("\n") + 1;
    text
      .slice(read, end)
      .split("\n")
      .filter((line) => line !== "")
      .forEach(heard);
    read = Math.max(read, end);
  };
}

function errorsOf(output: string): string {
  const start = output.search(/╷|^Error/m);
  const lines = (start < 0 ? output : output.slice(start)).trim().split("\n");
  return lines.slice(-40).join("\n");
}
