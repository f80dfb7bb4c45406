import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BENCH, ROOT } from "../../local/places";
import { providerOverride } from "../../local/provider-override";
import { providerSource } from "../../local/provider-source";
import { judgeRights, type NotShown, notShownOf } from "./rights";
import { BenchSession, type Finished } from "./session";

/**
 * examples/depot-reports, applied and run: one machine with every kind of step. Each kind fails once, because a right or a delivery is missing,
 * and a redrive continues where it stopped. The tests build on each other.
 */

const MINUTES = 60_000;
const STACK = "depot-reports";
const MACHINE_ROLE = "depots-scans-states";
let home: string;
let folder: string;
let stack: string;
let variables: Record<string, string | undefined>;
let aws: EmbeddedAws;
let session: BenchSession;
const trace = () => join(home, "trace.jsonl");

/** Runs a program to its end. @throws Error with what it printed, if it fails */
function run(program: string, args: readonly string[], exitCodes: readonly number[] = [0]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: folder,
    env: { ...process.env, ...variables },
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!exitCodes.includes(status ?? -1))
    throw new Error(`${program} ${args.join(" ")}: exit code ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

const terraform = (...args: string[]): string => run("terraform", [`-chdir=${stack}`, ...args]);

/** The example in a folder of its own; the package is this repository's sources. */
function layOut(): void {
  folder = join(home, STACK);
  for (const example of [STACK, "parcel-scans"])
    cpSync(join(ROOT, "examples", example), join(home, example), { recursive: true });
  const modules = join(home, "node_modules");
  mkdirSync(join(modules, "cdktf-aws-etl"), { recursive: true });
  const index = JSON.stringify(join(ROOT, "index"));
  writeFileSync(join(modules, "cdktf-aws-etl", "index.js"), `module.exports = require(${index});\n`);
  writeFileSync(join(modules, "cdktf-aws-etl", "index.d.ts"), `export * from ${index};\n`);
  for (const name of ["@cdktf", "@types", "cdktf", "constructs", "typescript"])
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
}

beforeAll(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "etl-steps-")));
  layOut();
  variables = {
    ...(await providerSource(home, process.env)).variables,
    ACCOUNT_ID: BENCH.accountId,
    AWS_REGION: BENCH.region,
    CDKTF_OUTDIR: join(home, "cdktf.out"),
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  const tool = (name: string) => join(ROOT, "node_modules", name);
  run("node", [tool("typescript/bin/tsc"), "--noEmit", "--skipLibCheck", "-p", folder]);
  run("node", [tool("ts-node/dist/bin.js"), "--swc", "main.ts"]);
  aws = await EmbeddedAws.start(join(home, ".local"), ["--trace", trace()]);
  variables = { ...variables, AWS_CA_BUNDLE: aws.at.caBundle };
  stack = join(home, "cdktf.out", "stacks", STACK);
  writeFileSync(join(stack, "override.tf.json"), JSON.stringify(providerOverride(aws.at)));
  terraform("init", "-input=false");
  terraform("apply", "-input=false", "-auto-approve");
  session = await BenchSession.of(home, aws, join(folder, `terraform.${STACK}.tfstate`), "topic_arn");
}, 10 * MINUTES);

afterAll(async () => {
  await session.close();
  rmSync(home, { recursive: true, force: true });
}, MINUTES);

const scan = (id: string, depot: string | null) => ({
  scan_id: id,
  parcel_id: `P-${id}`,
  depot,
  kilograms: 1,
  scanned_at: "2026-03-02T05:10:00Z",
});

async function deliver(day: string, depots: readonly (string | null)[]): Promise<void> {
  const lines = depots.map((depot, index) => JSON.stringify(scan(`${day}-${index}`, depot)));
  await session.clients.s3.send(
    new PutObjectCommand({
      Bucket: session.output("raw_bucket"),
      Key: `scans/dt=${day}/scans.jsonl`,
      Body: `${lines.join("\n")}\n`,
    }),
  );
}

const start = (runDate: string) => session.start({ runDate }, session.output("nightly_arn"));
const runDay = async (runDate: string): Promise<Finished> => session.finish(await start(runDate));

async function reported(key: string): Promise<unknown> {
  const Bucket = session.output("curated_bucket");
  const { Body } = await session.clients.s3.send(new GetObjectCommand({ Bucket, Key: `reports/${key}` }));
  return JSON.parse(await Body!.transformToString());
}

/** How often each state was entered in an execution. */
async function entered({ executionArn }: Finished): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { stateEnteredEventDetails: details } of await session.history(executionArn))
    if (details?.name !== undefined) counts[details.name] = (counts[details.name] ?? 0) + 1;
  return counts;
}

const output = async ({ executionArn }: Finished) =>
  JSON.parse((await session.describe(executionArn)).output!) as { results: Record<string, unknown> };

test(
  "a second plan finds nothing to change in the functions and the machine",
  () => {
    const plan = run("terraform", [`-chdir=${stack}`, "plan", "-input=false", "-no-color"]);
    const changed = [...plan.matchAll(/# (\S+) (?:will|must) be/g)].map(([, address]) => address!);
    // Other resources show what the embedded AWS is known to answer otherwise.
    expect(changed.filter((address) => /lambda|iam_role|cloudwatch_log_group/.test(address))).toEqual([]);
  },
  2 * MINUTES,
);

test(
  "every step works: rows, a report for each depot, the list of depots, and one message",
  async () => {
    await deliver("2026-03-02", ["Leeds", "Derby", "Leeds", null]);
    const finished = await runDay("2026-03-02");
    expect(finished).toMatchObject({ status: "SUCCEEDED" });
    expect((await output(finished)).results).toMatchObject({
      listDepots: { payload: { files: 1, depots: ["Derby", "Leeds"] } },
      countRows: { rows: 3 },
      publish: {
        reports: {
          reports: {
            items: ["Derby", "Leeds"].map((item) => ({
              item,
              status: "SUCCEEDED",
              kept: `reports/2026-03-02/${item}.json`,
            })),
            failed: 0,
          },
        },
        list: {},
      },
    });
    expect(await reported("2026-03-02/Leeds.json")).toEqual({ day: "2026-03-02", depot: "Leeds", rows: 3 });
    expect(await reported("2026-03-02/depots.json")).toEqual(["Derby", "Leeds"]);
    expect(await session.messages()).toEqual([
      expect.objectContaining({ pipeline: "scans", status: "SUCCEEDED" }),
    ]);
  },
  5 * MINUTES,
);

test(
  "choose and fail: nothing came; a redrive would fail again, so the message tells to start anew",
  async () => {
    const finished = await runDay("2026-03-03");
    expect(finished).toMatchObject({
      status: "FAILED",
      error: "NothingDelivered",
      cause: "no depot has delivered scans of 2026-03-03",
    });
    expect(await session.messages()).toEqual([
      expect.objectContaining({
        status: "FAILED",
        error: "NothingDelivered",
        command: expect.stringContaining("start-execution") as string,
      }),
    ]);
    await deliver("2026-03-03", ["Leeds"]);
    expect(await runDay("2026-03-03")).toMatchObject({ status: "SUCCEEDED" });
    await session.messages();
  },
  5 * MINUTES,
);

test(
  "invokeFunction: the function lacks a right; its error is the run's, and a redrive calls it again",
  async () => {
    await deliver("2026-03-04", ["Hull"]);
    const restore = await session.withoutRight("depots-list-depots-function", "s3:ListBucket");
    const failed = await runDay("2026-03-04");
    await restore();
    expect(failed).toMatchObject({ status: "FAILED", error: "AccessDenied" });
    expect(failed.cause).toContain("s3:ListBucket");
    const [message] = await session.messages();
    expect(message).toMatchObject({
      error: "AccessDenied",
      command: expect.stringContaining("redrive-execution") as string,
    });
    expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
    expect(await entered(failed)).toMatchObject({ AcquireLockTake: 1, RunJob: 1 });
    await session.messages();
  },
  5 * MINUTES,
);

/** The check of quality needs the right too, so it is taken away between the queries. A busy computer may be too late for that: then again. */
async function failedQuery(): Promise<Finished> {
  let ended: Finished | undefined;
  for (const day of ["2026-03-05", "2026-03-15", "2026-03-16", "2026-03-17"]) {
    await deliver(day, ["Hull", "Leeds"]);
    const executionArn = await start(day);
    await session.until(executionArn, "CheckQualityVerdict");
    const restore = await session.withoutRight(MACHINE_ROLE, "athena:GetQueryResults");
    ended = await session.finish(executionArn);
    await restore();
    if (ended.status !== "SUCCEEDED") return ended;
    await session.messages();
  }
  return ended!;
}

test(
  "query: the machine may not read the table; a redrive asks again and runs no job again",
  async () => {
    const failed = await failedQuery();
    const { executionArn } = failed;
    expect(failed).toMatchObject({ status: "FAILED" });
    expect(failed.error).toMatch(/^Athena\./);
    expect(await session.redrive(executionArn)).toMatchObject({ status: "SUCCEEDED" });
    expect(await entered(failed)).toMatchObject({ RunJob: 1, CountRowsRun: 1 });
    await session.messages();
  },
  5 * MINUTES,
);

test(
  "task and parallel: one branch fails; a redrive runs that branch alone",
  async () => {
    await deliver("2026-03-06", ["Hull", "Leeds"]);
    const restore = await session.withoutRight(MACHINE_ROLE, "s3:PutObject", "reports/");
    const failed = await runDay("2026-03-06");
    const { executionArn } = failed;
    await restore();
    expect(failed).toMatchObject({ status: "FAILED" });
    expect(failed.cause).toMatch(/AccessDenied|not authorized/);
    const before = await entered(failed);
    expect(await session.redrive(executionArn)).toMatchObject({ status: "SUCCEEDED" });
    expect(await reported("2026-03-06/depots.json")).toEqual(["Hull", "Leeds"]);
    const after = await entered(failed);
    // An item that was stopped at work is worked on again; one that was done is not.
    expect(before.WriteList).toBe(1);
    expect(after.WriteReport).toBeLessThanOrEqual(2 + (before.WriteReport ?? 0));
    expect(after.ReportsItemDone).toBe(2);
    expect(after.RunJob).toBe(1);
    await session.messages();
  },
  5 * MINUTES,
);

test(
  "forEach: one unknown depot is tolerated and named, two are not",
  async () => {
    await deliver("2026-03-07", ["Leeds", "Nowhere"]);
    const tolerated = await runDay("2026-03-07");
    expect(tolerated).toMatchObject({ status: "SUCCEEDED" });
    expect((await output(tolerated)).results.publish).toMatchObject({
      reports: {
        reports: {
          failed: 1,
          items: [
            { item: "Leeds", status: "SUCCEEDED" },
            { item: "Nowhere", status: "FAILED", failure: { error: "UnknownDepot" } },
          ],
        },
      },
    });
    await deliver("2026-03-08", ["Elsewhere", "Leeds", "Nowhere"]);
    const failed = await runDay("2026-03-08");
    expect(failed).toMatchObject({ status: "FAILED", error: "TooManyItemsFailed" });
    expect(failed.cause).toMatch(/^2 items of step Reports failed, 1 may fail: \[.*Elsewhere.*Nowhere/);
    const [, message] = await session.messages();
    expect(message).toMatchObject({ command: expect.stringContaining("start-execution") as string });
  },
  5 * MINUTES,
);

test(
  "a machine with an input of its own refuses what it does not know, and works with what it does",
  async () => {
    const machine = session.output("one_report_arn");
    const ended = async (input: object) => session.finish(await session.start(input, machine));
    expect(await ended({ day: "2026-03-02", depot: "Hull", row: 5 })).toMatchObject({
      status: "FAILED",
      error: "InvalidInput",
      cause:
        "a field is unknown: the input takes day, depot, rows (optional), got " +
        '{"day":"2026-03-02","depot":"Hull","row":5}',
    });
    expect(await ended({ day: "2026-03-02", depot: "Hull", rows: 5 })).toMatchObject({ status: "SUCCEEDED" });
    expect(await reported("2026-03-02/Hull.json")).toEqual({ day: "2026-03-02", depot: "Hull", rows: 5 });
    const failed = await ended({ day: "2026-03-02", depot: "Nowhere" });
    expect(failed).toMatchObject({ status: "FAILED", error: "UnknownDepot" });
    expect(failed.cause).toContain("nobody reads reports of Nowhere");
  },
  2 * MINUTES,
);

/** Rights that these runs do not need. */
const NOT_NEEDED_HERE: readonly NotShown[] = [
  {
    role: MACHINE_ROLE,
    action: "glue:BatchStopJobRun",
    why: "no run is stopped here; promises.test.ts stops one",
    page: "https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html",
  },
  {
    role: MACHINE_ROLE,
    action: "glue:GetWorkflowRun",
    why: "no workflow run holds the lock here; promises.test.ts has one",
    page: "https://docs.aws.amazon.com/glue/latest/webapi/API_GetWorkflowRun.html",
  },
];

test(
  "every right of the machines and the functions was needed",
  async () => {
    await session.aws.save();
    // The roles of machines, functions and rules; those of jobs and crawlers are judged elsewhere.
    const explained = [...notShownOf(ROOT), ...NOT_NEEDED_HERE].filter(({ role }) =>
      /-(?:states|function|rules)$/.test(role),
    );
    const { said, mistakes } = judgeRights(home, trace(), ["--roles", "depots-*[sn]"], explained, ROOT);
    expect({ mistakes, said: mistakes.length === 0 ? "" : said }).toEqual({ mistakes: [], said: "" });
  },
  2 * MINUTES,
);

test(
  "is destroyed completely",
  () => {
    expect(terraform("destroy", "-input=false", "-auto-approve", "-no-color")).toMatch(/Destroy complete!/);
  },
  5 * MINUTES,
);
