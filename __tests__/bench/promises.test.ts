import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { balances } from "../../local/books";
import { type Fault, faultsOf, keep, keepText, kindOf, type Seen } from "../faults/fault-table";
import { PIPELINES } from "../support/pipelines";
import { deployedClone } from "./deployed-clone";
import {
  type Call,
  deathsFile,
  type Death,
  type Lake,
  readLake,
  restoreLake,
  runJob,
  seeded,
  takeLake,
} from "./deaths";
import {
  CRAWL_MACHINE_ROLE,
  events,
  type Happened,
  JOB_ROLE,
  MACHINE_ROLE,
  PROCESSED_CRAWLER_ROLE,
  SCENARIOS,
} from "./faults";
import { judgeRights } from "./rights";
import { BenchSession } from "./session";

/**
 * The promises of the pipeline on the deployed environment: each fault of the table really brought about, redrives, rights
 * taken away, and job runs killed in the middle. Messages are read from a subscribed queue.
 */

const MINUTES = 60_000;
const FAULTS = faultsOf("bench");
/** A job's minute: its time-out of one minute must come after its start. */
const JOB_MINUTE_SECONDS = "20";

let clone: string;
let session: BenchSession;
/** IAM's decisions in the session. */
const trace = () => join(clone, ".local", "trace.jsonl");
/** Until then nobody had taken a right away. */
let cleanUntil = "";
const seen: Seen[] = [];

beforeAll(async () => {
  clone = deployedClone("faults");
  const options = ["--job-minute-seconds", JOB_MINUTE_SECONDS, "--deaths", deathsFile({ clone })];
  session = await BenchSession.open(clone, [...options, "--trace", trace()]);
}, 10 * MINUTES);

afterAll(async () => {
  keep("bench", seen);
  await session.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

test("every fault of this runner has a scenario, and every scenario a fault", () => {
  expect(Object.keys(SCENARIOS).sort()).toEqual(FAULTS.map(({ id }) => id).sort());
});

/** Days far apart, so that no fault is inside another's look-back. */
const dayOf = (index: number): string =>
  new Date(Date.UTC(2011, 0, 10) + index * 20 * 86_400_000).toISOString().slice(0, 10);

test.each(FAULTS.map((fault, index) => [fault.fault, fault, dayOf(index)] as const))(
  "%s",
  async (_what, fault, day) => {
    const before = await session.published();
    const happened = await SCENARIOS[fault.id]!(session, day);
    const messages = happened.told ?? (await session.messages());
    const { status, error, executionArn, cause } = happened.finished;
    const got = {
      status,
      error: error ?? null,
      steps: await session.steps(executionArn),
      messages: messages.map(kindOf),
      rows: await rowsAsPromised(fault, happened, before),
    };
    const wanted = {
      status: fault.status,
      error: fault.error,
      steps: fault.steps,
      messages: [fault.message],
      rows: fault.rows,
    };
    if (fault.id === "none") cleanUntil = new Date().toISOString();
    const passed =
      JSON.stringify(got) === JSON.stringify(wanted) &&
      (fault.cause === null || (cause ?? "").includes(fault.cause));
    seen.push({ id: fault.id, runner: "bench", passed });

    expect({ ...got, cause }).toMatchObject(wanted);
    if (fault.cause !== null) expect(cause).toContain(fault.cause);
  },
  5 * MINUTES,
);

/** The table's text about the rows when it is right, else the rows that were found. */
async function rowsAsPromised(
  { rows }: Fault,
  { finished, day, delivered }: Happened,
  before: Record<string, string>,
): Promise<string> {
  const after = await session.published();
  const unchanged = JSON.stringify(after) === JSON.stringify(before);
  const ofDay = Object.keys(after).filter((key) => key.includes(`run_date=${day}/`));
  const books = await session.books(finished);
  const accounted = books !== undefined && balances(books) && books.read === delivered;
  const written = async () =>
    Number(
      (
        await session.query(`select count(*) from etl_dev_processed.events where run_date = '${day}'`)
      )[0]?.[0],
    );
  /** The message holds a query that works as it stands. */
  const refusedRowsAreShown = async (): Promise<boolean> => {
    const [, query] = /ask Athena \(workgroup etl-dev\): (select .*)$/.exec(finished.cause ?? "") ?? [];
    const shown = query === undefined ? [] : await session.query(query);
    return shown.length === books!.quarantined && shown.every(([reason]) => reason === "malformed");
  };
  const found = `${JSON.stringify(books)}, ${ofDay.join()}, ${unchanged ? "unchanged" : "changed"}`;
  switch (rows) {
    case "none read":
    case "none changed":
      return unchanged ? rows : found;
    case "read, none written":
      return unchanged && books?.read === delivered && books.written === 0 && (await refusedRowsAreShown())
        ? rows
        : found;
    case "accounted":
      return accounted && (await written()) === books.written ? rows : found;
    case "accounted, not visible":
      return accounted && ofDay.length > 0 && (await written()) === 0 ? rows : found;
    case "accounted, not verified":
      return accounted && ofDay.length > 0 ? rows : found;
    case "0 read, the date's earlier rows removed":
      return books?.read === 0 && ofDay.length === 0 ? rows : found;
    case "one row less than read":
      return books !== undefined && books.read === books.written + books.quarantined + books.duplicates + 1
        ? rows
        : found;
    case "accounted, drift told: new":
    case "accounted, drift told: changed":
    case "accounted, drift told: missing":
      return accounted && (books.drift ?? "").includes(rows.slice("accounted, drift told: ".length))
        ? rows
        : found;
    default:
      throw new Error(`nobody knows what is meant by '${rows}'`);
  }
}

/**
 * Rights that the steps of a run need: without one the run fails there, with it a redrive goes on. The raw crawler's is taken
 * away in the table of faults.
 */
const RIGHTS: readonly (readonly [what: string, role: string, action: string, of: string, step: string])[] = [
  ["the crawl machine may not start crawlers", CRAWL_MACHINE_ROLE, "glue:StartCrawler", "", "CrawlRaw"],
  ["the job may not write", JOB_ROLE, "s3:PutObject", "-processed-", "RunJob"],
  [
    "the processed crawler may not register partitions",
    PROCESSED_CRAWLER_ROLE,
    "glue:BatchCreatePartition",
    "",
    "CrawlProcessed",
  ],
  ["the query may not read files", MACHINE_ROLE, "s3:GetObject", "-us-east-1/events", "CheckQuality"],
  ["the machine may not publish", MACHINE_ROLE, "sns:Publish", "", "Notify"],
];

describe("a redrive after the cause was fixed goes on at the failed step", () => {
  test.each(RIGHTS.map((right, index) => [...right, dayOf(100 + index)] as const))(
    "%s",
    async (_what, role, action, of, step, day) => {
      await session.deliver(day, events(day, 8));
      const restore = await session.withoutRight(role, action, of);
      const failed = await session.run({ runDate: day }).finally(restore);
      expect(failed).toMatchObject({ status: "FAILED" });
      const before = await session.steps(failed.executionArn);
      expect(before.at(-1)).toBe(step);
      expect((await session.messages()).map(kindOf)).toEqual(["redrive"]);

      const redriven = await session.redrive(failed.executionArn);
      expect(redriven).toMatchObject({ status: "SUCCEEDED" });
      const steps = FAULTS.find(({ id }) => id === "none")!.steps!;
      expect(await session.steps(failed.executionArn, "ExecutionRedriven")).toEqual(
        steps.slice(steps.indexOf(step) + 1),
      );
      expect((await session.messages()).map(kindOf)).toEqual(["success"]);
      expect(await session.books(redriven)).toMatchObject({ read: 8, written: 8 });
      expect(await session.lockOwner()).toBeUndefined();
    },
    3 * MINUTES,
  );

  test(
    "nothing had been delivered, and then it was",
    async () => {
      const day = dayOf(120);
      const missing = await session.run({ runDate: day });
      expect((await session.messages()).map(kindOf)).toEqual(["missing"]);
      await session.deliver(day, events(day, 5));
      expect(await session.redrive(missing.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      expect((await session.messages()).map(kindOf)).toEqual(["success"]);
      expect(await session.books(missing)).toMatchObject({ read: 5, written: 5 });
    },
    3 * MINUTES,
  );

  test(
    "another run took the lock meanwhile: the redriven job writes nothing, and its next redrive does",
    async () => {
      const day = dayOf(121);
      await session.deliver(day, events(day, 5));
      const restore = await session.withoutRight(JOB_ROLE, "s3:GetObject", "-raw-");
      const failed = await session.run({ runDate: day }).finally(restore);
      await session.giveLock(`${failed.executionArn}-that-runs`);
      const before = await session.published();
      expect(await session.redrive(failed.executionArn)).toMatchObject({
        status: "FAILED",
        cause: expect.stringContaining("LockLost") as string,
      });
      expect(await session.published()).toEqual(before);
      await session.freeLock();
      expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      expect((await session.messages()).map(kindOf)).toEqual(["redrive", "redrive", "success"]);
    },
    3 * MINUTES,
  );
});

test(
  "a failure whose message cannot be written is published plainly, once, with all its parts",
  async () => {
    const restore = await session.withoutRight("etl-dev-failures-states", "sns:Publish");
    const failed = await session.run({ runDate: "yesterday" });
    const [message, ...others] = await session.messages().finally(restore);
    expect(others).toEqual([]);
    expect(message).toMatchObject({ outcome: "FAILED", status: "FAILED" });
    expect(JSON.parse(message!.input as string)).toMatchObject({
      subject: "events in dev: FAILED",
      message: { execution: failed.executionArn, error: "InvalidInput" },
    });
    expect((await session.run({ runDate: "yesterday" })).status).toBe("FAILED");
    expect((await session.messages()).map(kindOf)).toEqual(["new execution"]);
  },
  3 * MINUTES,
);

describe("a job run that is killed", () => {
  const SEED = 20101201;
  /** Twenty take seven minutes; ETL_DEATHS asks for another number than CI's. */
  const DEATHS = Number(process.env.ETL_DEATHS ?? 4);
  const BY_SECONDS = Math.floor(DEATHS * 0.3);
  const FIRST = dayOf(130);
  const LATER = new Date(Date.parse(FIRST) + 3 * 86_400_000).toISOString().slice(0, 10);
  let start: Lake;
  let wanted: unknown;
  let calls: Call[];

  /** Two dates that were run, the first of them then corrected: it loses a key to the later one and gains one from it. */
  beforeAll(async () => {
    const keyed = (day: string, keys: readonly string[]) =>
      keys.map((key, index) => ({ ...events(day, 10)[index % 10], event_id: key }));
    await session.deliver(FIRST, [...keyed(FIRST, ["a", "b", "c", "lost"]), ...events(FIRST, 40)]);
    await session.deliver(LATER, [...keyed(LATER, ["lost", "gained", "c"]), ...events(LATER, 40)]);
    for (const runDate of [FIRST, LATER])
      expect(await session.run({ runDate })).toMatchObject({ status: "SUCCEEDED" });
    await session.deliver(FIRST, [
      ...keyed(FIRST, ["a", "b", "b", "c", "gained"]),
      ...events(FIRST, 40),
      { ...events(FIRST, 1)[0], event_id: "late", timestamp: "1999-01-01T00:00:00Z" },
    ]);
    await session.messages();
    start = await takeLake(session);
    const undisturbed = await runJob(session, FIRST, "undisturbed");
    expect(undisturbed.state).toBe("SUCCEEDED");
    calls = undisturbed.calls;
    wanted = await readLake(session);
    await session.freeLock();
  }, 5 * MINUTES);

  test(
    `at ${DEATHS} random moments, and tried again or redriven, leaves what an undisturbed run leaves`,
    async () => {
      const said = [
        `seed ${SEED}; the mutating calls of an undisturbed run:`,
        ...calls.map(({ call, seconds, action, key }) => `  ${call} ${seconds} s ${action} ${key}`),
      ];
      const random = seeded(SEED);
      const seconds = calls.at(-1)!.seconds;
      const deaths: Death[] = [
        { afterMutatingCall: betweenDeleteAndWrite(calls) },
        { afterMutatingCall: betweenDataAndBooks(calls) },
        ...Array.from({ length: DEATHS - 2 - BY_SECONDS }, () => ({
          afterMutatingCall: 1 + Math.floor(random() * (calls.length - 1)),
        })),
        ...Array.from({ length: BY_SECONDS }, () => ({ afterSeconds: random() * seconds })),
      ];
      const within: boolean[] = [];
      try {
        for (const [index, wanting] of deaths.entries()) {
          const name = `death-${index}`;
          const { killed, death } = await die(name, wanting);
          const last = killed.at(-1);
          within.push(last !== undefined && last.call < calls.length);
          said.push(
            `${name} ${JSON.stringify(death)}: last call ${last ? `${last.call} ${last.action} ${last.key}` : "none"}`,
          );
          expect([name, (await runJob(session, FIRST, name)).state]).toEqual([name, "SUCCEEDED"]);
          expect({ name, lake: await readLake(session) }).toEqual({ name, lake: wanted });
          said.push("  tried again: rows and books as undisturbed");
        }
        said.push(
          `${within.filter(Boolean).length} of ${DEATHS} between the first and the last mutating call`,
        );
      } finally {
        keepText("deaths.txt", said.join("\n"));
      }
      expect(within.filter(Boolean).length).toBeGreaterThanOrEqual(DEATHS / 2);
      await session.freeLock();
    },
    25 * MINUTES,
  );

  /** Kills a run at the moment; one that was faster than the moment is run once more and killed earlier. */
  async function die(name: string, death: Death): Promise<{ killed: Call[]; death: Death }> {
    await restoreLake(session, start);
    await session.freeLock();
    const { state, calls: killed } = await runJob(session, FIRST, name, death);
    if (state === "SUCCEEDED" && "afterSeconds" in death)
      return die(name, { afterSeconds: death.afterSeconds / 2 });
    expect([name, state]).toEqual([name, "FAILED"]);
    return { killed, death };
  }

  test(
    "and redriven leaves that too, books and messages included",
    async () => {
      await restoreLake(session, start);
      writeDeath({ afterMutatingCall: Math.floor(calls.length / 2) });
      const failed = await session.run({ runDate: FIRST });
      expect(failed).toMatchObject({ status: "FAILED", error: "States.TaskFailed" });
      writeDeath();
      expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      expect((await session.messages()).map(kindOf)).toEqual(["redrive", "success"]);
      expect(await readLake(session)).toEqual(wanted);
      expect(await session.books(failed)).toMatchObject({ restated: { dates: [LATER] } });
    },
    3 * MINUTES,
  );
});

describe("rights", () => {
  interface Evaluation {
    readonly time: string;
    readonly verdict: string;
  }
  let evaluations: Evaluation[];

  beforeAll(async () => {
    await session.close();
    evaluations = readFileSync(trace(), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Evaluation);
  }, MINUTES);

  test("suffice: a run in which all goes well is denied nothing", () => {
    const clean = evaluations.filter(({ time }) => Date.parse(time) < Date.parse(cleanUntil));
    expect(clean.length).toBeGreaterThan(100);
    expect(clean.filter(({ verdict }) => verdict !== "allowed")).toEqual([]);
  });

  test(
    "are minimal: each was needed by a call, or stands in the table of what the bench cannot show",
    () => {
      // Here nothing starts by the clock, and of the pipelines only events runs: the rights of schedules are judged in
      // schedule.test.ts, those of a job that adds up and registers partitions in sales.test.ts, and those of mobile-users, whose
      // job and crawlers have the document's names, in mobile-users.test.ts.
      const others = [
        "schedule",
        "mobile-user-daily-*",
        "segmentlogs-*",
        ...PIPELINES.filter((name) => name !== "events").map((name) => `${name}-*`),
      ];
      const { said, mistakes } = judgeRights(
        clone,
        trace(),
        others.flatMap((name) => ["--other-roles", `*-${name}`]),
      );
      keepText("permissions.txt", said);
      expect(mistakes).toEqual([]);
    },
    5 * MINUTES,
  );
});

const isData = ({ key }: Call): boolean => /\/events\/run_date=[^/]*\/[^/]+\.parquet$/.test(key);

/** The call after which the old rows of a date are gone and the new ones not all there. */
function betweenDeleteAndWrite(calls: readonly Call[]): number {
  const found = calls.findIndex(
    (call, index) =>
      isData(call) &&
      call.action.startsWith("s3:Delete") &&
      calls.slice(index + 1).some((later) => isData(later) && !later.action.startsWith("s3:Delete")),
  );
  if (found < 0) throw new Error(`no delete before a write: ${JSON.stringify(calls)}`);
  return calls[found]!.call;
}

/** The last call that changed rows, before the first that writes the books. */
function betweenDataAndBooks(calls: readonly Call[]): number {
  const books = calls.findIndex(({ key }) => key.includes("/books/") && !key.includes("unfinished"));
  const data = calls.slice(0, books).filter(isData).at(-1);
  if (data === undefined) throw new Error(`no rows before the books: ${JSON.stringify(calls)}`);
  return data.call;
}

function writeDeath(death?: Death): void {
  const line = death === undefined ? "" : `${JSON.stringify({ jobRun: "next", ...death })}\n`;
  writeFileSync(deathsFile({ clone }), line);
}
