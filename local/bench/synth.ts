import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import Table from "cli-table3";

/**
 * `npm run bench`: whole processes measured in turn, reported as ratios of medians. Each process reports its own peak
 * memory on exit (bench/report-memory.js), so that nothing but Node is needed.
 */

const root = join(__dirname, "..");
const peer = join(root, ".setup", "peer");
const RUNS = 5;

interface Contender {
  readonly name: string;
  readonly cwd: string;
  readonly args: readonly string[];
}

interface Sample {
  readonly seconds: number;
  readonly mebibytes: number;
}

async function installPeer(): Promise<void> {
  if (existsSync(join(peer, "node_modules", "aws-cdk-lib", "package.json"))) return;
  console.log("installing the peer into .setup/peer …");
  rmSync(peer, { recursive: true, force: true });
  mkdirSync(peer, { recursive: true });
  cpSync(join(root, "bench", "peer"), peer, { recursive: true });
  await execa("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peer });
}

async function measure({ cwd, args }: Contender, scratch: string): Promise<Sample> {
  const report = join(scratch, "memory.json");
  rmSync(report, { force: true });
  const started = process.hrtime.bigint();
  await execa("node", ["--require", join(root, "bench", "report-memory.js"), ...args], {
    cwd,
    env: {
      BENCH_MEMORY_REPORT: report,
      ETL_ACCOUNT_ID: "000000000000",
      ETL_REGION: "us-east-1",
      CDKTF_OUTDIR: join(scratch, "cdktf.out"),
      CDK_OUTDIR: join(scratch, "cdk.out"),
    },
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const { maxRSS } = JSON.parse(readFileSync(report, "utf8")) as { maxRSS: number };
  return { seconds, mebibytes: maxRSS / 1024 };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function main(): Promise<void> {
  await installPeer();
  const tsNode = require.resolve("ts-node/dist/bin.js");
  const ours: Contender = { name: "this project, type-checked", cwd: root, args: [tsNode, "main.ts"] };
  const theirs: Contender = {
    name: "aws-cdk-lib peer, not type-checked",
    cwd: peer,
    args: [join(peer, "node_modules/ts-node/dist/bin.js"), "--transpile-only", "app.ts"],
  };
  const scratch = mkdtempSync(join(tmpdir(), "etl-bench-"));
  const samples = new Map<Contender, Sample[]>([
    [ours, []],
    [theirs, []],
  ]);
  try {
    for (let run = 0; run <= RUNS; run++) {
      for (const [contender, collected] of samples) {
        const sample = await measure(contender, scratch);
        // The first round fills caches and is not counted.
        if (run > 0) collected.push(sample);
      }
      console.log(run === 0 ? "warm-up done" : `round ${run} of ${RUNS} done`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const table = new Table({
    head: ["synth, 3 environments", "seconds", "peak MiB"],
    style: { head: [], border: [] },
  });
  const row = (contender: Contender) => {
    const of = samples.get(contender)!;
    return [median(of.map(({ seconds }) => seconds)), median(of.map(({ mebibytes }) => mebibytes))] as const;
  };
  const [a, b] = [row(ours), row(theirs)];
  table.push([ours.name, a[0].toFixed(2), a[1].toFixed(0)], [theirs.name, b[0].toFixed(2), b[1].toFixed(0)]);
  table.push(["ratio", (a[0] / b[0]).toFixed(2), (a[1] / b[1]).toFixed(2)]);
  console.log(table.toString());
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
