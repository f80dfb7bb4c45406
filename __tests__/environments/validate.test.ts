import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";
import { breakWorkers, Validation } from "../support/validation";

/** The stacks of every environment, judged by Terraform and the provider themselves. */

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-validate-"));
  synthesiseApp(folder, { account: "000000000000", region: "eu-west-1" });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every environment is valid without a warning, and what is broken is found among them", async () => {
  breakWorkers(stackOf(folder, "dev"), stackOf(folder, "broken"), "cdk.tf.json");
  const stacks = [...ENVIRONMENTS, "broken"].map((name) => stackOf(folder, name));
  const validation = await Validation.of(folder, stacks);
  expect(validation.diagnostics()).toEqual([
    expect.stringMatching(/^etl-broken: error: expected worker_type to be one of .*, got G\.3X$/),
  ]);
}, 300_000);
