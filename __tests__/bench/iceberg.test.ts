import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DeleteTableCommand, GetTableCommand } from "@aws-sdk/client-glue";
import { lastRun, npmStart } from "./commands";
import { type Call, deathsFile, runJob } from "./deaths";
import { deployedClone } from "./deployed-clone";
import { changeEvents } from "./dev-settings";
import { events } from "./faults";
import { BenchSession } from "./session";

/**
 * The events pipeline as a table of Iceberg by settings alone, deployed over an environment that has it as crawled Parquet: real
 * input, the same again, corrections by key, and job runs that are killed on both sides of their commit. The tests build on each
 * other, because a deployment takes a minute.
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

/** What readers see and the books say of the figures. */
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
  "a table that a crawl made is refused by its name, and nothing is written",
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
