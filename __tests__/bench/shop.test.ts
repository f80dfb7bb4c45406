import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { BenchPostgres } from "../../local/postgres";
import { BenchSecrets } from "../../local/secrets";
import { cloneWorkingTree, ROOT } from "../support/clone";
import { lastRun, npmStart, processesOf, said } from "./commands";
import { judgeRights, type NotShown, notShownOf } from "./rights";
import { BenchSession } from "./session";

/** The shop's database on the bench: its days by the command of the README, corrections, deaths, a database that is down, and rights. */

const MINUTES = 60_000;
const [FIRST, SECOND, LAST] = ["2010-12-01", "2010-12-02", "2010-12-07"] as const;
let clone: string;
let days: string;

beforeAll(() => {
  clone = cloneWorkingTree("shop");
  // Everybody may enter it, because root starts the database as another user.
  chmodSync(dirname(clone), 0o755);
  days = join(dirname(clone), "days");
  cpSync(join(clone, "pipelines", "shop", "sample"), days, { recursive: true });
}, MINUTES);
afterAll(() => rmSync(dirname(clone), { recursive: true, force: true }), MINUTES);

const local = () => join(clone, ".local");
const trace = () => join(local(), "trace.jsonl");
const deaths = () => join(local(), "deaths.jsonl");

/** The shop's objects of the raw zone, by key. */
async function lake(session: BenchSession): Promise<ReadonlyMap<string, Uint8Array>> {
  const bucket = session.output("raw_bucket");
  const found = new Map<string, Uint8Array>();
  for (const key of Object.keys(await session.list(bucket, "shop/")))
    found.set(key, await session.get(bucket, key));
  return found;
}

/** Compares the deliveries with the model of the days. @returns the differences */
async function differences(session: BenchSession, ...dates: readonly string[]): Promise<string> {
  const folder = join(dirname(clone), "raw");
  rmSync(folder, { recursive: true, force: true });
  for (const [key, content] of await lake(session)) {
    const file = join(folder, key.slice("shop/".length));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
  expect(readdirSync(folder).sort()).toEqual(["customers", "invoice_lines", "invoices", "products"]);
  const python = join(ROOT, ".setup", "venv", "bin", "python");
  const check = join(ROOT, "__tests__", "support", "check_shop.py");
  const { status, stdout, stderr } = spawnSync(python, [check, folder, days, ...dates], { encoding: "utf8" });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

async function marks(session: BenchSession): Promise<unknown> {
  const { Item } = await session.clients.dynamodb.send(
    new GetItemCommand({
      TableName: session.output("lock_table"),
      Key: { pipeline: { S: "marks/shop" } },
    }),
  );
  const { customers } = Item!.tables!.M!;
  return { runDate: Item!.runDate!.S, end: customers!.M!.end!.S };
}

/** Runs the command, and looks at what it left. */
async function run(
  look: (session: BenchSession) => Promise<void>,
  ...args: readonly string[]
): Promise<string> {
  const result = npmStart(clone, "--pipeline", "shop", "--input", days, ...args);
  if (result.exitCode !== 0) throw new Error(result.output);
  const session = await BenchSession.open(clone);
  try {
    await look(session);
  } finally {
    await session.close();
  }
  return said(result);
}

const AT_LAST = { runDate: LAST, end: "2010-12-07T23:00:00.000000" };

test(
  "the days change the database one after the other, and each delivery is the model's",
  async () => {
    await run(async (session) => {
      expect(await differences(session, FIRST, SECOND, LAST)).toBe("");
      expect(await marks(session)).toEqual(AT_LAST);
    });
    const { rows, status } = lastRun(clone) as ReturnType<typeof lastRun> & {
      readonly rows: { readonly sources: Readonly<Record<string, { readonly written: number }>> };
    };
    expect(status).toBe("SUCCEEDED");
    expect(rows.read).toBe(rows.written);
    expect(rows.sources.invoice_lines!.written).toBe(3108 + (3108 + 2109) + (3108 + 2109 + 2963));
    expect(rows.sources.products!.written).toBe(1351 + 1608 + 1558);
    expect(processesOf(clone)).toEqual([]);
  },
  15 * MINUTES,
);

test(
  "the same again gives the same; a changed file corrects its day alone",
  async () => {
    let before: ReadonlyMap<string, Uint8Array>;
    await run(async (session) => {
      expect(await differences(session, FIRST, SECOND, LAST)).toBe("");
      expect(await marks(session)).toEqual(AT_LAST);
      before = await lake(session);
    });
    const file = join(days, `${SECOND}.csv`);
    const [header, line, ...rest] = readFileSync(file, "utf8").split("\n");
    const changed = line!
      .split(",")
      .map((field, at) => (at === 5 ? "99.75" : field))
      .join(",");
    writeFileSync(file, [header, changed, ...rest.slice(0, 500), ""].join("\n"));
    const screen = await run(async (session) => {
      expect(await differences(session, "--correction", SECOND)).toBe("");
      expect(await marks(session)).toEqual(AT_LAST);
      const after = await lake(session);
      const kept = [...before].filter(([key]) => !key.includes(SECOND));
      for (const [key, content] of kept) expect([key, after.get(key)]).toEqual([key, content]);
      expect(after.size).toBe(before.size);
    });
    expect(screen).toContain(`corrections of ${SECOND}`);
  },
  15 * MINUTES,
);

describe("a run of one's own", () => {
  let session: BenchSession;
  let database: BenchPostgres | undefined;
  let secrets: BenchSecrets;

  beforeAll(async () => {
    writeFileSync(deaths(), "");
    session = await BenchSession.open(clone, ["--deaths", deaths(), "--trace", trace()]);
    secrets = new BenchSecrets(session.aws.at);
    await up();
  }, 2 * MINUTES);
  afterAll(async () => {
    await database?.stop();
    secrets?.destroy();
    await session?.close();
  }, MINUTES);

  async function up(): Promise<void> {
    database = await BenchPostgres.start({
      local: local(),
      database: "shop",
      tls: join(local(), "tls"),
      secrets,
    });
  }
  const start = () => session.start({ runDate: LAST }, session.output("shop_alias_arn"));
  const started = async () => session.finish(await start());

  test.each([
    ["while it writes aside", 6],
    ["while it publishes", 17],
    ["before it writes its books", -1],
  ])(
    "kill -9 %s, then a redrive: the same deliveries and marks",
    async (_when, call) => {
      const death =
        call < 0 ? { afterMutatingCall: (await lastMutatingCall()) - 2 } : { afterMutatingCall: call };
      writeFileSync(deaths(), `${JSON.stringify({ jobRun: "next", ...death })}\n`);
      const failed = await started();
      expect(failed).toMatchObject({ status: "FAILED" });
      writeFileSync(deaths(), "");
      expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      expect(await differences(session, "--correction", SECOND)).toBe("");
      expect(await marks(session)).toEqual(AT_LAST);
      expect(await counted()).toEqual(COUNTED);
    },
    10 * MINUTES,
  );

  /** How many calls a run makes that change something. */
  async function lastMutatingCall(): Promise<number> {
    expect(await started()).toMatchObject({ status: "SUCCEEDED" });
    const runs = join(local(), "logs", "job-runs");
    const calls = readdirSync(runs).flatMap((id) => {
      try {
        return [
          readFileSync(join(runs, id, "calls.jsonl"), "utf8")
            .trim()
            .split("\n").length,
        ];
      } catch {
        return [];
      }
    });
    return Math.max(...calls);
  }

  /** Rows of the last day, without the day that was corrected. */
  const counted = async () =>
    session.query(
      `select 'products', count(*), count(distinct product_id) from etl_dev_raw.shop_products where dt = '${LAST}' ` +
        `union all select 'invoices', count(*), count(distinct invoice_id) from etl_dev_raw.shop_invoices where dt = '${LAST}' order by 1`,
    );
  let COUNTED: readonly (readonly string[])[];
  beforeAll(async () => {
    // From the database as it is after the correction.
    expect(await started()).toMatchObject({ status: "SUCCEEDED" });
    COUNTED = await counted();
    expect(COUNTED.every(([, rows, keys]) => rows === keys)).toBe(true);
  }, 3 * MINUTES);

  test(
    "a database that is down: one sentence, nothing changes, the mark stays; up again, a redrive succeeds",
    async () => {
      await database!.stop();
      database = undefined;
      const before = await lake(session);
      const failed = await started();
      expect(failed).toMatchObject({ status: "FAILED" });
      expect(failed.cause).toMatch(
        /SourceUnavailable: connection etl-dev-shop: .*localhost:\d+\/shop cannot be read: .*refused.*; nothing was written/,
      );
      expect([...(await lake(session)).keys()]).toEqual([...before.keys()]);
      expect(await marks(session)).toEqual(AT_LAST);
      await up();
      expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      expect(await marks(session)).toEqual(AT_LAST);
      expect(await counted()).toEqual(COUNTED);
    },
    10 * MINUTES,
  );

  test(
    "a column that is gone: one sentence, nothing changes",
    async () => {
      const owner = await database!.connect();
      await owner.query("alter table shop.products rename column unit_price to price");
      const before = await lake(session);
      const failed = await started();
      await owner.query("alter table shop.products rename column price to unit_price");
      await owner.end();
      expect(failed.cause).toContain(
        "SourceDrifted: connection etl-dev-shop: table shop.products has no column unit_price;",
      );
      expect([...(await lake(session)).keys()]).toEqual([...before.keys()]);
      expect(await marks(session)).toEqual(AT_LAST);
    },
    10 * MINUTES,
  );

  test("each right of its job is needed by a call, or is listed as one that the bench cannot show", () => {
    const notShown = notShownOf(clone).filter(
      ({ role, resource }) => role === "*-job" && resource !== "*/events",
    );
    const which = ["--roles", "*-shop-*-job"];
    expect(judgeRights(clone, trace(), which, [...notShown, ...NOT_NEEDED_HERE]).mistakes).toEqual([]);
  });
});

const NOT_NEEDED_HERE: readonly NotShown[] = [
  {
    role: "*-job",
    action: "ec2:*",
    why: "Glue makes network interfaces in the subnet of the connection; the bench's job runs on this computer",
    page: "https://docs.aws.amazon.com/glue/latest/dg/create-service-policy.html",
  },
  {
    role: "*-job",
    action: "s3:GetObject",
    resource: "*/shop",
    why: "S3A asks whether a folder is a file, by its key without the slash; this job names deeper folders",
    page: "https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format.html",
  },
];
