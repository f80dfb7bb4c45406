import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { ScanCommand } from "@aws-sdk/client-dynamodb";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { ListExecutionsCommand } from "@aws-sdk/client-sfn";
import {
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { clientOptions } from "../../local/clients";
import { deployedClone } from "./deployed-clone";
import { changeEvents } from "./dev-settings";
import { judgeRights, type NotShown } from "./rights";
import { BenchSession, pause } from "./session";

/**
 * Files start the events pipeline. They are put in every way, under difficult names; their events are doubled and shuffled, some are of files that are not
 * there; one message is no event; some files arrive while a run works, some where no run reads them.
 */

const MINUTES = 60_000;
const ROLE = "etl-dev-arrival-function";
const DAY = "events/dt=2010-12-05/";
const NAMES = ["a b.json", "a+b.json", "100%.json", "%20.json", "x=y.json", "Größe & Maß.json"];
const STRANGER = "inbox/copied.json";
const LOOSE = "events/loose.json";
const HALF = "events/dt=2010-12-08/1.json";

const NOT_SHOWN: readonly NotShown[] = [
  {
    role: ROLE,
    action: "kms:Decrypt",
    why: "Lambda decrypts the function's variables with its role; the bench hands them over as they are",
    page: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
  },
];

let clone: string;
let session: BenchSession;
const trace = () => join(clone, ".local", "trace.jsonl");

beforeAll(async () => {
  clone = deployedClone("arrival", (folder) =>
    changeEvents(folder, [
      [
        /arrival: \{.*\}, *\n|arrival: \{[^]*?\n {6}\},\n/,
        'arrival: { enabled: true, complete: { rule: "marker", name: "_SUCCESS" }, deadlineMinutes: 1 },\n',
      ],
    ]),
  );
  session = await BenchSession.open(clone, ["--trace", trace(), "--metric-minute-seconds", "2"]);
}, 20 * MINUTES);

afterAll(async () => {
  // Undefined when the deployment failed: its error is the one to read.
  await (session as BenchSession | undefined)?.close();
  rmSync(dirname(clone), { recursive: true, force: true });
}, MINUTES);

const raw = () => session.output("raw_bucket");

/** One row with an id of its own. */
const event = (id: string): string =>
  `${JSON.stringify({ event_id: id, user_id: "17850", event_type: "purchase", timestamp: "2010-12-05T08:26:00Z", country: "France", items: [] })}\n`;

const message = (key: string) => ({
  source: "aws.s3",
  "detail-type": "Object Created",
  detail: { bucket: { name: raw() }, object: { key } },
});

async function queueUrl(name: string): Promise<string> {
  const { QueueUrl } = await session.clients.sqs.send(new GetQueueUrlCommand({ QueueName: name }));
  return QueueUrl!;
}

async function send(...bodies: unknown[]): Promise<void> {
  const QueueUrl = await queueUrl("etl-dev-arrival");
  for (let start = 0; start < bodies.length; start += 10) {
    const Entries = bodies.slice(start, start + 10).map((body, index) => ({
      Id: String(index),
      MessageBody: typeof body === "string" ? body : JSON.stringify(body),
    }));
    await session.clients.sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  }
}

/** The state of each file of the ledger, by key. */
async function states(): Promise<Record<string, string>> {
  const { Items = [] } = await session.clients.dynamodb.send(
    new ScanCommand({ TableName: session.output("arrival_ledger"), ConsistentRead: true }),
  );
  return Object.fromEntries(
    Items.flatMap(({ item, state }) => (state === undefined ? [] : [[item!.S!, state.S!]])),
  );
}

/** The executions that files started, the oldest first. */
async function started(): Promise<string[]> {
  const stateMachineArn = session.output("events_state_machine_arn");
  const { executions = [] } = await session.clients.sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  return executions
    .filter(({ name }) => name!.startsWith("arrival-"))
    .sort((one, other) => one.startDate!.getTime() - other.startDate!.getTime())
    .map(({ executionArn }) => executionArn!);
}

async function until<T>(what: () => Promise<T | false | undefined>): Promise<T> {
  for (;;) {
    const found = await what();
    if (found !== false && found !== undefined) return found;
    await pause(500);
  }
}

const alarmsThatRing = async (): Promise<string[]> => {
  const cloudwatch = new CloudWatchClient(clientOptions(session.aws.at));
  const { MetricAlarms = [] } = await cloudwatch.send(
    new DescribeAlarmsCommand({ AlarmNamePrefix: "etl-dev-arrival-", StateValue: "ALARM" }),
  );
  return MetricAlarms.map(({ AlarmName }) => AlarmName!);
};

async function putInParts(key: string, body: string): Promise<void> {
  const { s3 } = session.clients;
  const object = { Bucket: raw(), Key: key };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(object));
  const { ETag } = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: body }));
  const MultipartUpload = { Parts: [{ ETag, PartNumber: 1 }] };
  await s3.send(new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload }));
}

test(
  "a delivery starts one run when its marker is there, and what arrives meanwhile is in the next",
  async () => {
    const { s3 } = session.clients;
    for (const name of NAMES) await session.put(raw(), `${DAY}${name}`, event(name));
    await session.put(raw(), STRANGER, event("copied"));
    const source = `${raw()}/${STRANGER}`;
    await s3.send(new CopyObjectCommand({ Bucket: raw(), Key: `${DAY}copy.json`, CopySource: source }));
    await putInParts(`${DAY}parts.json`, event("parts"));
    await session.put(raw(), LOOSE, event("loose"));
    await session.put(raw(), HALF, event("half"));
    const first = [...NAMES, "copy.json", "parts.json"].map((name) => `${DAY}${name}`);
    const again = [...first].reverse().map(message);
    await send(...again, message(`${DAY}never.json`), message(STRANGER), "this is no event", ...again);

    const waiting = Object.fromEntries([...first, HALF].map((key) => [key, "waiting"]));
    const others = { [STRANGER]: "leftAlone", [LOOSE]: "quarantined" };
    await until(async () => Object.keys(await states()).length === first.length + 3);
    expect(await states()).toEqual({ ...waiting, ...others });
    expect(await started()).toEqual([]);

    await session.put(raw(), `${DAY}_SUCCESS`, "");
    const [execution] = await until(async () => {
      const found = await started();
      return found.length > 0 && found;
    });
    await session.until(execution!, "CheckBooks");
    await pause(1_100); // S3 knows whole seconds; a marker is no older than its files
    await session.put(raw(), `${DAY}late.json`, event("late"));
    await session.put(raw(), `${DAY}_SUCCESS`, "");
    expect(await session.finish(execution!)).toMatchObject({ status: "SUCCEEDED" });
    const next = await until(async () => (await started())[1]);
    expect(await session.finish(next)).toMatchObject({ status: "SUCCEEDED" });

    const all = [...first, `${DAY}late.json`, `${DAY}_SUCCESS`];
    const done = Object.fromEntries(all.map((key) => [key, "done"]));
    await until(
      async () => Object.values(await states()).filter((state) => state === "waiting").length === 1,
    );
    expect(await states()).toEqual({ ...done, [HALF]: "waiting", ...others });
    expect(await started()).toHaveLength(2);
    const rows = await session.query(
      `select event_id from "etl_dev_processed"."events" where run_date = '2010-12-05' order by 1`,
    );
    expect(rows.flat().sort()).toEqual([...NAMES, "copied", "parts", "late"].sort());
  },
  15 * MINUTES,
);

test(
  "a message that is no event is a dead letter and one alarm; a half delivery is another",
  async () => {
    const QueueUrl = await queueUrl("etl-dev-arrival-dead-letters");
    await until(async () => (await alarmsThatRing()).includes("etl-dev-arrival-dead-letters"));
    // The deadline has passed while the runs worked.
    await session.clients.sqs.send(
      new SendMessageCommand({
        QueueUrl: await queueUrl("etl-dev-arrival"),
        MessageBody: JSON.stringify({ source: "look" }),
      }),
    );
    const half = "etl-dev-arrival-events-half";
    await until(async () => (await alarmsThatRing()).includes(half));
    const expected = ["etl-dev-arrival-dead-letters", half];
    const ringing = (await alarmsThatRing()).filter((name) => !name.endsWith("-files-quarantined"));
    expect(ringing.sort()).toEqual(expected);
    const { Messages = [] } = await session.clients.sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages.map(({ Body }) => Body)).toEqual(["this is no event"]);
  },
  5 * MINUTES,
);

test(
  "each right of the function is needed",
  async () => {
    await session.close();
    const { said, mistakes } = judgeRights(clone, trace(), ["--roles", ROLE], NOT_SHOWN);
    expect(mistakes).toEqual([]);
    for (const action of [
      "states:StartExecution",
      "states:DescribeExecution",
      "dynamodb:Query",
      "sqs:ReceiveMessage",
    ])
      expect(said).toContain(action);
  },
  3 * MINUTES,
);
