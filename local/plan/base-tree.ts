import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { LOCAL, ROOT } from "../places";
import { type Base, short } from "./base";
import { Git } from "./git";
import { NoVerdict } from "./no-verdict";
import { run } from "./run";

const LOCK_FILE = "package-lock.json";
/** They decide what `npm ci` installs. */
const OF_NPM = ["package.json", LOCK_FILE, ".npmrc"];

/** Settings of the user's clone that do not hold here: all files are written, and no file appears in `.git`. */
const SETTINGS = [
  "core.sparseCheckout=false",
  "core.splitIndex=false",
  "core.fsmonitor=false",
  "submodule.recurse=false",
].flatMap((setting) => ["-c", setting]);

/**
 * Writes the files of a base to an empty folder, as a checkout would. Reads the repository and changes nothing in it: its index
 * and working tree are not used, and no worktree is registered.
 *
 * @throws NoVerdict with git's own words
 */
export async function checkOut({ tree }: Base, folder: string, git = new Git()): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const repository = await git.say(["rev-parse", "--absolute-git-dir"]);
  const index = `${folder}.index`;
  try {
    await new Git(folder).say(
      [...SETTINGS, `--git-dir=${repository}`, `--work-tree=${folder}`, "read-tree", "-m", "-u", tree],
      { GIT_INDEX_FILE: index },
    );
  } finally {
    rmSync(index, { force: true });
  }
}

/**
 * Gives a base its node modules: the present ones, or, where its lock file differs, those of its own. Only so a changed version of
 * a library shows in the plan.
 *
 * @returns the hash of the lock file that the modules are of
 * @throws NoVerdict when its own cannot be installed
 */
export async function linkModules(base: Base, folder: string, note: (text: string) => void): Promise<void> {
  const lock = lockOf(folder);
  const isOwn = lock !== undefined && lock !== lockOf(ROOT);
  const modules = isOwn ? await ownModules(base, folder, lock, note) : join(ROOT, "node_modules");
  rmSync(join(folder, "node_modules"), { recursive: true, force: true });
  symlinkSync(modules, join(folder, "node_modules"));
}

/** The hash of what a lock file installs: without the version of the project itself. */
export function lockOf(folder: string): string | undefined {
  const file = join(folder, LOCK_FILE);
  if (!existsSync(file)) return undefined;
  const { packages = {} } = JSON.parse(readFileSync(file, "utf8")) as {
    packages?: Record<string, Record<string, unknown>>;
  };
  const installed = Object.entries(packages).filter(([place]) => place !== "");
  return createHash("sha256").update(JSON.stringify(installed)).digest("hex").slice(0, 12);
}

/** Installed once, beside the bases. */
async function ownModules(
  base: Base,
  folder: string,
  lock: string,
  note: (text: string) => void,
): Promise<string> {
  const kept = join(LOCAL, "plan", "modules", lock);
  const modules = join(kept, "node_modules");
  if (existsSync(modules)) return modules;
  note(`${LOCK_FILE} of the base differs: installing its node modules, once`);
  const half = `${kept}.${process.pid}`;
  try {
    mkdirSync(half, { recursive: true });
    for (const file of OF_NPM.filter((name) => existsSync(join(folder, name))))
      cpSync(join(folder, file), join(half, file));
    await npmCi(base, half);
    // Another plan may have been faster.
    if (!existsSync(kept)) renameSync(half, kept);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return modules;
}

async function npmCi({ name, commit }: Base, cwd: string): Promise<void> {
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { code, stdout, stderr } = await run("npm", args, { cwd });
  if (code === 0) return;
  throw new NoVerdict(
    `the node modules of the base ${name} (${short(commit)}) cannot be installed\n` +
      `Check the network and the registry settings, or name a base with the present ${LOCK_FILE}. npm says:\n${`${stdout}\n${stderr}`.trim()}`,
  );
}
