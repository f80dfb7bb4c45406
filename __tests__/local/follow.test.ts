import { type GlueClient, type JobRun } from "@aws-sdk/client-glue";
import { type HistoryEvent, type SFNClient } from "@aws-sdk/client-sfn";
import { stripVTControlCharacters } from "node:util";
import { ExecutionFollower, executionLabel, JobRunFollower, short, startedBy } from "../../local/follow";

/** Runs that others start, as `serve` shows them, with stand-ins for the clients. */

const SINCE = new Date("2020-01-01T00:00:00Z");
const at = (seconds: number) => new Date(SINCE.getTime() + seconds * 1000);
const MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:boats";
const arnOf = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:boats:${name}`;

interface Execution {
  status: string;
  startDate: Date;
  stopDate?: Date;
  input?: string;
  error?: string;
  cause?: string;
  events: HistoryEvent[];
}

const entered = (id: number, name: string, seconds: number): HistoryEvent => ({
  id,
  timestamp: at(seconds),
  previousEventId: id - 1,
  type: "TaskStateEntered",
  stateEnteredEventDetails: { name },
});
const exited = (id: number, name: string, seconds: number): HistoryEvent => ({
  id,
  timestamp: at(seconds),
  previousEventId: id - 1,
  type: "TaskStateExited",
  stateExitedEventDetails: { name },
});

/** Step Functions with these executions of one machine. A machine that is `gone` is still listed. */
function stepFunctions(executions: Record<string, Execution>, gone = false): SFNClient {
  const answer = (command: string, { executionArn = "" }: { executionArn?: string }): unknown => {
    const execution = executions[executionArn];
    if (command === "ListStateMachinesCommand") return { stateMachines: [{ stateMachineArn: MACHINE }] };
    if (command === "DescribeExecutionCommand") return { ...execution };
    if (command === "GetExecutionHistoryCommand") return { events: execution!.events };
    if (gone) throw Object.assign(new Error("gone"), { name: "StateMachineDoesNotExist" });
    const listed = Object.entries(executions).map(([arn, one]) => ({ executionArn: arn, ...one }));
    return { executions: listed.reverse() };
  };
  return clientOf(answer) as SFNClient;
}

/** A client whose paginators work: they ask that the client is one of its service, by its prototype. */
function clientOf(answer: (command: string, input: never) => unknown): unknown {
  return {
    send: (command: { input: never; constructor: { name: string } }) =>
      Promise.resolve().then(() => answer(command.constructor.name, command.input)),
  };
}

jest.mock("@aws-sdk/client-sfn", () => {
  const real = jest.requireActual<object>("@aws-sdk/client-sfn") as Record<string, unknown>;
  return { ...real, ...paginators(real, { ListStateMachines: "", GetExecutionHistory: "" }) };
});
jest.mock("@aws-sdk/client-glue", () => {
  const real = jest.requireActual<object>("@aws-sdk/client-glue") as Record<string, unknown>;
  return { ...real, ...paginators(real, { GetJobs: "" }) };
});

/** One page each: the SDK's own paginators refuse a stand-in. */
function paginators(real: Record<string, unknown>, calls: Record<string, string>) {
  return Object.fromEntries(
    Object.keys(calls).map((call) => [
      `paginate${call}`,
      async function* (
        { client }: { client: { send: (command: unknown) => Promise<unknown> } },
        input: object,
      ) {
        const Command = real[`${call}Command`] as new (input: object) => unknown;
        yield await client.send(new Command(input));
      },
    ]),
  );
}

const shown: string[] = [];
const show = (label: string, text: string) => shown.push(stripVTControlCharacters(`${label} ${text}`));
beforeEach(() => shown.splice(0));

test("an execution is shown state by state, and its lines say which one it is", async () => {
  const first: Execution = { status: "RUNNING", startDate: at(1), input: '{"day":1}', events: [] };
  const second: Execution = { status: "RUNNING", startDate: at(2), input: '{"day":2}', events: [] };
  const executions = { [arnOf("aaaa-1")]: first, [arnOf("bbbb-2")]: second };
  const follower = new ExecutionFollower(stepFunctions(executions), SINCE, show);
  first.events.push(entered(2, "Row", 1));
  expect(await follower.look()).toBe(2);
  first.events.push(exited(3, "Row", 4));
  second.events.push(entered(2, "Sail", 4));
  await follower.look();
  Object.assign(first, { status: "SUCCEEDED", stopDate: at(6) });
  Object.assign(second, { status: "FAILED", stopDate: at(5), error: "Calm", cause: "no\n  wind" });
  await follower.look();
  expect(await follower.look()).toBe(0);
  expect(shown).toEqual([
    'boats aaaa started with {"day":1}',
    "boats aaaa ▸ Row",
    'boats bbbb started with {"day":2}',
    "boats aaaa ✓ Row 3 s",
    "boats bbbb ▸ Sail",
    "boats aaaa SUCCEEDED 5.0 s",
    expect.stringMatching(/^boats bbbb ✗ Sail/),
    "boats bbbb FAILED 3.0 s: Calm: no wind",
  ]);
});

test("a redrive goes on where the execution had ended", async () => {
  const one: Execution = { status: "FAILED", startDate: at(1), stopDate: at(2), error: "Calm", events: [] };
  const follower = new ExecutionFollower(stepFunctions({ [arnOf("aaaa")]: one }), SINCE, show);
  await follower.look();
  Object.assign(one, { status: "SUCCEEDED", error: undefined, stopDate: at(9) });
  expect(await follower.look()).toBe(0);
  one.status = "RUNNING";
  one.events.push(entered(7, "Sail", 8));
  await follower.look();
  one.status = "SUCCEEDED";
  one.events.push(exited(8, "Sail", 9));
  await follower.look();
  expect(shown.slice(1)).toEqual([
    "boats aaaa FAILED 1.0 s: Calm",
    "boats aaaa ▸ Sail",
    "boats aaaa ✓ Sail 1 s",
    "boats aaaa SUCCEEDED 8.0 s",
  ]);
});

test.each<[string, Partial<Execution>, number]>([
  ["ended before", { status: "SUCCEEDED", startDate: at(-9), stopDate: at(-1) }, 0],
  ["ran already", { status: "RUNNING", startDate: at(-9) }, 1],
  ["began and ended between two looks", { status: "SUCCEEDED", startDate: at(1), stopDate: at(1) }, 2],
  [
    "was started by another execution",
    { startDate: at(1), input: '{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"arn"}' },
    0,
  ],
])("an execution that %s", async (_what, one, lines) => {
  const whole = { status: "SUCCEEDED", startDate: at(1), events: [], ...one };
  const follower = new ExecutionFollower(stepFunctions({ [arnOf("aaaa")]: whole }), SINCE, show);
  await follower.look();
  expect(shown).toHaveLength(lines);
});

test("a machine that was just destroyed is no failure", async () => {
  const follower = new ExecutionFollower(stepFunctions({}, true), SINCE, show);
  expect(await follower.look()).toBe(0);
});

test("a job run is shown when its state changes", async () => {
  const run: JobRun = { Id: "jr_0123456789", JobRunState: "STARTING", StartedOn: at(1) };
  const old: JobRun = { Id: "jr_9876543210", JobRunState: "FAILED", StartedOn: at(-1) };
  const glue = clientOf((command) =>
    command === "GetJobsCommand" ? { Jobs: [{ Name: "haul" }] } : { JobRuns: [run, old] },
  ) as GlueClient;
  const follower = new JobRunFollower(glue, SINCE, show);
  expect(await follower.look()).toBe(1);
  expect(await follower.look()).toBe(1);
  Object.assign(run, { JobRunState: "RUNNING" });
  await follower.look();
  Object.assign(run, { JobRunState: "FAILED", ExecutionTime: 7, ErrorMessage: "the net\nbroke" });
  expect(await follower.look()).toBe(0);
  expect(shown).toEqual([
    "job haul jr_0123 starting",
    "job haul jr_0123 running",
    "job haul jr_0123 FAILED 7 s: the net broke",
  ]);
});

test.each([
  ['{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":"arn:x"}', "arn:x"],
  ['{"AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID":7}', undefined],
  ['{"runDate":"2020-01-01"}', undefined],
  ["null", undefined],
  ["no JSON", undefined],
  [undefined, undefined],
])("the input %s was started by %s", (input, expected) => {
  expect(startedBy(input)).toBe(expected);
});

test("labels and long texts", () => {
  expect(executionLabel(arnOf("910f608e-5375"))).toBe("boats 910f");
  expect(executionLabel(arnOf("arrival-2c8b608e-5375"))).toBe("boats 2c8b");
  expect(short(" a\n\tb ")).toBe("a b");
  expect(short("x".repeat(400))).toBe(`${"x".repeat(300)} …`);
});
