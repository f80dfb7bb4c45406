import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TerraformStack } from "cdktf";
import { EtlPlatform, ModelPipeline, type ModelPipelineProps, Zone } from "../../index";
import { ROOT } from "../support/clone";
import { ACCOUNT, REGION, refusal, synth } from "../support/synth";

/** A mart: its job, the rights that follow from its inputs and tables, its steps, and every refusal. */

const folder = mkdtempSync(join(tmpdir(), "etl-mart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const CASES = join(ROOT, "glue-scripts", "tests", "cases", "marts");

function build(stack: TerraformStack, props: Partial<ModelPipelineProps> = {}): ModelPipeline {
  const platform = new EtlPlatform(stack, "Platform", { name: "test", account: ACCOUNT, region: REGION });
  return new ModelPipeline(stack, "Star", {
    ...{ platform, pipeline: "star", martFile: join(CASES, "star.mart.json") },
    ...props,
  });
}

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

test("the job may read its inputs, write its tables, and nothing else", () => {
  const { all, built } = synth((stack) => build(stack));
  const [job] = all("aws_glue_job");
  expect(job).toMatchObject({ name: "test-star-mart" });
  const given = job!.default_arguments as Record<string, string>;
  expect(given).toMatchObject({
    "--pipeline": "star",
    "--output_prefix": "star/",
    "--books_prefix": "books/star/",
    "--lock_table": "test-locks",
    "--datalake-formats": "iceberg",
  });
  expect(given["--conf"]).toContain("IcebergSparkSessionExtensions");
  expect(built.tables.map(({ name }) => name)).toEqual([
    "dim_date",
    "dim_customer",
    "dim_product",
    "fact_sales",
  ]);

  const glue = `arn:aws:glue:${REGION}:${ACCOUNT}`;
  const policies = all("aws_iam_role_policy").map(({ policy }) => String(policy));
  const statements = policies.flatMap(
    (policy) => (JSON.parse(policy) as { Statement: readonly Statement[] }).Statement,
  );
  const tablesOf = (action: string): string[] => [
    ...new Set(
      statements
        .filter(({ Action }) => Action.includes(action))
        .flatMap(({ Resource }) => Resource)
        .filter((resource) => resource.startsWith(`${glue}:table/`))
        .map((resource) => resource.split("/").pop()!),
    ),
  ];
  const written = built.tables.map(({ name }) => name);
  const read = ["stg_customers", "stg_products", "stg_invoices", "stg_invoice_lines"];
  expect(tablesOf("glue:UpdateTable").sort()).toEqual([...written].sort());
  expect(tablesOf("glue:GetTable").sort()).toEqual([...read, ...written].sort());
  const objects = JSON.stringify(statements.filter(({ Action }) => Action.includes("s3:GetObject")));
  for (const name of ["stg-customers", "stg-products", "stg-invoices", "stg-invoice-lines"])
    expect(objects).toContain(`/${name}/*`);
  expect(objects).not.toContain("stg-price-lists");
});

test("its steps, and each table balances by itself", () => {
  const { all, counts } = synth((stack) => build(stack));
  expect(counts.aws_glue_crawler).toBeUndefined();
  const machines = JSON.stringify(all("aws_sfn_state_machine"));
  for (const state of ["AcquireLock", "RunJob", "CheckBooksSumFactSales", "ReleaseLock", "Notify"])
    expect(machines).toContain(state);
});

test("every mistake at once", () => {
  const martFile = join(folder, "bad.mart.json");
  const text = readFileSync(join(CASES, "star.mart.json"), "utf8");
  writeFileSync(martFile, text.replace('"firstMonth": 4', '"firstMonth": 0'));
  const location = { bucketName: "b", bucketArn: "arn:aws:s3:::b", prefix: "p/" };
  const inputTables = [{ zone: Zone.CURATED, name: "stg_products", location }];
  const message = refusal((stack) => build(stack, { pipeline: "Star", martFile, inputTables }));
  expect(message).toMatch(/^Mart 'test-stack\/Star': |^Mart '.*Star': /);
  for (const part of [
    "'pipeline'",
    "bad.mart.json: 'tables.dim_date.fiscalYear.firstMonth' must be a whole number from 1 to 12, got 0",
    "'tables.fact_sales' needs its SELECT in fact_sales.sql, which does not exist or is empty",
    "'inputTables': has stg_products, which the mart does not read: leave it out",
  ])
    expect(message).toContain(part);
});

test("a file that is missing", () => {
  const message = refusal((stack) => build(stack, { martFile: join(folder, "none.mart.json") }));
  expect(message).toContain("none.mart.json: file not found; create it");
});
