import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endRemembered, isOwned, isStill, killGroup, remember, remembered } from "../../local/processes";

/** Processes that a killed command left are ended, and no others. */

const folder = mkdtempSync(join(tmpdir(), "processes-"));
const file = join(folder, "process.json");
const started: number[] = [];

afterEach(() => started.splice(0).forEach(killGroup));
afterAll(() => rmSync(folder, { recursive: true }));

function shell(script: string): number {
  const { pid } = spawn("sh", ["-c", script], { detached: true, stdio: "ignore" });
  started.push(pid!);
  return pid!;
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a running process is ended with its group, and its record removed", async () => {
  const pid = shell("sleep 60 & sleep 60");
  remember(file, pid);
  expect(isStill(remembered(file)!)).toBe(true);
  await endRemembered(file);
  await until(() => !groupLives(pid));
  expect(remembered(file)).toBeUndefined();
});

test("a process may end by itself first", async () => {
  const done = join(folder, "done");
  remember(file, shell(`sleep 0.3; echo > ${done}`));
  await endRemembered(file, 20_000);
  rmSync(done); // fails when it was killed before
});

test("a group whose leader has ended is ended", async () => {
  const pid = shell("sleep 0.2; sleep 60 &");
  remember(file, pid);
  const { start } = remembered(file)!;
  await until(() => !isStill({ pid, start }));
  expect(groupLives(pid)).toBe(true);
  await endRemembered(file);
  await until(() => !groupLives(pid));
});

test("another process with the reused id is left alone", async () => {
  const pid = shell("sleep 60");
  writeFileSync(file, JSON.stringify({ pid, start: "1" }));
  await endRemembered(file, 5_000);
  expect(groupLives(pid)).toBe(true);
});

test("a process whose starter still runs is owned", async () => {
  remember(file, shell("sleep 60"));
  expect(isOwned(file)).toBe(true);
  const { pid, start } = remembered(file)!;
  writeFileSync(file, JSON.stringify({ pid, start, by: { pid: process.pid, start: "1" } }));
  expect(isOwned(file)).toBe(false);
  await endRemembered(file);
});

test.each(["", "{", "{}", '{"pid": "x", "start": "1"}'])(
  "a file that holds %j names nobody",
  async (text) => {
    writeFileSync(file, text);
    expect(remembered(file)).toBeUndefined();
    await endRemembered(file);
  },
);
