import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { paginateGetPartitions } from "@aws-sdk/client-glue";
import { type CommandResult, jobLogs, lastRun, nonZero, npmStart, said } from "./commands";
import { ALL_PIPELINES } from "../support/pipelines";
import { deployedClone } from "./deployed-clone";
import { judgeRights, type NotShown, notShownOf } from "./rights";
import { BenchSession } from "./session";

/**
 * Sales, customers and products as a newcomer meets them: the commands of the README in a clone of its own. The tests build on
 * each other as a user's day does, because a deployment takes a minute.
 */

const MINUTES = 60_000;
const FIVE_SALES = join(__dirname, "five-sales");
const DAY = "2025-01-17";
let clone: string;
/** A shop's folder, whose one delivery is corrected later. */
let shop: string;

beforeAll(() => {
  clone = deployedClone("sales");
  shop = join(dirname(clone), "shop");
  mkdirSync(shop);
  copyFileSync(join(FIVE_SALES, `${DAY}.csv`), join(shop, `${DAY}.csv`));
}, 600_000);

afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

function expectExit({ exitCode, output }: CommandResult, wanted: number): void {
  if (exitCode !== wanted) throw new Error(`exit code ${exitCode}, wanted ${wanted}:\n${output}`);
}

async function inSession<T>(body: (session: BenchSession) => Promise<T>): Promise<T> {
  const session = await BenchSession.open(clone);
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}

// By region, because an answer is a page of 1,000 rows; how rows lie within a file is Spark's affair.
const ROWS =
  "select run_date, region, count(*), count(distinct transaction_id), min(product_id), max(product_id), sum(quantity), " +
  "sum(total_amount) from etl_dev_processed.sales group by 1, 2 order by 1, 2";
const REVENUE =
  "select run_date, transaction_date, region, count(*), sum(revenue), sum(units), sum(lines) " +
  "from etl_dev_curated.sales_revenue group by 1, 2, 3 order by 1, 2, 3";

/** Everything that a run left for others: published files by their folder, rows, books by date, and what the catalogue knows. */
function left() {
  return inSession(async (session) => {
    const [processed, curated] = [session.output("processed_bucket"), session.output("curated_bucket")];
    const listed = {
      ...(await session.list(processed, "sales/")),
      ...(await session.list(curated, "sales/")),
      ...(await session.list(session.output("quarantine_bucket"), "sales/")),
    };
    const files = Object.keys(listed).map((key) => dirname(key));
    const books: Record<string, unknown> = {};
    for (const key of Object.keys(await session.list(processed, "books/sales/by-date/")))
      books[key] = timeless(Buffer.from(await session.get(processed, key)).toString());
    return {
      files: files.sort(),
      rows: await session.query(ROWS),
      revenue: await session.query(REVENUE),
      books,
      partitions: await partitions(session, session.output("processed_database"), "sales"),
      added: await partitions(session, session.output("curated_database"), "sales_revenue"),
    };
  });
}

/** The figures of a date's books, without which run wrote them and how long it took. */
function timeless(books: string): unknown {
  const figures = JSON.parse(books) as Record<string, unknown>;
  delete figures.runId;
  delete figures.seconds;
  return figures;
}

/** The registered values, each with the last folder of its location. */
async function partitions({ clients }: BenchSession, database: string, table: string): Promise<string[]> {
  const found: string[] = [];
  const asked = { DatabaseName: database, TableName: table };
  for await (const page of paginateGetPartitions({ client: clients.glue }, asked)) {
    for (const { Values = [], StorageDescriptor } of page.Partitions ?? []) {
      const folder = StorageDescriptor!.Location!.split("/").at(-2)!;
      found.push(`${Values.join(" ")} in ${folder}`);
    }
  }
  return found.sort();
}

function query(sql: string): Promise<readonly (readonly string[])[]> {
  return inSession((session) => session.query(sql));
}

// Counted with another program from the three files: 7,419 lines, 102 of them a second time.
const SAMPLE_ROWS = { read: 7419, written: 7317, duplicates: 102, quarantined: {} };

test(
  "an unknown pipeline is refused with the known ones, before anything is synthesised",
  () => {
    const result = npmStart(clone, "--pipeline", "sails");
    expectExit(result, 1);
    expect(said(result)).toContain(
      `--pipeline: dev has no pipeline 'sails'; its pipelines are ${[...ALL_PIPELINES].sort().join(", ")}`,
    );
    expect(result.output).not.toContain("synth");
  },
  2 * MINUTES,
);

test(
  "the sample's three days of CSV run as one back-fill, and the revenue of each day is shown",
  () => {
    const result = npmStart(clone, "--pipeline", "sales");
    expectExit(result, 0);
    const run = lastRun(clone);
    expect(run).toMatchObject({ pipeline: "sales", environment: "dev", status: "SUCCEEDED" });
    expect({ ...run.rows, quarantined: nonZero(run.rows.quarantined) }).toEqual(SAMPLE_ROWS);
    expect(run.notifications).toHaveLength(1);
    expect(revenueShown(result.output)).toEqual(revenueDelivered());
    // No row is refused, so that the writer leaves a folder empty and puts a marker into it.
    expect(jobLogs(clone)).not.toMatch(/denied|forbidden|not authorized/i);
  },
  10 * MINUTES,
);

/** Day → revenue, of the table at the end of a run. */
function revenueShown(output: string): Record<string, string> {
  const rows = [...output.matchAll(/│\s*(\d{4}-\d\d-\d\d)\s*│\s*(-?\d+\.\d\d)\s*│\s*-?\d+\s*│/g)];
  return Object.fromEntries(rows.map(([, day, revenue]) => [day!, revenue!]));
}

/** The same from the files, in thousandths of a penny: each line once, each rounded half up to pence. */
function revenueDelivered(): Record<string, string> {
  const folder = join(clone, "pipelines", "sales", "sample");
  return Object.fromEntries(
    readdirSync(folder).map((file) => {
      const lines = readFileSync(join(folder, file), "utf8").trim().split("\n").slice(1);
      const sold = new Map<string, bigint>();
      for (const line of lines) {
        // Commas stand in the description only, which is quoted then.
        const [invoice, code, , quantity, , price] = line.replace(/"[^"]*"/, "").split(",");
        const [pounds, pence = ""] = price!.split(".");
        const thousandths = BigInt(quantity!) * BigInt(`${pounds}${pence.padEnd(3, "0")}`);
        const rest = thousandths % 10n;
        const away = rest >= 5n ? 1n : rest <= -5n ? -1n : 0n;
        sold.set(
          [invoice, code!.trim().toUpperCase(), quantity, Number(price)].join(),
          thousandths / 10n + away,
        );
      }
      const all = [...sold.values()].reduce((sum, amount) => sum + amount, 0n);
      return [file.slice(0, 10), `${all / 100n}.${String(all % 100n).padStart(2, "0")}`];
    }),
  );
}

test(
  "the same again gives the same rows, books, partitions and files",
  async () => {
    const [rows, before] = [lastRun(clone).rows, await left()];
    expect(before.added).toEqual(
      ["01", "02", "03"].map((day) => `2010-12-${day} in run_date=2010-12-${day}`),
    );
    expect(before.partitions).toContain("2010-12-01 United Kingdom in region=United Kingdom");
    expectExit(npmStart(clone, "--pipeline", "sales"), 0);
    expect(lastRun(clone).rows).toEqual(rows);
    expect(await left()).toEqual(before);
  },
  10 * MINUTES,
);

const AMOUNTS = "select transaction_id, total_amount, region from etl_dev_processed.sales order by 1";

test(
  "five rows of a shop's own header come through with exact amounts, in a lake that started empty",
  async () => {
    const result = npmStart(clone, "--pipeline", "sales", "--input", shop);
    expectExit(result, 0);
    const { rows } = lastRun(clone);
    expect({ ...rows, quarantined: nonZero(rows.quarantined) }).toEqual({
      read: 5,
      written: 5,
      duplicates: 0,
      quarantined: {},
    });
    expect(await query(AMOUNTS)).toEqual([
      ["TXN001", "59.98", "US-EAST"],
      ["TXN002", "49.99", "US-WEST"],
      ["TXN003", "59.97", "US-EAST"],
      ["TXN004", "29.99", "EU-WEST"],
      ["TXN005", "79.98", "US-WEST"],
    ]);
    expect(revenueShown(result.output)).toEqual({
      "2025-01-15": "109.97",
      "2025-01-16": "89.96",
      "2025-01-17": "79.98",
    });
    const { partitions: registered, added, books } = await left();
    expect(registered).toEqual(
      ["EU-WEST", "US-EAST", "US-WEST"].map((region) => `${DAY} ${region} in region=${region}`),
    );
    expect(added).toEqual([`${DAY} in run_date=${DAY}`]);
    expect(Object.keys(books)).toEqual([`books/sales/by-date/${DAY}.json`]);
  },
  10 * MINUTES,
);

test(
  "a corrected day takes back its rows, and a region without any is gone from the bucket and the catalogue",
  async () => {
    const file = join(shop, `${DAY}.csv`);
    const lines = readFileSync(file, "utf8").split("\n");
    const kept = lines
      .filter((line) => !/^TXN00[24]/.test(line))
      .map((line) => line.replace(",2,39.99", ",1,39.99"));
    expect(lines.length - kept.length).toBe(2);
    writeFileSync(file, kept.join("\n"));
    expectExit(npmStart(clone, "--pipeline", "sales", "--input", shop), 0);
    expect(lastRun(clone).rows).toMatchObject({ read: 3, written: 3 });
    expect(await query(AMOUNTS)).toEqual([
      ["TXN001", "59.98", "US-EAST"],
      ["TXN003", "59.97", "US-EAST"],
      ["TXN005", "39.99", "US-WEST"],
    ]);
    const { partitions: registered, files } = await left();
    expect(registered).toEqual(
      ["US-EAST", "US-WEST"].map((region) => `${DAY} ${region} in region=${region}`),
    );
    expect(files.filter((file) => file.includes("EU-WEST"))).toEqual([]);
    expect(files.filter((file) => file.includes("region=US-WEST"))).toHaveLength(1);
  },
  10 * MINUTES,
);

test.each([
  ["customers", 255],
  ["products", 1840],
])(
  "%s run on their sample",
  (pipeline, rows) => {
    const result = npmStart(clone, "--pipeline", pipeline);
    expectExit(result, 0);
    expect(lastRun(clone)).toMatchObject({
      pipeline,
      rows: { read: rows, written: rows, duplicates: 0 },
    });
    expect(result.output).toMatch(new RegExp(`2010-12-03\\s*│\\s*${rows} `));
  },
  10 * MINUTES,
);

/** Beside the table of all: what this job shares with others and does not need. */
const NOT_NEEDED_HERE: readonly NotShown[] = [
  {
    role: "*-job",
    action: "glue:GetTable",
    resource: "*:catalog",
    why: "comes with the source's table and with those whose partitions it registers; either would do",
    page: "https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html",
  },
  {
    role: "*-job",
    action: "s3:GetObject",
    resource: "*/sales",
    why: "S3A asks whether a folder is a file, by its key without the slash; this job names the files that it reads",
    page: "https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html",
  },
  {
    role: "*-job",
    action: "s3:*Object",
    resource: "*/books/sales*",
    why: "a run that looks back reads the books of earlier ones, and removes its note when it ends; sales looks back no day",
    page: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html",
  },
];

test(
  "each right of its job is needed by corrected days, or is listed as one that the bench cannot show",
  async () => {
    const header = "transaction_id,customer_id,product_id,quantity,unit_price,transaction_date,region";
    const [first, last] = ["2025-02-03", "2025-02-04"];
    const north = `T1,C1,P1,2,1.10,${first},NORTH`;
    const deliveries = [
      // Refused, so that what is kept of it must be removed later.
      { [first]: [north.replace(",2,", ",two,")], [last]: [] },
      {
        [first]: [north, `T2,C2,P1,1,1.10,${first},SOUTH`],
        [last]: ["T3,C3,P2,1,1.10,1925-02-04,SOUTH", `T4,C1,P1,2,1.10,${last},NORTH`],
      },
      { [first]: [north], [last]: [] },
    ];
    const trace = join(clone, ".local", "trace.jsonl");
    const session = await BenchSession.open(clone, ["--trace", trace]);
    try {
      for (const [index, days] of deliveries.entries()) {
        for (const [day, rows] of Object.entries(days)) {
          const key = `sales/dt=${day}/${day}.csv`;
          await session.put(session.output("raw_bucket"), key, `${[header, ...rows].join("\n")}\n`);
        }
        const input = { mode: "backfill", fromDate: first, toDate: last };
        const run = await session.start(input, session.output("sales_alias_arn"));
        expect(await session.finish(run)).toMatchObject({ status: index === 0 ? "FAILED" : "SUCCEEDED" });
        const kept = await session.list(session.output("quarantine_bucket"), "refused/sales/");
        expect(Object.keys(kept)).toHaveLength(index === 0 ? 1 : 0);
      }
    } finally {
      await session.close();
    }
    const notShown = notShownOf(clone).filter(
      ({ role, resource }) => role === "*-job" && resource !== "*/events",
    );
    const which = ["--roles", "*-sales-*-job"];
    expect(judgeRights(clone, trace, which, [...notShown, ...NOT_NEEDED_HERE]).mistakes).toEqual([]);
  },
  10 * MINUTES,
);
