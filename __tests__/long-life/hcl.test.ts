import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";
import { breakWorkers, Validation } from "../support/validation";

/**
 * `cdktf synth --hcl` as a way out of CDKTF. It leaves quotes and backslashes of a text of one line as they are
 * (https://github.com/hashicorp/terraform-cdk/issues/3911), but writes lines as they stand: so a text with both is in lines.
 */

const PLACE = { account: "000000000000", region: "eu-west-1" };

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-hcl-"));
  synthesiseApp(join(folder, "hcl"), PLACE, [], { SYNTH_HCL_OUTPUT: "true" });
  synthesiseApp(join(folder, "json"), PLACE);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the HCL of every environment is valid, and what is not is found among it", async () => {
  const hcl = join(folder, "hcl");
  breakWorkers(stackOf(hcl, "dev"), stackOf(hcl, "broken"), "cdk.tf");
  const stacks = [...ENVIRONMENTS, "broken"].map((name) => stackOf(hcl, name));
  const validation = await Validation.of(folder, stacks);
  expect(validation.errors()).toEqual([
    expect.stringMatching(/^etl-broken: error: expected worker_type to be one of/),
  ]);
}, 300_000);

test.each(ENVIRONMENTS)("the texts of %s that HCL could break are the same as in JSON", (environment) => {
  const hcl = readFileSync(join(stackOf(join(folder, "hcl"), environment), "cdk.tf"), "utf8");
  const json = readFileSync(join(stackOf(join(folder, "json"), environment), "cdk.tf.json"), "utf8");
  const texts = textsOf(JSON.parse(json)).filter((text) => text.includes('"') && /\\|\$\{/.test(text));
  expect(texts.length).toBeGreaterThan(10);
  expect(texts.filter((text) => !hcl.includes(inHcl(text)))).toEqual([]);
});

/** Quotes that stand inside of an expression are its own, and may stand on one line. */
const inHcl = (text: string): string =>
  /["\\]/.test(text.replace(/\$\{.*\}/s, "")) || text.includes("\n") ? `<<EOF\n${text}\nEOF` : `"${text}"`;

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
