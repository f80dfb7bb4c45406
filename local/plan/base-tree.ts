import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../places";
import { type Base, short } from "./base";
import { Git } from "./git";
import { NoVerdict } from "./no-verdict";
import { run } from "./run";

const LOCK_FILE = "package-lock.json";

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
 * @throws NoVerdict when its own cannot be installed
 */
export async function giveModules(base: Base, folder: string, note: (text: string) => void): Promise<void> {
  const modules = join(folder, "node_modules");
  rmSync(modules, { recursive: true, force: true });
  const lock = lockOf(folder);
  if (lock === undefined || lock === lockOf(ROOT)) {
    symlinkSync(join(ROOT, "node_modules"), modules);
    return;
  }
  note(`${LOCK_FILE} of the base differs: installing its node modules, which takes a minute or more`);
  await npmCi(base, folder);
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

async function npmCi({ name, commit }: Base, cwd: string): Promise<void> {
  const args = ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const { code, stdout, stderr } = await run("npm", args, { cwd });
  if (code === 0) return;
  throw new NoVerdict(
    `the node modules of the base ${name} (${short(commit)}) cannot be installed\n` +
      `Check the network and the registry settings, or name a base with the present ${LOCK_FILE}. npm says:\n${`${stdout}\n${stderr}`.trim()}`,
  );
}
