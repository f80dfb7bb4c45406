import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Bases from "../../../local/plan/kept-bases";

/** Which benches of bases are kept, and for which inputs. */

const VARIABLE = "ETL_DEV_PIPELINES";
let local: string;
let bases: typeof Bases;

beforeEach(() => {
  local = mkdtempSync(join(tmpdir(), "bases-"));
  process.env.ETL_LOCAL = local;
  jest.resetModules();
  bases = jest.requireActual<typeof Bases>("../../../local/plan/kept-bases");
});

afterEach(() => {
  delete process.env.ETL_LOCAL;
  delete process.env[VARIABLE];
  rmSync(local, { recursive: true, force: true });
});

const baseOf = (tree: string) => ({ name: "main", commit: tree, tree: tree.repeat(40), notes: [] });

/** A bench that was used some days ago. */
function kept(tree: string, days: number, environment = "dev"): string {
  const folder = bases.benchFolder(environment, baseOf(tree));
  mkdirSync(folder, { recursive: true });
  bases.keepBase(folder, { stack: `etl-${environment}`, isNew: false });
  const at = new Date(Date.now() - days * 86_400_000);
  utimesSync(join(folder, "base.json"), at, at);
  return folder;
}

test("a base has one folder for its tree, environment and variables", () => {
  const folder = bases.benchFolder("dev", baseOf("a"));
  expect(bases.benchFolder("dev", { ...baseOf("a"), name: "HEAD~3", commit: "b" })).toBe(folder);
  expect(bases.benchFolder("dev", baseOf("b"))).not.toBe(folder);
  expect(bases.benchFolder("prod", baseOf("a"))).not.toBe(folder);
  process.env[VARIABLE] = "events";
  const narrowed = bases.benchFolder("dev", baseOf("a"));
  expect(narrowed).not.toBe(folder);
  process.env[VARIABLE] = "sales";
  expect(bases.benchFolder("dev", baseOf("a"))).not.toBe(narrowed);
});

test("a folder without a record is not a base", () => {
  const folder = bases.benchFolder("dev", baseOf("a"));
  mkdirSync(folder, { recursive: true });
  expect(bases.keptBase(folder)).toBeUndefined();
  bases.keepBase(folder, { stack: "etl-dev", isNew: true });
  expect(bases.keptBase(folder)).toEqual({ stack: "etl-dev", isNew: true });
});

test("the three last used bases of an environment are kept", async () => {
  const folders = ["a", "b", "c", "d"].map((tree, days) => kept(tree, days));
  const prod = kept("e", 9, "prod");
  const used = kept("f", 5);
  await bases.discardOldest("dev", used);
  expect([...folders, prod, used].map((folder) => existsSync(folder))).toEqual([
    ...[true, true, false, false],
    true,
    true,
  ]);
});

test("down removes the bases of all environments", async () => {
  const folders = [kept("a", 1), kept("b", 2, "prod")];
  expect(await bases.discardBases()).toBe(2);
  expect(folders.map((folder) => existsSync(folder))).toEqual([false, false]);
  expect(await bases.discardBases()).toBe(0);
});

test("what a plan left that was cut off is discarded", async () => {
  const cut = bases.benchFolder("dev", baseOf("a"));
  mkdirSync(join(cut, "aws"), { recursive: true });
  const used = kept("b", 1);
  await bases.discardOldest("dev", used);
  expect([cut, used].map((folder) => existsSync(folder))).toEqual([false, true]);
});

test("a base that another plan uses now is not discarded, and down waits for it", async () => {
  const folders = ["a", "b", "c", "d"].map((tree, days) => kept(tree, days));
  expect(bases.plansAtWork()).toEqual([]);
  writeFileSync(bases.lockOfBench(folders[3]!), String(process.pid));
  expect(bases.plansAtWork()).toEqual([process.pid]);
  await bases.discardOldest("dev", folders[0]!);
  expect(folders.map((folder) => existsSync(folder))).toEqual([true, true, true, true]);
});
