// The lock of set-up. It depends only on Node, because it is taken before `npm ci`.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Runs `body` while no other process does: two set-ups must not run at once. A lock whose owner has ended is free.
 *
 * @param folder the folder of the lock; created if it is missing
 * @param waitMilliseconds how long to wait before the next try
 * @throws what `body` throws, and any error of the file system
 */
export async function withLock(folder, body, waitMilliseconds = 500) {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, "lock");
  for (let waited = 0; !take(lock); waited++) {
    const owner = ownerOf(lock);
    if (owner !== undefined && !isAlive(owner)) rmSync(lock, { force: true });
    else if (waited === 0 && owner !== undefined)
      process.stderr.write(`waiting for another set-up (process ${owner}) …\n`);
    await new Promise((resolve) => setTimeout(resolve, waitMilliseconds));
  }
  const release = () => rmSync(lock, { force: true });
  const interrupted = () => {
    release();
    process.exit(130);
  };
  process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
  try {
    await body();
  } finally {
    release();
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** The process that holds the lock. `undefined` when it was just released, or its owner has not written its id yet. */
function ownerOf(lock) {
  try {
    return Number(readFileSync(lock, "utf8")) || undefined;
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
