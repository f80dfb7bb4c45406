import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { providerSource } from "../../local/provider-source";
import { ROOT } from "../support/clone";

/** Terraform's own verdict on every environment, with the real provider's schema. */

const tsNode = require.resolve("ts-node/dist/bin.js");
let folder: string;
let variables: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "etl-validate-"));
  const { variables: chosen } = await providerSource(folder, process.env);
  variables = { ...process.env, ...chosen, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  const { status, stderr } = spawnSync(
    process.execPath,
    [tsNode, "--swc", "--project", join(ROOT, "tsconfig.json"), join(ROOT, "main.ts")],
    {
      encoding: "utf8",
      env: {
        ...process.env,
        ETL_ENVIRONMENTS: "",
        ETL_ACCOUNT_ID: "000000000000",
        ETL_REGION: "eu-west-1",
        CDKTF_OUTDIR: folder,
      },
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function terraform(stack: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync("terraform", args, {
    cwd: stack,
    encoding: "utf8",
    env: variables,
  });
  return { status, output: `${stdout}${stderr}` };
}

function validate(stack: string): {
  valid: boolean;
  diagnostics: { severity: string; summary: string; detail: string }[];
} {
  const { status, output } = terraform(stack, "init", "-backend=false", "-input=false", "-no-color");
  if (status !== 0) throw new Error(output);
  return JSON.parse(terraform(stack, "validate", "-json").output) as ReturnType<typeof validate>;
}

test.each(["dev", "staging", "prod"])(
  "terraform finds %s valid, without a warning",
  (environment) => {
    const { valid, diagnostics } = validate(join(folder, "stacks", `etl-${environment}`));
    expect({ valid, diagnostics }).toEqual({ valid: true, diagnostics: [] });
  },
  120_000,
);

test("terraform finds what is broken", () => {
  const broken = join(folder, "broken");
  cpSync(join(folder, "stacks", "etl-dev"), broken, { recursive: true });
  const file = join(broken, "cdk.tf.json");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"worker_type": "G.1X"', '"worker_type": "G.9X"'));
  const { valid, diagnostics } = validate(broken);
  expect(valid).toBe(false);
  expect(JSON.stringify(diagnostics)).toContain("G.9X");
}, 120_000);
