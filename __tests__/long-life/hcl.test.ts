import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";
import { ROOT } from "../support/clone";

/**
 * `cdktf synth --hcl` is no way out of CDKTF: a reference within JSON (every policy, every definition) comes out with its quotes
 * as they are, https://github.com/hashicorp/terraform-cdk/issues/3911, and cdktn 0.24 does the same. When this fails, it has
 * become one: validate what it writes instead, and say so in the README. The way out that holds is the JSON, which is Terraform.
 */

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-hcl-"));
  synthesiseApp(folder, { account: "000000000000", region: "eu-west-1" }, [], { SYNTH_HCL_OUTPUT: "true" });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(ENVIRONMENTS)("the HCL of %s does not parse, for the reason that is known", (environment) => {
  const text = readFileSync(join(stackOf(folder, environment), "cdk.tf"), "utf8");
  expect(text).toMatch(/policy = "\{"Version":/);
  const { status, stderr } = spawnSync("terraform", ["fmt", "-no-color", "-write=false", "cdk.tf"], {
    cwd: stackOf(folder, environment),
    encoding: "utf8",
    // It repeats whole lines, and the lines are long.
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, CHECKPOINT_DISABLE: "1" },
  });
  expect(status).toBe(2);
  expect(stderr).toContain("Missing newline after argument");
});

test("the README does not promise it", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  expect(readme).toMatch(/`cdktf synth --hcl` is not one of them/);
});
