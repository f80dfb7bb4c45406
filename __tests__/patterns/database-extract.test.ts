import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TerraformStack } from "cdktf";
import { DatabaseExtract, type DatabaseExtractProps, EtlPlatform } from "../../index";
import { ROOT } from "../support/clone";
import { ACCOUNT, REGION, refusal, synth } from "../support/synth";

/** An extract: its job, its rights, the tables of its deliveries, its steps, and every refusal. */

const folder = mkdtempSync(join(tmpdir(), "etl-extract-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const extractFile = join(ROOT, "pipelines", "shop", "shop.extract.json");
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:shop/reader-a1B2c3`;

function build(stack: TerraformStack, props: Partial<DatabaseExtractProps> = {}): DatabaseExtract {
  const platform = new EtlPlatform(stack, "Platform", {
    name: "shop-test",
    account: ACCOUNT,
    region: REGION,
  });
  const connection = {
    connectionName: "shop-test-shop",
    engine: "postgresql" as const,
    secretArn: SECRET,
    subnetId: "subnet-0a1b2c3d4e5f67890",
  };
  return new DatabaseExtract(stack, "Shop", {
    platform,
    pipeline: "shop",
    extractFile,
    connection,
    ...props,
  });
}

test("the job, its arguments and its rights", () => {
  const { all, built } = synth((stack) => build(stack));
  const [job] = all("aws_glue_job");
  expect(job).toMatchObject({ name: "shop-test-shop-extract", connections: ["shop-test-shop"] });
  expect(job!.default_arguments).toMatchObject({
    "--pipeline": "shop",
    "--output_prefix": "shop/",
    "--books_prefix": "books/shop/",
    "--connection": "shop-test-shop",
    "--lock_table": "shop-test-locks",
  });
  expect(JSON.stringify(job)).not.toContain("password");
  const policies = JSON.stringify(all("aws_iam_role_policy"));
  for (const right of [
    "glue:GetConnection",
    "secretsmanager:GetSecretValue",
    "dynamodb:GetItem",
    "marks/shop",
  ])
    expect(policies).toContain(right);
  expect(built.task.jobName).toBe("shop-test-shop-extract");
});

test("a table for the deliveries of each declared one, by its day", () => {
  const { all, built } = synth((stack) => build(stack));
  expect(built.tables).toEqual({
    customers: "shop_customers",
    products: "shop_products",
    invoices: "shop_invoices",
    invoice_lines: "shop_invoice_lines",
  });
  const lines = all("aws_glue_catalog_table").find(({ name }) => name === "shop_invoice_lines")!;
  expect(JSON.stringify(lines.storage_descriptor)).toContain("shop/invoice_lines/");
  expect(JSON.stringify(lines.storage_descriptor)).toContain("decimal(10,4)");
  expect(lines.partition_keys).toEqual([expect.objectContaining({ name: "dt" })]);
});

test("nothing is crawled, and each table balances by itself", () => {
  const { all, counts } = synth((stack) => build(stack));
  expect(counts.aws_glue_crawler).toBeUndefined();
  const machines = JSON.stringify(all("aws_sfn_state_machine"));
  for (const state of ["AcquireLock", "RunJob", "CheckBooksSumInvoiceLines", "ReleaseLock", "Notify"])
    expect(machines).toContain(state);
});

const refused = (props: Partial<DatabaseExtractProps>): string => refusal((stack) => build(stack, props));

test("every mistake at once", () => {
  const file = join(folder, "bad.extract.json");
  writeFileSync(file, readFileSync(extractFile, "utf8").replace('"fetchSize": 5000', '"fetchSize": 0'));
  const connection = { connectionName: "other", engine: "oracle" as const };
  const message = refused({
    pipeline: "Shop",
    extractFile: file,
    connection,
    schedule: { cron: "cron(0 4 * * ? *)", lagDays: 400 },
  });
  expect(message).toMatch(/^Extract '.*Shop': /);
  for (const part of [
    "'pipeline' must be lower-case words of letters and digits joined by hyphens, got 'Shop'",
    "'schedule.lagDays' must be a whole number from 0 to 366, got 400",
    "'connection.engine' must be postgresql, got \"oracle\"",
    "'fetchSize' must be a whole number from 1 to 1000000, got 0",
  ])
    expect(message).toContain(part);
});

test("a file that is not there, and one that is not JSON", () => {
  expect(refused({ extractFile: join(folder, "none.extract.json") })).toContain("file not found; create it");
  const file = join(folder, "text.extract.json");
  writeFileSync(file, "{");
  expect(refused({ extractFile: file })).toContain("is not valid JSON");
});
