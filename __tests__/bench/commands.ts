import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The machine's record of a run, as `.local/last-run.json` holds it. */
export interface LastRun {
  readonly pipeline: string;
  readonly environment: string;
  readonly status: string;
  readonly executionArn: string;
  readonly error?: string;
  readonly cause?: string;
  readonly rows: {
    readonly read: number;
    readonly written: number;
    readonly duplicates: number;
    readonly quarantined: Readonly<Record<string, number>>;
  };
  readonly seconds: Readonly<Record<string, number>>;
  readonly notifications: readonly {
    readonly subject?: string;
    readonly text?: string;
    readonly message: Readonly<Record<string, unknown>>;
  }[];
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly output: string;
}

/** The output with its sentences on one line again: continued lines are indented. */
export const said = ({ output }: CommandResult): string => output.replace(/\n {2,}(?=\S)/g, " ");

/** The logs of the last job run of a clone. */
export function jobLogs(clone: string): string {
  const runs = join(clone, ".local", "logs", "job-runs");
  const [last] = readdirSync(runs)
    .map((run) => join(runs, run))
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  return ["output.log", "error.log"].map((name) => readFileSync(join(last!, name), "utf8")).join("");
}

/** Runs `npm start -- <args>` in a clone. */
export function npmStart(clone: string, ...args: string[]): CommandResult {
  return npmStartWith({}, clone, ...args);
}

/** The same with environment variables set before it. */
export function npmStartWith(
  variables: Readonly<Record<string, string>>,
  clone: string,
  ...args: string[]
): CommandResult {
  const { status, stdout, stderr } = spawnSync("npm", ["start", "--", ...args], {
    cwd: clone,
    // Colours would come where CI is set.
    env: { ...process.env, NO_COLOR: "1", ...variables },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  return { exitCode: status, output: `${stdout}\n${stderr}` };
}

/** Standard output alone of a command that succeeds, without npm's own lines. */
export const stdoutOf = (clone: string, ...args: string[]): string =>
  execFileSync("npm", ["start", "--silent", "--", ...args], { cwd: clone, encoding: "utf8" });

export function lastRun(clone: string): LastRun {
  return JSON.parse(readFileSync(join(clone, ".local", "last-run.json"), "utf8")) as LastRun;
}

/** Rows by reason without the reasons that did not occur. */
export function nonZero(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, rows]) => rows !== 0));
}

/** Processes that name the clone in their command line: servers, Spark, Terraform and its providers. */
export function processesOf(clone: string): string[] {
  const listed = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" });
  return listed.split("\n").filter((line) => line.includes(clone));
}

/**
 * Types `npm start`, waits until it shows `mark`, and ends it: `SIGINT` as a terminal does, to everybody; `SIGKILL` to the
 * command line alone, as a crash. Resolves when npm has ended.
 */
export async function endInTheMiddle(
  clone: string,
  args: readonly string[],
  mark: string,
  signal: "SIGINT" | "SIGKILL",
): Promise<CommandResult> {
  const child = spawn("npm", ["start", "--", ...args], {
    cwd: clone,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  await new Promise<void>((resolve) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(mark)) resolve();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("close", () => resolve());
  });
  // A moment later, so that the announced step runs.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  if (signal === "SIGINT") process.kill(-child.pid!, "SIGINT");
  else execFileSync("pkill", ["-KILL", "-f", join(clone, "local", "cli.ts")]);
  return { exitCode: await ended, output };
}

/** Waits until all of the clone's processes have ended. @returns those that still run after `seconds` */
export async function leftAfter(clone: string, seconds: number): Promise<string[]> {
  const deadline = Date.now() + seconds * 1_000;
  while (processesOf(clone).length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return processesOf(clone);
}
