import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** The root of the repository under test. */
export const ROOT = join(__dirname, "..", "..");

/**
 * A copy of the working tree (what git tracks or would track) in a folder of its own, sharing what is installed. Lets a
 * test run the commands of the README, and break a file on purpose, without touching this clone.
 */
export function cloneWorkingTree(name: string): string {
  const clone = join(realpathSync(mkdtempSync(join(tmpdir(), "etl-"))), name);
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of listed.split("\n").filter((file) => file !== "" && existsSync(join(ROOT, file)))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(ROOT, file), join(clone, file));
  }
  for (const installed of ["node_modules", ".setup"]) {
    if (existsSync(join(ROOT, installed))) symlinkSync(join(ROOT, installed), join(clone, installed));
  }
  return clone;
}
