import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../support/clone";

/** Several clones share one set-up folder in the tests, and a user may run two commands at once. */

const LOCK = pathToFileURL(join(ROOT, "tools", "setup-lock.mjs")).href;

let folder: string;

beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "etl-lock-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that takes the lock `times` times and adds one to a file each time. */
function adder(times: number): Promise<{ status: number | null; output: string }> {
  const program = `
    import { readFileSync, writeFileSync } from "node:fs";
    import { withLock } from ${JSON.stringify(LOCK)};
    const sum = ${JSON.stringify(join(folder, "sum"))};
    for (let i = 0; i < ${times}; i++)
      await withLock(${JSON.stringify(folder)}, () => writeFileSync(sum, String(Number(readFileSync(sum, "utf8")) + 1)), 0);
  `;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program]);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => (output += String(chunk)));
    child.on("close", (status) => resolve({ status, output }));
  });
}

test("processes that take the lock at once wait for each other, also while one releases it", async () => {
  writeFileSync(join(folder, "sum"), "0");
  const ended = await Promise.all([adder(300), adder(300), adder(300), adder(300)]);
  for (const { status, output } of ended)
    expect([status, output.replace(/^waiting .*\n/gm, "")]).toEqual([0, ""]);
  expect(readFileSync(join(folder, "sum"), "utf8")).toBe("1200");
  expect(existsSync(join(folder, "lock"))).toBe(false);
}, 60_000);

test("a lock whose owner has ended is free", async () => {
  writeFileSync(join(folder, "sum"), "0");
  writeFileSync(join(folder, "lock"), "999999999");
  expect(await adder(1)).toEqual({ status: 0, output: "" });
  expect(readFileSync(join(folder, "sum"), "utf8")).toBe("1");
});
