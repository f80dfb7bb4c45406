import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BENCH, LOCAL } from "./places";
import { endRemembered } from "./processes";
import { deployedResources, STATE, terraformFolder } from "./terraform-state";

/**
 * The states from before an apply or a destroy, kept until it ends: that of the embedded AWS and Terraform's. When the command,
 * Terraform or the server is killed, the two may disagree (a resource exists and is not recorded). Both are then put back together.
 * Before a first deployment both are empty, so that it starts again.
 */
export interface ReturnPoint {
  readonly stack: string;
  readonly verb: "apply" | "destroy";
  /** `true`: Terraform had no resources before. */
  readonly first: boolean;
  /** When it began, in ISO 8601. */
  readonly began: string;
  /** How it ended without completing. `undefined`: it was killed, or still runs. */
  readonly ended?: Ending;
}

/** After `interrupted` and `failed` both states agree and the next apply continues. After `astray` they may disagree. */
export type Ending = "interrupted" | "failed" | "astray";

const FOLDER = join(LOCAL, "return-point");
const RECORD = join(FOLDER, "record.json");
const KEPT_AWS = join(FOLDER, "aws");
const AWS = join(LOCAL, "aws");
/** The server empties it at each start. */
const SCRATCH = "tmp";
/** In Terraform's folder: the digests of the files that were applied. */
export const APPLIED = "applied.json";
const STATES = [STATE, APPLIED];
const LEFT_BY_TERRAFORM = [`${STATE}.backup`, `.${STATE}.lock.info`];

/** The record of the Terraform process that works in a folder. */
export function terraformProcess(folder: string): string {
  return join(folder, ".terraform-process.json");
}

/** The record of a bench's server process. */
export function serverProcess(local: string): string {
  return join(local, "aws-process.json");
}

/** More than a server needs to save its state and end after its command has ended. */
export const SERVER_GRACE_MS = 20_000;

export function returnPoint(): ReturnPoint | undefined {
  return existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, "utf8")) as ReturnPoint) : undefined;
}

/**
 * Call before the server starts. When the verb continues an earlier one that was interrupted or failed, the return point of that
 * one is kept.
 */
export function takeReturnPoint(stack: string, verb: ReturnPoint["verb"]): void {
  const last = returnPoint();
  if (last !== undefined && last.stack === stack && last.verb === verb && agrees(last)) {
    writeRecord({ stack, verb, first: last.first, began: new Date().toISOString() });
    return;
  }
  dropReturnPoint();
  mkdirSync(FOLDER, { recursive: true });
  if (existsSync(AWS)) linkTree(AWS, KEPT_AWS, SCRATCH);
  copyStates(terraformFolder(stack), FOLDER);
  // Written last: without the record the folder is not a return point.
  writeRecord({ stack, verb, first: deployedResources(stack) === 0, began: new Date().toISOString() });
}

/** Call when an apply or a destroy ended without completing. */
export function keepReturnPoint(ended: Ending): void {
  const point = returnPoint();
  if (point !== undefined) writeRecord({ ...point, ended });
}

/** Call when an apply or a destroy completed. */
export function dropReturnPoint(): void {
  rmSync(RECORD, { force: true });
  rmSync(FOLDER, { recursive: true, force: true });
}

/**
 * Puts both states back when the last apply or destroy was killed or went astray. Call before the server starts.
 *
 * @returns one sentence about what was done; `undefined` when nothing was
 */
export async function heal(): Promise<string | undefined> {
  const point = returnPoint();
  if (point === undefined || agrees(point)) return undefined;
  await endLeftOver(point.stack);
  const returned = `${AWS}.returned`;
  rmSync(returned, { recursive: true, force: true });
  if (existsSync(KEPT_AWS)) linkTree(KEPT_AWS, returned);
  rmSync(AWS, { recursive: true, force: true });
  if (existsSync(returned)) renameSync(returned, AWS);
  const folder = terraformFolder(point.stack);
  for (const file of [...STATES, ...LEFT_BY_TERRAFORM]) rmSync(join(folder, file), { force: true });
  copyStates(FOLDER, folder);
  dropReturnPoint();
  return healedText(point);
}

/** Ends processes that a killed command left: Terraform at once, the server after it has saved its state. */
export async function endLeftOver(...stacks: readonly string[]): Promise<void> {
  for (const stack of stacks) await endRemembered(terraformProcess(terraformFolder(stack)));
  await endRemembered(serverProcess(LOCAL), SERVER_GRACE_MS);
}

/** `true`: Terraform's state and the embedded AWS agree, so that the next apply can continue. */
export function agrees({ ended }: ReturnPoint): boolean {
  return ended === "interrupted" || ended === "failed";
}

/** The name of an apply or destroy, e.g. `etl-dev: the first deployment of 18:40 UTC`. */
export function nameOf({ stack, verb, first, began }: ReturnPoint): string {
  const what = verb === "destroy" ? "the destroy" : first ? "the first deployment" : "the update";
  return `${stack}: ${what} of ${began.slice(11, 16)} UTC`;
}

export function healedText(point: ReturnPoint): string {
  const done = beginsAnew(point)
    ? "its resources were discarded"
    : "the deployment and its data were restored as they were before";
  return `${cutText(point)}; ${done}`;
}

/** Says how an apply or a destroy ended that did not complete. */
export function cutText(point: ReturnPoint): string {
  return `${nameOf(point)} ${point.ended === "astray" ? "failed, and Terraform's state may not match what exists" : "was cut off"}`;
}

function beginsAnew({ first, verb }: ReturnPoint): boolean {
  return first && verb === "apply";
}

/** The line of `status` about an apply or a destroy that did not complete. */
export function incompleteText(point: ReturnPoint, resources: number, working: number | undefined): string {
  const there = resources === 1 ? "1 resource exists" : `${resources} resources exist`;
  if (working !== undefined && point.ended === undefined) return `${nameOf(point)} is running: ${there}`;
  if (agrees(point)) {
    return `${nameOf(point)} ${point.ended === "failed" ? "failed" : "was interrupted"}: ${there}; to continue, type ${commandOf(point)}`;
  }
  const next = beginsAnew(point)
    ? `to start again, type ${commandOf(point)}`
    : "the next command restores the deployment and its data as they were before";
  return `${cutText(point)}; ${next}`;
}

/** The command that completes an apply or a destroy. */
function commandOf({ stack, verb }: ReturnPoint): string {
  const environment = stack.replace(/^.*-/, "");
  const isDefault = environment === BENCH.environment;
  if (verb === "apply" && isDefault) return "npm start";
  return `npm start -- ${verb === "destroy" ? "destroy" : "deploy"}${isDefault ? "" : ` --environment ${environment}`}`;
}

function writeRecord(point: ReturnPoint): void {
  const half = `${RECORD}.half`;
  writeFileSync(half, JSON.stringify(point));
  renameSync(half, RECORD);
}

function copyStates(from: string, to: string): void {
  for (const file of STATES) {
    // Keep the time: `status` shows it.
    if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file), { preserveTimestamps: true });
  }
}

/** Hard links keep the old content, because the server writes a new file and renames it. */
function linkTree(from: string, to: string, except?: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.name === except) continue;
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isFile()) linkPresent(source, target);
  }
}

/** A server that is up may rename or remove a file meanwhile. */
function linkPresent(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
