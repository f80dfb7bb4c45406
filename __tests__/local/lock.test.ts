import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { alone, workingCommand } from "../../local/lock";

/** Two commands never hold one lock, and none holds it for ever. */

let folder: string;
let lock: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
  lock = join(folder, "below", "lock");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The id of a process that has ended. */
const ended = (): number => spawnSync("true").pid;

test("the lock is held while the body runs, and given back also when it fails", async () => {
  const seen = await alone(() => Promise.resolve(workingCommand(lock)), { lock });
  expect(seen).toBe(process.pid);
  const failing = alone(() => Promise.reject(new Error("no")), { lock });
  await expect(failing).rejects.toThrow("no");
  expect(workingCommand(lock)).toBeUndefined();
  expect(readdirSync(join(folder, "below"))).toEqual([]);
});

test("a second command is refused, and names the first", async () => {
  await alone(
    () =>
      expect(alone(() => Promise.resolve(), { lock })).rejects.toThrow(
        `another command is running here (process ${process.pid}): wait for it, or end it`,
      ),
    { lock },
  );
});

test("a second command may wait", async () => {
  const order: string[] = [];
  const said: number[] = [];
  let go = () => undefined as void;
  const first = alone(() => new Promise<void>((done) => (go = done)).then(() => void order.push("first")), {
    lock,
  });
  const second = alone(() => Promise.resolve(void order.push("second")), {
    lock,
    wait: (owner) => void said.push(owner),
  });
  await new Promise((done) => setTimeout(done, 500));
  expect([order, said]).toEqual([[], [process.pid]]);
  go();
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
});

test.each([
  ["an owner that has ended", () => String(ended())],
  ["no owner", () => ""],
  ["anything else", () => "x"],
])("a lock with %s is taken over", async (_, text) => {
  await alone(() => Promise.resolve(), { lock });
  writeFileSync(lock, text());
  expect(await alone(() => Promise.resolve(readFileSync(lock, "utf8")), { lock })).toBe(String(process.pid));
  expect(existsSync(lock)).toBe(false);
});
