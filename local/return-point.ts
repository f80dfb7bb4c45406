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
 * What an apply or a destroy starts from, kept until it ends in order: the state of the embedded AWS, and Terraform's. When
 * the command, Terraform or the server was killed, the two may disagree (a resource that was made and not recorded), and
 * both are put back together. Before a first deployment there is nothing, so that it begins anew.
 */
export interface ReturnPoint {
  readonly stack: string;
  readonly verb: "apply" | "destroy";
  /** Whether Terraform had no resources before. */
  readonly first: boolean;
  /** When it began, in ISO 8601. */
  readonly began: string;
  /** How it ended when it did not complete. Nothing: it was cut off, or is at work. */
  readonly ended?: Ending;
}

/** Both states agree after the first two, and the next apply continues. After the last one they do not. */
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

/** Where the running Terraform of a folder is written down. */
export function terraformProcess(folder: string): string {
  return join(folder, ".terraform-process.json");
}

/** Where the running server of a bench is written down. */
export function serverProcess(local: string): string {
  return join(local, "aws-process.json");
}

/** Longer than a server takes to save its state and end once its command is gone. */
export const SERVER_GRACE_MS = 20_000;

export function returnPoint(): ReturnPoint | undefined {
  return existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, "utf8")) as ReturnPoint) : undefined;
}

/**
 * Call before the server is started. A verb that continues one which ended in order and is incomplete goes back, if it must,
 * to where that one began.
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
  // Last: without it, what lies here is nothing.
  writeRecord({ stack, verb, first: deployedResources(stack) === 0, began: new Date().toISOString() });
}

/** It ended and did not complete. */
export function keepReturnPoint(ended: Ending): void {
  const point = returnPoint();
  if (point !== undefined) writeRecord({ ...point, ended });
}

/** There is nothing to go back to any more. */
export function dropReturnPoint(): void {
  rmSync(RECORD, { force: true });
  rmSync(FOLDER, { recursive: true, force: true });
}

/**
 * Puts both states back when the last apply or destroy did not end in order. Call before the server is started.
 *
 * @returns one sentence about what was done; nothing when there was nothing to do
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

/** Ends what a killed command left running: Terraform at once, the server once it has saved its state. */
export async function endLeftOver(...stacks: readonly string[]): Promise<void> {
  for (const stack of stacks) await endRemembered(terraformProcess(terraformFolder(stack)));
  await endRemembered(serverProcess(LOCAL), SERVER_GRACE_MS);
}

/** Whether Terraform's state and that of the embedded AWS agree, so that the next apply can continue. */
export function agrees({ ended }: ReturnPoint): boolean {
  return ended === "interrupted" || ended === "failed";
}

/** What an apply or destroy is called, e.g. `etl-dev: the first deployment of 18:40 UTC`. */
export function nameOf({ stack, verb, first, began }: ReturnPoint): string {
  const what = verb === "destroy" ? "the destroy" : first ? "the first deployment" : "the update";
  return `${stack}: ${what} of ${began.slice(11, 16)} UTC`;
}

export function healedText(point: ReturnPoint): string {
  const done = beginsAnew(point)
    ? "what there was of it was discarded"
    : "the deployment and its data were put back as they were before";
  return `${cutText(point)}; ${done}`;
}

function cutText(point: ReturnPoint): string {
  return `${nameOf(point)} ${point.ended === "astray" ? "failed, and Terraform's state no longer says what exists" : "was cut off"}`;
}

function beginsAnew({ first, verb }: ReturnPoint): boolean {
  return first && verb === "apply";
}

/** What `status` says of an apply or a destroy that did not complete. */
export function incompleteText(point: ReturnPoint, resources: number, working: number | undefined): string {
  const there = resources === 1 ? "1 resource is there" : `${resources} resources are there`;
  if (working !== undefined && point.ended === undefined) return `${nameOf(point)} is at work: ${there}`;
  if (agrees(point)) {
    return `${nameOf(point)} ${point.ended === "failed" ? "failed" : "was interrupted"}: ${there}; to go on, type ${commandOf(point)}`;
  }
  const next = beginsAnew(point)
    ? `to begin anew, type ${commandOf(point)}`
    : "the next command puts the deployment and its data back as they were before";
  return `${cutText(point)}; ${next}`;
}

/** What brings an apply or a destroy to its end. */
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
    // With its time, which `status` shows.
    if (existsSync(join(from, file))) cpSync(join(from, file), join(to, file), { preserveTimestamps: true });
  }
}

/** Hard links: the server writes each file anew and renames it, so that a link keeps what the file was. */
function linkTree(from: string, to: string, except?: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.name === except) continue;
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isFile()) linkSync(source, target);
  }
}
