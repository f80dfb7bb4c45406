import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { ListExecutionsCommand } from "@aws-sdk/client-sfn";
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { arrivedLine, arrivedStates } from "../../local/arrived-files";
import { clientOptions } from "../../local/clients";
import { BENCH } from "../../local/places";
import { deployedClone } from "./deployed-clone";
import { changeEvents, letFilesStart } from "./dev-settings";
import { judgeRights, type NotShown } from "./rights";
import { BenchSession, pause } from "./session";

/**
 * Files start pipelines, one by each rule of completeness: events by a marker, price lists by a manifest, products by their count, sales by a quiet period.
 * They are put in every way, under difficult names; their events are doubled and shuffled, lost, or of files that are not there; one message is no
 * event; some files arrive while a run works, some where no run reads them.
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
  clone = deployedClone("arrival", (folder) => {
    changeEvents(folder, [
      [
        /arrival: \{.*\}, *\n|arrival: \{[^]*?\n {6}\},\n/,
        'arrival: { enabled: true, complete: { rule: "marker", name: "_SUCCESS" }, deadlineMinutes: 1 },\n',
      ],
    ]);
    letFilesStart(folder, {
      "stg-price-lists":
        '{ enabled: true, complete: { rule: "manifest", name: "_files.json" }, deadlineMinutes: 1, endings: [".csv.bz2", ".xml"], undatedZone: "Europe/London" }',
      products: '{ enabled: true, complete: { rule: "count", files: 2 } }',
      sales: '{ enabled: true, complete: { rule: "quiet", seconds: 3 } }',
    });
    // The original of a file that is copied to the day of its arrival stays.
    const contract = join(folder, "pipelines", "stg-price-lists", "stg-price-lists.schema.json");
    const text = readFileSync(contract, "utf8");
    writeFileSync(
      contract,
      text.replaceAll('"whenMissing": "report",', '"whenMissing": "report", "unknownFolders": "skip",'),
    );
  });
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
async function started(pipeline = "events"): Promise<string[]> {
  const stateMachineArn = session.output(`${pipeline}_state_machine_arn`);
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

// -- the other rules --

const LISTS = "price-lists/dt=2010-12-01/";
const ACME = `${LISTS}acme a+b 100% x=y Größe.csv.bz2`;
const BOLT = `${LISTS}bolt.xml`;
/** The prices of the day, as `glue-scripts/tests/test_price_lists.py` proves them by the rule. */
const PRICES = { acme: 1181, bolt: 159 };
const PRODUCTS = "products/dt=2010-12-03/";
const SALES = "sales/dt=2010-12-01/2010-12-01.csv";
const NOTES = "price-lists/dt=2010-12-02/notes.txt";
const UNDATED = "price-lists/acme loose.csv.bz2";

const sampleOf = (pipeline: string, name: string): Buffer =>
  readFileSync(join(clone, "pipelines", pipeline, "sample", name));
const listOf = (day: string, name: string): Buffer =>
  sampleOf("stg-price-lists", join("price-lists", `dt=${day}`, name));

/** Puts the manifest of files that lie below its folder. */
async function putManifest(folder: string, files: Readonly<Record<string, number>>): Promise<void> {
  const named = Object.entries(files).map(([name, bytes]) => ({ name, bytes }));
  await session.put(raw(), `${folder}_files.json`, JSON.stringify({ files: named }));
}

async function stateOf(key: string): Promise<string | undefined> {
  return (await states())[key];
}

/** Waits for the execution with this number, of those that files started. */
const nth = (pipeline: string, number: number): Promise<string> =>
  until(async () => (await started(pipeline))[number]);

/** Waits until the function has worked on every message. */
async function untilQuiet(): Promise<void> {
  const QueueUrl = await queueUrl("etl-dev-arrival");
  const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
  await until(async () => {
    const { Attributes } = await session.clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
    );
    return AttributeNames.every((name) => Attributes![name] === "0");
  });
}

const pricesOf = (runDate: string) =>
  session.query(
    "select delivered_by, count(*), count(distinct product_id) from etl_dev_processed.stg_price_lists " +
      `where run_date = '${runDate}' group by 1 order by 1`,
  );
const asOften = ([name, rows]: readonly [string, number]) => [name, String(rows), String(rows)];

test(
  "deliveries start by a manifest, a count and a quiet period when they are complete, and once",
  async () => {
    const [acme, bolt] = [listOf("2010-12-01", "acme.csv.bz2"), listOf("2010-12-01", "bolt.xml")];
    const [header, row] = sampleOf("products", "2010-12-03.csv").toString().split("\n");
    await session.put(raw(), ACME, acme);
    await session.put(raw(), BOLT, bolt);
    await session.put(raw(), NOTES, "no price list");
    await session.put(raw(), UNDATED, listOf("2010-12-02", "acme.csv.bz2"));
    await session.put(raw(), `${PRODUCTS}1.csv`, sampleOf("products", "2010-12-03.csv"));
    const events = [BOLT, ACME, `${LISTS}never.xml`, BOLT, ACME].map(message);
    await send(...events);
    for (const key of [ACME, BOLT, `${PRODUCTS}1.csv`])
      expect([key, await until(() => stateOf(key))]).toEqual([key, "waiting"]);
    expect(await until(() => stateOf(NOTES))).toBe("leftAlone");
    expect(await until(() => stateOf(UNDATED))).toBe("copied");
    await untilQuiet();
    expect([await started("stg_price_lists"), await started("products")]).toEqual([[], []]);

    const name = (key: string) => key.slice(LISTS.length);
    await putManifest(LISTS, { [name(ACME)]: acme.length, [name(BOLT)]: bolt.length });
    await session.put(raw(), `${PRODUCTS}2.csv`, `${header}\n${row}\n`);
    await session.put(raw(), SALES, sampleOf("sales", "2010-12-01.csv"));
    for (const pipeline of ["stg_price_lists", "products", "sales"])
      expect(await session.finish(await nth(pipeline, 0))).toMatchObject({ status: "SUCCEEDED" });
    const keys = [ACME, BOLT, `${LISTS}_files.json`, `${PRODUCTS}1.csv`, `${PRODUCTS}2.csv`, SALES];
    for (const key of keys) await until(async () => (await stateOf(key)) === "done");
    expect(await pricesOf("2010-12-01")).toEqual(Object.entries(PRICES).map(asOften));

    await send(...events, message(SALES), message(`${PRODUCTS}1.csv`));
    await untilQuiet();
    for (const pipeline of ["stg_price_lists", "products", "sales"])
      expect([pipeline, await started(pipeline)]).toEqual([pipeline, [expect.any(String)]]);
  },
  15 * MINUTES,
);

test(
  "a file without a date's folder counts on the day it arrived, and is half a delivery until its manifest is there",
  async () => {
    const copy = Object.keys(await states()).find((key) => key.endsWith(`/${UNDATED.split("/")[1]}`))!;
    const [, day] = /^price-lists\/dt=(\d{4}-\d\d-\d\d)\//.exec(copy)!;
    expect(await stateOf(copy)).toBe("waiting");
    await until(async () => {
      await send({ source: "look" });
      await untilQuiet();
      return (await alarmsThatRing()).includes("etl-dev-arrival-stg-price-lists-half");
    });
    const name = copy.split("/").at(-1)!;
    await putManifest(`price-lists/dt=${day}/`, { [name]: listOf("2010-12-02", "acme.csv.bz2").length });
    expect(await session.finish(await nth("stg_price_lists", 1))).toMatchObject({ status: "SUCCEEDED" });
    await until(async () => (await stateOf(copy)) === "done");
    expect(await pricesOf(day!)).toEqual([asOften(["acme", 855])]);
  },
  10 * MINUTES,
);

test(
  "new content under a key is a new delivery: the history follows the file",
  async () => {
    const corrected = listOf("2010-12-01", "bolt.xml")
      .toString()
      .replace(/<product_id>[^<]*/, "<product_id>CORRECTED");
    await session.put(raw(), BOLT, corrected);
    await putManifest(LISTS, {
      [ACME.slice(LISTS.length)]: listOf("2010-12-01", "acme.csv.bz2").length,
      "bolt.xml": Buffer.byteLength(corrected),
    });
    expect(await session.finish(await nth("stg_price_lists", 2))).toMatchObject({ status: "SUCCEEDED" });
    await until(async () => (await stateOf(BOLT)) === "done");
    await untilQuiet();
    expect(await pricesOf("2010-12-01")).toEqual(Object.entries(PRICES).map(asOften));
    const found = await session.query(
      "select supplier from etl_dev_processed.stg_price_lists where product_id = 'CORRECTED'",
    );
    expect(found).toEqual([["BOLT"]]);
  },
  10 * MINUTES,
);

test(
  "events that a rule could not send come back from the dead letters; a file whose events were all lost is found by looking",
  async () => {
    const { sqs, dynamodb } = session.clients;
    const [QueueUrl, dead] = [
      await queueUrl("etl-dev-arrival"),
      await queueUrl("etl-dev-arrival-dead-letters"),
    ];
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Policy"] }),
    );
    const policy = (Policy: string) =>
      sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    const later = "sales/dt=2010-12-02/2010-12-02.csv";
    const lost = `products/dt=${new Date().toISOString().slice(0, 10)}/lost.csv`;
    await policy("");
    await session.put(raw(), later, sampleOf("sales", "2010-12-02.csv"));
    await session.put(raw(), lost, "product_id,product_name,category,unit_price\n");
    // Both events are there; that of the lost file is removed, as if S3 had never sent it.
    const seen = new Map<string, Message>();
    await until(async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          ...{ QueueUrl: dead, MaxNumberOfMessages: 10, VisibilityTimeout: 1 },
          MessageAttributeNames: ["All"],
        }),
      );
      for (const one of Messages) seen.set(/"key": ?"([^"]*)"/.exec(one.Body!)?.[1] ?? "", one);
      return seen.has(later) && seen.has(lost);
    });
    expect(seen.get(later)!.MessageAttributes).toMatchObject({
      ERROR_CODE: { StringValue: "NO_PERMISSIONS" },
    });
    await sqs.send(
      new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle: seen.get(lost)!.ReceiptHandle! }),
    );
    expect(await stateOf(later)).toBeUndefined();

    await policy(Attributes!.Policy!);
    const arn = `arn:aws:sqs:${BENCH.region}:${BENCH.accountId}:etl-dev-arrival`;
    await pause(1_100); // what was received can be moved after its second
    await sqs.send(
      new StartMessageMoveTaskCommand({ SourceArn: `${arn}-dead-letters`, DestinationArn: arn }),
    );
    expect(await session.finish(await nth("sales", 1))).toMatchObject({ status: "SUCCEEDED" });
    await until(async () => (await stateOf(later)) === "done");

    expect(await stateOf(lost)).toBeUndefined();
    // An hour later.
    await dynamodb.send(
      new UpdateItemCommand({
        TableName: session.output("arrival_ledger"),
        Key: { delivery: { S: "#sweep" }, item: { S: "products" } },
        UpdateExpression: "SET #at = :ago",
        ConditionExpression: "attribute_exists(since)",
        ExpressionAttributeNames: { "#at": "at" },
        ExpressionAttributeValues: { ":ago": { S: "0" } },
      }),
    );
    await send({ source: "look" });
    expect(await until(() => stateOf(lost))).toBe("waiting");
  },
  10 * MINUTES,
);

test(
  "every file is in the ledger: done, quarantined or waiting, or counted apart",
  async () => {
    const prefixes = ["events/", "price-lists/", "products/", "sales/"];
    const arrived = await Promise.all(prefixes.map((prefix) => session.list(raw(), prefix)));
    const known = await states();
    // The sample of events lay there before anything was looked at.
    const keys = arrived.flatMap(Object.keys).filter((key) => !/^events\/dt=2010-12-0[123]\//.test(key));
    expect(keys.filter((key) => known[key] === undefined)).toEqual([]);
    const count = (...of: readonly string[]) => keys.filter((key) => of.includes(known[key]!)).length;
    const line = arrivedLine(await arrivedStates(session.aws.at, session.output("arrival_ledger")));
    expect(line).toContain(
      `files in: ${count("done", "quarantined", "waiting")} = ${count("waiting")} waiting + ${count("done")} done + ${count("quarantined")} quarantined;`,
    );
    expect([count("waiting"), count("quarantined"), count("copied"), count("leftAlone")]).toEqual([
      2, 1, 1, 1,
    ]);
  },
  MINUTES,
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
