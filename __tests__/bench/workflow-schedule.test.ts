import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { GetWorkflowRunsCommand, type WorkflowRun } from "@aws-sdk/client-glue";
import { processesOf, npmStart } from "./commands";
import { deployedClone } from "./deployed-clone";
import { judgeRights, type NotShown } from "./rights";
import { BenchSession, pause } from "./session";

/**
 * Sales by the scheduled trigger of a Glue workflow: its time comes, the job finds the date by the start of its run, the watcher
 * reports it. The watcher's rights are those that it used, and everything can be destroyed again.
 */

const MINUTES = 60_000;
const WORKFLOW = "etl-dev-sales";
const DAY_MS = 24 * 60 * MINUTES;
const FIVE_SALES = readFileSync(join(__dirname, "five-sales", "2025-01-17.csv"));
const dateOf = (instant: number): string => new Date(instant).toISOString().slice(0, 10);

let clone: string;
let session: BenchSession;
const trace = () => join(clone, ".local", "trace.jsonl");

beforeAll(() => {
  clone = deployedClone("workflow-schedule", (folder) => {
    const file = join(folder, "environments", "dev.ts");
    const text = readFileSync(file, "utf8");
    const scheduled =
      "{ ...daily, orchestration: 'workflow', schedule: { ...daily.schedule, enabled: true } }";
    const changed = text.replace("sales: daily,", `sales: ${scheduled},`);
    if (changed === text) throw new Error(`${file} has no 'sales: daily,'`);
    writeFileSync(file, changed);
  });
}, 10 * MINUTES);

afterAll(async () => {
  // Undefined when the deployment failed: its error is the one to read.
  await (session as BenchSession | undefined)?.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

test(
  "it starts the workflow at its time in UTC; the job runs the delivery of the day before, and the watcher reports it once",
  async () => {
    // Only the clock of schedules is put: a run starts at the time that it is.
    const today = dateOf(Date.now());
    session = await BenchSession.open(clone, [
      ...["--schedule-clock", `${today}T05:59:50Z`, "--trace", trace()],
    ]);
    // Today's too, because midnight may come.
    for (const ago of [0, 1]) {
      const day = dateOf(Date.parse(today) - ago * DAY_MS);
      await session.put(session.output("raw_bucket"), `sales/dt=${day}/${day}.csv`, FIVE_SALES);
    }
    const run = await ended();
    expect(run).toMatchObject({ Status: "COMPLETED", Statistics: { FailedActions: 0, ErroredActions: 0 } });
    const fromDate = dateOf(run.StartedOn!.getTime() - DAY_MS);
    const [message, ...more] = await messages();
    expect(message).toMatchObject({
      outcome: "SUCCEEDED",
      books: { fromDate, toDate: fromDate, read: 5, written: 5 },
    });
    expect(more).toEqual([]);
    const rows = await session.query(
      "select run_date, count(*), sum(total_amount) from etl_dev_processed.sales group by 1",
    );
    expect(rows).toEqual([[fromDate, "5", "279.91"]]);
    // No second look reports it again.
    expect(await session.messages()).toEqual([]);
  },
  5 * MINUTES,
);

// The rights of schedules are judged in schedule.test.ts.
const WATCHER = `${WORKFLOW}-watcher-function`;
const NOT_SHOWN: readonly NotShown[] = [
  {
    role: WATCHER,
    action: "kms:Decrypt",
    why: "Lambda decrypts the function's settings with its role; the bench keeps them as they are",
    page: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
  },
  {
    role: WATCHER,
    action: "sqs:SendMessage",
    why: "a look that failed three times becomes a dead letter; here none fails",
    page: "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html",
  },
];

test(
  "each right of its watcher is needed",
  async () => {
    await session.close();
    const { said, mistakes } = judgeRights(clone, trace(), ["--roles", WATCHER], NOT_SHOWN);
    expect(mistakes).toEqual([]);
    for (const right of ["glue:GetWorkflowRun", "sns:Publish"]) expect(said).toContain(right);
  },
  2 * MINUTES,
);

test(
  "the workflow, its triggers and its watcher are destroyed",
  () => {
    const { exitCode, output } = npmStart(clone, "destroy");
    if (exitCode !== 0) throw new Error(output);
    expect(output).toMatch(/Destroy complete! Resources: [1-9]\d* destroyed/);
    expect(processesOf(clone)).toEqual([]);
  },
  5 * MINUTES,
);

async function ended(): Promise<WorkflowRun> {
  for (;;) {
    const { Runs = [] } = await session.clients.glue.send(new GetWorkflowRunsCommand({ Name: WORKFLOW }));
    if (Runs[0]?.Status !== undefined && Runs[0].Status !== "RUNNING") return Runs[0];
    await pause(250);
  }
}

async function messages(): Promise<Record<string, unknown>[]> {
  for (;;) {
    const found = await session.messages();
    if (found.length > 0) return found;
  }
}
