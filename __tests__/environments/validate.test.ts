import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";
import { Validation } from "../support/validation";

/** What is synthesised for every environment, judged by Terraform and the provider themselves. */

let folder: string;
let validation: Validation;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "etl-validate-"));
  validation = await Validation.in(folder);
  synthesiseApp(folder, { account: "000000000000", region: "eu-west-1" });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(ENVIRONMENTS)(
  "%s is valid",
  (environment) => {
    expect(validation.validate(stackOf(folder, environment))).toMatchObject({ valid: true, diagnostics: [] });
  },
  300_000,
);

test("a broken stack is found", () => {
  const file = join(stackOf(folder, "dev"), "cdk.tf.json");
  const whole = readFileSync(file, "utf8");
  expect(whole).toContain('"worker_type": "G.1X"');
  writeFileSync(file, whole.replace('"worker_type": "G.1X"', '"worker_type": "G.3X"'));
  try {
    const { valid, diagnostics } = validation.validate(stackOf(folder, "dev"));
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
