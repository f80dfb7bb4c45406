import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { workingCommand } from "./lock";
import { LAST_RUN, LOCAL } from "./places";
import {
  APPLIED,
  deployedResources,
  endLeftOver,
  incompleteText,
  returnPoint,
  terraformFolder,
} from "./return-point";

/** The commands that look at what a run left, `status`, and remove it, `down`. */

const STACK = "etl-dev";
export const NOTHING = "nothing is deployed here: type npm start";

export function status(): void {
  const working = workingCommand();
  const point = returnPoint();
  if (point !== undefined) console.log(incompleteText(point, deployedResources(point.stack), working));
  const applied = join(terraformFolder(STACK), APPLIED);
  if (existsSync(applied)) {
    const files = Object.keys(JSON.parse(readFileSync(applied, "utf8")) as object).length;
    console.log(`deployed: ${STACK} on the embedded AWS, ${files} files applied ${ago(applied)}`);
  } else if (point?.stack !== STACK) {
    const resources = deployedResources(STACK);
    console.log(
      resources === 0 ? NOTHING : `deployed in part: ${STACK}, ${resources} resources; npm start goes on`,
    );
  }
  console.log(
    working === undefined
      ? "running: nothing (the embedded AWS runs while a command does)"
      : `running: a command (process ${working})`,
  );
  if (!existsSync(LAST_RUN)) return;
  const run = JSON.parse(readFileSync(LAST_RUN, "utf8")) as Record<string, unknown>;
  console.log(`last run: ${String(run.pipeline)} ${String(run.status)} ${ago(LAST_RUN)}`);
  console.log(`  ${String(run.executionArn)}`);
  const rows = run.rows as RecordedRows | undefined;
  if (rows !== undefined) console.log(`  ${rowsLine(rows, run.refused !== undefined)}`);
}

interface RecordedRows {
  readonly read: number;
  readonly written: number;
  readonly duplicates: number;
  readonly quarantined: Readonly<Record<string, number>>;
}

/** Where the rows of a run went; a refused one put none anywhere. */
export function rowsLine(
  { read, written, duplicates, quarantined }: RecordedRows,
  isRefused: boolean,
): string {
  const bad = Object.values(quarantined).reduce((sum, rows) => sum + rows, 0);
  return isRefused
    ? `read ${read}, rejected ${bad}; refused, so nothing was published`
    : `read ${read} = written ${written} + duplicates ${duplicates} + quarantined ${bad}`;
}

/** Discards everything local, data included; no guard is weakened, there is nothing left to guard. */
export async function down(): Promise<void> {
  const was = existsSync(join(LOCAL, "aws"));
  const stacks = join(LOCAL, "terraform");
  await endLeftOver(...(existsSync(stacks) ? readdirSync(stacks) : []));
  // First, and at once: half of it would be taken for a deployment if this is killed.
  const discarded = join(LOCAL, "discarded");
  rmSync(discarded, { recursive: true, force: true });
  if (was) renameSync(join(LOCAL, "aws"), discarded);
  rmSync(LOCAL, { recursive: true, force: true });
  console.log(was ? "removed .local: deployment, data, logs and records" : "nothing was deployed here");
}

function ago(file: string): string {
  const minutes = Math.round((Date.now() - statSync(file).mtimeMs) / 60_000);
  return minutes < 1
    ? "just now"
    : minutes < 120
      ? `${minutes} min ago`
      : `${Math.round(minutes / 60)} h ago`;
}
