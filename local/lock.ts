import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LOCAL } from "./places";
import { UserError } from "./user-error";

const LOCK = join(LOCAL, "lock");

/**
 * Runs `body` alone: two commands must not share one `.local/`. A lock whose owner has ended is taken over.
 *
 * @throws UserError naming the process that holds it
 */
export async function alone<T>(body: () => Promise<T>): Promise<T> {
  take();
  try {
    return await body();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** The process id of the running command, if there is one. */
export function workingCommand(): number | undefined {
  if (!existsSync(LOCK)) return undefined;
  const owner = Number(readFileSync(LOCK, "utf8"));
  return owner > 0 && isAlive(owner) ? owner : undefined;
}

function take(): void {
  mkdirSync(LOCAL, { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const owner = Number(readFileSync(LOCK, "utf8"));
      if (isAlive(owner)) {
        throw new UserError(`another command is running here (process ${owner}): wait for it, or end it`);
      }
      rmSync(LOCK, { force: true });
    }
  }
  throw new UserError("another command just took the lock: try again");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
