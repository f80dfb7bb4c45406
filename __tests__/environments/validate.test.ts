import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { providerSource } from "../../local/provider-source";
import { ROOT } from "../support/clone";

/** What is synthesised for every environment, judged by Terraform and the provider themselves. */

const ENVIRONMENTS = ["dev", "staging", "prod"] as const;
const LOCK = ".terraform.lock.hcl";
const tsNode = require.resolve("ts-node/dist/bin.js");

let folder: string;
let variables: NodeJS.ProcessEnv;

interface Verdict {
  readonly valid: boolean;
  readonly diagnostics: readonly { readonly severity: string; readonly summary: string }[];
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "etl-validate-"));
  const source = await providerSource(join(folder, "settings"), process.env);
  variables = {
    ...process.env,
    ...source.variables,
    // One place for the provider, which is large, whatever the number of stacks.
    TF_DATA_DIR: join(folder, "terraform"),
    TF_IN_AUTOMATION: "1",
    CHECKPOINT_DISABLE: "1",
  };
  const synth = spawnSync(process.execPath, [tsNode, "--transpile-only", join(ROOT, "main.ts")], {
    cwd: ROOT,
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      CDKTF_OUTDIR: join(folder, "synthesised"),
      ETL_ENVIRONMENTS: ENVIRONMENTS.join(","),
      ETL_ACCOUNT_ID: "000000000000",
      ETL_REGION: "eu-west-1",
    },
  });
  expect({ status: synth.status, stderr: synth.stderr }).toEqual({ status: 0, stderr: "" });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(ENVIRONMENTS)(
  "%s is valid",
  (environment) => {
    expect(validate(environment)).toMatchObject({ valid: true, diagnostics: [] });
  },
  300_000,
);

test("a broken stack is found", () => {
  const file = join(stack("dev"), "cdk.tf.json");
  const whole = readFileSync(file, "utf8");
  expect(whole).toContain('"worker_type": "G.1X"');
  writeFileSync(file, whole.replace('"worker_type": "G.1X"', '"worker_type": "G.3X"'));
  try {
    const { valid, diagnostics } = validate("dev");
    expect(valid).toBe(false);
    expect(diagnostics).toEqual([
      expect.objectContaining({
        severity: "error",
        summary: expect.stringMatching(/^expected worker_type to be one of .*, got G\.3X$/) as unknown,
      }),
    ]);
  } finally {
    writeFileSync(file, whole);
  }
}, 300_000);

/** Terraform's own verdict on an environment's stack. */
function validate(environment: string): Verdict {
  const lock = join(folder, LOCK);
  const here = join(stack(environment), LOCK);
  // The lock of the first stack lets the others take what it installed.
  if (existsSync(lock)) copyFileSync(lock, here);
  const { error, status, stdout, stderr } = terraform(environment, "init", "-backend=false", "-input=false");
  const said = status === 0 ? [] : [error?.message, stdout, stderr];
  expect({ status, said }).toEqual({ status: 0, said: [] });
  copyFileSync(here, lock);
  return JSON.parse(terraform(environment, "validate", "-json").stdout) as Verdict;
}

function terraform(environment: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync("terraform", args, { cwd: stack(environment), encoding: "utf8", env: variables });
}

function stack(environment: string): string {
  return join(folder, "synthesised", "stacks", `etl-${environment}`);
}
