import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { anyFreePort, freePort } from "./free-port";
import { POSTGRES } from "./places";
import { endRemembered, forget, isOwned, remember } from "./processes";
import { scramVerifier } from "./scram-verifier";
import { type BenchSecrets, type Credentials } from "./secrets";
import { giveTo, requireReach, type RunsAs, unprivileged } from "./unprivileged";
import { UserError } from "./user-error";

/** Props of {@link BenchPostgres.start}. */
export interface PostgresProps {
  /** The bench's folder, `.local`. Data, port and log lie below it. */
  readonly local: string;
  /** The database that is made, and the first part of its secrets' names. */
  readonly database: string;
  /** The folder with the bench's `ca.pem`, `server.pem` and `server.key`. */
  readonly tls: string;
  readonly secrets: BenchSecrets;
}

/** A user of the database. */
export interface DatabaseUser extends Credentials {
  readonly secretArn: string;
}

/** The superuser, as whom the bench fills the database. */
const OWNER = "owner";
/** The user who may read every table and nothing else: the credentials of a connection. */
const READER = "reader";
const GRACE_MS = 20_000;
const READY_MS = 60_000;
const POLL_MS = 100;

/**
 * Runs PostgreSQL until standard input closes, so that it ends with the command that started it, however that ends. SIGINT ends it without
 * waiting for its clients: https://www.postgresql.org/docs/18/server-shutdown.html
 */
const KEEPER =
  'exec 3<&0; "$@" </dev/null 3<&- & server=$!; (cat <&3 >/dev/null; kill -INT "$server" 2>/dev/null) & wait "$server"';

/**
 * PostgreSQL on 127.0.0.1, with TLS only: its certificate is the bench's, and passwords are in the bench's Secrets Manager and nowhere else. Its data
 * stays in `.local` from one command to the next, and so does its port.
 */
export class BenchPostgres {
  private constructor(
    readonly port: number,
    readonly database: string,
    readonly owner: DatabaseUser,
    readonly reader: DatabaseUser,
    private readonly ca: Buffer,
    private readonly child: ChildProcess,
    private readonly record: string,
  ) {}

  /** @throws UserError when it does not start */
  static async start(props: PostgresProps): Promise<BenchPostgres> {
    const files = filesOf(props.local);
    const user = unprivileged();
    if (!existsSync(join(POSTGRES, "bin", "postgres")))
      throw new UserError(
        "PostgreSQL is not installed: run node tools/setup.mjs --needs python,java,postgres",
      );
    if (!isOwned(files.record)) await endRemembered(files.record, GRACE_MS); // its command was killed
    mkdirSync(join(props.local, "logs"), { recursive: true });
    mkdirSync(files.folder, { recursive: true });
    for (const folder of [files.folder, POSTGRES]) requireReach(user, folder);
    // The mark is written last: a start that was killed begins again.
    const isNew = !existsSync(files.mark);
    if (isNew) initialise(files.data, user);
    configure(files.data, props.tls, user);

    const owner = await ownerOf(props, files.data, user, isNew);
    const port = await portFor(files.port);
    const ca = readFileSync(join(props.tls, "ca.pem"));
    const child = await running(files, user, { port, owner, ca });
    try {
      const reader = await prepare(props, port, owner, ca, isNew);
      writeFileSync(files.mark, "");
      return new BenchPostgres(port, props.database, owner, reader, ca, child, files.record);
    } catch (error) {
      await end(child, files.record);
      throw error;
    }
  }

  /** A client of the owner, connected, which its user ends. */
  async connect(): Promise<Client> {
    return await connected(this.port, this.database, this.owner, this.ca);
  }

  /** Ends the server without waiting for its clients, and returns when it has ended. */
  async stop(): Promise<void> {
    await end(this.child, this.record);
  }

  /** Id of the process group; it ends with the server. */
  get group(): number {
    return this.child.pid!;
  }
}

interface Files {
  readonly folder: string;
  readonly data: string;
  readonly mark: string;
  readonly port: string;
  readonly record: string;
  readonly log: string;
}

function filesOf(local: string): Files {
  const folder = join(local, "postgres");
  return {
    folder,
    data: join(folder, "data"),
    mark: join(folder, "prepared"),
    port: join(folder, "port.json"),
    record: join(folder, "process.json"),
    log: join(local, "logs", "postgres.log"),
  };
}

const program = (name: string): string => join(POSTGRES, "bin", name);

/** Messages and formats of the C locale, whatever the user's is. */
const ENVIRONMENT = { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };

/** Makes the data folder. Until `configure`, nobody can log in. */
function initialise(data: string, user: RunsAs | undefined): void {
  rmSync(data, { recursive: true, force: true }); // half a folder, if one was left
  mkdirSync(data, { mode: 0o700 });
  giveTo(user, data);
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const auth = ["--auth-local=reject", "--auth-host=reject"];
  const { status, stderr, error } = spawnSync(
    program("initdb"),
    ["--pgdata", data, "--username", OWNER, ...locale, ...auth, "--no-instructions", "--data-checksums"],
    { ...user, env: ENVIRONMENT, cwd: "/", encoding: "utf8" },
  );
  if (status !== 0) {
    rmSync(data, { recursive: true, force: true });
    throw new UserError(`PostgreSQL cannot make its data folder ${data}: ${error?.message ?? stderr.trim()}`);
  }
}

/** Only TLS, only with a password. The certificate is copied at each start, because the bench renews it. */
function configure(data: string, tls: string, user: RunsAs | undefined): void {
  writeFileSync(join(data, "pg_hba.conf"), "hostssl all all 127.0.0.1/32 scram-sha-256\n");
  for (const [from, to] of [
    ["server.pem", "server.crt"],
    ["server.key", "server.key"],
  ] as const) {
    const copy = join(data, to);
    rmSync(copy, { force: true });
    copyFileSync(join(tls, from), copy);
    chmodSync(copy, 0o600);
    giveTo(user, copy);
  }
}

/** The owner and the secret with the password. Without the secret, the owner gets another password while the server is down. */
async function ownerOf(
  { secrets, database }: PostgresProps,
  data: string,
  user: RunsAs | undefined,
  isNew: boolean,
): Promise<DatabaseUser> {
  const name = `${database}/${OWNER}`;
  const known = isNew ? undefined : await secrets.read(name);
  if (known !== undefined) return { ...known.credentials, secretArn: known.arn };
  const credentials = { username: OWNER, password: newPassword() };
  alone(
    data,
    `ALTER ROLE "${OWNER}" PASSWORD '${scramVerifier(credentials.password, randomBytes(16))}'`,
    user,
  );
  return { ...credentials, secretArn: await secrets.write(name, credentials) };
}

const newPassword = (): string => randomBytes(24).toString("base64url");

/** Runs a statement without a server: https://www.postgresql.org/docs/18/app-postgres.html#APP-POSTGRES-SINGLE-USER */
function alone(data: string, statement: string, user: RunsAs | undefined): void {
  const { status, stdout, stderr, error } = spawnSync(
    program("postgres"),
    ["--single", "-D", data, "-c", "ssl=off", "postgres"],
    { ...user, env: ENVIRONMENT, cwd: "/", encoding: "utf8", input: `${statement};\n` },
  );
  const said = `${stdout}${stderr}`;
  // A statement that fails leaves the exit code 0.
  if (status !== 0 || /\b(ERROR|FATAL|PANIC):/.test(said))
    throw new UserError(`PostgreSQL cannot use its data folder ${data}: ${error?.message ?? said.trim()}`);
}

/** The port of the last start if it is free, so that what names it stays right; else another, which is kept. */
async function portFor(file: string): Promise<number> {
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { port: number }).port : 0;
  const port = (await freePort(before)) ?? (await anyFreePort("PostgreSQL"));
  writeFileSync(file, JSON.stringify({ port }));
  return port;
}

function launch({ data, log, record }: Files, port: number, user: RunsAs | undefined): ChildProcess {
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: "",
    ssl: "on",
    ssl_min_protocol_version: "TLSv1.2",
    timezone: "UTC",
    log_timezone: "UTC",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // Not through this command, so that the log is whole when the command is killed.
  const output = openSync(log, "w");
  const child = spawn("sh", ["-c", KEEPER, "sh", program("postgres"), "-D", data, ...options], {
    ...user,
    cwd: "/",
    env: ENVIRONMENT,
    // A group of its own: Ctrl-C reaches the command, which ends the server in order.
    detached: true,
    stdio: ["pipe", output, output],
  });
  closeSync(output);
  child.stdin?.on("error", () => undefined); // it has ended
  if (child.pid !== undefined) remember(record, child.pid);
  return child;
}

interface Reached {
  readonly port: number;
  readonly owner: Credentials;
  readonly ca: Buffer;
}

/** Matches the refusal to start while processes of a killed server still end. */
const STILL_IN_USE = /pre-existing shared memory block|lock file .* already exists/;

/** Starts the server and returns when it answers. @throws UserError when it ends before, or does not answer in a minute */
async function running(files: Files, user: RunsAs | undefined, at: Reached): Promise<ChildProcess> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const child = launch(files, at.port, user);
    if (await answers(child, at, deadline, files.log)) return child;
    const said = readFileSync(files.log, "utf8");
    forget(files.record);
    if (!STILL_IN_USE.test(said) || Date.now() > deadline) {
      const why = said.split("\n").find((line) => line.includes("FATAL:")) ?? said.trim();
      throw new UserError(`PostgreSQL ended before it was ready: ${why}; its log is ${files.log}`);
    }
    await pause();
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));

/** @returns `false` when the server has ended */
async function answers(
  child: ChildProcess,
  { port, owner, ca }: Reached,
  deadline: number,
  log: string,
): Promise<boolean> {
  for (;;) {
    try {
      await (await connected(port, "postgres", owner, ca)).end();
      return true;
    } catch (error) {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      const isStarting = /ECONNREFUSED|57P03/.test((error as { code?: string }).code ?? "");
      if (!isStarting || Date.now() > deadline) {
        child.stdin?.end();
        throw new UserError(`PostgreSQL does not answer: ${(error as Error).message}; its log is ${log}`);
      }
      await pause();
    }
  }
}

/** Connects as every client should: the server's certificate and name are verified. */
async function connected(
  port: number,
  database: string,
  { username: user, password }: Credentials,
  ca: Buffer,
): Promise<Client> {
  const client = new Client({
    ...{ host: "127.0.0.1", port, database, user, password },
    ssl: { ca, servername: "localhost" },
  });
  client.on("error", () => undefined); // the server has ended; the next query says so
  await client.connect();
  return client;
}

/** The database, and the reader with a secret. */
async function prepare(
  { database, secrets }: PostgresProps,
  port: number,
  owner: Credentials,
  ca: Buffer,
  isNew: boolean,
): Promise<DatabaseUser> {
  const client = await connected(port, "postgres", owner, ca);
  try {
    const there = await client.query("select from pg_database where datname = $1", [database]);
    if (there.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
    const role = await client.query("select from pg_roles where rolname = $1", [READER]);
    if (role.rowCount === 0) await client.query(`create role ${READER} login in role pg_read_all_data`);
    const name = `${database}/${READER}`;
    const known = isNew ? undefined : await secrets.read(name);
    if (known !== undefined) return { ...known.credentials, secretArn: known.arn };
    const credentials = { username: READER, password: newPassword() };
    const verifier = scramVerifier(credentials.password, randomBytes(16));
    await client.query(`alter role ${READER} password '${verifier}'`);
    return { ...credentials, secretArn: await secrets.write(name, credentials) };
  } finally {
    await client.end();
  }
}

async function end(child: ChildProcess, record: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.stdin?.end();
    const timer = setTimeout(() => void endRemembered(record), GRACE_MS);
    await ended;
    clearTimeout(timer);
  }
  forget(record);
}
