import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { pages } from "../../local/athena";
import { GetConnectionCommand } from "@aws-sdk/client-glue";
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

const STAGED = ["customers", "products", "invoices", "invoice_lines", "price_lists"] as const;

/** All rows of a table, by column. */
async function rowsOf(session: BenchSession, table: string): Promise<object[]> {
  const rows: object[] = [];
  const sql = `select * from etl_dev_processed.${table}`;
  for await (const page of pages(session.clients.athena, session.output("workgroup"), sql))
    for (const row of page.rows)
      rows.push(Object.fromEntries(page.columns.map(({ name }, at) => [name, row[at] ?? null])));
  return rows;
}

/** Compares the histories with a plain model of the deliveries as they lie in the raw zone. @returns the differences */
async function stagingDifferences(
  session: BenchSession,
  tables: readonly string[] = STAGED,
): Promise<string> {
  const folder = join(dirname(clone), "staged");
  rmSync(folder, { recursive: true, force: true });
  const bucket = session.output("raw_bucket");
  for (const prefix of ["shop/", "price-lists/"])
    for (const key of Object.keys(await session.list(bucket, prefix))) {
      const name = key.replace(/^shop\//, "").replace(/^price-lists\//, "price_lists/");
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), await session.get(bucket, key));
    }
  const histories: Record<string, object[]> = {};
  for (const table of tables) histories[table] = await rowsOf(session, `stg_${table}`);
  const python = join(ROOT, ".setup", "venv", "bin", "python");
  const check = join(ROOT, "__tests__", "support", "check_staging.py");
  const input = JSON.stringify(histories);
  const { status, stdout, stderr } = spawnSync(python, [check, folder], { encoding: "utf8", input });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

interface Follower {
  readonly pipeline: string;
  readonly status: string;
  readonly dates: readonly string[];
  readonly restated: readonly string[];
  readonly rows: Readonly<Record<string, unknown>> & { readonly read: number };
}

const followers = (): Readonly<Record<string, Follower>> => {
  const { followers: found } = lastRun(clone) as unknown as { readonly followers: readonly Follower[] };
  return Object.fromEntries(found.map((one) => [one.pipeline, one]));
};

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
  "the days change the database one after the other; each delivery and each history is the model's",
  async () => {
    await run(async (session) => {
      expect(await differences(session, FIRST, SECOND, LAST)).toBe("");
      expect(await marks(session)).toEqual(AT_LAST);
      expect(await stagingDifferences(session)).toBe("");
      const present = await session.query("select count(*) from etl_dev_processed.stg_products_current");
      expect(present).toEqual([["1558"]]);
    });
    const staged = followers();
    expect(Object.keys(staged)).toEqual(STAGED.map((table) => `stg-${table.replace("_", "-")}`));
    for (const { status, dates, rows } of Object.values(staged)) {
      expect({ status, dates }).toEqual({ status: "SUCCEEDED", dates: [FIRST, SECOND, LAST] });
      expect(accounted(rows)).toBe(rows.read);
    }
    expect(staged["stg-products"]!.rows.changes).toMatchObject({
      inserted: 1881,
      updated: 749,
      deletedByAbsence: 323,
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

/** The rows that the parts of the books add up to. */
function accounted(rows: Readonly<Record<string, unknown>>): number {
  const { inserted, updated, deleted, unchanged, superseded } = rows.changes as Record<string, number>;
  const quarantined = Object.values(rows.quarantined as Record<string, number>);
  return [inserted!, updated!, deleted!, unchanged!, superseded!, ...quarantined].reduce(
    (one, other) => one + other,
  );
}

test(
  "the same again gives the same; a changed file corrects its day alone, and the histories follow",
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
      expect(await stagingDifferences(session)).toBe("");
    });
    const { "stg-products": products, "stg-price-lists": lists } = followers();
    expect(products).toMatchObject({ status: "SUCCEEDED", dates: [SECOND], restated: [LAST] });
    expect(lists).toMatchObject({ status: "SUCCEEDED" });
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

  test(
    "kill -9 of a history while it writes, then a redrive: the same versions",
    async () => {
      // The last day was extracted again by the tests before, from the corrected days: its history follows now.
      for (const call of [2, 4]) {
        writeFileSync(deaths(), `${JSON.stringify({ jobRun: "next", afterMutatingCall: call })}\n`);
        const failed = await session.finish(
          await session.start({ runDate: LAST }, session.output("stg_products_alias_arn")),
        );
        expect([call, failed.status]).toEqual([call, "FAILED"]);
        writeFileSync(deaths(), "");
        expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      }
      expect(await stagingDifferences(session, ["products"])).toBe("");
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
    "a wrong password, then an expired certificate: one sentence each, nothing changes; repaired, a redrive succeeds",
    async () => {
      const before = await lake(session);
      const left = async (cause: string | undefined, expected: RegExp) => {
        expect(cause).toMatch(expected);
        expect([...(await lake(session)).keys()]).toEqual([...before.keys()]);
        expect(await marks(session)).toEqual(AT_LAST);
      };
      const { username, password } = database!.reader;
      await secrets.write("shop/reader", { username, password: "another" });
      const failed = await started();
      await left(
        failed.cause,
        /SourceUnavailable: connection etl-dev-shop: .*localhost:\d+\/shop cannot be read: [^;]*password authentication failed for user \\?"reader[^;]*; nothing was written/,
      );
      await secrets.write("shop/reader", { username, password });

      const restore = await expireCertificate();
      const again = await session.redrive(failed.executionArn);
      await restore();
      await left(
        again.cause,
        /SourceUnavailable: connection etl-dev-shop: .*localhost:\d+\/shop cannot be read: [^;]*NotAfter: [^;]*; nothing was written/,
      );
      expect(await session.redrive(failed.executionArn)).toMatchObject({ status: "SUCCEEDED" });
      expect(await counted()).toEqual(COUNTED);
    },
    10 * MINUTES,
  );

  /** Gives the server an expired certificate, whose authority the connection trusts. @returns what gives both back */
  async function expireCertificate(): Promise<() => Promise<void>> {
    const folder = join(dirname(clone), "expired");
    const python = join(ROOT, ".setup", "venv", "bin", "python");
    execFileSync(python, [join(ROOT, "__tests__", "support", "expired_certificate.py"), folder]);
    const { Connection } = await session.clients.glue.send(
      new GetConnectionCommand({ Name: "etl-dev-shop" }),
    );
    const uri = new URL(Connection!.ConnectionProperties!.CUSTOM_JDBC_CERT!);
    const [bucket, key] = [uri.hostname, decodeURIComponent(uri.pathname.slice(1))];
    const trusted = await session.get(bucket, key);
    await session.put(bucket, key, readFileSync(join(folder, "ca.pem")));
    const owner = await database!.connect();
    // Written over, so that they stay the server's own.
    for (const [from, to] of [
      ["server.pem", "server.crt"],
      ["server.key", "server.key"],
    ] as const)
      writeFileSync(join(local(), "postgres", "data", to), readFileSync(join(folder, from)));
    await owner.query("select pg_reload_conf()");
    await owner.end();
    return async () => {
      await session.put(bucket, key, trusted);
      await database!.stop();
      await up();
    };
  }

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
