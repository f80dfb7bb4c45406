import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { providerSource } from "../../local/provider-source";
import { type Block } from "./environment-stacks";

/** A stack, or a part of one. Its variables are given unknown values. */
export type ModuleJson = {
  readonly terraform: Block;
  readonly variable?: Record<string, Block>;
} & Block;

interface Diagnostic {
  readonly severity: string;
  readonly summary: string;
  readonly detail?: string;
  readonly range?: { readonly filename: string };
}

/**
 * Terraform's verdict on many stacks with one call: each is a module of one configuration, without its backend, which a module
 * has none of, and with the provider of the whole.
 *
 * @returns what is wrong, each naming the stack by its number
 */
export async function validateStacks(folder: string, stacks: readonly ModuleJson[]): Promise<string[]> {
  stacks.forEach((stack, number) => {
    // JSON leaves out what is undefined.
    const terraform = { ...stack.terraform, backend: undefined };
    write(join(folder, `stack-${number}`), { ...stack, provider: undefined, terraform });
  });
  const [first] = stacks;
  if (first === undefined) throw new Error("there is no stack to validate");
  write(folder, {
    terraform: { required_providers: first.terraform.required_providers },
    provider: { aws: [{ region: "eu-west-1" }] },
    // Without a value, which is what is not known when Terraform validates.
    variable: { unknown: {} },
    module: Object.fromEntries(
      stacks.map(({ variable = {} }, number) => [
        `stack-${number}`,
        {
          source: `./stack-${number}`,
          ...Object.fromEntries(Object.keys(variable).map((name) => [name, "${var.unknown}"])),
        },
      ]),
    ),
  });
  const source = await providerSource(join(folder, "settings"), process.env);
  const run = (...args: string[]) =>
    spawnSync("terraform", args, {
      cwd: folder,
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...process.env, ...source.variables, TF_IN_AUTOMATION: "1", CHECKPOINT_DISABLE: "1" },
    });
  const { status, stdout, stderr } = run("init", "-backend=false", "-input=false");
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  const verdict = JSON.parse(run("validate", "-json").stdout) as { diagnostics: readonly Diagnostic[] };
  return verdict.diagnostics.map(
    ({ severity, summary, detail, range }) =>
      `${range?.filename ?? "?"}: ${severity}: ${summary} ${detail ?? ""}`,
  );
}

function write(folder: string, content: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(content));
}
