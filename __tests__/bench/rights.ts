import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A row of docs/permissions/not-shown.json. */
export interface NotShown {
  readonly role: string;
  readonly action: string;
  readonly resource?: string;
  readonly why: string;
  readonly page: string;
}

export const notShownOf = (clone: string): NotShown[] =>
  JSON.parse(readFileSync(join(clone, "docs", "permissions", "not-shown.json"), "utf8")) as NotShown[];

export interface Judgement {
  /** Everything that was found, to be read. */
  readonly said: string;
  /** The mistake. */
  readonly mistakes: readonly string[];
}

/**
 * Checks that an allowed call needed each right, or that the right is one that the bench cannot show.
 *
 * @param clone has the server's state in `.local`
 * @param tools the repository whose program judges
 * @param which arguments of permission_replay.py that say whose rights are judged
 */
export function judgeRights(
  clone: string,
  trace: string,
  which: readonly string[],
  notShown: readonly NotShown[] = notShownOf(clone),
  tools: string = clone,
): Judgement {
  // Calls are denied only because a test removed a right.
  const allowed = `${trace}.allowed`;
  const lines = readFileSync(trace, "utf8").split("\n");
  writeFileSync(
    allowed,
    lines
      .filter((line) => line.includes('"allowed"'))
      .map((line) => `${line}\n`)
      .join(""),
  );
  const explained = `${trace}.not-shown`;
  writeFileSync(explained, JSON.stringify(notShown));
  const { status, stdout, stderr } = spawnSync(
    join(tools, ".setup", "venv", "bin", "python"),
    [
      join(tools, "embedded-aws", "permission_replay.py"),
      ...["--state", join(clone, ".local", "aws"), "--trace", allowed, "--not-shown", explained, ...which],
    ],
    { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const said = `${stdout}${stderr}`;
  return { said, mistakes: status === 0 ? [] : [`exit code ${status}`, ...stderr.trim().split("\n")] };
}
