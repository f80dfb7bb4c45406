import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { providerSource } from "../../local/provider-source";

interface Diagnostic {
  readonly severity: string;
  readonly summary: string;
  readonly range?: { readonly filename: string };
}

/**
 * Terraform's and the provider's own verdict on whole stacks as they were written, with one call for all of them: each is a
 * module of one configuration.
 */
export class Validation {
  private constructor(
    private readonly root: string,
    private readonly variables: NodeJS.ProcessEnv,
  ) {}

  /** @throws Error with what Terraform said when it could not begin */
  static async of(folder: string, stacks: readonly string[]): Promise<Validation> {
    const root = join(folder, "together");
    mkdirSync(root);
    const module = Object.fromEntries(
      stacks.map((stack, number) => [`stack-${number}`, { source: relative(root, stack) }]),
    );
    writeFileSync(join(root, "main.tf.json"), JSON.stringify({ module }));
    const source = await providerSource(join(folder, "settings"), process.env);
    const variables = { ...process.env, ...source.variables, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1" };
    const validation = new Validation(root, variables);
    const { error, status, stdout, stderr } = validation.terraform("init", "-input=false");
    if (status !== 0) throw new Error([error?.message, stdout, stderr].join("\n"));
    return validation;
  }

  /** Errors and warnings, each with the folder of its stack. */
  diagnostics(): string[] {
    const { diagnostics } = JSON.parse(this.terraform("validate", "-json").stdout) as {
      readonly diagnostics: readonly Diagnostic[];
    };
    return diagnostics
      .filter(({ summary }) => summary !== BACKEND_OF_A_MODULE)
      .map(({ severity, summary, range }) => `${stackOf(range?.filename)}: ${severity}: ${summary}`);
  }

  /** The errors alone, of stacks with many warnings, which as JSON take Terraform half a minute. */
  errors(): string[] {
    const { status, stdout, stderr } = this.terraform("validate", "-no-color");
    const found = [...`${stdout}${stderr}`.matchAll(/^Error: (.*)\n(?:.*\n)*?\s+on (\S+) line/gm)];
    if (status !== 0 && found.length === 0) throw new Error(`${stdout}${stderr}`);
    return found.map(([, summary, file]) => `${stackOf(file)}: error: ${summary}`);
  }

  private terraform(...args: string[]): SpawnSyncReturns<string> {
    return spawnSync("terraform", args, {
      cwd: this.root,
      encoding: "utf8",
      env: this.variables,
      maxBuffer: 64 << 20,
    });
  }
}

/**
 * Copies a stack and asks for workers of an unknown type, which a validation must find among others.
 *
 * @param file of the stack, in JSON or HCL
 * @throws Error when the stack has no job with workers of G.1X
 */
export function breakWorkers(stack: string, copy: string, file: string): void {
  const whole = readFileSync(join(stack, file), "utf8");
  const broken = whole.replace(/(worker_type"?\s*[:=] )"G\.1X"/, '$1"G.3X"');
  if (broken === whole) throw new Error(`${stack} has no job with workers of G.1X`);
  cpSync(stack, copy, { recursive: true });
  writeFileSync(join(copy, file), broken);
}

/** The warnings of Terraform when a stack is a module. */
const BACKEND_OF_A_MODULE = "Backend configuration ignored";

/** The name of the folder that a file lies in. */
const stackOf = (file = ""): string => file.split("/").at(-2) ?? "";
