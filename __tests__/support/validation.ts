import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { providerSource } from "../../local/provider-source";

const LOCK = ".terraform.lock.hcl";

export interface Verdict {
  readonly valid: boolean;
  readonly diagnostics: readonly { readonly severity: string; readonly summary: string }[];
}

/** Terraform's and the provider's own verdict on stacks. What it installs lies in `folder`, once for all of them. */
export class Validation {
  private constructor(
    private readonly folder: string,
    private readonly variables: NodeJS.ProcessEnv,
  ) {}

  static async in(folder: string): Promise<Validation> {
    const source = await providerSource(join(folder, "settings"), process.env);
    return new Validation(folder, {
      ...process.env,
      ...source.variables,
      // One place for the provider, which is large, whatever the number of stacks.
      TF_DATA_DIR: join(folder, "terraform"),
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    });
  }

  /** @throws Error with what Terraform said when it could not begin */
  validate(stack: string): Verdict {
    this.init(stack);
    return JSON.parse(this.terraform(stack, "validate", "-json").stdout) as Verdict;
  }

  /** The errors as Terraform tells them, "" without any; for stacks of many warnings, which as JSON take it half a minute. */
  errorsOf(stack: string): string {
    this.init(stack);
    const { status, stdout, stderr } = this.terraform(stack, "validate", "-no-color");
    return status === 0 ? "" : `${stdout}${stderr}`;
  }

  private init(stack: string): void {
    const lock = join(this.folder, LOCK);
    const here = join(stack, LOCK);
    // The lock of the first stack lets the others take what it installed.
    if (existsSync(lock)) copyFileSync(lock, here);
    const { error, status, stdout, stderr } = this.terraform(stack, "init", "-backend=false", "-input=false");
    if (status !== 0) throw new Error([error?.message, stdout, stderr].join("\n"));
    copyFileSync(here, lock);
  }

  private terraform(cwd: string, ...args: string[]): SpawnSyncReturns<string> {
    return spawnSync("terraform", args, { cwd, encoding: "utf8", env: this.variables, maxBuffer: 64 << 20 });
  }
}
