import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
  readonly notifications: readonly unknown[];
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Types `npm start -- <args>` in a clone. */
export function npmStart(clone: string, ...args: string[]): CommandResult {
  const { status, stdout, stderr } = spawnSync("npm", ["start", "--", ...args], {
    cwd: clone,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  return { exitCode: status, output: `${stdout}\n${stderr}` };
}

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
