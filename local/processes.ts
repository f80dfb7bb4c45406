import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Records processes that a command started, so that the next command can end those which a killed command left. A process is
 * identified by its id and start time, because ids are reused. No process is ended by its name.
 */
export interface Started {
  /** Also the id of its process group: it was started as the leader. */
  readonly pid: number;
  readonly start: string;
}

const POLL_MS = 100;

export function remember(file: string, pid: number): void {
  const start = startOf(pid);
  if (start === undefined) return; // it has ended already
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ pid, start, by: processOf(process.pid) }));
}

/** `true` while the program that started the recorded process still runs: nobody else may end it then. */
export function isOwned(file: string): boolean {
  const by = read(file)?.by;
  return by !== undefined && isStill(by);
}

export function forget(file: string): void {
  rmSync(file, { force: true });
}

/** The recorded process; `undefined` without a complete record. */
export function remembered(file: string): Started | undefined {
  const found = read(file);
  return found && { pid: found.pid, start: found.start };
}

function read(file: string): (Started & { readonly by?: Started }) | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const { pid, start, by } = JSON.parse(readFileSync(file, "utf8")) as Partial<Started & { by: Started }>;
    return typeof pid === "number" && typeof start === "string" ? { pid, start, by } : undefined;
  } catch {
    return undefined; // the writer was killed
  }
}

/** A running process. */
export function processOf(pid: number): Started {
  return { pid, start: startOf(pid)! };
}

export function isStill({ pid, start }: Started): boolean {
  return startOf(pid) === start;
}

/**
 * Ends the recorded process with its group, and removes the record.
 *
 * @param graceMs time to end by itself before it is killed
 */
export async function endRemembered(file: string, graceMs = 0): Promise<void> {
  const found = remembered(file);
  if (found !== undefined) {
    const deadline = Date.now() + graceMs;
    while (isStill(found) && Date.now() < deadline) await pauseMs(POLL_MS);
    // The leader may have ended before its group. The id is not reused while the group lives.
    const another = startOf(found.pid);
    if (another === undefined || another === found.start) killGroup(found.pid);
    while (isStill(found)) await pauseMs(POLL_MS);
  }
  forget(file);
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The start time of a process; `undefined` when it has ended or is a zombie. */
function startOf(pid: number): string | undefined {
  try {
    // After the name, which may contain anything: the state, and 19 fields later the start in ticks since boot (proc(5)).
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)!.split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return existsSync("/proc/self/stat") ? undefined : startByPs(pid);
  }
}

/** For systems without /proc. */
function startByPs(pid: number): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: "C" };
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env }).trim();
  } catch {
    return undefined;
  }
}

function pauseMs(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
