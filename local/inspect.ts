import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { ask } from "./athena";
import { clientsOf } from "./clients";
import { EmbeddedAws } from "./embedded-aws";
import { LAST_RUN, LOCAL, LOGS, ROOT } from "./places";
import { answerTable } from "./summary";
import { UserError } from "./user-error";

/** The commands that look at what a run left: `status`, `query`, `logs`, and `down`, which removes it. */

const NOTHING = "nothing is deployed here: type npm start";
const TAIL_LINES = 15;

export function status(): void {
  const applied = join(LOCAL, "terraform", "etl-dev", "applied.json");
  if (!existsSync(applied)) {
    console.log(NOTHING);
    return;
  }
  const files = Object.keys(JSON.parse(readFileSync(applied, "utf8")) as object).length;
  console.log(`deployed: etl-dev on the embedded AWS, ${files} files applied ${ago(applied)}`);
  console.log("running: nothing (the embedded AWS runs while a command does)");
  if (!existsSync(LAST_RUN)) return;
  const run = JSON.parse(readFileSync(LAST_RUN, "utf8")) as Record<string, unknown>;
  console.log(`last run: ${String(run.pipeline)} ${String(run.status)} ${ago(LAST_RUN)}`);
  console.log(`  ${String(run.executionArn)}`);
  const rows = run.rows as
    { read: number; written: number; duplicates: number; quarantined: object } | undefined;
  if (rows !== undefined) {
    const quarantined = Object.values(rows.quarantined as Record<string, number>).reduce(
      (sum, n) => sum + n,
      0,
    );
    console.log(
      `  read ${rows.read} = written ${rows.written} + duplicates ${rows.duplicates} + quarantined ${quarantined}`,
    );
  }
}

export async function query(sql: string): Promise<void> {
  if (!existsSync(join(LOCAL, "aws"))) throw new UserError(NOTHING);
  const aws = await EmbeddedAws.start();
  try {
    console.log(answerTable(await ask(clientsOf(aws.at).athena, "etl-dev", sql)));
  } finally {
    await aws.stop();
  }
}

export function logs(): void {
  if (!existsSync(LOGS)) {
    console.log(NOTHING);
    return;
  }
  const files = readdirSync(LOGS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  for (const file of files.slice(-4)) {
    console.log(`== ${relative(ROOT, file)}`);
    console.log(readFileSync(file, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n"));
  }
  console.log(`${files.length} files below ${relative(ROOT, LOGS)}`);
}

/** Discards everything local, data included; no guard is weakened, there is nothing left to guard. */
export function down(): void {
  const was = existsSync(join(LOCAL, "aws"));
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
