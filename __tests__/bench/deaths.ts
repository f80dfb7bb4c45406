import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BatchStopJobRunCommand, GetJobRunCommand, StartJobRunCommand } from "@aws-sdk/client-glue";
import { JOB } from "./faults";
import { type BenchSession, pause } from "./session";

/** A job run that is killed in the middle, tried again, and what the lake holds then. */

/** One call of a job run that changed something, numbered from 1. */
export interface Call {
  readonly call: number;
  readonly seconds: number;
  readonly action: string;
  readonly key: string;
}

export type Death = { readonly afterMutatingCall: number } | { readonly afterSeconds: number };

/** Everything that a run may change, with its content. */
export type Lake = ReadonlyMap<string, Uint8Array>;

const zones = (session: BenchSession): [bucket: string, prefix: string][] => [
  [session.output("processed_bucket"), "events/"],
  [session.output("processed_bucket"), "books/events/"],
  [session.output("quarantine_bucket"), "events/"],
];

export async function takeLake(session: BenchSession): Promise<Lake> {
  const lake = new Map<string, Uint8Array>();
  for (const [bucket, prefix] of zones(session))
    for (const key of Object.keys(await session.list(bucket, prefix)))
      lake.set(`${bucket}/${key}`, await session.get(bucket, key));
  return lake;
}

/** Brings the zones back to what was taken. */
export async function restoreLake(session: BenchSession, lake: Lake): Promise<void> {
  for (const [bucket, prefix] of zones(session)) {
    for (const key of Object.keys(await session.list(bucket, prefix)))
      if (!lake.has(`${bucket}/${key}`)) await session.remove(bucket, key);
    for (const [path, body] of lake)
      if (path.startsWith(`${bucket}/${prefix}`))
        await session.put(bucket, path.slice(bucket.length + 1), body);
  }
}

/** Rows and books, without the names of files and the seconds. */
export async function readLake(session: BenchSession): Promise<unknown> {
  const rows = (zone: string, columns: string) =>
    session.query(`select run_date, ${columns} from etl_dev_${zone}.events order by 1, 2, 3`);
  const bucket = session.output("processed_bucket");
  const byDate: Record<string, unknown> = {};
  for (const key of Object.keys(await session.list(bucket, "books/events/by-date/"))) {
    const book = JSON.parse(Buffer.from(await session.get(bucket, key)).toString()) as Record<
      string,
      unknown
    >;
    delete book.runId;
    delete book.restatedBy;
    byDate[key.split("/").at(-1)!] = book;
  }
  return {
    processed: await rows("processed", "event_id, user_id, event_timestamp, country"),
    quarantine: await rows("quarantine", "reason, raw_line"),
    byDate,
  };
}

/** Runs the job alone, as the orchestrator would; ends with its state and the calls it made. */
export async function runJob(
  session: BenchSession,
  day: string,
  runId: string,
  death?: Death,
): Promise<{ state: string; calls: Call[] }> {
  const { glue } = session.clients;
  writeFileSync(
    deathsFile(session),
    death === undefined ? "" : `${JSON.stringify({ jobRun: "next", ...death })}\n`,
  );
  const owner = session.output("events_state_machine_arn").replace(":stateMachine:", ":execution:");
  const { JobRunId } = await glue.send(
    new StartJobRunCommand({
      JobName: JOB,
      Arguments: {
        "--run_mode": "daily",
        "--from_date": day,
        "--to_date": day,
        "--run_id": runId,
        "--lock_owner": `${owner}:${runId}`,
      },
    }),
  );
  try {
    for (;;) {
      const { JobRun } = await glue.send(new GetJobRunCommand({ JobName: JOB, RunId: JobRunId }));
      const state = JobRun!.JobRunState!;
      if (!["STARTING", "RUNNING", "STOPPING", "WAITING"].includes(state))
        return { state, calls: callsOf(session, JobRunId!) };
      await pause(100);
    }
  } catch (error) {
    await glue.send(new BatchStopJobRunCommand({ JobName: JOB, JobRunIds: [JobRunId!] }));
    throw error;
  }
}

export const deathsFile = ({ clone }: { clone: string }): string => join(clone, ".local", "deaths.jsonl");

function callsOf({ clone }: BenchSession, runId: string): Call[] {
  const file = join(clone, ".local", "logs", "job-runs", runId, "calls.jsonl");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Call & { killed?: unknown })
    .filter((call) => call.killed === undefined);
}

/** A generator of numbers from 0 to 1 that gives the same again (mulberry32), for deaths that can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
