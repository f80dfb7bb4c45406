import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TerraformStack } from "cdktf";
import { transpileModule } from "typescript";
import { prefixMistake, s3Uri } from "../../modules/core/s3-location";
import * as library from "../../modules/index";
import { ROOT } from "../support/clone";
import { ACCOUNT, REGION, synth } from "../support/synth";

/** Every example of a module's README is run: one that no longer builds fails here. */

const MODULES = [
  "athena-workgroup",
  "catalog-table",
  "core",
  "data-lake",
  "encryption",
  "etl-orchestrator",
  "glue-crawler",
  "glue-spark-job",
  "iam",
  "notifications-topic",
];

test.each(MODULES)("the example of %s builds", (module) => {
  const readme = readFileSync(join(ROOT, "modules", module, "README.md"), "utf8");
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
  expect(examples).not.toEqual([]);
  for (const example of examples) synth((stack) => run(example, stack));
});

function run(example: string, stack: TerraformStack): void {
  const surroundings = { ...library, ...given(stack), join, prefixMistake, s3Uri };
  const body = transpileModule(example, { compilerOptions: { target: 9 } }).outputText;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  new Function(...Object.keys(surroundings), body).call(stack, ...Object.values(surroundings));
}

/** What the examples take for granted. */
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
  return { ...place, lake, topic, role, books, scripts: join(ROOT, "glue-scripts") };
}
