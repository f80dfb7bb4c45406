import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planText } from "../../contracts/plan";
import { modelsText } from "../../contracts/models";
import { readPipelineFiles } from "../../patterns/ingest-task/contract-files";
import { readPlan } from "../../modules/contract-plan/plan-files";
import { type BenchOptions } from "./bench-options";
import { type Contender, measureInTurn, printTable, type Sample } from "./measure";

/**
 * Compares the job with the limit and with a minimal Spark program, on the calls of mobile-users in several sizes: two sources, packed, with a
 * model that is recomputed.
 */

const root = join(__dirname, "..", "..");
const python = join(root, ".setup", "venv", "bin", "python");
const folder = join(root, "pipelines", "mobile-users");

export async function measureMobile({ rounds, copies }: BenchOptions): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "etl-bench-"));
  try {
    const [plan, models] = [join(scratch, "plan.json"), join(scratch, "models.json")];
    writeCompiled(plan, models);
    for (const times of copies) {
      const source = join(scratch, `x${times}`);
      const generator = join(folder, "generate_sample.py");
      const into = join(source, "mobile-users");
      const made = execFileSync(python, [generator, "--into", into, "--scale", String(times)], {
        encoding: "utf8",
      });
      const program = (name: string, file: string, ...more: string[]): Contender => ({
        name,
        command: python,
        args: [join(root, "tools", "benchmarks", "job", file), source, join(scratch, "out", file), ...more],
        read: (output) => JSON.parse(output.trim().split("\n").at(-1)!) as Record<string, number>,
      });
      const [job, limit, least] = [
        program("this project's job", "run_mobile.py", plan, models),
        program("DuckDB, the limit", "duckdb_mobile.py"),
        program("a minimal Spark program", "least_mobile.py"),
      ];
      const measured = await measureInTurn([job, limit, least], rounds);
      refuse(measured.get(job)!, measured.get(limit)!);
      printTable(`${times} × the sample: ${/with (\d+) lines/.exec(made)![1]} lines`, measured);
      rmSync(source, { recursive: true, force: true });
    }
    console.log(
      "seconds: the whole process; work: seconds after Spark started; reads: lines that scans of the calls put out, per delivered line",
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function writeCompiled(plan: string, models: string): void {
  const files = {
    contractFile: join(folder, "mobile-users.schema.json"),
    rulesFile: join(folder, "mobile-users.quality.json"),
  };
  const { compiled, sentences } = readPlan(files);
  if (compiled?.plan === undefined) throw new Error(sentences.join("; "));
  writeFileSync(plan, planText(compiled.plan));
  const read = readPipelineFiles({
    ...files,
    table: "mobile_users",
    models: [join(folder, "mobile_daily_users.model.json")],
    written: {},
  });
  if (read.sentences.length > 0) throw new Error(read.sentences.join("; "));
  writeFileSync(models, modelsText(read.models));
}

/** A file may be read once, and only programs that write the same rows can be compared. The minimal one judges nothing, and writes more. */
function refuse(job: Sample, limit: Sample): void {
  if (job.rows !== limit.rows)
    throw new Error(`the job wrote ${job.rows} rows, DuckDB ${limit.rows}: they must be the same`);
  if (job.reads !== 1) throw new Error(`the job read ${job.reads} lines for each delivered one`);
}
