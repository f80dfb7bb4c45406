import { healAloud } from "./deploy";
import { EmbeddedAws } from "./embedded-aws";
import { forgetKept, keeperText, keptBench, recordKept } from "./kept-bench";
import { alone, workingCommand } from "./lock";
import { UserError } from "./user-error";

/** Commands that stay, such as `serve` and `shell`. Others use the same server meanwhile, so they do not hold the lock. */

/**
 * Starts the bench, calls `body`, and stops the bench when `body` ends.
 *
 * @param command as it is typed: other commands name it
 * @param check called before the server starts, while no other command works
 * @throws UserError when another command works, or keeps the bench up
 */
export async function keepUp<T>(
  command: string,
  { say, check }: { readonly say: (line: string) => void; readonly check?: () => void },
  body: (aws: EmbeddedAws) => Promise<T>,
): Promise<T> {
  const aws = await alone(async () => {
    const kept = keptBench();
    if (kept !== undefined)
      throw new UserError(`${keeperText(kept)} keeps this bench up already, at ${kept.at.endpoint}`);
    await healAloud(say);
    check?.();
    const started = await EmbeddedAws.start();
    recordKept(command, started.at);
    return started;
  });
  try {
    return await body(aws);
  } finally {
    forgetKept();
    const working = workingCommand();
    if (working !== undefined) say(`a command (process ${working}) loses the bench that it works with`);
    await aws.stop();
  }
}

/** Uses the bench that another command keeps up; without one, keeps it up itself. */
export async function withBench<T>(
  command: string,
  options: { readonly say: (line: string) => void; readonly check?: () => void },
  body: (aws: EmbeddedAws) => Promise<T>,
): Promise<T> {
  const kept = keptBench();
  if (kept === undefined) return keepUp(command, options, body);
  options.check?.();
  options.say(`using the bench that ${keeperText(kept)} keeps up`);
  return body(await EmbeddedAws.start());
}
