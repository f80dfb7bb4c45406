import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { planText } from "../../contracts/plan";
import { readPlan } from "../../modules/contract-plan/plan-files";
import { type BenchOptions } from "./bench-options";
import { findDeliveries } from "../../local/deliveries";
import { type Contender, measureInTurn, printTable } from "./measure";

/** Compares the job with the limit, a first script and a minimal Spark program, on the same files in three sizes. */

const root = join(__dirname, "..", "..");
const python = join(root, ".setup", "venv", "bin", "python");

export async function measureJob({ rounds, input, copies }: BenchOptions): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "etl-bench-"));
  try {
    const plan = join(scratch, "events.plan.json");
    writeFileSync(plan, compiledPlan());
    for (const times of copies) {
      const source = join(scratch, `x${times}`);
      const lines = materialise(resolve(input), source, times);
      const program = (name: string, file: string, ...more: string[]): Contender => ({
        name,
        command: python,
        args: [join(root, "tools", "benchmarks", "job", file), source, join(scratch, "out", file), ...more],
        read: (output) => JSON.parse(output.trim().split("\n").at(-1)!) as Record<string, number>,
      });
      const measured = await measureInTurn(
        [
          program("this project's job", "run_job.py", plan),
          program("DuckDB, the limit", "duckdb_limit.py"),
          program("a first script", "plain_spark.py"),
          program("a minimal Spark program", "least_spark.py"),
        ],
        rounds,
      );
      refuseOtherRows(measured);
      printTable(`${times} × ${input}: ${lines} lines`, measured);
      rmSync(source, { recursive: true, force: true });
    }
    console.log(
      "seconds: the whole process; work: seconds after Spark started; files: Parquet files of good rows",
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function compiledPlan(): string {
  const file = (kind: string) => join(root, "pipelines", "events", `events.${kind}.json`);
  const { compiled, sentences } = readPlan({ contractFile: file("schema"), rulesFile: file("quality") });
  if (compiled?.plan === undefined) throw new Error(sentences.join("; "));
  return planText(compiled.plan);
}

/** Only programs that write the same rows can be compared. */
function refuseOtherRows(measured: ReadonlyMap<Contender, Readonly<Record<string, number>>>): void {
  const rows = [...measured].map(([{ name }, sample]) => `${name}: ${sample.rows}`);
  if (new Set([...measured.values()].map((sample) => sample.rows)).size > 1)
    throw new Error(`the programs wrote different numbers of rows: ${rows.join(", ")}`);
}

/** Writes every delivery `times` times into one file per day, each copy with its own event ids. Returns the lines written. */
function materialise(input: string, target: string, times: number): number {
  let lines = 0;
  const { dates } = findDeliveries(input, { pipeline: "events" });
  for (const date of dates) {
    const folder = join(input, `dt=${date}`);
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
      .filter((line) => line !== "");
    const into = join(target, "events", `dt=${date}`);
    mkdirSync(into, { recursive: true });
    for (let copy = 0; copy < times; copy++) {
      const own = texts.map((line) => line.replace(/("event_id":\s*"[^"]*)"/, `$1-${copy}"`));
      appendFileSync(join(into, "events.json"), `${own.join("\n")}\n`);
    }
    lines += texts.length * times;
  }
  return lines;
}
