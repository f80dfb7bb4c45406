import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, TerraformStack } from "cdktf";
import { transpileModule } from "typescript";
import * as library from "../../index";
import { ROOT } from "../support/clone";
import { ACCOUNT, type Block, REGION, synth, type Synthesised } from "../support/synth";

/** Each sample of `docs/when-a-prop-is-missing.md` is built in a stack of its own, and what it makes is looked at. */

const PAGE = readFileSync(join(ROOT, "docs", "when-a-prop-is-missing.md"), "utf8");
/** The samples by their headings. */
const SAMPLES = new Map(
  PAGE.split(/^## /m)
    .slice(1)
    .flatMap((section) => {
      const code = /^```ts\n(.*?)^```$/ms.exec(section)?.[1];
      return code === undefined ? [] : [[section.slice(0, section.indexOf("\n")), code] as const];
    }),
);

const folder = mkdtempSync(join(tmpdir(), "etl-samples-"));
for (const name of ["clean", "join", "report", "fetch"]) {
  writeFileSync(join(folder, `${name}.py`), `# ${name}\n`);
}
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function build(code: string): Synthesised<TerraformStack> {
  const { outputText } = transpileModule(code, { compilerOptions: { target: 9, module: 1 } });
  const load = (name: string): unknown => (name === "cdktf-aws-etl" ? library : jest.requireActual(name));
  return synth((stack) => {
    const place = { account: ACCOUNT, region: REGION };
    const given = {
      ...place,
      stack,
      lake: new library.DataLake(stack, "Lake", { namePrefix: "shop", databasePrefix: "shop", ...place }),
      topic: new library.NotificationsTopic(stack, "Topic", { name: "shop", ...place }),
      scripts: folder,
      join,
      require: load,
      exports: {},
    };
    // The page's samples are run as they stand, so their text is code.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    new Function(...Object.keys(given), `{${outputText}}`).call(stack, ...Object.values(given));
    return stack;
  });
}

type Made = Synthesised<TerraformStack>;
const argumentsOf = (made: Made, id: string): unknown => made.at(`${id}/Resource`).default_arguments;
const rights = (made: Made, id: string): string => JSON.stringify(made.statements(`${id}/Policy/Resource`));

const LOOKS: Readonly<Record<string, (made: Made) => void>> = {
  "Spark settings": (made) =>
    expect(argumentsOf(made, "Clean")).toMatchObject({
      "--conf": `spark.hadoop.fs.s3a.endpoint.region=${REGION} --conf spark.sql.shuffle.partitions=64`,
    }),
  "An argument without a prop": (made) => {
    expect(argumentsOf(made, "Join")).toMatchObject({
      "--enable-glue-datacatalog": "true",
      "--job-language": "python",
    });
    expect(rights(made, "Join/Role")).toContain("glue:GetPartitions");
  },
  "An attribute without a prop": (made) =>
    expect(made.at("Report/Resource").notification_property).toEqual({ notify_delay_after: 30 }),
  "A crawler for a database": (made) => {
    const crawler = made.at("ShopCrawler/Resource");
    expect(crawler.jdbc_target).toEqual([{ connection_name: "shop", path: "shop/public/%" }]);
    for (const reset of ["s3_target", "configuration", "recrawl_policy"])
      expect(crawler[reset]).toBeUndefined();
    expect(rights(made, "ShopCrawler/Role")).toContain(":connection/shop");
  },
  "Several regions": (made) => {
    const regional = App.of(made.built).node.children.filter(
      (one): one is TerraformStack => TerraformStack.isStack(one) && one.node.id.startsWith("shop-"),
    );
    const found = regional.map((one) => {
      const { provider, resource } = one.toTerraform() as {
        provider: { aws: Block[] };
        resource: { aws_s3_bucket: Record<string, Block> };
      };
      const names = Object.values(resource.aws_s3_bucket).map(({ bucket }) => bucket as string);
      const { region } = provider.aws[0]!;
      return [region, names.length > 0 && names.every((name) => name.endsWith(`-${region as string}`))];
    });
    expect(found).toEqual([
      ["eu-central-1", true],
      ["eu-north-1", true],
    ]);
  },
  "Python shell jobs": (made) => {
    expect(made.at("Fetch")).toMatchObject({
      command: { name: "pythonshell", python_version: "3.9" },
      max_capacity: 0.0625,
      max_retries: 0,
    });
    expect(rights(made, "FetchRole")).toContain("/rates/");
  },
  "A start when files arrive": (made) => {
    const pattern = JSON.parse(made.at("Arrival").event_pattern as string) as { detail: Block };
    expect(pattern.detail.object).toEqual({ key: [{ wildcard: "orders/*/_COMPLETE" }] });
    expect(made.at("ArrivalTarget")).toMatchObject({
      input_transformer: { input_paths: { time: "$.time" }, input_template: '{"scheduledTime": "<time>"}' },
      role_arn: made.reference("Starter/Resource", "arn"),
    });
    expect(rights(made, "Starter")).toContain("states:StartExecution");
  },
  "An approval": (made) => {
    const definition = made.at("Approved/Resource").definition as string;
    expect(definition).toContain("states:::sns:publish.waitForTaskToken");
    expect(rights(made, "Approved/Role")).toContain("glue:BatchStopJobRun");
  },
  "A database of another account": (made) =>
    expect(made.at("SharedOrders/Resource")).toMatchObject({
      catalog_id: "444455556666",
      database_name: "shop",
    }),
};

test("every sample is looked at", () => expect([...SAMPLES.keys()]).toEqual(Object.keys(LOOKS)));

test.each([...SAMPLES])("%s", (heading, code) => LOOKS[heading]!(build(code)));

test("every row of the table says where to read on, and every section has a row", () => {
  const rows = PAGE.split("\n").filter((line) => /^\| [^-w]/.test(line) && !line.startsWith("| wanted"));
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) expect(row).toMatch(/\]\([^)]+\) +\|$/);
  for (const heading of SAMPLES.keys()) {
    const anchor = heading.toLowerCase().replaceAll(" ", "-");
    expect(rows.some((row) => row.includes(`(#${anchor})`))).toBe(true);
  }
});
