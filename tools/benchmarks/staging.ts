import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planText } from "../../contracts/plan";
import { readPlan } from "../../modules/contract-plan/plan-files";
import { type BenchOptions } from "./bench-options";
import { type Contender, measureInTurn, measureOnce, printTable, ratio, type Sample } from "./measure";

/**
 * Compares the write mode `changes` with DuckDB, on snapshots of the shop's products in several sizes; and one more day on a history of ten days
 * with one on a history of a hundred.
 */

const root = join(__dirname, "..", "..");
const python = join(root, ".setup", "venv", "bin", "python");
const folder = join(root, "pipelines", "stg-products");

/** The days of a back-fill that is compared with DuckDB. */
const BACK_FILL_DAYS = 3;
const SHORT_DAYS = 10;
const LONG_DAYS = 100;

interface Made {
  readonly source: string;
  readonly days: readonly string[];
  readonly rows: number;
}

export async function measureStaging({ rounds, copies, days }: BenchOptions): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "etl-bench-"));
  try {
    const plan = join(scratch, "plan.json");
    writePlan(plan);
    const make = (name: string, count: number, times: number): Made => {
      const source = join(scratch, name);
      const program = join(root, "tools", "benchmarks", "job", "make_snapshots.py");
      const said = execFileSync(python, [program, days, source, String(count), String(times)], {
        encoding: "utf8",
      });
      return { source, ...(JSON.parse(said) as Omit<Made, "source">) };
    };
    let run = 0;
    const job = (made: Made, into: string, first: string, last: string): Contender => ({
      name: "this project's job",
      command: python,
      args: [
        join(root, "tools", "benchmarks", "job", "run_changes.py"),
        ...[made.source, into, plan, first, last],
      ],
      read: lastLine,
    });
    for (const times of copies) {
      const made = make(`x${times}`, BACK_FILL_DAYS, times);
      const [first, last] = [made.days[0]!, made.days.at(-1)!];
      const limit: Contender = {
        name: "DuckDB, the limit",
        command: python,
        args: [
          join(root, "tools", "benchmarks", "job", "duckdb_changes.py"),
          made.source,
          join(scratch, "duckdb"),
        ],
        read: lastLine,
      };
      // Each run starts with an empty table.
      const ours: Contender = {
        ...job(made, "", first, last),
        get args() {
          return job(made, join(scratch, "out", String(run++)), first, last).args;
        },
      };
      const measured = await measureInTurn([ours, limit], rounds);
      refuseOthers(measured.get(ours)!, measured.get(limit)!);
      printTable(`${times} × the products: ${made.rows} rows of ${BACK_FILL_DAYS} days`, measured);
    }
    await measureGrowth(make, job, join(scratch, "growth"), rounds);
    console.log(
      "seconds: the whole process; work: seconds after Spark started; files: data files of one run",
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One more day costs by its keys, and not by the days before it. */
async function measureGrowth(
  make: (name: string, days: number, times: number) => Made,
  job: (made: Made, into: string, first: string, last: string) => Contender,
  into: string,
  rounds: number,
): Promise<void> {
  const made = make("growth", LONG_DAYS + rounds + 1, 1);
  const histories = [SHORT_DAYS, LONG_DAYS].map((count) => ({
    count,
    into: `${into}-${count}`,
    next: count,
  }));
  for (const history of histories)
    await measureOnce(job(made, history.into, made.days[0]!, made.days[history.count - 1]!));
  const contenders = histories.map((history): Contender => ({
    ...job(made, history.into, "", ""),
    name: `a day after ${history.count}`,
    get args() {
      const day = made.days[history.next++]!;
      return job(made, history.into, day, day).args;
    },
  }));
  const measured = await measureInTurn(contenders, rounds);
  printTable(`one day of ${Math.round(made.rows / made.days.length)} products`, measured);
  const [short, long] = contenders.map((one) => measured.get(one)!);
  console.log(
    `work after ${LONG_DAYS} days to that after ${SHORT_DAYS}: ${ratio(long!.work, short!.work)?.toFixed(2)}`,
  );
}

const lastLine = (output: string): Record<string, number> =>
  JSON.parse(output.trim().split("\n").at(-1)!) as Record<string, number>;

function writePlan(plan: string): void {
  const { compiled, sentences } = readPlan({
    contractFile: join(folder, "stg-products.schema.json"),
    rulesFile: join(folder, "stg-products.quality.json"),
  });
  if (compiled?.plan === undefined) throw new Error(sentences.join("; "));
  writeFileSync(plan, planText(compiled.plan));
}

/** Only programs that find the same versions can be compared. */
function refuseOthers(job: Sample, limit: Sample): void {
  if (job.rows !== limit.rows)
    throw new Error(`the job wrote ${job.rows} versions, DuckDB ${limit.rows}: they must be the same`);
}
