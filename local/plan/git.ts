import { ROOT } from "../places";
import { NoVerdict } from "./no-verdict";
import { run } from "./run";

export interface Said {
  readonly ok: boolean;
  readonly text: string;
  readonly complaint: string;
}

/** Set by git for its hooks. They would point at another repository, index or folder than the present one. */
const OF_HOOKS = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"];

/** Runs git in a folder. It reads only: no index is refreshed, no hook runs. */
export class Git {
  constructor(private readonly folder: string = ROOT) {}

  /** @throws NoVerdict when git is not installed */
  async ask(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Said> {
    const inherited = Object.entries(process.env).filter(([name]) => !OF_HOOKS.includes(name));
    const env = { ...Object.fromEntries(inherited), GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C", ...variables };
    const { code, stdout, stderr } = await run("git", args, { cwd: this.folder, env });
    if (code === undefined)
      throw new NoVerdict("a base needs git, and there is no git on the PATH\nInstall git, or use --live.");
    return { ok: code === 0, text: stdout.trim(), complaint: stderr.trim() };
  }

  /** @returns `undefined` where git refuses, or says nothing */
  async find(...args: readonly string[]): Promise<string | undefined> {
    const { ok, text } = await this.ask(args);
    return ok && text !== "" ? text : undefined;
  }

  /** @throws NoVerdict with git's own words */
  async say(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<string> {
    const { ok, text, complaint } = await this.ask(args, variables);
    if (!ok) throw new NoVerdict(`git ${args.find((word) => /^[a-z]/.test(word))} failed:\n${complaint}`);
    return text;
  }
}
