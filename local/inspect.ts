import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { arrivedLine, arrivedStates } from "./arrived-files";
import { endLeftDatabase } from "./bench-database";
import { deployedPipelines } from "./deployed-pipelines";
import { environmentPipelines, stackName } from "./known-environments";
import { keeperText, keptBench, refuseWhileKept } from "./kept-bench";
import { workingCommand } from "./lock";
import { BENCH, LAST_RUN, LOCAL } from "./places";
import { discardBases, plansAtWork } from "./plan/kept-bases";
import { APPLIED, endLeftOver, incompleteText, returnPoint } from "./return-point";
import { deployedResources, outputValues, terraformFolder } from "./terraform-state";
import { UserError } from "./user-error";

/** `status` shows what a run left; `down` removes it. */

const STACK = stackName(BENCH.environment);
export const NOTHING = "nothing is deployed here: type npm start";

export async function status(): Promise<void> {
  const working = workingCommand();
  const point = returnPoint();
  if (point !== undefined) console.log(incompleteText(point, deployedResources(point.stack), working));
  const applied = join(terraformFolder(STACK), APPLIED);
  if (existsSync(applied)) {
    const files = Object.keys(JSON.parse(readFileSync(applied, "utf8")) as object).length;
    console.log(`deployed: ${STACK} on the embedded AWS, ${files} files applied ${ago(applied)}`);
    for (const line of pipelineLines()) console.log(line);
  } else if (point?.stack !== STACK) {
    const resources = deployedResources(STACK);
    console.log(
      resources === 0
        ? NOTHING
        : `deployed in part: ${STACK}, ${resources} resources; type npm start to continue`,
    );
  }
  const kept = keptBench();
  if (kept !== undefined)
    console.log(`running: ${keeperText(kept)} keeps the bench up at ${kept.at.endpoint}`);
  const ledger = outputValues(STACK).arrival_ledger;
  if (typeof ledger === "string")
    console.log(
      kept === undefined
        ? "files: the ledger can be read while npm start -- serve runs"
        : arrivedLine(await arrivedStates(kept.at, ledger)),
    );
  if (working !== undefined) console.log(`running: a command (process ${working})`);
  else if (kept === undefined) console.log("running: nothing (the embedded AWS runs while a command does)");
  if (!existsSync(LAST_RUN)) return;
  const run = JSON.parse(readFileSync(LAST_RUN, "utf8")) as Record<string, unknown>;
  console.log(`last run: ${String(run.pipeline)} ${String(run.status)} ${ago(LAST_RUN)}`);
  console.log(`  ${nameOf(run)}`);
  const rows = run.rows as RecordedRows | undefined;
  if (rows !== undefined) console.log(`  ${rowsLine(rows, run.refused !== undefined)}`);
}

/** The run as AWS names it. */
function nameOf({ executionArn, workflowRun }: Readonly<Record<string, unknown>>): string {
  if (workflowRun === undefined) return String(executionArn);
  const { workflow, runId } = workflowRun as { readonly workflow: string; readonly runId: string };
  return `${workflow} ${runId}`;
}

/** The pipelines that are deployed, and the others. */
function pipelineLines(): string[] {
  const all = environmentPipelines(BENCH.environment);
  const deployed = deployedPipelines(STACK, all);
  const others = all.map(({ name }) => name).filter((name) => !deployed.includes(name));
  return [
    `  pipelines: ${deployed.join(", ")}`,
    ...(others.length === 0
      ? []
      : [`  not deployed: ${others.join(", ")}; to add one: npm start -- --pipeline ${others[0]}`]),
  ];
}

interface RecordedRows {
  readonly read: number;
  readonly written: number;
  readonly duplicates: number;
  readonly quarantined: Readonly<Record<string, number>>;
}

/** The rows of a run by their outcome. A refused run published nothing. */
export function rowsLine(
  { read, written, duplicates, quarantined }: RecordedRows,
  isRefused: boolean,
): string {
  const bad = Object.values(quarantined).reduce((sum, rows) => sum + rows, 0);
  return isRefused
    ? `read ${read}, rejected ${bad}; refused, so nothing was published`
    : `read ${read} = written ${written} + duplicates ${duplicates} + quarantined ${bad}`;
}

/** Discards everything local, data included. No guard is weakened: nothing that it guards is left. */
export async function down(): Promise<void> {
  refuseWhileKept("down removes the bench");
  const [plan] = plansAtWork();
  if (plan !== undefined)
    throw new UserError(`npm run plan is at work (process ${plan}): wait for it, or end it`);
  const bases = await discardBases();
  const was = existsSync(join(LOCAL, "aws"));
  const stacks = join(LOCAL, "terraform");
  // Beside the stacks may lie Terraform's settings, which are a file.
  const entries = existsSync(stacks) ? readdirSync(stacks, { withFileTypes: true }) : [];
  await endLeftOver(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  await endLeftDatabase();
  // Renamed first: a kill must not leave half of it, which looks like a deployment.
  const discarded = join(LOCAL, "discarded");
  rmSync(discarded, { recursive: true, force: true });
  if (was) renameSync(join(LOCAL, "aws"), discarded);
  rmSync(LOCAL, { recursive: true, force: true });
  if (was) console.log("removed .local: deployment, data, logs and records");
  else console.log(bases > 0 ? "removed .local: the bases of plans" : "nothing was deployed here");
}

function ago(file: string): string {
  const minutes = Math.round((Date.now() - statSync(file).mtimeMs) / 60_000);
  return minutes < 1
    ? "just now"
    : minutes < 120
      ? `${minutes} min ago`
      : `${Math.round(minutes / 60)} h ago`;
}
