import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { DescribeExecutionCommand, ListExecutionsCommand, StartExecutionCommand } from "@aws-sdk/client-sfn";
import { GetQueueUrlCommand, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { arrivedLine, arrivedStates } from "../../local/arrived-files";
import { ask } from "../../local/athena";
import { type Clients, clientsOf } from "../../local/clients";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH, ROOT } from "../../local/places";
import { UserError } from "../../local/user-error";
import { type BenchOptions } from "./bench-options";
import { ratio } from "./measure";

/**
 * Puts many files into a bench of its own, whose events pipeline is started by files, and sends their events twice more, shuffled. Prints the seconds from
 * the last put to the last row, and compares them with one run that is started by hand on the same files.
 */

const DAYS = ["2010-12-05", "2010-12-06", "2010-12-07", "2010-12-08"] as const;
const ROWS_A_FILE = 3;
const WRITERS = 16;
const POLL_MS = 1_000;

interface Bench {
  readonly aws: EmbeddedAws;
  readonly clients: Clients;
  readonly output: (name: string) => string;
}

interface Figures {
  readonly seconds: number;
  readonly executions: number;
  readonly rows: number;
  readonly ids: number;
}

export async function measureArrival({ files, seed }: BenchOptions): Promise<void> {
  const local = mkdtempSync(join(tmpdir(), "etl-bench-"));
  try {
    deploy(local);
    const aws = await EmbeddedAws.start(local);
    try {
      const bench = { aws, clients: clientsOf(aws.at), output: outputsOf(local) };
      const arrived = await letArrive(bench, files, seed);
      const byHand = await runByHand(bench);
      const line = arrivedLine(await arrivedStates(aws.at, bench.output("arrival_ledger")));
      print(files, arrived, byHand, line);
      if (arrived.rows !== files * ROWS_A_FILE || arrived.ids !== arrived.rows)
        throw new UserError(
          `${files * ROWS_A_FILE} rows arrived, the table has ${arrived.rows}, ${arrived.ids} ids`,
        );
    } finally {
      await aws.stop();
    }
  } finally {
    rmSync(local, { recursive: true, force: true });
  }
}

function deploy(local: string): void {
  console.log("  deploying the events pipeline to a bench of its own");
  const variables = { ETL_LOCAL: local, ETL_DEV_PIPELINES: "events", ETL_DEV_ARRIVAL: "events" };
  const { status, stdout, stderr } = spawnSync("npm", ["start", "--", "deploy"], {
    cwd: ROOT,
    env: { ...process.env, ...variables },
    encoding: "utf8",
  });
  if (status !== 0) throw new UserError(`the deployment failed:\n${`${stdout}${stderr}`.slice(-4_000)}`);
}

function outputsOf(local: string): (name: string) => string {
  const state = join(local, "terraform", `etl-${BENCH.environment}`, "terraform.tfstate");
  const { outputs } = JSON.parse(readFileSync(state, "utf8")) as {
    outputs: Record<string, { value: string } | undefined>;
  };
  return (name) => {
    const found = outputs[name];
    if (found === undefined) throw new UserError(`the deployment has no output ${name}`);
    return found.value;
  };
}

/** Files of the days in turn, so that every day grows until the end. */
const keyOf = (file: number): string =>
  `events/dt=${DAYS[file % DAYS.length]}/${String(file).padStart(5, "0")} + 100%.json`;

/** Rows with ids of their own. */
function bodyOf(file: number): string {
  const event = { user_id: "17850", event_type: "purchase", country: "France", items: [] };
  const timestamp = `${DAYS[file % DAYS.length]}T08:26:00Z`;
  return Array.from(
    { length: ROWS_A_FILE },
    (_, row) => `${JSON.stringify({ event_id: `${file}-${row}`, timestamp, ...event })}\n`,
  ).join("");
}

async function letArrive(bench: Bench, files: number, seed: number): Promise<Figures> {
  const { aws, clients, output } = bench;
  const all = Array.from({ length: files }, (_, file) => file);
  const began = Date.now();
  await inParallel(all, async (file) => {
    const object = { Bucket: output("raw_bucket"), Key: keyOf(file), Body: bodyOf(file) };
    await clients.s3.send(new PutObjectCommand(object));
  });
  const lastPut = Date.now();
  console.log(`  ${files} files put in ${((lastPut - began) / 1_000).toFixed(0)} s`);
  await repeatEvents(bench, shuffled([...all, ...all], seed).map(keyOf));
  const isDone = async () => {
    const states = await arrivedStates(aws.at, output("arrival_ledger"));
    return states.length === files && states.every((state) => state === "done");
  };
  while (!(await isDone())) await pause();
  const { rows, ids } = await count(bench);
  return { seconds: (Date.now() - lastPut) / 1_000, executions: await executions(bench), rows, ids };
}

/** Sends the events of the files once more, as S3 may: at least once, in any order. */
async function repeatEvents({ clients, output }: Bench, keys: readonly string[]): Promise<void> {
  const { QueueUrl } = await clients.sqs.send(
    new GetQueueUrlCommand({ QueueName: `etl-${BENCH.environment}-arrival` }),
  );
  const batches = keys.flatMap((_, at) => (at % 10 === 0 ? [keys.slice(at, at + 10)] : []));
  await inParallel(batches, async (batch) => {
    const Entries = batch.map((key, at) => ({
      Id: String(at),
      MessageBody: eventOf(output("raw_bucket"), key),
    }));
    await clients.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  });
}

const eventOf = (bucket: string, key: string): string =>
  JSON.stringify({
    source: "aws.s3",
    "detail-type": "Object Created",
    detail: { bucket: { name: bucket }, object: { key } },
  });

async function count({ clients, output }: Bench): Promise<Pick<Figures, "rows" | "ids">> {
  const sql = `select count(*), count(distinct event_id) from ${output("processed_database")}.events`;
  const { rows } = await ask(clients.athena, output("workgroup"), sql);
  const [found, ids] = rows[0]!.map(Number);
  return { rows: found!, ids: ids! };
}

async function executions({ clients, output }: Bench): Promise<number> {
  const stateMachineArn = output("events_state_machine_arn");
  const found = await clients.sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  return found.executions!.length;
}

/** One run of all days by hand, on the files as they lie now. */
async function runByHand({ clients: { sfn }, output }: Bench): Promise<number> {
  const started = Date.now();
  const input = JSON.stringify({ mode: "backfill", fromDate: DAYS[0], toDate: DAYS.at(-1) });
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: output("events_alias_arn"), input }),
  );
  for (;;) {
    const { status, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === "SUCCEEDED") return (Date.now() - started) / 1_000;
    if (status !== "RUNNING") throw new UserError(`the run by hand is ${status}: ${error}: ${cause}`);
    await pause();
  }
}

function print(files: number, arrived: Figures, byHand: number, line: string): void {
  const { seconds, rows, ids } = arrived;
  console.log(
    `${files} files, each event three times: ${seconds.toFixed(0)} s from the last put to the last row, ` +
      `${arrived.executions} executions, ${rows} rows, ${ids} ids`,
  );
  console.log(
    `one run by hand on the same files: ${byHand.toFixed(0)} s; ratio ${ratio(seconds, byHand)!.toFixed(2)}`,
  );
  console.log(line);
}

async function inParallel<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < all.length) await work(all[next++]!);
  };
  await Promise.all(Array.from({ length: WRITERS }, lane));
}

/** The same order for the same seed. */
function shuffled<T>(all: readonly T[], seed: number): T[] {
  let state = seed;
  const dice = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  return all
    .map((one) => ({ one, at: dice() }))
    .sort((left, right) => left.at - right.at)
    .map(({ one }) => one);
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));
