import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Small git repositories that are removed after the tests. */
const folders: string[] = [];

const AUTHOR = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@example.com" };
const COMMITTER = { GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com" };

export class Repository {
  constructor(readonly folder: string = newFolder()) {}

  git(...args: string[]): string {
    const env = { ...process.env, ...AUTHOR, ...COMMITTER, GIT_CONFIG_GLOBAL: "/dev/null" };
    return execFileSync("git", args, { cwd: this.folder, env, encoding: "utf8", stdio: "pipe" }).trim();
  }

  /** @returns the commit */
  commit(files: Readonly<Record<string, string>>): string {
    for (const [file, text] of Object.entries(files)) this.write(file, text);
    this.git("add", "-A");
    this.git("commit", "-qm", "change");
    return this.git("rev-parse", "HEAD");
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), text);
  }

  clone(...options: string[]): Repository {
    const cloned = new Repository();
    cloned.git("clone", "-q", ...options, `file://${this.folder}`, ".");
    return cloned;
  }
}

export function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "base-")));
  folders.push(folder);
  return folder;
}

export function newRepository(): Repository {
  const made = new Repository();
  made.git("init", "-q", "-b", "main");
  return made;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
