import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TerraformOutput, type TerraformStack } from "cdktf";
import { transpileModule } from "typescript";
import { prefixMistake, s3Uri } from "../../modules/core/s3-location";
import * as library from "../../index";
import { ROOT } from "../support/clone";
import { ACCOUNT, REGION, synth } from "../support/synth";

/** Every example of a module's README is run: one that no longer builds fails here. */

const MODULES = [
  "artifacts",
  "athena-workgroup",
  "catalog-table",
  "catalog-view",
  "contract-plan",
  "core",
  "data-lake",
  "data-quality",
  "encryption",
  "etl-function",
  "etl-orchestrator",
  "glue-connection",
  "glue-crawler",
  "glue-security-configuration",
  "glue-spark-job",
  "glue-workflow",
  "iam",
  "notifications-topic",
  "pipeline-alarms",
  "pipeline-dashboard",
  "pipeline-schedule",
  "run-lock",
  "schedules",
];

/** Other rooms whose READMEs have examples. */
const ROOMS = ["contracts", "patterns"];

test("every module with a README has its example run", () => {
  const modules = readdirSync(join(ROOT, "modules"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect([...MODULES].sort()).toEqual(modules.sort());
});

test.each([...MODULES.map((module) => `modules/${module}`), ...ROOMS])(
  "the example of %s builds",
  (folder) => {
    const readme = readFileSync(join(ROOT, folder, "README.md"), "utf8");
    const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
    expect(examples).not.toEqual([]);
    for (const example of examples) synth((stack) => run(example, stack));
  },
);

function run(example: string, stack: TerraformStack): void {
  const surroundings = {
    ...library,
    ...given(stack),
    join,
    prefixMistake,
    readFileSync,
    s3Uri,
    TerraformOutput,
  };
  const body = transpileModule(example, { compilerOptions: { target: 9 } }).outputText;
  // In a block of its own, so that an example may make what others take for granted.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  new Function(...Object.keys(surroundings), `{${body}}`).call(stack, ...Object.values(surroundings));
}

/** The names that the examples assume. */
function given(stack: TerraformStack) {
  const place = { account: ACCOUNT, region: REGION };
  const lake = new library.DataLake(stack, "Lake", { namePrefix: "a", databasePrefix: "a", ...place });
  const topic = new library.NotificationsTopic(stack, "Topic", { name: "topic", ...place });
  const role = library.ServiceRole.fromRoleAttributes(stack, "Role", {
    roleName: "brought",
    roleArn: `arn:aws:iam::${ACCOUNT}:role/brought`,
  });
  topic.grantPublish(role);
  const books = lake.location(library.Zone.PROCESSED, "books/events/");
  const output = lake.location(library.Zone.PROCESSED, "events/");
  const workgroup = { workgroupName: "a" };
  const locks = { tableName: "locks" };
  const quality = { query: { sql: "select 1", parameters: [] } };
  const job = { jobName: "job", timeoutMinutes: 60, role };
  const scripts = join(ROOT, "glue-scripts");
  return { ...place, lake, topic, role, books, output, workgroup, locks, quality, job, scripts, root: ROOT };
}
