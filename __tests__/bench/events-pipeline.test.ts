import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cloneWorkingTree } from "../support/clone";
import { digests } from "../../local/digests";
import {
  type CommandResult,
  endInTheMiddle,
  jobLogs,
  lastRun,
  leftAfter,
  nonZero,
  npmStart,
  npmStartWith,
  processesOf,
  said,
  stdoutOf,
} from "./commands";
import { DIRTY_BOOKS, writeDirtyDeliveries } from "./dirt";
import { BenchSession } from "./session";

/**
 * The system as a newcomer meets it: the commands of the README in a clone of its own, on real files, with the embedded AWS
 * underneath. The tests build on each other as a user's day does, because a deployment takes a minute.
 */

const MINUTES = 60_000;
const COUNT = "select count(*) as n";
const FROM = " from etl_dev_processed.events";
let clone: string;
let dirt: string;

beforeAll(() => {
  clone = cloneWorkingTree("events");
  dirt = join(dirname(clone), "dirt");
  writeDirtyDeliveries(dirt);
});

afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }));

function expectExit({ exitCode, output }: CommandResult, wanted: number): void {
  if (exitCode !== wanted) throw new Error(`exit code ${exitCode}, wanted ${wanted}:\n${output}`);
}

// Counted with another program from the three files: 419 events, 67 of them without a user, no event id twice.
const SAMPLE_ROWS = { read: 419, written: 352, duplicates: 0, quarantined: { missing_user_id: 67 } };

/** The pipelines whose state machine Terraform's state names, in alphabetical order. */
function pipelinesInState(): string[] {
  const state = readFileSync(join(clone, ".local", "terraform", "etl-dev", "terraform.tfstate"), "utf8");
  const { outputs } = JSON.parse(state) as { outputs: Record<string, unknown> };
  const end = "_state_machine_arn";
  const names = Object.keys(outputs).filter((name) => name.endsWith(end));
  return names.map((name) => name.slice(0, -end.length)).sort();
}

const unwrapped = (screen: string): string => screen.replace(/\s+/g, " ");

test(
  "a first deployment that was killed is discarded, and says so",
  async () => {
    const killed = await endInTheMiddle(clone, ["deploy"], "Plan:", "SIGKILL");
    expect(killed.exitCode).not.toBe(0);
    const cut = /etl-dev: the first deployment of \d\d:\d\d UTC was cut off; to start again, type npm start/;
    expect(unwrapped(npmStart(clone, "status").output)).toMatch(cut);
    const asked = npmStart(clone, "query", COUNT);
    expectExit(asked, 1);
    expect(unwrapped(asked.output)).toMatch(
      /cut off; its resources were discarded .*nothing is deployed here/,
    );
    expect(await leftAfter(clone, 15)).toEqual([]);
    expect(npmStart(clone, "status").output).toContain("nothing is deployed here");
  },
  5 * MINUTES,
);

test(
  "the sample's three days run as one back-fill and the books balance",
  () => {
    expectExit(npmStart(clone), 0);
    const run = lastRun(clone);
    expect(run).toMatchObject({ pipeline: "events", environment: "dev", status: "SUCCEEDED" });
    expect({ ...run.rows, quarantined: nonZero(run.rows.quarantined) }).toEqual(SAMPLE_ROWS);
    expect(run.notifications).toHaveLength(1);
    const [{ subject, text, message } = { message: {} }] = run.notifications;
    expect(subject).toBe("events in dev: SUCCEEDED");
    expect(text).toContain("read 419 = written 352 + duplicates 0 + quarantined 67");
    expect(message).toMatchObject({ pipeline: "events", status: "SUCCEEDED", books: { read: 419 } });
    expect(jobLogs(clone)).not.toMatch(/denied|forbidden|not authorized/i);
  },
  10 * MINUTES,
);

test(
  "a first start deploys its own pipeline alone, and says how the others are added",
  () => {
    expect(pipelinesInState()).toEqual(["events"]);
    const { output } = npmStart(clone, "status");
    expect(unwrapped(output)).toContain("pipelines: events not deployed: ");
    const asked = npmStart(clone, "query", "select * from etl_dev_curated.sales_revenue");
    expectExit(asked, 1);
    expect(unwrapped(asked.output)).toContain(
      "sales is not deployed here: type npm start -- --pipeline sales",
    );
  },
  2 * MINUTES,
);

test(
  "a pipeline that the user's own variable leaves out is refused, before anything is synthesised",
  () => {
    const result = npmStartWith({ ETL_DEV_PIPELINES: "events" }, clone, "--pipeline", "customers");
    expectExit(result, 1);
    expect(unwrapped(result.output)).toContain(
      "'customers' is not in ETL_DEV_PIPELINES=events; add it there",
    );
    expect(result.output).not.toContain("synth");
    expect(pipelinesInState()).toEqual(["events"]);
  },
  2 * MINUTES,
);

test(
  "the same again gives the same rows, the same books and one more message",
  () => {
    const before = lastRun(clone);
    expectExit(npmStart(clone), 0);
    const again = lastRun(clone);
    expect(again.executionArn).not.toBe(before.executionArn);
    expect(again.rows).toEqual(before.rows);
    expect(again.notifications).toHaveLength(1);
    const [query, sql] = [
      "query",
      `${COUNT}, cast(1.5 as decimal(10, 2)) as d, cast(null as varchar) as x${FROM}`,
    ];
    const asked = (...args: string[]) => stdoutOf(clone, query, ...args);
    expect(asked("--format", "csv", sql)).toBe(`n,d,x\n${SAMPLE_ROWS.written},1.50,\n`);
    expect(JSON.parse(asked(sql, "--format", "json"))).toEqual([
      { n: SAMPLE_ROWS.written, d: "1.50", x: null },
    ]);
    expect(asked(sql)).toContain(`│ ${SAMPLE_ROWS.written} │ 1.50 │ NULL │`);
  },
  10 * MINUTES,
);

test(
  "the shipped rules refuse dirty deliveries, and say which ones failed",
  () => {
    const result = npmStart(clone, "--pipeline", "events", "--input", dirt);
    expectExit(result, 1);
    expect(said(result)).toContain("few_malformed: 3 of 24");
    // The message that a subscriber received, worded for people.
    const [{ subject, text, message } = { message: {} }, ...others] = lastRun(clone).notifications;
    expect(others).toEqual([]);
    expect(subject).toBe("events in dev: FAILED");
    expect(text).toMatch(/\n\nCause: DataQualityCheckFailed: the 24 rows read .*few_malformed: 3 of 24/);
    expect(text).toContain("\n\nRun: https://");
    expect(message).toMatchObject({
      pipeline: "events",
      environment: "dev",
      error: "DataQualityCheckFailed",
    });
    expect(lastRun(clone).rows).toMatchObject({ read: DIRTY_BOOKS.read, written: 0 });
    // On the screen with values, which the message and the record do not have.
    const screen = result.output.replaceAll(/\s+/g, " ");
    expect(screen).toContain("wrong_type: user_id, expected a string: 1 row ");
    expect(screen).toContain("first in dt=2011-01-04/events.json line 14; e.g. '[\"17850\"]'");
    expect(JSON.stringify(lastRun(clone))).not.toContain("17850");
    const [, command] = /npm start -- query "(select [^"]*)"/.exec(result.output) ?? [];
    const { output } = npmStart(clone, "query", "--format", "csv", command!);
    expect(output.match(/^(malformed|wrong_type|missing_\w+|invalid_timestamp),/gm)).toHaveLength(
      Object.values(DIRTY_BOOKS.quarantined).reduce((sum, rows) => sum + rows),
    );
  },
  10 * MINUTES,
);

/** Half of their lines are refused on purpose: a team with such a source says so in its rules. */
function allowDirt(): void {
  const file = join(clone, "pipelines", "events", "events.quality.json");
  const shipped = JSON.parse(readFileSync(file, "utf8")) as { rules: { type: string }[] };
  const rules = shipped.rules.filter(({ type }) => type !== "quarantineLimit");
  expect(rules.length).toBeLessThan(shipped.rules.length);
  // Without a limit of its own a tenth of the lines may be malformed.
  const most = {
    name: "few_malformed",
    type: "quarantineLimit",
    reason: "malformed",
    atMost: 0.5,
    action: "halt",
  };
  writeFileSync(file, JSON.stringify({ ...shipped, rules: [...rules, most] }));
}

test(
  "dirty deliveries balance under rules that allow them",
  () => {
    allowDirt();
    expectExit(npmStart(clone, "--pipeline", "events", "--input", dirt), 0);
    const { rows } = lastRun(clone);
    expect({ ...rows, quarantined: nonZero(rows.quarantined) }).toEqual(DIRTY_BOOKS);
  },
  10 * MINUTES,
);

/** Every published row, but for the run that wrote it, and the versions of Spark that wrote the files. */
async function published() {
  const session = await BenchSession.open(clone);
  try {
    const databases = [session.output("processed_database"), session.output("quarantine_database")];
    const [good, refused] = await Promise.all([
      session.query(`select * from ${databases[0]}.events order by event_id`),
      session.query(
        `select run_date, raw_line, reason, source_file from ${databases[1]}.events order by 1, 2, 3, 4`,
      ),
    ]);
    const writers = new Set<string | undefined>();
    for (const bucket of [session.output("processed_bucket"), session.output("quarantine_bucket")]) {
      for (const key of Object.keys(await session.list(bucket, "events/"))) {
        if (key.endsWith(".parquet")) writers.add(sparkOf(await session.get(bucket, key)));
      }
    }
    return { good, refused, writers: [...writers] };
  } finally {
    await session.close();
  }
}

/** Spark writes its version into the footer of each Parquet file. */
function sparkOf(parquet: Uint8Array): string | undefined {
  return /org\.apache\.spark\.version[^\d]{1,8}(\d+\.\d+\.\d+)/.exec(
    Buffer.from(parquet).toString("latin1"),
  )?.[1];
}

test(
  "Glue 6.0, which has Spark 4.1 and ANSI on, publishes the same rows and the same books",
  async () => {
    const before = { ...(await published()), books: lastRun(clone).rows };
    expect(before).toMatchObject({ writers: ["3.5.6"] });
    expect([before.good.length, before.refused.length]).toEqual([DIRTY_BOOKS.written, 12]);
    expectExit(npmStartWith({ ETL_DEV_GLUE_VERSION: "6.0" }, clone, "--input", dirt), 0);
    const after = { ...(await published()), books: lastRun(clone).rows };
    expect(after).toEqual({ ...before, writers: ["4.1.1"] });
  },
  10 * MINUTES,
);

test.each(["SIGINT", "SIGKILL"] as const)(
  "%s while Spark is at work leaves no process behind",
  async (signal) => {
    const args = ["--input", dirt];
    const { exitCode, output } = await endInTheMiddle(clone, args, "RunJob", signal);
    expect({ exitCode: exitCode === 0, output }).toMatchObject({ exitCode: false });
    expect(await leftAfter(clone, 15)).toEqual([]);
  },
  5 * MINUTES,
);

test(
  "the next run repairs the remains of failed and interrupted runs",
  () => {
    expectExit(npmStart(clone, "--input", dirt), 0);
    const { rows } = lastRun(clone);
    expect({ ...rows, quarantined: nonZero(rows.quarantined) }).toEqual(DIRTY_BOOKS);
  },
  10 * MINUTES,
);

test(
  "a run of another pipeline adds it, and keeps what is deployed with its rows",
  () => {
    const events = stdoutOf(clone, "query", "--format", "csv", `${COUNT}${FROM}`);
    const result = npmStart(clone, "--pipeline", "customers");
    expectExit(result, 0);
    expect(result.output).toContain("deploying customers to dev; deployed already: events");
    expect(result.output).toMatch(/Plan: \d+ to add, \d+ to change, 0 to destroy/);
    expect(lastRun(clone)).toMatchObject({ pipeline: "customers", status: "SUCCEEDED" });
    expect(pipelinesInState()).toEqual(["customers", "events"]);
    expect(stdoutOf(clone, "query", "--format", "csv", `${COUNT}${FROM}`)).toBe(events);
  },
  10 * MINUTES,
);

test("what is deployed is what was synthesised, byte for byte, with one override beside it", () => {
  const deployed = join(clone, ".local", "terraform", "etl-dev");
  const synthesised = digests(join(clone, ".local", "cdktf.out", "stacks", "etl-dev"));
  expect(Object.keys(synthesised)).toContain("cdk.tf.json");
  const all = digests(deployed);
  const own = Object.entries(all).filter(
    ([name]) => !/^(\.terraform|terraform\.tfstate|applied\.json)/.test(name),
  );
  const { "override.tf.json": override, ...files } = Object.fromEntries(own);
  expect(override).toBeDefined();
  expect(files).toEqual(synthesised);
});

test("nothing of ours runs after a command", () => {
  expect(processesOf(clone)).toEqual([]);
});

test(
  "terraform destroys the environment, data included, because dev allows it with both keys",
  () => {
    expectExit(npmStart(clone, "destroy"), 0);
    const state = readFileSync(join(clone, ".local", "terraform", "etl-dev", "terraform.tfstate"), "utf8");
    expect((JSON.parse(state) as { resources: unknown[] }).resources).toEqual([]);
    expect(npmStart(clone, "query", COUNT).output).toContain("nothing is deployed here");
  },
  5 * MINUTES,
);

test(
  "a folder without usable files is refused before anything starts",
  () => {
    const result = npmStart(clone, "--input", join(clone, "modules"));
    expectExit(result, 1);
    expect(result.output).toMatch(/dt=YYYY-MM-DD/);
    expect(result.output).not.toContain("    at ");
  },
  MINUTES,
);

test(
  "down removes everything that the commands made",
  () => {
    expectExit(npmStart(clone, "down"), 0);
    expect(() => readFileSync(join(clone, ".local", "last-run.json"))).toThrow(/ENOENT/);
  },
  2 * MINUTES,
);
