import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  GetWorkflowRunCommand,
  ResumeWorkflowRunCommand,
  StartWorkflowRunCommand,
  type WorkflowRun,
} from "@aws-sdk/client-glue";
import { lastRun, npmStart } from "./commands";
import { deployedClone } from "./deployed-clone";
import { BenchSession, pause } from "./session";

/** Mobile users by a state machine and by a Glue workflow: equal rows and books, and what the watcher says when something breaks. */

const MINUTES = 60_000;
let clone: string;
let session: BenchSession | undefined;

beforeAll(() => (clone = deployedClone("mobile-users")), 10 * MINUTES);
afterAll(async () => {
  await session?.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

const TABLE =
  "select platform, run_date, local_date, count(*), count(distinct message_id), sum(revenue), max(received_at) " +
  "from etl_dev_processed.mobile_users group by 1, 2, 3 order by 1, 2, 3";
const PEOPLE =
  "select local_date, users, ios_users, android_users, both, events from etl_dev_curated.mobile_daily_users order by 1";

interface Left {
  readonly rows: readonly (readonly string[])[];
  readonly people: readonly (readonly string[])[];
  readonly books: Readonly<Record<string, unknown>>;
}

/** Everything that a run left for others, without the run's id and duration. */
async function left(open: BenchSession): Promise<Left> {
  const processed = open.output("processed_bucket");
  const books: Record<string, unknown> = {};
  for (const key of Object.keys(await open.list(processed, "books/mobile-users/by-date/"))) {
    const { runId, seconds, ...figures } = JSON.parse(
      Buffer.from(await open.get(processed, key)).toString(),
    ) as Record<string, unknown>;
    expect(runId).toBeDefined();
    expect(seconds).toBeUndefined();
    books[key] = figures;
  }
  return { rows: await open.query(TABLE), people: await open.query(PEOPLE), books };
}

/** Runs the sample by the command of the README, and gives what it left. */
async function runSample(...options: string[]): Promise<Left> {
  const { exitCode, output } = npmStart(clone, "--pipeline", "mobile-users", ...options);
  if (exitCode !== 0) throw new Error(output);
  const open = await BenchSession.open(clone);
  try {
    return await left(open);
  } finally {
    await open.close();
  }
}

// Counted with another program from the six folders (glue-scripts/tests/mobile_model.py).
const OF_IOS = { read: 1902, written: 1797, duplicates: 47 };
const OF_ANDROID = { read: 1902, written: 1809, duplicates: 35 };
let first: Left;

test(
  "a state machine runs the three days of the sample",
  async () => {
    first = await runSample();
    const { orchestration, rows, notifications } = lastRun(clone) as ReturnType<typeof lastRun> & {
      readonly orchestration: string;
      readonly rows: { readonly sources: unknown };
    };
    expect(orchestration).toBe("stepFunctions");
    expect(rows).toMatchObject({ read: 3804, written: 3606, duplicates: 82 });
    expect(rows.sources).toMatchObject({ ios: OF_IOS, android: OF_ANDROID });
    expect(notifications).toHaveLength(1);
    expect(first.people.map(([day]) => day)).toContain("2025-11-21");
  },
  10 * MINUTES,
);

test(
  "a Glue workflow makes the same rows and books of them, and again",
  async () => {
    expect(await runSample("--orchestration", "workflow")).toEqual(first);
    const run = lastRun(clone) as ReturnType<typeof lastRun> & {
      readonly workflowRun: { readonly workflow: string };
    };
    expect(run.workflowRun.workflow).toBe("etl-dev-mobile-users");
    expect(run.notifications).toHaveLength(1);
    expect(run.notifications[0]!.message).toMatchObject({ outcome: "SUCCEEDED", warnings: [] });
    expect(await runSample("--orchestration", "workflow")).toEqual(first);
  },
  15 * MINUTES,
);

test(
  "the notebook's own counts agree with the tables, and a shell sees them with the rights of the job",
  () => {
    const notebook = join("pipelines", "mobile-users", "mobile-users.ipynb");
    const executed = npmStart(clone, "notebook", "--execute", notebook);
    if (executed.exitCode !== 0) throw new Error(executed.output);
    const printed = (script: string, ...as: string[]) => {
      const shell = npmStart(clone, "shell", ...as, "-c", script);
      if (shell.exitCode !== 0) throw new Error(shell.output);
      return shell.output;
    };
    const calls = "print('calls', spark.table('etl_dev_processed.mobile_users').count())";
    expect(printed(calls)).toContain("calls 3606");
    // The job writes the files of the crawled table, and needs its own tables only by name.
    const days = "print('days', spark.table('etl_dev_curated.mobile_daily_users').count())";
    expect(printed(days, "--as", "mobile-users")).toContain("days 6");
  },
  5 * MINUTES,
);

const NAME = "etl-dev-mobile-users";
const DAY = "2025-11-23";
const folder = (source: string, day: string) =>
  `mobile-users/segment-logs/${source}/${Date.parse(`${day}T00:00:00Z`)}/`;

/** A call that happened at an instant. */
const call = (id: string, timestamp: string, user = "user-late") => ({
  messageId: id,
  type: "track",
  event: "Opened",
  userId: user,
  timestamp,
  context: { app: { version: "5.4.0" } },
});

async function deliver(source: string, day: string, body: Uint8Array): Promise<string> {
  const key = `${folder(source, day)}calls.gz`;
  await session!.put(session!.output("raw_bucket"), key, body);
  return key;
}

const calls = (...documents: object[]) =>
  gzipSync(documents.map((document) => `${JSON.stringify(document)}\n`).join(""));

async function ended(runId: string): Promise<WorkflowRun> {
  for (;;) {
    const { Run } = await session!.clients.glue.send(
      new GetWorkflowRunCommand({ Name: NAME, RunId: runId, IncludeGraph: true }),
    );
    if (Run!.Status !== "RUNNING") return Run!;
    await pause(500);
  }
}

/** Runs the workflow for a day. @returns the messages of the topic about it */
async function run(day: string): Promise<Record<string, unknown>[]> {
  const { RunId } = await session!.clients.glue.send(
    new StartWorkflowRunCommand({ Name: NAME, RunProperties: { run_date: day } }),
  );
  // A run ends COMPLETED though nodes failed.
  expect((await ended(RunId!)).Status).toBe("COMPLETED");
  return messages();
}

async function messages(): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (let tries = 0; tries < 8 && found.length === 0; tries += 1) found.push(...(await session!.messages()));
  return found;
}

/** Continues a run with the command of its message. */
async function resume({ command }: Record<string, unknown>): Promise<Record<string, unknown>[]> {
  const words = String(command).split(/\s+/);
  const from = words.indexOf("--node-ids");
  const value = (option: string) => words[words.indexOf(option) + 1]!;
  expect(words.slice(0, 3)).toEqual(["aws", "glue", "resume-workflow-run"]);
  const { RunId } = await session!.clients.glue.send(
    new ResumeWorkflowRunCommand({
      Name: value("--name"),
      RunId: value("--run-id"),
      NodeIds: words.slice(from + 1),
    }),
  );
  await ended(RunId!);
  return messages();
}

test(
  "a delivery with calls of an earlier day recomputes that day alone; a failed crawl is a warning",
  async () => {
    session = await BenchSession.open(clone);
    await deliver("ios", DAY, calls(call("late-1", "2025-11-20T20:00:00Z")));
    await deliver("android", DAY, calls(call("late-2", "2025-11-23T08:00:00Z", "user-new")));
    const restore = await session.withoutRight("etl-dev-segmentlogs-IOS-crawler", "s3:GetObject");
    const [message, ...more] = await run(DAY);
    await restore();
    expect(more).toEqual([]);
    expect(message).toMatchObject({ outcome: "SUCCEEDED" });
    expect(message!.warnings).toEqual([
      expect.stringContaining("the crawl of etl-dev-segmentlogs-IOS ended FAILED"),
    ]);
    const now = await left(session);
    const byDay = (people: Left["people"]) => new Map(people.map(([day, ...figures]) => [day!, figures]));
    const [before, after] = [byDay(first.people), byDay(now.people)];
    const changed = [...after].filter(([day, figures]) => String(before.get(day)) !== String(figures));
    expect(changed.map(([day]) => day)).toEqual(["2025-11-20", DAY]);
    expect(after.get(DAY)).toEqual(["1", "0", "1", "0", "1"]);
    expect(Number(after.get("2025-11-20")![4])).toBe(Number(before.get("2025-11-20")![4]) + 1);
    expect(now.rows.filter(([, date]) => date !== DAY)).toEqual(first.rows);
  },
  10 * MINUTES,
);

test(
  "a missing source is named, and the message's command continues once it has arrived",
  async () => {
    const day = "2025-11-24";
    await deliver("ios", day, calls(call("of-ios", "2025-11-24T20:00:00Z")));
    const [missing, ...more] = await run(day);
    expect(more).toEqual([]);
    expect(missing).toMatchObject({ outcome: "MISSING" });
    expect(String(missing!.cause)).toContain("android");
    await deliver("android", day, calls(call("of-android", "2025-11-24T20:00:00Z")));
    const [resumed, ...others] = await resume(missing!);
    expect(others).toEqual([]);
    expect(resumed).toMatchObject({ outcome: "SUCCEEDED", firstRunId: missing!.runId });
    const [figures] = await session!.query(
      `select count(*) from etl_dev_processed.mobile_users where run_date = '${day}'`,
    );
    expect(figures).toEqual(["2"]);
  },
  10 * MINUTES,
);

test(
  "a broken file fails the run, is named, and publishes nothing",
  async () => {
    const day = "2025-11-25";
    const whole = calls(call("broken", "2025-11-25T20:00:00Z"), call("broken-2", "2025-11-25T20:00:01Z"));
    const key = await deliver("ios", day, whole.subarray(0, whole.length - 12));
    await deliver("android", day, calls(call("fine", "2025-11-25T20:00:00Z")));
    const [message, ...more] = await run(day);
    expect(more).toEqual([]);
    expect(message).toMatchObject({ outcome: "FAILED" });
    expect(String(message!.cause)).toContain(key);
    expect(String(message!.cause)).toContain("etl-dev-mobile-user-daily");
    const [figures] = await session!.query(
      `select count(*) from etl_dev_processed.mobile_users where run_date = '${day}'`,
    );
    expect(figures).toEqual(["0"]);
  },
  10 * MINUTES,
);

test(
  "a day is found without reading the others",
  async () => {
    const scanned = (where: string) =>
      session!.bytesScanned(
        `select count(message_id), max(properties) from etl_dev_processed.mobile_users ${where}`,
      );
    const [all, one] = [await scanned(""), await scanned("where local_date = '2025-11-19'")];
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThan(all / 4);
  },
  2 * MINUTES,
);
