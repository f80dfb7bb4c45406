import { execFile } from "node:child_process";
import { interrupted } from "../interrupts";

export interface Ended {
  /** `undefined`: there is no such program. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const MOST_BYTES = 64 * 1024 * 1024;

/** Runs a program to its end; by Node alone, because tests of units cannot load execa. @throws the interrupt, when the user ends the command meanwhile */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = process.env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  const options = { cwd, env, encoding: "utf8", maxBuffer: MOST_BYTES, signal: interrupted } as const;
  const ended = await new Promise<Ended>((resolve) => {
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: codeOf(error), stdout, stderr }),
    );
    child.stdin?.end();
  });
  interrupted.throwIfAborted();
  return ended;
}

function codeOf(error: { readonly code?: unknown } | null): number | undefined {
  if (error === null) return 0;
  if (error.code === "ENOENT") return undefined;
  return typeof error.code === "number" ? error.code : 1;
}
