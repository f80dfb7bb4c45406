import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DeleteTableCommand, GetTableCommand } from "@aws-sdk/client-glue";
import { lastRun, npmStart } from "./commands";
import { type Call, deathsFile, runJob } from "./deaths";
import { deployedClone } from "./deployed-clone";
import { changeEvents, keepVersionsOfProducts } from "./dev-settings";
import { events } from "./faults";
import { BenchSession } from "./session";

/**
 * The events pipeline as a table of Iceberg by settings alone, deployed over an environment that has it as crawled Parquet: real
 * input, the same again, corrections by key, and job runs that are killed on both sides of their commit. Beside it the products as a
 * table of every version. The tests build on each other, because a deployment takes a minute.
 */

const MINUTES = 60_000;
const SETTINGS = 'tableFormat: "iceberg", writeMode: "merge", orderColumn: "event_timestamp",';
const SAMPLE = { mode: "backfill", fromDate: "2010-12-01", toDate: "2010-12-03" };
let clone: string;
/** The record of the sample's run as Parquet, before. */
let asParquet: unknown;
let session: BenchSession | undefined;
const trace = () => join(clone, ".local", "trace.jsonl");

beforeAll(() => {
  clone = deployedClone("iceberg", (folder) => {
    asParquet = lastRun(folder).rows;
    changeEvents(folder, [["    events: {", `    events: {\n      ${SETTINGS}`]]);
    keepVersionsOfProducts(folder, {
      delivery: "whole",
      order: ["file"],
      deletes: { provedBy: "count", file: "_count.json", member: "rows" },
    });
  });
}, 10 * MINUTES);

afterAll(async () => {
  await session?.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

/** Opened once and kept: what IAM decides in it is looked at in the end. */
async function bench(): Promise<BenchSession> {
  session ??= await BenchSession.open(clone, ["--deaths", deathsFile({ clone }), "--trace", trace()]);
  return session;
}

const entry = async (on: BenchSession) => {
  const at = { DatabaseName: on.output("processed_database"), Name: "events" };
  return (await on.clients.glue.send(new GetTableCommand(at))).Table!;
};

/** The rows that readers see, and the figures of the books. */
async function left(on: BenchSession): Promise<unknown> {
  const books: Record<string, unknown> = {};
  const bucket = on.output("processed_bucket");
  for (const key of Object.keys(await on.list(bucket, "books/events/by-date/"))) {
    const { read, written, duplicates, quarantined } = JSON.parse(
      Buffer.from(await on.get(bucket, key)).toString(),
    ) as Record<string, unknown>;
    books[key] = { read, written, duplicates, quarantined };
  }
  const ask = (zone: string, columns: string) =>
    on.query(
      `select run_date, count(*), ${columns} from etl_dev_${zone}.events group by run_date order by run_date`,
    );
  return {
    books,
    rows: await ask(
      "processed",
      "count(distinct event_id), min(event_id), max(event_timestamp), max(country)",
    ),
    refused: await ask("quarantine", "min(reason), max(raw_line)"),
  };
}

test(
  "a table made by a crawl is refused by name, and no row is written",
  async () => {
    const { exitCode, output } = npmStart(clone);
    expect([exitCode, output]).toEqual([1, expect.stringContaining("events: FAILED")]);
    expect(lastRun(clone).cause).toContain(
      "TableRefused: the table `glue_catalog`.`etl_dev_processed`.`events` is not an Iceberg table. Take its entry out",
    );
    const on = await BenchSession.open(clone);
    try {
      expect((await entry(on)).Parameters).toMatchObject({ classification: "parquet" });
      expect(await on.list(on.output("processed_bucket"), "events/metadata/")).toEqual({});
      // As the message says.
      const at = { DatabaseName: on.output("processed_database"), Name: "events" };
      await on.clients.glue.send(new DeleteTableCommand(at));
    } finally {
      await on.close();
    }
  },
  5 * MINUTES,
);

test(
  "real input gives the figures that it gave as Parquet, and Athena reads the table",
  async () => {
    const { exitCode, output } = npmStart(clone);
    expect([exitCode, output]).toEqual([0, expect.stringContaining("events: SUCCEEDED")]);
    expect(lastRun(clone).rows).toEqual(asParquet);
    expect((await entry(await bench())).Parameters).toMatchObject({ table_type: "ICEBERG" });
    expect(await left(await bench())).toMatchObject({
      rows: [["2010-12-01"], ["2010-12-02"], ["2010-12-03"]].map(
        (row) => expect.arrayContaining(row) as unknown,
      ),
    });
  },
  5 * MINUTES,
);

test(
  "the same run again changes nothing that readers see, nor the books",
  async () => {
    const on = await bench();
    const before = await left(on);
    const { metadata_location: at } = (await entry(on)).Parameters!;
    expect(await on.run(SAMPLE)).toMatchObject({ status: "SUCCEEDED" });
    expect(await left(on)).toEqual(before);
    // It did write: another snapshot with the same rows.
    expect((await entry(on)).Parameters!.metadata_location).not.toBe(at);
  },
  5 * MINUTES,
);

const DAY = "2011-01-10";
const at = (key: string, clock: string, country: string, day = DAY) => ({
  ...events(day, 1)[0],
  event_id: key,
  timestamp: `${day}T${clock}:00Z`,
  country,
});
const ROWS = (day: string) =>
  `select event_id, country from etl_dev_processed.events where run_date = '${day}' order by event_id`;

test(
  "a corrected delivery updates by key, the latest wins, and answers are of the current snapshot only",
  async () => {
    const on = await bench();
    await on.deliver(DAY, [at("a", "08:00", "old"), at("b", "08:00", "old"), at("c", "08:00", "old")]);
    expect(await on.run({ runDate: DAY })).toMatchObject({ status: "SUCCEEDED" });
    expect(await on.query(ROWS(DAY))).toEqual([
      ["a", "old"],
      ["b", "old"],
      ["c", "old"],
    ]);

    // Newer, older, left out, and one more.
    await on.deliver(DAY, [at("a", "09:00", "new"), at("b", "07:00", "stale"), at("d", "08:00", "more")]);
    const corrected = await on.run({ runDate: DAY });
    expect(corrected).toMatchObject({ status: "SUCCEEDED" });
    expect(await on.books(corrected)).toMatchObject({ read: 3, written: 2, duplicates: 1, quarantined: 0 });
    expect(await on.query(ROWS(DAY))).toEqual([
      ["a", "new"],
      ["b", "old"],
      ["c", "old"],
      ["d", "more"],
    ]);
    // The file of the first snapshot lies there still, with rows that nobody is shown.
    const files = await on.list(on.output("processed_bucket"), `events/data/run_date=${DAY}/`);
    expect(Object.keys(files).length).toBeGreaterThan(1);
  },
  5 * MINUTES,
);

const isCommitFile = ({ key }: Call): boolean => /\/events\/metadata\/[^/]+\.metadata\.json$/.test(key);

describe("a job run that is killed", () => {
  /** Calls of an undisturbed run that are up to the file which the commit makes current. */
  let calls: Call[];
  let commit: number;
  const COUNTED = "2011-03-10";

  const delivery = (day: string, country: string) =>
    ["a", "b"].map((key) => at(`${day}-${key}`, country === "old" ? "08:00" : "09:00", country, day));

  /** A day that was run, and then corrected. */
  async function corrected(on: BenchSession, day: string): Promise<void> {
    await on.deliver(day, delivery(day, "old"));
    expect(await on.run({ runDate: day })).toMatchObject({ status: "SUCCEEDED" });
    await on.deliver(day, delivery(day, "new"));
  }
  const both = (day: string, country: string) => ["a", "b"].map((key) => [`${day}-${key}`, country]);

  beforeAll(async () => {
    const on = await bench();
    await corrected(on, COUNTED);
    const undisturbed = await runJob(on, COUNTED, "undisturbed");
    expect(undisturbed.state).toBe("SUCCEEDED");
    await on.freeLock();
    calls = undisturbed.calls;
    commit = calls.filter(isCommitFile).at(-1)!.call;
  }, 5 * MINUTES);

  test.each([
    ["before its commit leaves the old snapshot to readers", "2011-04-10", 0, "old"],
    ["after its commit leaves the new one", "2011-05-10", 1, "new"],
  ])(
    "%s, and the next run heals it",
    async (_what, day, further, seen) => {
      const on = await bench();
      await corrected(on, day);
      const before = await left(on);
      const { metadata_location: location } = (await entry(on)).Parameters!;
      const death = { afterMutatingCall: commit + further };
      const { state, calls: killed } = await runJob(on, day, `killed-${day}`, death);
      expect([state, killed.length, isCommitFile(killed[commit - 1]!)]).toEqual([
        "FAILED",
        commit + further,
        true,
      ]);
      expect(commit + further).toBeLessThan(calls.length);
      const after = (await entry(on)).Parameters!.metadata_location;
      expect(after === location ? "old" : "new").toBe(seen);
      expect(await on.query(ROWS(day))).toEqual(both(day, seen));
      if (seen === "old") expect(await left(on)).toEqual(before);

      writeFileSync(deathsFile({ clone }), "");
      await on.freeLock();
      const healed = await on.run({ runDate: day });
      expect(healed).toMatchObject({ status: "SUCCEEDED" });
      expect(await on.books(healed)).toMatchObject({ read: 2, written: 2, duplicates: 0, quarantined: 0 });
      expect(await on.query(ROWS(day))).toEqual(both(day, "new"));
    },
    10 * MINUTES,
  );
});

test(
  "of whole deliveries every version is kept, and Athena reads the present as a view",
  async () => {
    const on = await bench();
    const raw = on.output("raw_bucket");
    const deliver = async (day: string, products: Record<string, string>, count?: number) => {
      const lines = Object.entries(products).map(([id, price]) => `${id},Product ${id},,${price}`);
      const text = ["product_id,product_name,category,unit_price", ...lines, ""].join("\n");
      await on.put(raw, `products/dt=${day}/products.csv`, text);
      await on.put(raw, `products/dt=${day}/_count.json`, JSON.stringify({ rows: count ?? lines.length }));
    };
    const run = async (day: string) =>
      on.finish(await on.start({ runDate: day }, on.output("products_alias_arn")));
    const history = () =>
      on.query(
        'select product_id, unit_price, "change", valid_from, run_date from etl_dev_processed.products order by 1, 5',
      );
    const present = () =>
      on.query("select product_id, unit_price, run_date from etl_dev_processed.products_current order by 1");

    await deliver("2011-01-01", { a: "1.00", b: "2.00", c: "3.00" });
    await deliver("2011-01-03", { a: "1.00", b: "2.50", d: "4.00" });
    for (const day of ["2011-01-01", "2011-01-03"])
      expect(await run(day)).toMatchObject({ status: "SUCCEEDED" });
    const [a, d] = [
      ["a", "1.0000", "insert", "2011-01-01", "2011-01-01"],
      ["d", "4.0000", "insert", "2011-01-03", "2011-01-03"],
    ];
    expect(await history()).toEqual([
      a,
      ["b", "2.0000", "insert", "2011-01-01", "2011-01-01"],
      ["b", "2.5000", "update", "2011-01-03", "2011-01-03"],
      ["c", "3.0000", "insert", "2011-01-01", "2011-01-01"],
      ["c", "3.0000", "delete", "2011-01-03", "2011-01-03"],
      d,
    ]);
    const afterTwo = [
      ["a", "1.0000", "2011-01-01"],
      ["b", "2.5000", "2011-01-03"],
      ["d", "4.0000", "2011-01-03"],
    ];
    expect(await present()).toEqual(afterTwo);

    // A day between them comes late, and cuts into the history of b and c.
    await deliver("2011-01-02", { a: "1.00", b: "2.50" });
    expect(await run("2011-01-02")).toMatchObject({ status: "SUCCEEDED" });
    expect(await history()).toEqual([
      a,
      ["b", "2.0000", "insert", "2011-01-01", "2011-01-01"],
      ["b", "2.5000", "update", "2011-01-02", "2011-01-02"],
      ["c", "3.0000", "insert", "2011-01-01", "2011-01-01"],
      ["c", "3.0000", "delete", "2011-01-02", "2011-01-02"],
      d,
    ]);
    expect(await present()).toEqual([afterTwo[0], ["b", "2.5000", "2011-01-02"], afterTwo[2]]);

    // A count that the rows do not confirm: nothing counts as deleted.
    const before = await history();
    await deliver("2011-01-04", { a: "1.00" }, 3);
    const cut = await run("2011-01-04");
    expect([cut.status, cut.cause]).toEqual([
      "FAILED",
      expect.stringContaining("says 3 rows, and 1 were read"),
    ]);
    expect(await history()).toEqual(before);
  },
  10 * MINUTES,
);

test("the rights of the construct suffice: nothing was denied", async () => {
  await session!.close();
  session = undefined;
  expect(existsSync(trace())).toBe(true);
  const lines = readFileSync(trace(), "utf8").split("\n");
  const evaluations = lines
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { readonly verdict: string });
  expect(evaluations.length).toBeGreaterThan(100);
  expect(evaluations.filter(({ verdict }) => verdict !== "allowed")).toEqual([]);
});
