import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { LAST_RUN, LOCAL } from "./places";

/** The commands that look at what a run left, `status`, and remove it, `down`. */

const NOTHING = "nothing is deployed here: type npm start";

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
