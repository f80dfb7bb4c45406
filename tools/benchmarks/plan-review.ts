import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../local/places";
import { type BenchOptions } from "./bench-options";
import { type Contender, measureInTurn, printTable } from "./measure";
import { type Kind, largePlan } from "./plan-review/large-plan";

const PIPELINES = 100;
const KINDS: readonly Kind[] = ["updated", "created", "destroyed"];

/** Measures `plan-review` on plans of 5,000 resources, against a process that only reads the file as JSON. */
export async function measurePlanReview({ rounds }: BenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "plan-review-"));
  try {
    for (const kind of KINDS) {
      const file = join(folder, `${kind}.json`);
      writeFileSync(file, largePlan(PIPELINES, kind));
      const measured = await measureInTurn([reviewed(file), onlyRead(file)], rounds);
      printTable(`plan of ${PIPELINES} pipelines, ${kind}`, measured);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The verdict's exit codes 2 and 3 are no failures of the measurement. */
const SCRIPT =
  'node bin/cdktf-aws-etl.cjs plan-review "$0" > "$0.md"; code=$?; [ $code -ne 1 ] && wc -c < "$0.md"';

const reviewed = (file: string): Contender => ({
  name: "plan-review",
  command: "sh",
  args: ["-c", SCRIPT, file],
  cwd: ROOT,
  read: (output) => ({ "bytes of page": Number(output.trim()) }),
});

const onlyRead = (file: string): Contender => ({
  name: "JSON.parse",
  command: "node",
  args: ["-e", "JSON.parse(require('fs').readFileSync(process.argv[1]))", file],
});
