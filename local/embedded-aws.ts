import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Endpoint } from "./endpoint";
import { keeperText, type KeptBench, keptBench } from "./kept-bench";
import { BENCH, JARS, JDBC_DRIVERS, LOCAL, LOSE_ANSWERS, PYTHON, ROOT } from "./places";
import { endRemembered, forget, isOwned, isStill, remember } from "./processes";
import { SERVER_GRACE_MS, serverProcess } from "./return-point";
import { SPARK4_JARS, SPARK4_PYTHON } from "./spark4";
import { UserError } from "./user-error";

const GRACE_MS = 10_000;
const WATCH_MS = 300;

/**
 * The embedded AWS: a child process that ends when its standard input closes, however this command ends; or the one that another
 * command keeps up, which `stop` does not end.
 */
export class EmbeddedAws {
  private stopping = false;

  private constructor(
    readonly at: Endpoint,
    private readonly own?: { readonly child: ChildProcess; readonly record: string },
  ) {}

  /**
   * @param local the folder of its state, certificate and logs
   * @param options further arguments of the server
   * @throws UserError when it does not start
   */
  static async start(local: string = LOCAL, options: readonly string[] = []): Promise<EmbeddedAws> {
    const kept = keptBench(local);
    if (kept !== undefined) return EmbeddedAws.join(kept);
    const logs = join(local, "logs");
    mkdirSync(logs, { recursive: true });
    const started = serverProcess(local);
    if (!isOwned(started)) await endRemembered(started, SERVER_GRACE_MS); // its command was killed
    const lossy = LOSE_ANSWERS === undefined ? [] : ["--lose-answers", LOSE_ANSWERS];
    const child = spawn(
      PYTHON,
      [
        join(ROOT, "embedded-aws", "server.py"),
        ...["--state", join(local, "aws"), "--tls", join(local, "tls"), "--jars", JARS, "--logs", logs],
        ...["--jdbc-drivers", JDBC_DRIVERS],
        ...["--spark4-python", SPARK4_PYTHON, "--spark4-jars", SPARK4_JARS],
        ...["--account", BENCH.accountId, "--region", BENCH.region],
        ...lossy,
        ...options,
      ],
      // A separate group: this command ends it after an interrupt, when Terraform has ended.
      { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"], detached: true },
    );
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
    const ready = new Promise<Endpoint>((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line) as Endpoint));
      child.once("error", (error) =>
        reject(new UserError(`the embedded AWS does not start: ${error.message}`)),
      );
      child.once("exit", (code) => reject(new UserError(whyNot(code, complaint, logs))));
    });
    if (child.pid !== undefined) remember(started, child.pid);
    const at = await ready;
    const gone = new AbortController();
    const aws = new EmbeddedAws({ ...at, gone: gone.signal }, { child, record: started });
    child.once("exit", (code, signal) => {
      if (!aws.stopping) gone.abort(new UserError(`the embedded AWS ended (${signal ?? `code ${code}`})`));
    });
    return aws;
  }

  /** The server of another command, for as long as that command runs. */
  private static join(kept: KeptBench): EmbeddedAws {
    const gone = new AbortController();
    const watch = setInterval(() => {
      if (isStill(kept.by)) return;
      clearInterval(watch);
      gone.abort(new UserError(`the embedded AWS ended, because ${keeperText(kept)} ended`));
    }, WATCH_MS);
    watch.unref();
    return new EmbeddedAws({ ...kept.at, gone: gone.signal });
  }

  /** Returns when all of its state is on disk. @throws when it has ended */
  async save(): Promise<void> {
    const ca = readFileSync(this.at.caBundle);
    await new Promise<void>((resolve, reject) => {
      const asked = request(`${this.at.endpoint}/_embedded-aws/save`, { method: "POST", ca }, (answer) => {
        answer.resume();
        if (answer.statusCode === 204) resolve();
        else reject(new Error(`the embedded AWS cannot save its state: status ${answer.statusCode}`));
      });
      asked.once("error", reject).end();
    });
  }

  /** Ends the server and waits until it has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.own === undefined) return;
    const { child, record } = this.own;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.stdin?.end();
    const timers = [
      setTimeout(() => child.kill("SIGTERM"), GRACE_MS),
      setTimeout(() => child.kill("SIGKILL"), 2 * GRACE_MS),
    ];
    await ended;
    timers.forEach((timer) => clearTimeout(timer));
    forget(record);
  }
}

function whyNot(code: number | null, complaint: string, logs: string): string {
  const log = join(logs, "aws.log");
  const said = complaint.trim() || lastLine(log);
  return `the embedded AWS ended with code ${code} before it was ready: ${said}; its log is ${log}`;
}

function lastLine(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().split("\n").at(-1) ?? "";
  } catch {
    return "no output";
  }
}
