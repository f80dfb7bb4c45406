import { execFileSync, spawn } from "node:child_process";

import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { EmbeddedAws } from "../../local/embedded-aws";
import { BenchPostgres, type DatabaseUser } from "../../local/postgres";
import { isStill, processOf } from "../../local/processes";
import { BenchSecrets } from "../../local/secrets";
import { ROOT } from "../support/clone";
import { dial, type Dialled, urlOf } from "../support/drivers";

/** A real PostgreSQL beside a real embedded AWS: TLS, users, secrets, port, and its end in every case. */

// Everybody may enter it, because root starts the server as another user.
const local = mkdtempSync(join(tmpdir(), "etl-postgres-"));
execFileSync("chmod", ["755", local]);
const tls = join(local, "tls");
let aws: EmbeddedAws;
let secrets: BenchSecrets;
let database: BenchPostgres;

const start = (): Promise<BenchPostgres> => BenchPostgres.start({ local, database: "shop", tls, secrets });

beforeAll(async () => {
  aws = await EmbeddedAws.start(local);
  secrets = new BenchSecrets(aws.at);
  database = await start();
}, 120_000);
afterAll(async () => {
  await database?.stop();
  secrets?.destroy();
  await aws?.stop();
  rmSync(local, { recursive: true, force: true });
}, 60_000);

/** A client with the given settings; the server's certificate is verified unless they say otherwise. */
async function login(
  user: Pick<DatabaseUser, "username" | "password">,
  settings: object = { ssl: { ca: readFileSync(join(tls, "ca.pem")) } },
): Promise<Client> {
  const client = new Client({
    ...{ host: "localhost", port: database.port, database: "shop" },
    ...{ user: user.username, password: user.password },
    ...settings,
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** @throws Error after half a minute */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ids of the server's processes that run. */
function running(group: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(local, "postgres", "data"));
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter((pid) => pid !== group);
}

test("the owner fills it, the reader reads every table and writes none", async () => {
  const owner = await database.connect();
  await owner.query("create schema if not exists shop");
  await owner.query("create table if not exists shop.rows (id int primary key)");
  await owner.query("insert into shop.rows values (1), (2) on conflict do nothing");
  await owner.end();
  const reader = await login(database.reader);
  expect((await reader.query("select count(*)::int as rows from shop.rows")).rows).toEqual([{ rows: 2 }]);
  await expect(reader.query("insert into shop.rows values (3)")).rejects.toThrow("permission denied");
  await expect(reader.query("create table x (id int)")).rejects.toThrow("permission denied");
  await reader.end();
});

test("TLS is asked for, and really checked", async () => {
  const { owner } = database;
  const client = await login(owner);
  const { rows } = await client.query("select version, ssl from pg_stat_ssl where pid = pg_backend_pid()");
  expect(rows).toEqual([{ version: expect.stringMatching(/^TLSv1\.[23]$/) as string, ssl: true }]);
  await client.end();
  await expect(login(owner, { ssl: false })).rejects.toThrow("no encryption");
  // Another authority, as in an ordinary trust store.
  await expect(login(owner, { ssl: true })).rejects.toThrow(/certificate/);
});

describe("the URL of a connection, in the driver of Glue", () => {
  /** Java's settings as a job on the bench has them; its names are those of a file. */
  function java(trusts: boolean): string[] {
    const hosts = join(local, "hosts");
    writeFileSync(hosts, "127.0.0.1 localhost\n127.0.0.1 shop.example\n");
    const store = join(tls, "truststore.p12");
    return [
      `-Djdk.net.hosts.file=${hosts}`,
      ...(trusts
        ? [`-Djavax.net.ssl.trustStore=${store}`, "-Djavax.net.ssl.trustStorePassword=changeit"]
        : []),
    ];
  }
  const url = (change: object = {}) => urlOf({ engine: "postgresql", port: database.port, ...change });
  const reader = () => ({ user: database.reader.username, password: database.reader.password });

  test("reads", async () => {
    expect(await dial([url()], java(true), reader())).toEqual([
      { driver: "org.postgresql.Driver", error: null, rows: 1 },
    ]);
  }, 60_000);

  test.each<[string, () => Promise<Dialled[]>, RegExp]>([
    [
      "an authority that Java does not trust",
      () => dial([url()], java(false), reader()),
      /PKIX path building failed/,
    ],
    [
      "a name that the certificate has not",
      () => dial([url({ host: "shop.example" })], java(true), reader()),
      /shop\.example/,
    ],
    [
      "no TLS",
      () => dial([url({ tls: false, allowUnencrypted: true })], java(true), reader()),
      /no encryption/,
    ],
    [
      "a wrong password",
      () => dial([url()], java(true), { ...reader(), password: "wrong" }),
      /password authentication failed/,
    ],
  ])(
    "refused: %s",
    async (_what, dialled, error) => {
      expect(await dialled()).toEqual([
        { driver: "org.postgresql.Driver", error: expect.stringMatching(error) as string, rows: null },
      ]);
    },
    60_000,
  );
});

test("a wrong password is refused", async () => {
  await expect(login({ ...database.reader, password: "wrong" })).rejects.toThrow("password authentication");
});

test("passwords are in Secrets Manager and in no file of the bench's database, its log and its records", async () => {
  for (const user of [database.owner, database.reader]) {
    const { credentials, arn } = (await secrets.read(`shop/${user.username}`))!;
    expect({ ...credentials, secretArn: arn }).toEqual(user);
    expect(arn).toMatch(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:shop\/\w+-[A-Za-z0-9]{6}$/);
    expect(user.password).toMatch(/^[\w-]{32}$/);
    for (const folder of ["postgres", "logs"])
      for (const file of readdirSync(join(local, folder), { recursive: true, withFileTypes: true }))
        if (file.isFile())
          expect(readFileSync(join(file.parentPath, file.name)).includes(user.password)).toBe(false);
  }
  expect(database.owner.password).not.toBe(database.reader.password);
});

test("it listens on 127.0.0.1 only, with no socket file", async () => {
  const owner = await database.connect();
  const settings = await owner.query(
    "select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories', 'TimeZone') order by name",
  );
  await owner.end();
  expect(settings.rows).toEqual([
    { name: "TimeZone", setting: "UTC" },
    { name: "listen_addresses", setting: "127.0.0.1" },
    { name: "unix_socket_directories", setting: "" },
  ]);
});

test("it runs as an ordinary user, and nobody else reads its key", () => {
  const [server] = running(database.group);
  expect(statSync(`/proc/${server}`).uid).not.toBe(0);
  const key = statSync(join(local, "postgres", "data", "server.key"));
  expect((key.mode & 0o777).toString(8)).toBe("600");
});

test("data, port and passwords survive a stop that waits for no client", async () => {
  const { port, reader, owner } = database;
  const waiting = await login(owner);
  await database.stop();
  expect(running(0)).toEqual([]);
  await waiting.end().catch(() => undefined);
  database = await start();
  expect({ port: database.port, reader: database.reader, owner: database.owner }).toEqual({
    port,
    reader,
    owner,
  });
  const client = await login(reader);
  expect((await client.query("select id from shop.rows order by id")).rows).toEqual([{ id: 1 }, { id: 2 }]);
  await client.end();
}, 60_000);

test("another port when its own is taken", async () => {
  const { port } = database;
  await database.stop();
  const other = await new Promise<Server>((resolve) => {
    const server = createServer().listen(port, "127.0.0.1", () => resolve(server));
  });
  database = await start();
  expect(database.port).not.toBe(port);
  await new Promise((resolve) => other.close(resolve));
}, 60_000);

test("new passwords, and the same rows, when its secrets are lost", async () => {
  const before = database.owner.password;
  const lost = new Map<string, { username: string; password: string }>();
  await database.stop();
  const forgetful = Object.assign(Object.create(BenchSecrets.prototype) as BenchSecrets, {
    read: () => Promise.resolve(undefined),
    write: async (name: string, credentials: { username: string; password: string }) => {
      lost.set(name, credentials);
      return await secrets.write(name, credentials);
    },
  });
  database = await BenchPostgres.start({ local, database: "shop", tls, secrets: forgetful });
  expect([...lost.keys()]).toEqual(["shop/owner", "shop/reader"]);
  expect(database.owner.password).not.toBe(before);
  const client = await login(database.reader);
  expect((await client.query("select id from shop.rows order by id")).rows).toEqual([{ id: 1 }, { id: 2 }]);
  await client.end();
}, 60_000);

test("a server that ends while a command runs ends with a message in the next query", async () => {
  const client = await login(database.owner);
  await database.stop();
  await expect(client.query("select 1")).rejects.toThrow();
  database = await start();
}, 60_000);

describe("the command that started it", () => {
  /** A command that starts the server, says so and stays. */
  async function command(): Promise<{ pid: number; port: number; end: () => void }> {
    await database.stop();
    const { endpoint, caBundle, accessKeyId, secretAccessKey } = aws.at;
    const script = `
      const { BenchPostgres } = require("./local/postgres");
      const { BenchSecrets } = require("./local/secrets");
      const secrets = new BenchSecrets(${JSON.stringify({ endpoint, caBundle, accessKeyId, secretAccessKey })});
      BenchPostgres.start({ ...${JSON.stringify({ local, database: "shop", tls })}, secrets })
        .then(({ port }) => console.log(port), (error) => { console.error(error); process.exit(1); });
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["-r", "ts-node/register/transpile-only", "-e", script], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", (line) => resolve(Number(line)));
      child.once("exit", (code) => reject(new Error(`ended with ${code}`)));
    });
    return { pid: child.pid!, port, end: () => child.kill("SIGKILL") };
  }

  afterEach(async () => {
    database = await start();
  }, 60_000);

  test("is killed: the server ends by itself, in order", async () => {
    const started = await command();
    expect(running(0).length).toBeGreaterThan(0);
    started.end();
    await until(() => running(0).length === 0);
    expect(readFileSync(join(local, "logs", "postgres.log"), "utf8")).toContain(
      "database system is shut down",
    );
  }, 60_000);

  test("is killed with the keeper of the server: the next start ends what is left", async () => {
    const started = await command();
    const record = JSON.parse(readFileSync(join(local, "postgres", "process.json"), "utf8")) as {
      pid: number;
    };
    const starter = processOf(started.pid);
    process.kill(record.pid, "SIGKILL");
    started.end();
    await until(() => !isStill(starter));
    expect(running(0).length).toBeGreaterThan(0);
    database = await start();
    expect((await (await login(database.owner)).query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await database.stop();
  }, 60_000);
});

test("a killed first start begins again", async () => {
  await database.stop();
  rmSync(join(local, "postgres", "prepared"));
  database = await start();
  const owner = await database.connect();
  expect((await owner.query("select 1 from pg_namespace where nspname = 'shop'")).rowCount).toBe(0);
  await owner.end();
}, 60_000);
