import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { digests } from "../digests";
import { alone, workingCommand } from "../lock";
import { LOCAL, ROOT } from "../places";
import { endRemembered, isOwned } from "../processes";
import { SERVER_GRACE_MS, serverProcess, terraformProcess } from "../return-point";
import { UserError } from "../user-error";
import { type Base } from "./base";

/**
 * Deployed bases are kept, one folder for each environment, tree, and what else decides what is deployed. A folder without a record
 * is of a plan that was cut off, and is discarded.
 */
export interface KeptBase {
  /** The stack that is deployed. */
  readonly stack: string;
  /** `true`: the base has no such environment, so that its state is empty. */
  readonly isNew: boolean;
}

/** How many are kept of each environment, the last used ones. */
const KEPT = 3;
const BASES = join(LOCAL, "plan", "bases");
const RECORD = "base.json";
/** They decide nothing about what is synthesised. */
const IDLE = ["ETL_LOCAL", "ETL_TRACE", "ETL_ENVIRONMENTS", "CDKTF_OUTDIR"];

/** The folder of a base's bench. */
export function benchFolder(environment: string, { tree }: Base): string {
  return join(BASES, environment, `${tree.slice(0, 12)}-${inputs()}`);
}

/** The lock of a base's bench: beside it, because the folder may be discarded. */
export const lockOfBench = (folder: string): string => `${folder}.lock`;

export function keptBase(folder: string): KeptBase | undefined {
  const record = join(folder, RECORD);
  return existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as KeptBase) : undefined;
}

/** Call when the base is deployed and the server has saved it. */
export function keepBase(folder: string, kept: KeptBase): void {
  const record = join(folder, RECORD);
  writeFileSync(`${record}.half`, JSON.stringify(kept));
  renameSync(`${record}.half`, record);
}

/** Removes a base's bench. Ends the processes that a killed plan left in it. Call with its lock held. */
export async function discardBase(folder: string): Promise<void> {
  const stacks = foldersIn(join(folder, "terraform"));
  for (const record of [serverProcess(folder), ...stacks.map(terraformProcess)])
    if (!isOwned(record)) await endRemembered(record, record === serverProcess(folder) ? SERVER_GRACE_MS : 0);
  rmSync(folder, { recursive: true, force: true });
}

/**
 * Notes that a base was used now. Discards those of its environment that were not used for longest, or are of plans that were cut
 * off, unless another plan uses them.
 */
export async function discardOldest(environment: string, used: string): Promise<void> {
  utimesSync(join(used, RECORD), new Date(), new Date());
  const others = foldersIn(join(BASES, environment)).filter((folder) => folder !== used);
  const whole = others.filter((folder) => keptBase(folder) !== undefined);
  const newest = whole.sort((one, other) => usedAt(other) - usedAt(one)).slice(0, KEPT - 1);
  for (const folder of others.filter((one) => !newest.includes(one)))
    await alone(() => discardBase(folder), { lock: lockOfBench(folder) }).catch(unlessBusy);
}

function unlessBusy(error: unknown): void {
  if (!(error instanceof UserError)) throw error;
}

/** The processes that plan against a base now. */
export function plansAtWork(): number[] {
  return foldersIn(BASES)
    .flatMap((environment) => readdirSync(environment).map((name) => join(environment, name)))
    .filter((file) => file.endsWith(".lock"))
    .flatMap((lock) => workingCommand(lock) ?? []);
}

/** Removes all bases, and ends what killed plans left. @returns how many there were */
export async function discardBases(): Promise<number> {
  const folders = foldersIn(BASES).flatMap(foldersIn);
  for (const folder of folders) await discardBase(folder);
  return folders.length;
}

/** The digest of what decides what is deployed, beside the tree: variables of the synth, and the embedded AWS itself. */
function inputs(): string {
  const variables = Object.entries(process.env)
    .filter(([name]) => /^(ETL|CDKTF)_/.test(name) && !IDLE.includes(name))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const server = Object.entries(digests(join(ROOT, "embedded-aws"))).filter(
    ([file]) => !/(^|\/)(tests|__pycache__|\.\w+)\//.test(file),
  );
  const pinned = readFileSync(join(ROOT, "requirements.txt"), "utf8");
  return createHash("sha256")
    .update(JSON.stringify([variables, server, pinned]))
    .digest("hex")
    .slice(0, 8);
}

const usedAt = (folder: string): number => statSync(join(folder, RECORD)).mtimeMs;

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}
