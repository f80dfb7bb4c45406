import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type BenchOptions } from "./bench-options";
import { sampleSubscribers } from "../../local/sample-place";
import { type Contender, measureInTurn, printTable } from "./measure";

/** Synthesis of three environments compared with a peer, and its growth with the number of pipelines. */

const root = join(__dirname, "..", "..");
const peer = join(root, ".setup", "peer");
const tsNode = require.resolve("ts-node/dist/bin.js");
const PLACE = { ETL_ACCOUNT_ID: "000000000000", ETL_REGION: "us-east-1", ...sampleSubscribers({}) };

export async function measureSynth({ rounds }: BenchOptions): Promise<void> {
  await installPeer();
  await inScratch(async (scratch) => {
    const ours: Contender = {
      name: "this project, type-checked",
      command: "node",
      args: [tsNode, "main.ts"],
      cwd: root,
      env: { ...PLACE, CDKTF_OUTDIR: join(scratch, "cdktf.out") },
    };
    const theirs: Contender = {
      name: "aws-cdk-lib peer, not type-checked",
      command: "node",
      args: [join(peer, "node_modules/ts-node/dist/bin.js"), "--transpile-only", "app.ts"],
      cwd: peer,
      env: { CDK_OUTDIR: join(scratch, "cdk.out") },
    };
    printTable("synth, 3 environments", await measureInTurn([ours, theirs], rounds));
  });
}

const PIPELINES = [100, 10, 1];

/** The most pipelines come first: ratios of 10 and 100 to the others mean linear growth. */
export async function measureGrowth({ rounds }: BenchOptions): Promise<void> {
  await inScratch(async (scratch) => {
    const contenders = PIPELINES.map((pipelines): Contender => ({
      name: `${pipelines} pipelines`,
      command: "node",
      args: [tsNode, "--transpile-only", join(root, "tools", "benchmarks", "synth", "pipelines.ts")],
      cwd: root,
      env: { ...PLACE, BENCH_PIPELINES: String(pipelines), CDKTF_OUTDIR: join(scratch, `out-${pipelines}`) },
    }));
    printTable("synth, 1 environment", await measureInTurn(contenders, rounds));
  });
}

async function inScratch(work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "etl-bench-"));
  try {
    await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function installPeer(): Promise<void> {
  if (existsSync(join(peer, "node_modules", "aws-cdk-lib", "package.json"))) return;
  console.log("installing the peer into .setup/peer …");
  rmSync(peer, { recursive: true, force: true });
  mkdirSync(peer, { recursive: true });
  cpSync(join(root, "tools", "benchmarks", "peer"), peer, { recursive: true });
  await execa("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peer });
}
