import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { type Endpoint } from "../endpoint";
import { EmbeddedAws } from "../embedded-aws";
import { synthesiseEnvironment } from "../environments";
import { interrupted } from "../interrupts";
import { alone } from "../lock";
import { type Progress } from "../progress";
import { Deployment } from "../terraform";
import { UserError } from "../user-error";
import { type Base, short } from "./base";
import { checkOut, giveModules } from "./base-tree";
import {
  benchFolder,
  discardBase,
  discardOldest,
  keepBase,
  type KeptBase,
  keptBase,
  lockOfBench,
} from "./kept-bases";
import { NoVerdict } from "./no-verdict";
import { checkTypes } from "./types";

export interface PlannedOnBase {
  /** The plan, as Terraform's JSON. */
  readonly json: string;
  /** The folder of the base's bench. */
  readonly folder: string;
  /** `true`: the base has no such environment. */
  readonly isNew: boolean;
}

/** One plan against a base, on the bench of that base. */
interface Plan {
  readonly environment: string;
  readonly base: Base;
  readonly folder: string;
  readonly progress: Progress;
}

/**
 * Terraform mostly reads the provider's schemas, which are large. Fewer collections take a third less time, for half a gigabyte. Go's
 * default is 100 percent of new memory: https://pkg.go.dev/runtime
 */
const COLLECT_LESS = { GOGC: process.env.GOGC ?? "300" };

/** A stack's folder of `cdktf.out`; `undefined`: the base has no such environment. */
type Synthesised = string | undefined;

/**
 * Plans the working tree against a base on a bench of its own. The base is deployed there, unless an earlier plan did. The user's
 * own bench is neither read nor written. Plans on one base wait for each other.
 *
 * @throws NoVerdict when the base cannot be synthesised or deployed; UserError when the working tree cannot
 */
export async function planOnBase(
  base: Base,
  environment: string,
  progress: Progress,
): Promise<PlannedOnBase> {
  const folder = benchFolder(environment, base);
  const wait = (owner: number) => progress.line(`waiting for another plan on this base (process ${owner})`);
  return alone(() => planAlone({ environment, base, folder, progress }), { lock: lockOfBench(folder), wait });
}

async function planAlone(plan: Plan): Promise<PlannedOnBase> {
  const { environment, folder } = plan;
  const kept = keptBase(folder);
  if (kept === undefined) await discardBase(folder);
  try {
    const planned = await withTypes(folder, (failed) => planChange(plan, kept, failed));
    await discardOldest(environment, folder);
    return planned;
  } finally {
    if (keptBase(folder) === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Both sides are synthesised before anything is created. */
async function planChange(
  plan: Plan,
  before: KeptBase | undefined,
  failed: AbortSignal,
): Promise<PlannedOnBase> {
  const { environment, folder, progress } = plan;
  const synthesised = progress.step("synth", (note) =>
    synthesiseEnvironment(environment, { outdir: join(folder, "change"), note }),
  );
  const [change, base] = await bothEnded(
    synthesised,
    before === undefined ? synthesiseBase(plan) : Promise.resolve(undefined),
  );
  failed.throwIfAborted();
  return withServer(folder, progress, failed, async (at, save) => {
    const kept = before ?? (await deployBase(plan, base, basename(change), at));
    if (before === undefined) {
      await save();
      keepBase(folder, kept);
    }
    const json = await progress.step("plan", (note) =>
      // Nobody else uses the bench, so nothing on it changes outside Terraform.
      new Deployment(change, kept.stack, at, note, folder, COLLECT_LESS).plan({ refresh: false }),
    );
    return { json, folder, isNew: kept.isNew };
  });
}

/** Fails with the first one's error, if both fail, and not before both have ended. */
async function bothEnded<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return [await one, await other];
}

/** Checks the types of the working tree meanwhile. Wrong types end `body`, whose signal is then aborted. */
async function withTypes<T>(folder: string, body: (failed: AbortSignal) => Promise<T>): Promise<T> {
  const failed = new AbortController();
  const done = new AbortController();
  const types = checkTypes(folder, done.signal);
  types.catch((error: unknown) => failed.abort(error));
  try {
    const result = await body(failed.signal);
    await types;
    return result;
  } catch (error) {
    if (interrupted.aborted || !failed.signal.aborted) throw error;
    throw failed.signal.reason as Error;
  } finally {
    done.abort();
    await types.catch(() => undefined);
  }
}

/** Calls `body` with the embedded AWS of the base's bench, which stops when `body` ends. */
async function withServer<T>(
  folder: string,
  progress: Progress,
  failed: AbortSignal,
  body: (at: Endpoint, save: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const aws = await progress.step("embedded AWS", () => EmbeddedAws.start(folder));
  const { gone } = aws.at;
  try {
    const ends = gone === undefined ? failed : AbortSignal.any([gone, failed]);
    return await body({ ...aws.at, gone: ends }, () => aws.save());
  } catch (error) {
    if (gone?.aborted !== true || interrupted.aborted) throw error;
    throw new NoVerdict(`${(gone.reason as Error).message} during the plan\nType the command again.`);
  } finally {
    await aws.stop();
  }
}

async function synthesiseBase({ environment, base, folder, progress }: Plan): Promise<Synthesised> {
  const root = join(folder, "tree");
  return progress.step("base", async (note) => {
    try {
      note(`${base.name} (${short(base.commit)})`);
      await checkOut(base, root);
      await giveModules(base, root, note);
      return await synthesiseEnvironment(environment, {
        root,
        outdir: join(folder, "base"),
        warn: () => undefined,
      });
    } catch (error) {
      if (!(error instanceof UserError) || error instanceof NoVerdict || interrupted.aborted) throw error;
      if (isUnknown(error.message, environment)) return undefined;
      throw withoutBase(base, environment, "does not synthesise", error);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}

/** As the app says it: environments/registry.ts. */
function isUnknown(message: string, environment: string): boolean {
  return message.includes(`unknown environment '${environment}'`);
}

async function deployBase(
  { environment, base, folder, progress }: Plan,
  synthesised: Synthesised,
  stackOfChange: string,
  at: Endpoint,
): Promise<KeptBase> {
  if (synthesised === undefined) return { stack: stackOfChange, isNew: true };
  const stack = basename(synthesised);
  await progress.step("deploy the base", async (note) => {
    note("terraform apply, once (it waits a minute for S3's lifecycle settings)");
    try {
      await new Deployment(synthesised, stack, at, note, folder, COLLECT_LESS).apply();
    } catch (error) {
      if (!(error instanceof UserError) || interrupted.aborted || at.gone?.aborted === true) throw error;
      throw withoutBase(base, environment, "cannot be deployed on the bench", error);
    }
  });
  return { stack, isNew: false };
}

function withoutBase({ name, commit }: Base, environment: string, what: string, error: Error): NoVerdict {
  return new NoVerdict(
    `the base ${name} (${short(commit)}) ${what}\n` +
      `Name another commit with --base, or use --live. What ${short(commit)} says of ${environment}:\n${error.message}`,
  );
}
