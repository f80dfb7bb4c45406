import { Command, CommanderError, Option } from "commander";
import { type Trouble, TROUBLES } from "./benchmarks/deployments";
import { type BenchOptions } from "./benchmarks/bench-options";
import { measureArrival } from "./benchmarks/arrival";
import { measureJdbc } from "./benchmarks/jdbc";
import { measureJob } from "./benchmarks/job";
import { measureMobile } from "./benchmarks/mobile";
import { measureMoney } from "./benchmarks/money";
import { measurePlanReview } from "./benchmarks/plan-review";
import { measureStaging } from "./benchmarks/staging";
import { measureStart } from "./benchmarks/start";
import { measureGrowth, measureSynth } from "./benchmarks/synth";
import { UserError } from "../local/user-error";

/** `npm run bench`: benchmarks, as ratios measured within one run. Seconds are no promise. */

const BENCHMARKS: Readonly<Record<string, (options: BenchOptions) => Promise<void>>> = {
  synth: measureSynth,
  growth: measureGrowth,
  job: measureJob,
  mobile: measureMobile,
  jdbc: measureJdbc,
  arrival: measureArrival,
  staging: measureStaging,
  start: measureStart,
  money: measureMoney,
  "plan-review": measurePlanReview,
};

/** Options as commander returns them: numbers in lists. */
interface Options {
  readonly rounds: number[];
  readonly input: string;
  readonly copies: number[];
  readonly days: string;
  readonly files: number[];
  readonly deployments?: number[];
  readonly trouble: Trouble;
  readonly atOnce: number[];
  readonly seed: number[];
}

function troubleHelp(): string {
  const each = Object.entries(TROUBLES).map(([kind, what]) => `${kind}: ${what}`);
  return `start, with --deployments: the trouble to make meanwhile. ${each.join("; ")}`;
}

async function main(): Promise<void> {
  const names = Object.keys(BENCHMARKS);
  const cli = new Command("npm run bench --")
    .description("Compares this project with others in one run, and prints ratios.")
    .argument("[what...]", `${names.join(", ")} (default: all)`)
    .option("--rounds <n>", "counted rounds", wholeNumbers, [3])
    .option(
      "--input <dir>",
      "job: folder with deliveries dt=YYYY-MM-DD/events.json",
      "pipelines/events/sample",
    )
    .option(
      "--copies <n,n>",
      "job, mobile, jdbc, staging: sizes, as multiples of the input",
      wholeNumbers,
      [1, 10, 100],
    )
    .option(
      "--days <dir>",
      "jdbc, staging: folder with days of the shop, YYYY-MM-DD.csv",
      "pipelines/shop/sample",
    )
    .option("--files <n>", "arrival: how many files", wholeNumbers, [1_000])
    .option(
      "--deployments <n>",
      "start: make n first deployments and count the successful ones",
      wholeNumbers,
    )
    .addOption(new Option("--trouble <kind>", troubleHelp()).choices(Object.keys(TROUBLES)).default("none"))
    .option("--at-once <n>", "start: deployments at the same time", wholeNumbers, [1])
    .option(
      "--seed <n>",
      "start: determines which process is killed, and when; arrival: the order of events",
      wholeNumbers,
      [1],
    )
    .exitOverride();
  try {
    cli.parse();
    const { rounds, input, copies, days, files, deployments, trouble, atOnce, seed } = cli.opts<Options>();
    const counted = deployments && {
      deployments: deployments[0]!,
      trouble,
      atOnce: atOnce[0]!,
      seed: seed[0]!,
    };
    const unknown = cli.args.filter((name) => !names.includes(name));
    if (unknown.length > 0)
      throw new UserError(`unknown benchmark ${unknown.join(", ")}; benchmarks are ${names.join(", ")}`);
    const all = counted === undefined ? names : ["start"];
    for (const name of cli.args.length === 0 ? all : cli.args)
      await BENCHMARKS[name]!({
        ...{ rounds: rounds[0]!, input, copies, days, counted },
        ...{ files: files[0]!, seed: seed[0]! },
      });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode;
      return;
    }
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

function wholeNumbers(text: string): number[] {
  const numbers = text.split(",").map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1))
    throw new UserError(`must be whole numbers of at least 1, separated by commas, got '${text}'`);
  return numbers;
}

void main();
