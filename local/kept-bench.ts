import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Endpoint } from "./endpoint";
import { LOCAL } from "./places";
import { isStill, processOf, type Started } from "./processes";
import { UserError } from "./user-error";

/**
 * A bench that one command keeps up, and that other commands use meanwhile. It is recorded in a file, which counts only while the
 * command that wrote it runs.
 */
export interface KeptBench {
  /** The command that keeps it, as it is typed: `npm start -- serve`. */
  readonly command: string;
  readonly by: Started;
  readonly at: Pick<Endpoint, "endpoint" | "caBundle" | "accessKeyId" | "secretAccessKey">;
}

const recordOf = (local: string): string => join(local, "kept-bench.json");

/** @returns `undefined` when no command keeps the bench of this folder up */
export function keptBench(local: string = LOCAL): KeptBench | undefined {
  const record = recordOf(local);
  if (!existsSync(record)) return undefined;
  try {
    const kept = JSON.parse(readFileSync(record, "utf8")) as KeptBench;
    return isStill(kept.by) ? kept : undefined;
  } catch {
    return undefined; // removed just now, or its writer was killed
  }
}

/** Says that this process keeps the bench up, until `forgetKept`. */
export function recordKept(
  command: string,
  { endpoint, caBundle, accessKeyId, secretAccessKey }: Endpoint,
): void {
  const kept: KeptBench = {
    command,
    by: processOf(process.pid),
    at: { endpoint, caBundle, accessKeyId, secretAccessKey },
  };
  // It holds the owner's keys.
  writeFileSync(recordOf(LOCAL), JSON.stringify(kept), { mode: 0o600 });
}

export function forgetKept(): void {
  rmSync(recordOf(LOCAL), { force: true });
}

/** e.g. `npm start -- serve (process 4711)`. */
export function keeperText({ command, by }: KeptBench): string {
  return `${command} (process ${by.pid})`;
}

/** @throws UserError when a command keeps the bench up: `why` it must end first */
export function refuseWhileKept(why: string): void {
  const kept = keptBench();
  if (kept !== undefined)
    throw new UserError(
      `${why}, and ${keeperText(kept)} uses it: end that with Ctrl-C, then type the command again`,
    );
}
