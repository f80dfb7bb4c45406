import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { contractTables } from "../../contracts/contract-tables";
import { type PipelineFiles, readPipelineFiles } from "../../patterns/ingest-task/contract-files";
import { cloneWorkingTree } from "../support/clone";
import { changedContract, contractFile, rulesFile, SHIPPED, shippedContract } from "../support/contracts";
import { settingsOf, synthEnvironment } from "../support/environment-stacks";
import { sampleSubscribers } from "../../local/sample-place";

/** A contract that the job would refuse in the night ends the synth with sentences; nothing is written. */

const SALES = "pipelines/sales/sales.schema.json";
const CUSTOMERS = "pipelines/customers/customers.schema.json";
const RULES = "pipelines/sales/sales.quality.json";

let clone: string;
beforeAll(() => {
  clone = cloneWorkingTree("bad-contract");
});
afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

/** Runs the app with these files, as `cdktf synth` does. */
function synthWith(files: Readonly<Record<string, string>>) {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(clone, name), content);
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [require.resolve("ts-node/dist/bin.js"), "--swc", "main.ts"],
    {
      cwd: clone,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        ETL_ACCOUNT_ID: "000000000000",
        ETL_REGION: "eu-west-1",
        ...sampleSubscribers({}),
      },
    },
  );
  return { status, stdout, stderr: stderr.trim(), written: readdirSync(join(clone, "cdktf.out", "stacks")) };
}

test("a bad contract and bad rules: every sentence, exit code 1 and nothing written", () => {
  const contract = changedContract({
    of: "sales",
    put: {
      "x-etl/lookbackDays": "seven",
      "x-etl/partitionBy": ["quantity"],
      "x-etl/computed/total_amount/expression": "quantity * price",
    },
    take: ["x-etl/reasons/6"],
  });
  const rules = { threshold: 800, rules: [{ name: "rows", type: "rowCount", atLeast: 1, action: "halt" }] };
  expect(synthWith({ [SALES]: JSON.stringify(contract), [RULES]: JSON.stringify(rules) })).toEqual({
    status: 1,
    stdout: "",
    stderr:
      `Pipeline 'etl-dev/Sales': ${SALES}: 'x-etl.lookbackDays' must be a whole number from 0 to 36500, got "seven"; ` +
      "'x-etl.partitionBy' must name string or date columns of x-etl.output, got 'quantity', which is bigint; " +
      "'x-etl.partitionBy' must not name 'quantity', a column of x-etl.businessKey; leave it out; " +
      "'x-etl.reasons' must hold a rule 'wrongType'; " +
      "'x-etl.computed.total_amount.expression' must not name price, neither a column nor one of and, between, case, " +
      "date, else, end, false, in, is, like, not, null, or, then, timestamp, true, when; " +
      `${RULES}: 'threshold' must be a whole number from 0 to 100, got 800`,
    written: [],
  });
}, 60_000);

test("files that are not valid JSON, or missing, of two pipelines", () => {
  rmSync(join(clone, RULES));
  const { status, stderr, written } = synthWith({ [SALES]: "{", [CUSTOMERS]: "[]" });
  expect(stderr).toMatch(
    new RegExp(
      `^Pipeline 'etl-dev/Sales': ${SALES}: is not valid JSON: [^;]+; ${RULES}: file not found; create it\n` +
        `Pipeline 'etl-dev/Customers': ${CUSTOMERS}: must be `,
    ),
  );
  expect(stderr.split("\n")).toHaveLength(2);
  expect({ status, written }).toEqual({ status: 1, written: [] });
}, 60_000);

test("expressions that Spark has not judged: one sentence for each file, with the command", () => {
  rmSync(join(clone, "pipelines/sales/sales.spark.json"));
  const { stderr } = synthWith({
    [SALES]: JSON.stringify(shippedContract("sales")),
    [RULES]: readFileSync(rulesFile("sales"), "utf8"),
    [CUSTOMERS]: JSON.stringify(shippedContract("customers")),
  });
  const compile = `run npx cdktf-aws-etl contract compile ${SALES}`;
  expect(stderr).toBe(
    `Pipeline 'etl-dev/Sales': ${SALES}: 6 expressions have not been judged by Spark yet ` +
      "(x-etl.shapes.online_retail.CustomerID.clean[1], x-etl.computed.total_amount, x-etl.computed.transaction_type, " +
      `…): ${compile}; ${RULES}: 3 expressions have not been judged by Spark yet (rules[4] of dates_are_plausible, ` +
      `rules[5] of sales_have_quantities, rules[6] of prices_are_not_negative): ${compile}`,
  );
}, 60_000);

const judged = (name: string, others: Partial<PipelineFiles> = {}) =>
  readPipelineFiles({
    contractFile: contractFile(name),
    rulesFile: rulesFile(name),
    table: name,
    written: {},
    ...others,
  });

const VERSIONS = { tableFormat: "iceberg", writeMode: "changes" } as const;

test("the shipped files are accepted, and give the tables", () => {
  for (const name of SHIPPED) {
    const written = "changes" in (shippedContract(name)["x-etl"] as object) ? VERSIONS : {};
    const { tables, sentences } = judged(name, {
      written,
      ...(name === "sales" ? { aggregateTable: "sums" } : {}),
    });
    expect(sentences).toEqual([]);
    expect(tables).toEqual(contractTables(shippedContract(name)));
  }
});

test("the props must fit the contract", () => {
  const sentences = (name: string, others: Partial<PipelineFiles>) => {
    const read = judged(name, others);
    expect(read.tables).toBeUndefined();
    return read.sentences;
  };
  expect(
    sentences("sales", { written: { orderColumn: "nobody", tableFormat: "iceberg", writeMode: "merge" } }),
  ).toEqual([
    "'aggregateTable' must be given: the contract has an aggregate, whose table needs a name; " +
      "'writeMode' must be rebuild or append if the contract has an aggregate, got merge: a merge removes rows from dates that were already aggregated; " +
      "'orderColumn' must be run_date or a column of x-etl.output that is not a list or a map, got 'nobody', which is not published",
  ]);
  expect(sentences("events", { aggregateTable: "sums" })).toEqual([
    "'aggregateTable' must be left out: the contract has no aggregate, got 'sums'",
  ]);
  expect(sentences("events", { written: { writeMode: "append" } })).toEqual([
    "'writeMode' must be rebuild with tableFormat parquet, got append: Parquet files can only be replaced; set tableFormat to iceberg",
  ]);
  const { pipelines } = settingsOf("dev");
  const merging = { tableFormat: "iceberg", writeMode: "merge", orderColumn: "items" } as const;
  const settings = settingsOf("dev", {
    pipelines: { ...pipelines, events: { ...pipelines.events!, ...merging } },
  });
  expect(() => synthEnvironment(settings)).toThrow(
    "Pipeline 'etl-dev/Events': 'orderColumn' must be run_date or a column of x-etl.output that is not a list or a map, " +
      "got 'items', which is array<struct<product_id:string,quantity:bigint,unit_price:double>>",
  );
});
