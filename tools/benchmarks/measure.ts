import { execFileSync, spawn } from "node:child_process";
import Table from "cli-table3";
import { UserError } from "../../local/user-error";

/** Measures whole processes in turn, so that other load on the computer affects all of them alike. */

export interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Reads further figures of a run from its output. */
  readonly read?: (output: string) => Readonly<Record<string, number>>;
}

/** Seconds of the whole process, peak MiB including its children, and the further figures. */
export type Sample = Readonly<Record<string, number>>;

const POLL_MS = 100;

export async function measureOnce({ name, command, args, cwd, env, read }: Contender): Promise<Sample> {
  const started = process.hrtime.bigint();
  // A process group of its own, so that the memory of all its processes counts.
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, detached: true });
  const group = child.pid!;
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  let peak = 0;
  const poll = setInterval(() => (peak = Math.max(peak, residentOf(group))), POLL_MS);
  const kill = () => process.kill(-group, "SIGKILL");
  process.once("SIGINT", kill);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new UserError(`${name} ended with ${code}:\n${output.slice(-4_000)}`);
  } finally {
    clearInterval(poll);
    process.removeListener("SIGINT", kill);
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { seconds, "peak MiB": peak / 1024, ...read?.(output) };
}

/** Resident kibibytes of a process group. Shared pages count once per process. */
function residentOf(group: number): number {
  return execFileSync("ps", ["-eo", "pgid=,rss="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([pgid]) => pgid === group)
    .reduce((sum, [, rss]) => sum + (rss ?? 0), 0);
}

/** Medians of each contender's figures. The first round fills caches and is not counted. */
export async function measureInTurn(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Map<Contender, Sample>> {
  const samples = new Map<Contender, Sample[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [contender, collected] of samples) {
      const sample = await measureOnce(contender);
      if (round > 0) collected.push(sample);
    }
    console.log(round === 0 ? "  warm-up done" : `  round ${round} of ${rounds} done`);
  }
  return new Map([...samples].map(([contender, collected]) => [contender, medians(collected)]));
}

function medians(samples: readonly Sample[]): Sample {
  return Object.fromEntries(
    Object.keys(samples[0]!).map((figure) => [figure, median(samples.map((sample) => sample[figure]!))]),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Prints the figures, and the ratios of the first contender to each other one. */
export function printTable(title: string, measured: ReadonlyMap<Contender, Sample>): void {
  const rows = [...measured];
  const figures = [...new Set(rows.flatMap(([, sample]) => Object.keys(sample)))];
  const table = new Table({ head: [title, ...figures], style: { head: [], border: [] } });
  const cell = (value: number | undefined) => (value === undefined ? "" : shown(value));
  for (const [{ name }, sample] of rows) table.push([name, ...figures.map((figure) => cell(sample[figure]))]);
  const [[, ours], ...others] = rows as [[Contender, Sample], ...[Contender, Sample][]];
  for (const [{ name }, theirs] of others)
    table.push([`ratio to ${name}`, ...figures.map((figure) => cell(ratio(ours[figure], theirs[figure])))]);
  console.log(table.toString());
}

export function ratio(ours: number | undefined, theirs: number | undefined): number | undefined {
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
}

function shown(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(2);
}
