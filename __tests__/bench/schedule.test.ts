import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { GetRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListExecutionsCommand } from "@aws-sdk/client-sfn";
import { GetQueueUrlCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { deployedClone } from "./deployed-clone";
import { changeEvents } from "./dev-settings";
import { judgeRights } from "./rights";
import { BenchSession, pause } from "./session";

/**
 * The shipped schedule at work: four in the morning of its time zone comes, the pipeline runs on the delivery of the day
 * before; without the right to start it, the invocation lies in the dead-letter queue with its reason.
 */

const MINUTES = 60_000;
const ROLE = "etl-dev-events-schedule";
/** Four o'clock in Tokyo on 2 December: there the day before is the first, by UTC's date it would be 30 November. */
const ZONE = "Asia/Tokyo";
const SHORTLY_BEFORE = "2010-12-01T18:59:50Z";
const SCHEDULED = "2010-12-01T19:00:00Z";
const SHORTLY_BEFORE_THE_NEXT = "2010-12-02T18:59:50Z";
const NEXT = "2010-12-02T19:00:00Z";

let clone: string;
let session: BenchSession;
const trace = () => join(clone, ".local", "trace.jsonl");
const openAt = (clock: string) => BenchSession.open(clone, ["--schedule-clock", clock, "--trace", trace()]);

beforeAll(() => {
  // dev's schedule is off as it is shipped.
  clone = deployedClone("schedule", (folder) =>
    changeEvents(folder, [
      ["enabled: false, cron:", "enabled: true, cron:"],
      ['timeZone: "UTC"', `timeZone: "${ZONE}"`],
    ]),
  );
}, 10 * MINUTES);

afterAll(async () => {
  // Undefined when the deployment failed: its error is the one to read.
  await (session as BenchSession | undefined)?.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

test(
  "it starts the pipeline at its time in its zone; the pipeline runs the delivery of the day before and reports it",
  async () => {
    session = await openAt(SHORTLY_BEFORE);
    const executionArn = await started(SCHEDULED);
    const finished = await session.finish(executionArn);
    expect(finished).toMatchObject({ status: "SUCCEEDED" });
    const { input } = await session.describe(executionArn);
    expect(JSON.parse(input!)).toEqual({ mode: "daily", scheduledTime: SCHEDULED });
    expect(await session.books(finished)).toMatchObject({ fromDate: "2010-12-01", toDate: "2010-12-01" });
    expect(await session.messages()).toEqual([
      expect.objectContaining({ status: "SUCCEEDED", fromDate: "2010-12-01", toDate: "2010-12-01" }),
    ]);
  },
  3 * MINUTES,
);

test(
  "without the right to start the pipeline, the invocation becomes a dead letter with the reason",
  async () => {
    const name = { RoleName: ROLE, PolicyName: "derived" };
    const { PolicyDocument } = await session.clients.iam.send(new GetRolePolicyCommand(name));
    await session.withoutRight(ROLE, "states:StartExecution");
    await session.close();
    session = await openAt(SHORTLY_BEFORE_THE_NEXT);
    const { Body, MessageAttributes } = await deadLetter();
    expect(JSON.parse(Body!)).toEqual({ mode: "daily", scheduledTime: NEXT });
    const notes = Object.fromEntries(
      Object.entries(MessageAttributes!).map(([name, { StringValue }]) => [name, StringValue]),
    );
    expect(notes).toMatchObject({
      ERROR_CODE: "AccessDeniedException",
      ERROR_MESSAGE: expect.stringContaining(ROLE) as string,
      SCHEDULE_ARN: expect.stringMatching(/:schedule\/etl-dev-events\/etl-dev-events$/) as string,
      TARGET_ARN: session.output("events_alias_arn"),
    });
    expect(await executionsOf(NEXT)).toEqual([]);
    // With the clients of the server that runs now.
    await session.clients.iam.send(
      new PutRolePolicyCommand({ ...name, PolicyDocument: decodeURIComponent(PolicyDocument!) }),
    );
  },
  2 * MINUTES,
);

test(
  "each right of its role is needed",
  async () => {
    await session.close();
    const { said, mistakes } = judgeRights(clone, trace(), ["--roles", ROLE], []);
    expect(mistakes).toEqual([]);
    expect(said).toContain("states:StartExecution");
    expect(said).toContain("sqs:SendMessage");
  },
  2 * MINUTES,
);

/** The executions that the schedule started for a time. */
async function executionsOf(scheduledTime: string): Promise<string[]> {
  const stateMachineArn = session.output("events_state_machine_arn");
  const { executions = [] } = await session.clients.sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  const inputs = await Promise.all(executions.map(({ executionArn }) => session.describe(executionArn!)));
  return inputs.flatMap(({ executionArn, input }) => (input?.includes(scheduledTime) ? [executionArn!] : []));
}

async function started(scheduledTime: string): Promise<string> {
  for (;;) {
    const [executionArn] = await executionsOf(scheduledTime);
    if (executionArn !== undefined) return executionArn;
    await pause(250);
  }
}

async function deadLetter(): Promise<Message> {
  const { sqs } = session.clients;
  const { QueueUrl } = await sqs.send(
    new GetQueueUrlCommand({ QueueName: "etl-dev-events-schedule-dead-letters" }),
  );
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ["All"], WaitTimeSeconds: 1 }),
    );
    if (Messages[0] !== undefined) return Messages[0];
  }
}
