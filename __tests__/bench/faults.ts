import { execFileSync } from "node:child_process";
import {
  BatchStopJobRunCommand,
  GetCrawlerCommand,
  GetJobCommand,
  GetJobRunsCommand,
  StartCrawlerCommand,
  StartJobRunCommand,
  UpdateCrawlerCommand,
  UpdateJobCommand,
} from "@aws-sdk/client-glue";
import { GetWorkGroupCommand, UpdateWorkGroupCommand } from "@aws-sdk/client-athena";
import {
  DescribeStateMachineCommand,
  type HistoryEvent,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from "@aws-sdk/client-sfn";
import { strFromU8, strToU8, unzipSync, zipSync } from "fflate";
import { type BenchSession, type Finished, pause } from "./session";

/** How each fault of the table that is marked for the bench is brought about there, and undone. */

export interface Happened {
  readonly finished: Finished;
  /** The delivery date of the run. */
  readonly day: string;
  /** Rows that were delivered. */
  readonly delivered: number;
  /** Messages about this run, when there are messages about others too. */
  readonly told?: readonly Record<string, unknown>[];
}

export type Scenario = (session: BenchSession, day: string) => Promise<Happened>;

const PREFIX = "etl-dev-events";
export const JOB = `${PREFIX}-transform`;
export const JOB_ROLE = `${JOB}-job`;
export const MACHINE_ROLE = `${PREFIX}-states`;
export const CRAWL_MACHINE_ROLE = `${PREFIX}-crawl-states`;
export const RAW_CRAWLER_ROLE = `${PREFIX}-raw-crawler`;
export const PROCESSED_CRAWLER_ROLE = `${PREFIX}-processed-crawler`;

/** Events whose ids hold the day, so that days have no duplicates of each other. */
export const events = (day: string, count: number, rest: object = {}): Record<string, unknown>[] =>
  Array.from({ length: count }, (_, index) => ({
    event_id: `${day}-${index}`,
    user_id: `u${index % 5}`,
    event_type: "purchase",
    timestamp: `${day}T08:0${index % 10}:00Z`,
    country: "Finland",
    items: [{ product_id: "85123A", quantity: 6, unit_price: 2.55 }],
    ...rest,
  }));

const ROWS = 12;
async function delivered(session: BenchSession, day: string, lines: readonly unknown[] = events(day, ROWS)) {
  await session.deliver(day, lines);
  return { day, delivered: lines.length };
}

/** Delivers a day, breaks something, runs the day, and restores it whatever happens. */
const broken =
  (breaks: (session: BenchSession, day: string) => Promise<() => Promise<unknown>>): Scenario =>
  async (session, day) => {
    const delivery = await delivered(session, day);
    const restore = await breaks(session, day);
    try {
      return { ...delivery, finished: await session.run({ runDate: day }) };
    } finally {
      await restore();
    }
  };

/** Delivers a day in some shape and runs it. */
const shaped =
  (lines: (day: string) => readonly unknown[]): Scenario =>
  async (session, day) => {
    const delivery = await delivered(session, day, lines(day));
    return { ...delivery, finished: await session.run({ runDate: day }) };
  };

/** Holds the processes of the job run that is at work, Python and the JVM it started; gives back what lets them go on. */
export async function stopJobProcesses({ clone }: BenchSession): Promise<() => void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.includes(clone) && /java .*SparkSubmit|spark-submit/.test(line));
    if (found.length > 0) {
      const pids = found.map((line) => Number.parseInt(line, 10));
      for (const pid of pids) process.kill(pid, "SIGSTOP");
      return () => pids.forEach(goOn);
    }
    await pause(50);
  }
  throw new Error("no job run started");
}

function goOn(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch (error) {
    // A launcher may have ended by then.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The job's definition with something changed; gives back what restores it. UpdateJob overwrites all of it. */
async function changeJob(
  { clients: { glue } }: BenchSession,
  change: { Timeout?: number },
): Promise<() => Promise<unknown>> {
  const { Job } = await glue.send(new GetJobCommand({ JobName: JOB }));
  const { Name: _name, CreatedOn: _created, LastModifiedOn: _modified, AllocatedCapacity, ...own } = Job!;
  void [_name, _created, _modified, AllocatedCapacity];
  const { MaxCapacity: _capacity, ...definition } = own;
  void _capacity;
  const update = (JobUpdate: object) => glue.send(new UpdateJobCommand({ JobName: JOB, JobUpdate }));
  await update({ ...definition, ...change });
  return () => update(definition);
}

/** The beginning of the ARNs of Glue in the account and region of the session. */
function glueArn(session: BenchSession): string {
  const [arn, partition, , region, account] = session.output("events_state_machine_arn").split(":");
  return [arn, partition, "glue", region, account].join(":");
}

/** The modules of the job with one file changed, under the same key. */
async function changeModules(
  session: BenchSession,
  file: string,
  change: (text: string) => string,
): Promise<() => Promise<unknown>> {
  const { Job } = await session.clients.glue.send(new GetJobCommand({ JobName: JOB }));
  const uri = new URL(Job!.DefaultArguments!["--extra-py-files"]!);
  const key = uri.pathname.slice(1);
  const original = await session.get(uri.hostname, key);
  const files = unzipSync(original);
  const text = strFromU8(files[file]!);
  const changed = change(text);
  if (changed === text) throw new Error(`${file} was not changed`);
  await session.put(uri.hostname, key, zipSync({ ...files, [file]: strToU8(changed) }));
  return () => session.put(uri.hostname, key, original);
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  none: shaped((day) => events(day, ROWS)),

  "input-invalid": async (session, day) => ({ day, delivered: 0, finished: await session.run({}) }),

  "lock-stale": broken(async (session) => {
    const ended = await session.run({});
    await session.messages();
    await session.giveLock(ended.executionArn);
    return () => Promise.resolve();
  }),

  // No workflow has that name any more.
  "lock-of-workflow-run": broken(async (session) => {
    await session.giveLock(`${glueArn(session)}:workflow/${PREFIX}:wr_1`);
    return () => Promise.resolve();
  }),

  "lock-of-job-run": broken(async (session) => {
    const { JobRuns = [] } = await session.clients.glue.send(new GetJobRunsCommand({ JobName: JOB }));
    await session.giveLock(`${glueArn(session)}:job/${JOB}:${JobRuns[0]!.Id!}`);
    return () => Promise.resolve();
  }),

  "lock-busy-then-free": async (session, day) => {
    const before = previousDay(day);
    await session.deliver(before, events(before, ROWS));
    const delivery = await delivered(session, day);
    // Both in the same second: one of them has to wait.
    const arns = await Promise.all([before, day].map((runDate) => session.start({ runDate })));
    const [other, finished] = await Promise.all(arns.map((arn) => session.finish(arn)));
    if (other!.status !== "SUCCEEDED") throw new Error(`the other one: ${JSON.stringify(other)}`);
    const waits = await Promise.all(
      arns.map(async (arn) => (await session.history(arn)).filter(isWait("AcquireLockWait")).length),
    );
    if (Math.min(...waits) !== 0 || Math.max(...waits) === 0) throw new Error(`waits: ${waits.join()}`);
    const told = (await session.messages()).filter(({ execution }) => execution === finished!.executionArn);
    return { ...delivery, finished: finished!, told };
  },

  "lock-lost": async (session, day) => {
    const delivery = await delivered(session, day);
    const arn = await session.start({ runDate: day });
    await session.until(arn, "CrawlRaw");
    await session.giveLock(`${arn}-somebody-else`);
    try {
      return { ...delivery, finished: await session.finish(arn) };
    } finally {
      await session.freeLock();
    }
  },

  "crawl-failed": broken((session) => session.withoutRight(RAW_CRAWLER_ROLE, "s3:ListBucket")),

  "crawl-busy-then-free": broken(async ({ clients: { glue } }) => {
    await glue.send(new StartCrawlerCommand({ Name: `${PREFIX}-raw` }));
    return () => Promise.resolve();
  }),

  "delivery-missing": async (session, day) => ({
    day,
    delivered: 0,
    finished: await session.run({ runDate: day }),
  }),

  "delivery-empty": async (session, day) => {
    await session.deliver(day, events(day, ROWS));
    const first = await session.run({ runDate: day });
    if (first.status !== "SUCCEEDED") throw new Error(JSON.stringify(first));
    await session.messages();
    const delivery = await delivered(session, day, []);
    return { ...delivery, finished: await session.run({ runDate: day }) };
  },

  "job-failed": broken((session) =>
    changeModules(
      session,
      "etl/run/books.py",
      (text) => `${text}\nraise RuntimeError("broken on purpose")\n`,
    ),
  ),

  "job-timeout": async (session, day) => {
    const delivery = await delivered(session, day);
    const restore = await changeJob(session, { Timeout: 1 });
    try {
      const arn = await session.start({ runDate: day });
      await session.until(arn, "RunJob");
      await stopJobProcesses(session);
      return { ...delivery, finished: await session.finish(arn) };
    } finally {
      await restore();
    }
  },

  "job-concurrent-then-free": async (session, day) => {
    const delivery = await delivered(session, day);
    const other = previousDay(day);
    await session.deliver(other, events(other, ROWS));
    const { JobRunId } = await session.clients.glue.send(
      new StartJobRunCommand({
        JobName: JOB,
        Arguments: {
          "--run_mode": "daily",
          "--from_date": other,
          "--to_date": other,
          "--run_id": `by-hand-${other}`,
          // It never gets the lock, and is in the way until it finds out.
          "--lock_owner": `${session.output("events_state_machine_arn").replace(":stateMachine:", ":execution:")}:by-hand`,
        },
      }),
    );
    const arn = await session.start({ runDate: day });
    while (!(await session.history(arn)).some(isRefusal)) await pause(100);
    await session.clients.glue.send(new BatchStopJobRunCommand({ JobName: JOB, JobRunIds: [JobRunId!] }));
    const finished = await session.finish(arn);
    return { ...delivery, finished };
  },

  "job-role-denied": broken((session) => session.withoutRight(JOB_ROLE, "s3:GetObject", "-raw-")),

  "books-unbalanced": broken((session) =>
    changeModules(session, "etl/write/partitions.py", (text) =>
      text.replace("sorted_rows.write.mode", "sorted_rows.offset(1).write.mode"),
    ),
  ),

  "gate-below-threshold": shaped((day) => [...events(day, 9), "broken {", "broken too", "{"]),

  "rows-not-visible": broken(async ({ clients: { glue } }) => {
    const Name = `${PREFIX}-processed`;
    const { Crawler } = await glue.send(new GetCrawlerCommand({ Name }));
    const [target] = Crawler!.Targets!.S3Targets!;
    const aim = (Exclusions: string[]) =>
      glue.send(new UpdateCrawlerCommand({ Name, Targets: { S3Targets: [{ ...target, Exclusions }] } }));
    await aim(["**"]);
    return () => aim(target!.Exclusions ?? []);
  }),

  "athena-failed": broken((session) => session.withoutRight(MACHINE_ROLE, "glue:GetTable")),

  "athena-scan-limit": broken(async (session) => {
    const { athena } = session.clients;
    const WorkGroup = session.output("workgroup");
    const { WorkGroup: found } = await athena.send(new GetWorkGroupCommand({ WorkGroup }));
    const limit = (BytesScannedCutoffPerQuery: number) =>
      athena.send(
        new UpdateWorkGroupCommand({ WorkGroup, ConfigurationUpdates: { BytesScannedCutoffPerQuery } }),
      );
    await limit(1);
    return () => limit(found!.Configuration!.BytesScannedCutoffPerQuery!);
  }),

  "execution-aborted": async (session, day) => {
    const delivery = await delivered(session, day);
    const executionArn = await session.start({ runDate: day });
    await session.until(executionArn, "RunJob");
    await stopJobProcesses(session);
    await session.clients.sfn.send(new StopExecutionCommand({ executionArn }));
    return { ...delivery, finished: await session.finish(executionArn) };
  },

  "machine-timeout": async (session, day) => {
    const { sfn } = session.clients;
    const stateMachineArn = session.output("events_state_machine_arn");
    const delivery = await delivered(session, day);
    const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
    const short = JSON.stringify({ ...(JSON.parse(definition!) as object), TimeoutSeconds: 15 });
    await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition: short }));
    try {
      const arn = await session.start({ runDate: day }, stateMachineArn);
      await session.until(arn, "RunJob");
      await stopJobProcesses(session);
      return { ...delivery, finished: await session.finish(arn) };
    } finally {
      await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
    }
  },

  "drift-missing-field": shaped((day) =>
    events(day, ROWS).map(({ country: _country, ...rest }) => (void _country, rest)),
  ),
  "drift-type-change": shaped((day) =>
    events(day, ROWS, { items: [{ product_id: "85123A", quantity: "six", unit_price: 2.55 }] }).map(
      (event, index) => (index === 0 ? event : events(day, ROWS)[index]!),
    ),
  ),
  "drift-new-field": shaped((day) => events(day, ROWS, { channel: "web" })),
  "drift-nested-change": shaped((day) =>
    events(day, ROWS, { items: [{ product_id: "85123A", quantity: 6, unit_price: 2.55, discount: 0.1 }] }),
  ),
};

function previousDay(day: string): string {
  return new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);
}

const isRefusal = ({ taskFailedEventDetails: failed }: HistoryEvent): boolean =>
  failed?.error === "Glue.ConcurrentRunsExceededException";

const isWait =
  (name: string) =>
  ({ stateEnteredEventDetails: entered }: { stateEnteredEventDetails?: { name?: string } }): boolean =>
    entered?.name === name;
