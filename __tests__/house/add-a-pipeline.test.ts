import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cloneWorkingTree, ROOT } from "../support/clone";
import { sampleSubscribers } from "../../local/sample-place";

/** `docs/add-a-pipeline.md` as somebody follows it: its files, its three lines, and what is synthesised then. */

/** Under another name, because somebody may have followed the page in this clone. */
const NAME = "walkthrough";
const TEXT = readFileSync(join(ROOT, "docs", "add-a-pipeline.md"), "utf8")
  .replaceAll("returns", NAME)
  .replaceAll("Returns", "Walkthrough");
const ENVIRONMENTS = ["dev", "staging", "prod"];

let clone: string;

beforeAll(() => {
  clone = cloneWorkingTree("added");
  for (const [, name, content] of TEXT.matchAll(/`([\w./-]+)`:\n\n```\w+\n(.*?)```/gs))
    write(join(clone, name!), content!);
  insertAfter("environments/settings.ts", "    products: salesSchema,", line(`${NAME}: pipelineSchema,`));
  insertAfter(
    "environments/etl-stack.ts",
    'products: sales("Products", "products"),',
    line(`${NAME}: () => new WalkthroughPipeline(`),
  );
  insertAfter(
    "environments/etl-stack.ts",
    'from "./pipelines/sales";',
    line("import { WalkthroughPipeline }"),
  );
  for (const environment of ENVIRONMENTS)
    insertAfter(`environments/${environment}.ts`, "    products: daily,", line(`${NAME}: daily,`));
});

afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

/** The line of the page that begins so. */
function line(start: string): string {
  const found = TEXT.split("`").find((code) => code.startsWith(start));
  if (found === undefined) throw new Error(`the page has no line ${start}`);
  return found;
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function insertAfter(file: string, anchor: string, text: string): void {
  const path = join(clone, file);
  const before = readFileSync(path, "utf8");
  if (!before.includes(anchor)) throw new Error(`${file} has no ${anchor}`);
  writeFileSync(path, before.replace(anchor, `${anchor}\n${text}`));
}

test("three files and three lines make a pipeline of every environment", () => {
  const outdir = join(clone, "out");
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
  for (const environment of ENVIRONMENTS) {
    const stack = readFileSync(join(outdir, "stacks", `etl-${environment}`, "cdk.tf.json"), "utf8");
    const { resource } = JSON.parse(stack) as {
      resource: Record<string, Record<string, { name: string }> | undefined>;
    };
    const named = (type: string) => Object.values(resource[type]!).map(({ name }) => name);
    expect(named("aws_glue_job")).toContain(`etl-${environment}-${NAME}-transform`);
    expect(named("aws_sfn_state_machine")).toContain(`etl-${environment}-${NAME}`);
    expect(named("aws_glue_catalog_table")).toContain(NAME);
  }
}, 120_000);
