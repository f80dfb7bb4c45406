import { EmbeddedAws } from "./embedded-aws";
import { interrupted } from "./interrupts";
import { keptBench, refuseWhileKept } from "./kept-bench";
import { type Progress } from "./progress";
import {
  agrees,
  cutText,
  dropReturnPoint,
  heal,
  keepReturnPoint,
  type ReturnPoint,
  returnPoint,
  takeReturnPoint,
} from "./return-point";
import { AstrayError, Deployment, isCurrent } from "./terraform";
import { UserError } from "./user-error";

/** Deployments that may be killed at any moment: the next command can always continue. */

/** A stack's folder of `cdktf.out`, and its name. */
export interface Stack {
  readonly synthesised: string;
  readonly name: string;
}

/**
 * Puts both states back when a killed command left them in between, and says so.
 *
 * @throws UserError when that is needed while another command keeps the bench up
 */
export async function healAloud(say: (line: string) => void): Promise<void> {
  const point = returnPoint();
  if (point !== undefined && !agrees(point)) refuseWhileKept(`${cutText(point)} and must be put back`);
  const healed = await heal();
  if (healed !== undefined) say(healed);
}

/**
 * Applies a stack unless it is up to date, then calls `body` with it and the embedded AWS, which stops when `body` ends. Call
 * `healAloud` before: what is synthesised depends on what is deployed.
 */
export async function withDeployed<T>(
  { synthesised, name }: Stack,
  progress: Progress,
  body: (aws: EmbeddedAws, deployment: Deployment) => Promise<T>,
): Promise<T> {
  const current = isCurrent(synthesised, name);
  const continued = returnPoint()?.stack === name;
  if (!current) await takeReturnPointOf(name, "apply");
  const aws = await progress.step("embedded AWS", () => startOrDrop());
  try {
    const deployment = await progress.step("deploy", async (note) => {
      const made = new Deployment(synthesised, name, aws.at, note);
      if (current) {
        note("up to date: the synthesised files are those that were applied");
      } else {
        note("terraform apply (the first one waits a minute for S3's lifecycle settings)");
        await settled(aws, () => made.apply(continued));
      }
      return made;
    });
    return await body(aws, deployment);
  } catch (error) {
    throw interrupted.aborted ? error : explained(error, aws);
  } finally {
    await aws.stop();
  }
}

/** Destroys a stack, guards included. */
export async function destroyDeployed(
  { synthesised, name }: Stack,
  say: (line: string) => void,
): Promise<void> {
  await takeReturnPointOf(name, "destroy");
  const aws = await startOrDrop();
  try {
    await settled(aws, () => new Deployment(synthesised, name, aws.at, say).destroy());
  } catch (error) {
    throw interrupted.aborted ? error : explained(error, aws);
  } finally {
    await aws.stop();
  }
}

/** A server that another command keeps up saves its state first. */
async function takeReturnPointOf(stack: string, verb: ReturnPoint["verb"]): Promise<void> {
  if (keptBench() !== undefined) await (await EmbeddedAws.start()).save();
  takeReturnPoint(stack, verb);
}

/** Nothing has changed when the server does not start, so there is nothing to return from. */
async function startOrDrop(): Promise<EmbeddedAws> {
  try {
    return await EmbeddedAws.start();
  } catch (error) {
    if (returnPoint()?.ended === undefined) keepReturnPoint("failed");
    throw error;
  }
}

/** Runs an apply or a destroy, and records how it ended after the embedded AWS has saved its state. */
async function settled(aws: EmbeddedAws, change: () => Promise<void>): Promise<void> {
  try {
    await change();
  } catch (error) {
    // Nothing recorded: the next command puts everything back.
    if (aws.at.gone?.aborted !== true) {
      await aws.save();
      keepReturnPoint(
        error instanceof AstrayError ? "astray" : interrupted.aborted ? "interrupted" : "failed",
      );
    }
    throw error;
  }
  await aws.save();
  dropReturnPoint();
}

/** Adds what to do when the embedded AWS has ended, or Terraform's state may disagree with what exists. */
function explained(error: unknown, aws: EmbeddedAws): unknown {
  const point = returnPoint();
  const next =
    point === undefined || agrees(point)
      ? "type the command again"
      : "type the command again: it restores what was deployed before,\nthen continues";
  const { gone } = aws.at;
  if (gone?.aborted === true)
    return new UserError(`${(gone.reason as Error).message} during the deployment:\n${next}`);
  return error instanceof AstrayError ? new UserError(`${error.message}\n${next}`) : error;
}
