import { DeleteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ask } from "./athena";
import type { RunningDatabase } from "./bench-database";
import { type Books, readBooks } from "./books";
import { clientOptions, clientsOf } from "./clients";
import { type Deliveries, leftOutLines } from "./deliveries";
import type { EmbeddedAws } from "./embedded-aws";
import { type Ended, runExecution } from "./execution";
import { emptyFollowers, runFollowers } from "./followers";
import { interrupted } from "./interrupts";
import { Lake } from "./lake";
import { NotificationListener } from "./notifications";
import type { Progress } from "./progress";
import { questionsOf } from "./questions";
import { isAnotherInput, recordInput } from "./raw-zone";
import { type Run, succeeded } from "./run-record";
import { type Day, daysOf, ShopDatabase } from "./shop-days";
import { planShop, type ShopPlan } from "./shop-plan";
import { output } from "./stack-outputs";
import type { Outputs } from "./terraform";

/** Runs `shop`: the days of the input change its database, after each of them one run extracts it, and its followers run once at the end. */

const PIPELINE = "shop";

export interface ShopRun {
  readonly input: string;
  readonly deliveries: Deliveries;
  readonly runDate?: string;
}

interface Bench {
  readonly aws: EmbeddedAws;
  readonly outputs: Outputs;
  readonly progress: Progress;
  readonly database: RunningDatabase;
}

export async function runShop({ input, deliveries, runDate }: ShopRun, bench: Bench): Promise<Run> {
  const { aws, outputs, progress, database } = bench;
  const clients = clientsOf(aws.at);
  const days = daysOf(deliveries.files);
  const shop = await ShopDatabase.open(database.postgres);
  const listener = await NotificationListener.subscribe(
    clients.sqs,
    clients.sns,
    output(outputs, "notifications_topic_arn"),
  );
  try {
    const lake = new Lake(clients, outputs, PIPELINE);
    const plan = await progress.step("input", async (note) => {
      note(`${days.length} days of the shop`);
      for (const line of leftOutLines(deliveries.leftOut)) note(line);
      return await planned(shop, lake, { days, input, runDate }, bench, note);
    });
    const extracted = new Set(
      (await shop.applied()).filter((day) => day.isExtracted).map(({ date }) => date),
    );
    const runs: { ended: Ended; books: Books | undefined }[] = [];
    for (const [index, { date, afresh, further = [] }] of plan.extracts.entries()) {
      await progress.step(`day ${date}`, async (note) => {
        if (afresh !== undefined) {
          note(`filled afresh with ${afresh.length} days up to ${date}`);
          await shop.fillAfresh(afresh, without(extracted, date));
        }
        for (const day of further) await shop.apply(day);
      });
      const ended = await progress.step(`execution ${date}`, () =>
        runExecution(clients.sfn, output(outputs, `${PIPELINE}_alias_arn`), { runDate: date }, progress),
      );
      const books = await readBooks(clients.s3, output(outputs, "processed_bucket"), PIPELINE, ended.name);
      runs.push({ ended, books });
      if (!succeeded({ ended, books })) break;
      await shop.noteExtracted(date);
      extracted.add(date);
      const isLastCorrection = plan.end !== undefined && plan.extracts[index + 1]?.afresh === undefined;
      if (isLastCorrection && afresh !== undefined) await shop.fillAfresh(plan.end, extracted);
    }
    const last = runs.at(-1)!;
    const books = together(runs.map((one) => one.books));
    const followers = succeeded({ ended: last.ended, books })
      ? await runFollowers(
          PIPELINE,
          { input, extracted: plan.extracts.map(({ date }) => date) },
          { clients, outputs, progress },
        )
      : [];
    const notifications = await listener.received();
    const questions = questionsOf(PIPELINE, outputs);
    const answer = succeeded({ ended: last.ended, books })
      ? await progress.step("query", () => ask(clients.athena, output(outputs, "workgroup"), questions.final))
      : undefined;
    const { seconds } = progress;
    return {
      pipeline: PIPELINE,
      ended: last.ended,
      books,
      questions,
      answer,
      examples: [],
      notifications,
      followers,
      seconds,
    };
  } finally {
    await shop.close().catch(() => undefined);
    if (!interrupted.aborted) await listener.close();
  }
}

interface Input {
  readonly days: readonly Day[];
  readonly input: string;
  readonly runDate?: string;
}

/** Decides what to do, and starts anew where that must be. */
async function planned(
  shop: ShopDatabase,
  lake: Lake,
  { days, input, runDate }: Input,
  { aws, outputs }: Bench,
  note: (text: string) => void,
): Promise<ShopPlan> {
  const applied = await shop.applied();
  const keys = await lake.keysOf(lake.rawBucket, `${PIPELINE}/products/`);
  const delivered = new Set(keys.flatMap((key) => /\/dt=(\d{4}-\d\d-\d\d)\//.exec(key)?.[1] ?? []));
  const plan = planShop({ days, applied, delivered, isAnother: isAnotherInput(PIPELINE, input), runDate });
  if (plan.anew !== undefined) {
    note(`${plan.anew}: its lake and its database start empty`);
    await lake.empty();
    await emptyFollowers(PIPELINE, { clients: clientsOf(aws.at), outputs });
    await removeMarks(aws, output(outputs, "lock_table"));
  }
  if (plan.anew !== undefined || applied.length === 0) await shop.fillAfresh([]);
  recordInput(PIPELINE, input, Object.fromEntries(days.map(({ date, sha256 }) => [date, sha256])));
  if (plan.corrected.length > 0) note(`corrections of ${plan.corrected.join(", ")}`);
  return plan;
}

async function removeMarks({ at }: EmbeddedAws, table: string): Promise<void> {
  const client = new DynamoDBClient(clientOptions(at));
  try {
    await client.send(
      new DeleteItemCommand({ TableName: table, Key: { pipeline: { S: `marks/${PIPELINE}` } } }),
    );
  } finally {
    client.destroy();
  }
}

const without = (all: ReadonlySet<string>, date: string): ReadonlySet<string> =>
  new Set([...all].filter((one) => one !== date));

/** The books of several runs as one; the figures are sums. `undefined` when a run wrote none. */
export function together(all: readonly (Books | undefined)[]): Books | undefined {
  const [first, ...others] = all;
  if (first === undefined) return undefined;
  return others.reduce<Books | undefined>((sum, one) => {
    if (sum === undefined || one === undefined) return undefined;
    return {
      ...one,
      ...added(sum, one),
      files: sum.files + one.files,
      dates: [...sum.dates, ...one.dates],
      sources: Object.fromEntries(
        Object.entries(one.sources ?? {}).map(([name, figures]) => [
          name,
          added(sum.sources?.[name] ?? NOTHING, figures),
        ]),
      ),
    };
  }, first);
}

type Figures = Pick<Books, "read" | "written" | "duplicates" | "quarantined" | "quarantinedByReason">;

const NOTHING: Figures = { read: 0, written: 0, duplicates: 0, quarantined: 0, quarantinedByReason: {} };

const added = (one: Figures, other: Figures): Figures => ({
  read: one.read + other.read,
  written: one.written + other.written,
  duplicates: one.duplicates + other.duplicates,
  quarantined: one.quarantined + other.quarantined,
  quarantinedByReason: other.quarantinedByReason,
});
