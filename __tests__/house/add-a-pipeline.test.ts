import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sampleSubscribers } from "../../local/sample-place";
import { cloneWorkingTree, ROOT } from "../support/clone";

/** Follows `docs/add-a-pipeline.md` in a clone: adds the pipeline, then removes it, and synthesises all environments each time. */

/** Another name, because somebody may have followed the page in this clone. */
const NAME = "walkthrough";
const TEXT = readFileSync(join(ROOT, "docs", "add-a-pipeline.md"), "utf8")
  .replaceAll("returns", NAME)
  .replaceAll("Returns", "Walkthrough");
const ENVIRONMENTS = ["dev", "staging", "prod"];
const REGISTRY = join("pipelines", "index.ts");

/** The lines of the page, each with its file and the line below which it goes. */
const LINES = [
  [REGISTRY, lineOfPage("  entry({ name:"), '  entry({ name: "products",'],
  [REGISTRY, lineOfPage("import { defineWalkthrough }"), "import { defineProducts }"],
  ...ENVIRONMENTS.map(
    (environment) =>
      [
        join("environments", `${environment}.ts`),
        lineOfPage(`    ${NAME}: daily,`),
        "    products: daily,",
      ] as const,
  ),
] as const;

let clone: string;

beforeAll(() => {
  clone = cloneWorkingTree("added");
});

afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

/** The block of the page that is this one line. */
function lineOfPage(start: string): string {
  const found = [...TEXT.matchAll(/^```ts\n(.*)\n```$/gm)].find(([, line]) => line!.startsWith(start));
  if (found === undefined) throw new Error(`the page has no line '${start}'`);
  return found[1]!;
}

function change(file: string, by: (text: string) => string): void {
  const path = join(clone, file);
  const before = readFileSync(path, "utf8");
  const after = by(before);
  if (after === before) throw new Error(`${file} was not changed`);
  writeFileSync(path, after);
}

/** The stacks of all environments, by name, as they were written. */
function synthesise(): Record<string, string> {
  const outdir = join(clone, "out");
  rmSync(outdir, { recursive: true, force: true });
  const { status, stderr } = spawnSync(
    process.execPath,
    [require.resolve("ts-node/dist/bin.js"), "--swc", "main.ts"],
    {
      cwd: clone,
      encoding: "utf8",
      env: {
        ...process.env,
        ...sampleSubscribers({}),
        CDKTF_OUTDIR: outdir,
        ETL_ACCOUNT_ID: "000000000000",
        ETL_REGION: "eu-west-1",
      },
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const stacks = readdirSync(join(outdir, "stacks"));
  expect(stacks.sort()).toEqual(ENVIRONMENTS.map((environment) => `etl-${environment}`).sort());
  return Object.fromEntries(
    stacks.map((stack) => [stack, readFileSync(join(outdir, "stacks", stack, "cdk.tf.json"), "utf8")]),
  );
}

type Resources = Record<string, Record<string, { name: string }> | undefined>;

const named = (stack: string, type: string): string[] =>
  Object.values((JSON.parse(stack) as { resource: Resources }).resource[type]!).map(({ name }) => name);

test("a folder, a line and settings add a pipeline; without them every stack is what it was", () => {
  const before = synthesise();

  const files = [...TEXT.matchAll(/^`(pipelines\/[\w./-]+)`:\n\n```\w+\n(.*?)^```$/gms)];
  for (const [, name, content] of files) {
    mkdirSync(dirname(join(clone, name!)), { recursive: true });
    writeFileSync(join(clone, name!), content!);
  }
  for (const [file, line, anchor] of LINES)
    change(file, (text) =>
      text.replace(
        new RegExp(`^${anchor.replace(/[{(]/g, "\\$&")}.*\n`, "m"),
        (found) => `${found}${line}\n`,
      ),
    );
  expect(readdirSync(join(clone, "pipelines", NAME)).sort()).toEqual(
    ["README.md", "pipeline.ts", "sample", `${NAME}.quality.json`, `${NAME}.schema.json`].sort(),
  );
  const added = synthesise();
  for (const environment of ENVIRONMENTS) {
    const stack = added[`etl-${environment}`]!;
    expect(named(stack, "aws_glue_job")).toContain(`etl-${environment}-${NAME}-transform`);
    expect(named(stack, "aws_sfn_state_machine")).toContain(`etl-${environment}-${NAME}`);
    expect(named(stack, "aws_glue_catalog_table")).toContain(NAME);
  }

  change(join("environments", "dev.ts"), (text) => text.replace(/^ {4}walkthrough: daily,\n/m, ""));
  const removed = synthesise();
  expect(removed).toEqual({ ...added, "etl-dev": before["etl-dev"] });

  for (const [file, line] of LINES.filter(([file]) => !file.endsWith("dev.ts")))
    change(file, (text) => text.replace(`${line}\n`, ""));
  rmSync(join(clone, "pipelines", NAME), { recursive: true });
  expect(synthesise()).toEqual(before);
}, 240_000);
