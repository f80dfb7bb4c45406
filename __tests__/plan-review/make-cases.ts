import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH } from "../../local/places";
import { Deployment } from "../../local/terraform";
import { planOfModule } from "./trim-plan";

/**
 * Makes every case's `plan.json` anew: applies its `before.tf` to an embedded AWS, then really plans its `after.tf`. All
 * cases are modules of one root, so that there is one apply and one plan; names are told apart by a mark that is taken out
 * again. Terraform takes imports in a root only, so `imports.json` of a case, from addresses to ids, becomes blocks of the root.
 *
 *     npx ts-node --swc __tests__/plan-review/make-cases.ts [case …]
 */

const CASES = join(__dirname, "cases");
const NAME = "shop";

const SETTINGS = {
  terraform: { required_providers: { aws: { source: "aws", version: "5.100.0" } } },
  provider: { aws: [{ region: BENCH.region, allowed_account_ids: [BENCH.accountId] }] },
};

const moduleOf = (name: string) => name.replaceAll("-", "_");
const markOf = (name: string) => `${NAME}${[...readdirSync(CASES)].indexOf(name) + 1}q`;

async function main(wanted: readonly string[]): Promise<void> {
  const names = readdirSync(CASES).filter((name) => wanted.length === 0 || wanted.includes(name));
  const work = mkdtempSync(join(tmpdir(), "etl-cases-"));
  const aws = await EmbeddedAws.start(join(work, "local"));
  const deployment = (moment: "before" | "after") =>
    new Deployment(layOut(names, moment, work), "cases", aws.at, console.log, join(work, "terraform"));
  try {
    await deployment("before").apply();
    const plan = await deployment("after").plan();
    for (const name of names) {
      const one = planOfModule(plan.replaceAll(markOf(name), NAME), moduleOf(name));
      writeFileSync(join(CASES, name, "plan.json"), one);
    }
    console.log(`made ${names.length} plans`);
  } finally {
    await aws.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

function layOut(names: readonly string[], moment: "before" | "after", work: string): string {
  const root = join(work, moment);
  const modules = names.map((name) => {
    const folder = join(root, name);
    mkdirSync(folder, { recursive: true });
    const text = readFileSync(join(CASES, name, `${moment}.tf`), "utf8");
    writeFileSync(join(folder, "main.tf"), text.replaceAll(NAME, markOf(name)));
    return [moduleOf(name), { source: `./${name}` }];
  });
  const imports = moment === "before" ? [] : names.flatMap(importsOf);
  const settings = { ...SETTINGS, module: Object.fromEntries(modules) as object, import: imports };
  writeFileSync(join(root, "main.tf.json"), JSON.stringify(settings));
  return root;
}

function importsOf(name: string) {
  const file = join(CASES, name, "imports.json");
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8").replaceAll(NAME, markOf(name));
  return Object.entries(JSON.parse(text) as Record<string, string>).map(([address, id]) => ({
    to: `module.${moduleOf(name)}.${address}`,
    id,
  }));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
