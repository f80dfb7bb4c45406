import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pause } from "./interrupts";
import { LOCAL } from "./places";
import { UserError } from "./user-error";

const LOCK = join(LOCAL, "lock");
const POLL_MS = 300;

interface Options {
  /** The file of the lock. @default that of `.local/` */
  readonly lock?: string;
  /** Called once with the process that holds the lock, before waiting for it. @default nobody waits: an error */
  readonly wait?: (owner: number) => void;
}

/**
 * Runs `body` alone: two commands must not share one `.local/`. A lock whose owner has ended is taken over.
 *
 * @throws UserError naming the process that holds it
 */
export async function alone<T>(
  body: () => Promise<T>,
  { lock = LOCK, wait = refuse }: Options = {},
): Promise<T> {
  let owner = take(lock);
  if (owner !== undefined) wait(owner);
  while (owner !== undefined) {
    await pause(POLL_MS);
    owner = take(lock);
  }
  try {
    return await body();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The process id of the running command, if there is one. */
export function workingCommand(lock: string = LOCK): number | undefined {
  const owner = ownerOf(lock);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

function refuse(owner: number): never {
  throw new UserError(`another command is running here (process ${owner}): wait for it, or end it`);
}

/** @returns the process that holds the lock; `undefined`: this one does */
function take(lock: string): number | undefined {
  mkdirSync(dirname(lock), { recursive: true });
  for (let attempt = 0; attempt < 3; attempt++) {
    if (isTaken(lock)) return undefined;
    const owner = ownerOf(lock);
    if (owner === undefined) continue; // given back just now
    if (isAlive(owner)) return owner;
    discard(lock, owner);
  }
  throw new UserError("another command just took the lock: try again");
}

/** Linked, and not written, so that a lock always names its owner. */
function isTaken(lock: string): boolean {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Removes the lock of an owner that has ended. Several commands may try: only one can rename it. */
function discard(lock: string, owner: number): void {
  const renamed = `${lock}.${process.pid}`;
  try {
    renameSync(lock, renamed);
    // Another command was faster, and this is its lock.
    if (ownerOf(renamed) !== owner) linkSync(renamed, lock);
  } catch (error) {
    if (!["ENOENT", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
  rmSync(renamed, { force: true });
}

function ownerOf(lock: string): number | undefined {
  try {
    // A lock without a name is of an older version, or was cut off: nobody holds it.
    return Number(readFileSync(lock, "utf8")) || -1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
