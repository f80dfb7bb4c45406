import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  DescribeStateMachineCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from "@aws-sdk/client-sfn";
import { DeleteMessageCommand, GetQueueUrlCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { keepText } from "../faults/fault-table";
import { type Alert, AlarmWatch, type Seen, type State } from "./alarm-watch";
import { deployedClone } from "./deployed-clone";
import { changeEvents } from "./dev-settings";
import { stopJobProcesses, events, RAW_CRAWLER_ROLE } from "./faults";
import { BenchSession, type Finished, pause } from "./session";

/**
 * The shipped alarms on the deployed environment: each goes OK → ALARM → OK by the metrics of runs that really went so, and
 * messages are read from a queue on the alerts topic. No state is set and no metric is put by hand.
 */

const MINUTES = 60_000;
/** A minute of CloudWatch, seconds. An execution's own time is real. */
const METRIC_MINUTE_SECONDS = 1;
const PREFIX = "etl-dev-events-";
/** In the clone: a run of more than two minutes is slow, which no other run here takes, however busy the computer. */
const USUAL_MINUTES = 1;
const SLOW_SECONDS = 2 * USUAL_MINUTES * 60;
/** In the clone: a run every half hour, and half an hour of grace. */
const CRON = "cron(0/30 * * * ? *)";
const GRACE_MINUTES = 30;
/** The schedule fires so long after the server's start, and once only while the tests last. */
const SCHEDULE_CLOCK = "2011-07-01T03:59:30Z";
const SCHEDULE_ROLE = `${PREFIX}schedule`;

const NOT_SHOWN = JSON.parse(
  readFileSync(join(__dirname, "..", "..", "docs", "alarms-not-shown.json"), "utf8"),
) as readonly { readonly alarm: string; readonly why: string; readonly page: string }[];

let clone: string;
let session: BenchSession;
let watch: AlarmWatch;
let giveBack: () => Promise<void>;
const rows: string[][] = [];
const driven = new Set<string>();

/** The settings of somebody who wants alarms, and quickly. */
const tell = (folder: string): void =>
  changeEvents(folder, [
    ["actionsEnabled: false", "actionsEnabled: true"],
    [/usualMinutes: \d+/, `usualMinutes: ${USUAL_MINUTES}`],
    [/missedRunGraceMinutes: \d+/, `missedRunGraceMinutes: ${GRACE_MINUTES}`],
    [/schedule: \{ enabled: false, cron: "[^"]+"/, `schedule: { enabled: true, cron: "${CRON}"`],
  ]);

beforeAll(async () => {
  clone = deployedClone("alarms", tell);
  session = await BenchSession.open(clone, [
    ...["--metric-minute-seconds", String(METRIC_MINUTE_SECONDS)],
    ...["--schedule-clock", SCHEDULE_CLOCK],
  ]);
  // Before its time comes: what it starts is to end as a dead letter.
  giveBack = await session.withoutRight(SCHEDULE_ROLE, "states:StartExecution");
  watch = await AlarmWatch.open(
    { aws: session.aws, clients: session.clients, output: (name) => session.output(name) },
    PREFIX,
  );
}, 5 * MINUTES);

afterAll(async () => {
  keepText("alarms.txt", table());
  await watch.close();
  await session.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

function table(): string {
  const head = ["what really happened", "alarms OK → ALARM → OK", "messages on the alerts topic"];
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd();
  return [
    "Alarms, driven by runs on the bench",
    ...[head, ...rows].map(line),
    ...NOT_SHOWN.map(({ alarm, why }) => `not driven: ${alarm}: ${why}`),
  ].join("\n");
}

const now = (): number => Date.now() / 1000;
const path = ({ transitions }: Seen, alarm: string): State[] =>
  transitions.filter((one) => one.alarm === alarm).map((one) => one.new);

/** Everything that has rung is silent again, and what suppresses it has let go. */
async function quiet(): Promise<void> {
  let ringing: (readonly [alarm: string, state: string])[] = [];
  for (let attempt = 0; attempt < 240; attempt++) {
    const { states } = await watch.entered(now(), [], 0);
    ringing = Object.entries(states).filter(([alarm, state]) => alarm !== "missed-run" && state !== "OK");
    if (ringing.length === 0) return;
    await pause(500);
  }
  throw new Error(`these ring for ever: ${ringing.join("; ")}`);
}

interface Scenario {
  /** The incident, in words. */
  readonly what: string;
  readonly act: (since: number) => Promise<Finished | undefined>;
  /** How the execution ends, if there is one. */
  readonly status?: string;
  /** Alarms that must go to ALARM and back, composites included. */
  readonly alarms: readonly string[];
  /** All messages on the alerts topic, in the order of the alphabet. */
  readonly told: readonly string[];
}

const DAYS = { good: "2011-03-01", quarantined: "2011-04-01", empty: "2011-05-01", slow: "2011-06-01" };
const broken = { runDate: "2011-07-01" };

async function run(day: string, lines: readonly unknown[]): Promise<Finished> {
  await session.deliver(day, lines);
  return session.run({ runDate: day });
}

const SCENARIOS: readonly Scenario[] = [
  {
    what: "the schedule's role may not start an execution",
    act: async (since) => {
      await watch.entered(since, [["dead-letters", "ALARM"]], 60);
      await giveBack();
      await emptyDeadLetters();
      return undefined;
    },
    alarms: ["dead-letters"],
    told: ["dead-letters ALARM", "dead-letters OK"],
  },
  {
    what: "the raw crawl may not read: the crawl fails, and its execution",
    act: async () => {
      const restore = await session.withoutRight(RAW_CRAWLER_ROLE, "s3:ListBucket");
      try {
        return await session.run(broken);
      } finally {
        await restore();
      }
    },
    status: "FAILED",
    alarms: ["crawl-failed", "executions-failed", "executions", "data"],
    told: ["executions ALARM"],
  },
  {
    what: "somebody stops an execution",
    act: async () => {
      const executionArn = await session.start(broken);
      await session.until(executionArn, "CrawlRaw");
      await session.clients.sfn.send(new StopExecutionCommand({ executionArn }));
      return session.finish(executionArn);
    },
    status: "ABORTED",
    alarms: ["executions-aborted", "executions"],
    told: ["executions ALARM"],
  },
  {
    what: "an execution runs into its time-out",
    act: async () => {
      const { sfn } = session.clients;
      const stateMachineArn = session.output("events_state_machine_arn");
      const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
      const short = JSON.stringify({ ...(JSON.parse(definition!) as object), TimeoutSeconds: 1 });
      await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition: short }));
      try {
        return await session.finish(await session.start(broken, stateMachineArn));
      } finally {
        await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition }));
      }
    },
    status: "TIMED_OUT",
    alarms: ["executions-timed-out", "executions"],
    told: ["executions ALARM"],
  },
  {
    what: "7 of 12 rows are quarantined",
    act: () =>
      run(
        DAYS.quarantined,
        events(DAYS.quarantined, 12).map((row, index) => (index < 7 ? { ...row, user_id: null } : row)),
      ),
    status: "SUCCEEDED",
    alarms: ["quarantine-share", "data"],
    told: ["data ALARM"],
  },
  {
    what: "an empty delivery",
    act: () => run(DAYS.empty, []),
    status: "SUCCEEDED",
    alarms: ["row-count", "data"],
    told: ["data ALARM"],
  },
  {
    what: `a job that hangs: the execution takes more than ${SLOW_SECONDS} s`,
    act: async () => {
      await session.deliver(DAYS.slow, events(DAYS.slow, 12));
      const started = now();
      const executionArn = await session.start({ runDate: DAYS.slow });
      await session.until(executionArn, "RunJob");
      const resume = await stopJobProcesses(session);
      await pause(Math.max(0, SLOW_SECONDS - (now() - started)) * 1000);
      resume();
      return session.finish(executionArn);
    },
    status: "SUCCEEDED",
    alarms: ["slow", "data"],
    told: ["data ALARM"],
  },
  {
    what: "no run succeeds for longer than the schedule pauses, then one does",
    act: async (since) => {
      await watch.entered(since, [["missed-run", "ALARM"]], 240 * METRIC_MINUTE_SECONDS);
      return run(DAYS.good, events(DAYS.good, 12));
    },
    status: "SUCCEEDED",
    alarms: ["missed-run"],
    told: ["missed-run ALARM", "missed-run OK"],
  },
];

test(
  "after a successful run every alarm is OK",
  async () => {
    const since = now();
    const finished = await run(DAYS.good, events(DAYS.good, 12));
    expect(finished).toMatchObject({ status: "SUCCEEDED" });
    await quiet();
    const { transitions } = await watch.entered(since, [], 0);
    expect(transitions.filter((one) => one.alarm !== "missed-run" && one.new === "ALARM")).toEqual([]);
  },
  2 * MINUTES,
);

test.each(SCENARIOS.map((one) => [one.what, one] as const))(
  "%s",
  async (_what, { what, act, status, alarms, told }) => {
    await quiet();
    const since = now();
    const finished = await act(since);
    expect(finished?.status).toBe(status);
    const both = alarms.flatMap((alarm) => [[alarm, "ALARM"] as const, [alarm, "OK"] as const]);
    const seen = await watch.entered(since, both, 40);
    const alerts = await alertsFor(alarms);
    rows.push([what, alarms.join(", "), alerts.map(summary).sort().join(", ")]);

    for (const alarm of alarms) expect([alarm, path(seen, alarm)]).toEqual([alarm, ["ALARM", "OK"]]);
    expect(alerts.map(summary).sort()).toEqual(told);
    for (const { AlarmDescription: text } of alerts)
      expect(text).toMatch(/^Pipeline events, environment dev: .+ Runbook: docs\/runbook\//);
    alarms.forEach((alarm) => driven.add(alarm));
  },
  6 * MINUTES,
);

/** Messages since the last call; a missed run is another scenario's, however long this one took. */
async function alertsFor(alarms: readonly string[]): Promise<Alert[]> {
  const alerts = await watch.alerts();
  return alerts.filter((one) => alarms.includes("missed-run") || bare(one) !== "missed-run");
}

/** Reads the message and deletes it, as the person on call does. */
async function emptyDeadLetters(): Promise<void> {
  const { sqs } = session.clients;
  const name = { QueueName: `${PREFIX}schedule-dead-letters` };
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand(name));
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages.map(({ Body }) => JSON.parse(Body!) as unknown)).toEqual([
    { mode: "daily", scheduledTime: "2011-07-01T04:00:00Z" },
  ]);
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages[0]!.ReceiptHandle }));
}

const bare = ({ AlarmName: name }: Alert): string => name.slice(PREFIX.length);
const summary = (alert: Alert): string => `${bare(alert)} ${alert.NewStateValue}`;

test("every shipped alarm was driven, or is listed with the reason why it was not", async () => {
  const { states } = await watch.entered(now(), [], 0);
  const listed = NOT_SHOWN.map(({ alarm }) => alarm);
  expect([...driven, ...listed.filter((alarm) => alarm in states)].sort()).toEqual(
    Object.keys(states).sort(),
  );
  for (const { why, page } of NOT_SHOWN) {
    expect(why).not.toBe("");
    expect(page).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
  }
});
