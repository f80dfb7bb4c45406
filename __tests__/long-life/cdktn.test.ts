import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ENVIRONMENTS, stackOf, synthesiseApp } from "../support/app";

/** CDKTF is archived. The same sources under cdktn, its continuation, synthesise the same: only the version differs. */

const PLACE = { account: "000000000000", region: "eu-west-1" };
const HOOK = join(__dirname, "cdktn-for-cdktf.cjs");

interface Stack {
  readonly "//": { metadata: { version: string } };
}

let folder: string;
const out = (engine: "cdktf" | "cdktn"): string => join(folder, engine);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etl-cdktn-"));
  synthesiseApp(out("cdktf"), PLACE);
  synthesiseApp(out("cdktn"), PLACE, ["--require", HOOK]);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function stackFile(engine: "cdktf" | "cdktn", environment: string): Stack {
  return JSON.parse(readFileSync(join(stackOf(out(engine), environment), "cdk.tf.json"), "utf8")) as Stack;
}

const versionOf = (engine: "cdktf" | "cdktn", environment: string): string =>
  stackFile(engine, environment)["//"].metadata.version;

test("each was made by its own engine", () => {
  const installed = (name: string): string =>
    (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), "utf8")) as { version: string })
      .version;
  expect(installed("cdktn")).not.toBe(installed("cdktf"));
  for (const environment of ENVIRONMENTS) {
    expect(versionOf("cdktf", environment)).toBe(installed("cdktf"));
    expect(versionOf("cdktn", environment)).toBe(installed("cdktn"));
  }
});

test.each(ENVIRONMENTS)("%s differs in the version only", (environment) => {
  const withoutVersion = (engine: "cdktf" | "cdktn"): Stack => {
    const { "//": about, ...stack } = stackFile(engine, environment);
    return { ...stack, "//": { ...about, metadata: { ...about.metadata, version: "" } } };
  };
  expect(withoutVersion("cdktn")).toEqual(withoutVersion("cdktf"));
});

test("the files beside the stacks are the same bytes", () => {
  const files = (engine: "cdktf" | "cdktn"): Record<string, string> => {
    const root = join(out(engine), "stacks");
    const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const kept = names
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.endsWith("cdk.tf.json"));
    return Object.fromEntries(kept.map((file) => [relative(root, file), readFileSync(file, "base64")]));
  };
  const made = files("cdktn");
  const scripts = Object.keys(made).filter((file) => file.endsWith("transform_deliveries.py"));
  expect(scripts.length).toBeGreaterThanOrEqual(ENVIRONMENTS.length);
  expect(made).toEqual(files("cdktf"));
  expect(existsSync(join(out("cdktn"), "manifest.json"))).toBe(true);
});
