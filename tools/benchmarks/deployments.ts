import { createHash } from "node:crypto";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PYTHON, ROOT } from "../../local/places";
import { killGroup, remembered } from "../../local/processes";
import { serverProcess, terraformProcess } from "../../local/return-point";
import { UserError } from "../../local/user-error";

/**
 * Counts successful first deployments under trouble, each in a folder of its own:
 * `npm run bench -- start --deployments 10 --trouble spark`. A deployment succeeds when `npm start` ends with 0: the pipeline has run on it and its books balance.
 */

export const TROUBLES = {
  none: "no trouble",
  spark: "a Spark job that runs in a loop meanwhile",
  kills: "the command, Terraform, its provider or the server of each is killed once; then npm start again",
  losses: "3 of 100 answers of the embedded AWS are lost",
} as const;
export type Trouble = keyof typeof TROUBLES;

export interface DeploymentsOptions {
  readonly deployments: number;
  readonly trouble: Trouble;
  /** Deployments at the same time. */
  readonly atOnce: number;
  /** Determines which process is killed, and when. */
  readonly seed: number;
}

/** The share of lost answers under `losses`. */
const LOST = "0.03";
/** A first deployment and its run take about this long on a quiet computer. */
const LATEST_KILL_SECONDS = 110;
const LOOP = `
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
while True:
    spark.range(4_000_000).repartition(8).selectExpr("id % 1000 as k", "id").groupBy("k").sum("id").collect()
`;
const VICTIMS = ["command", "terraform", "provider", "server"] as const;
type Victim = (typeof VICTIMS)[number];

/** The process to kill, and the seconds after the start of the deploy step. */
export interface Kill {
  readonly victim: Victim;
  readonly seconds: number;
}

/** @returns `true` when all of them succeeded */
export async function countDeployments(options: DeploymentsOptions): Promise<boolean> {
  const { deployments, trouble, atOnce, seed } = options;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  const folder = mkdtempSync(join(tmpdir(), "etl-deployments-"));
  console.log(`${deployments} first deployments, ${atOnce} at a time, with ${TROUBLES[trouble]}`);
  console.log(`in ${folder}${trouble === "kills" ? `, seed ${seed}` : ""}`);
  const spark = trouble === "spark" ? loopSpark(join(folder, "spark.log")) : undefined;
  const failed: string[] = [];
  let next = 1;
  const lane = async (): Promise<void> => {
    while (next <= deployments) {
      const number = next++;
      const one = new FirstDeployment(join(folder, String(number)), `${number} of ${deployments}`);
      const succeeded = await one.run(trouble, killOf(seed, number));
      if (!succeeded) failed.push(one.log);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, lane));
    if (spark !== undefined && (spark.exitCode !== null || spark.signalCode !== null))
      throw new UserError(
        `the Spark job in the loop ended, so the count is invalid: see ${folder}/spark.log`,
      );
  } finally {
    if (spark?.pid !== undefined) killGroup(spark.pid);
  }
  console.log(`${deployments - failed.length} of ${deployments}`);
  for (const log of failed) console.log(`failed: ${log}`);
  if (failed.length === 0) rmSync(folder, { recursive: true });
  return failed.length === 0;
}

/** The same for the same seed and number. */
export function killOf(seed: number, number: number): Kill {
  const digest = createHash("sha256").update(`${seed}/${number}`).digest();
  const dice = (offset: number) => digest.readUInt32BE(offset) / 2 ** 32;
  return {
    victim: VICTIMS[Math.floor(dice(0) * VICTIMS.length)]!,
    seconds: Math.round(dice(4) * LATEST_KILL_SECONDS),
  };
}

function loopSpark(log: string): ChildProcess {
  const output = openSync(log, "a");
  const env = { ...process.env, PYSPARK_PYTHON: PYTHON };
  const child = spawn(PYTHON, ["-c", LOOP], { env, stdio: ["ignore", output, output], detached: true });
  closeSync(output);
  process.once("exit", () => killGroup(child.pid!));
  return child;
}

class FirstDeployment {
  readonly log: string;

  constructor(
    private readonly local: string,
    private readonly name: string,
  ) {
    mkdirSync(local, { recursive: true });
    this.log = join(local, "output.log");
    writeFileSync(this.log, "");
  }

  async run(trouble: Trouble, kill: Kill): Promise<boolean> {
    const started = Date.now();
    const first = this.start(trouble);
    const done = trouble === "kills" ? await this.kill(first, kill) : undefined;
    let code = await first.ended;
    if (done !== undefined) code = await this.start(trouble).ended;
    const seconds = Math.round((Date.now() - started) / 1000);
    const what = done === undefined ? "" : `, ${done}`;
    console.log(`  ${this.name}: ${code === 0 ? "succeeded" : "FAILED"} in ${seconds} s${what}`);
    // A failed one is kept for inspection.
    if (code === 0) rmSync(this.local, { recursive: true, force: true });
    return code === 0;
  }

  /** Runs `npm start` with a `.local` of its own. */
  private start(trouble: Trouble): { readonly ended: Promise<number | null> } {
    const output = openSync(this.log, "a");
    const lossy = trouble === "losses" ? { ETL_LOSE_ANSWERS: LOST } : {};
    const child = spawn("npm", ["start"], {
      cwd: ROOT,
      env: { ...process.env, ...lossy, ETL_LOCAL: this.local },
      stdio: ["ignore", output, output],
      detached: true,
    });
    closeSync(output);
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    const stop = () => process.kill(-child.pid!, "SIGTERM"); // it ends its children
    process.once("exit", stop);
    return { ended: ended.finally(() => process.removeListener("exit", stop)) };
  }

  /** Kills one process of a running `npm start`. @returns a note; `undefined` when it had ended before */
  private async kill(
    { ended }: { readonly ended: Promise<number | null> },
    { victim, seconds }: Kill,
  ): Promise<string | undefined> {
    let over = false;
    void ended.then(() => (over = true));
    const until = async (condition: () => boolean) => {
      while (!over && !condition()) await new Promise((resolve) => setTimeout(resolve, 100));
    };
    await until(() => readFileSync(this.log, "utf8").includes("deploy …"));
    const moment = Date.now() + seconds * 1000;
    await until(() => Date.now() >= moment);
    // Terraform may not run at this moment: then the server is killed instead.
    const pid = over ? undefined : (this.pidOf(victim) ?? this.pidOf("server"));
    if (pid === undefined) return undefined;
    const who = pid === this.pidOf(victim) ? victim : "server";
    process.kill(pid, "SIGKILL");
    const note = `${who} killed ${seconds} s after its deploy began`;
    writeFileSync(this.log, `\n===== ${note}\n`, { flag: "a" });
    return note;
  }

  private pidOf(victim: Victim): number | undefined {
    if (victim === "server") return remembered(serverProcess(this.local))?.pid;
    if (victim === "command") {
      const lock = join(this.local, "lock");
      return existsSync(lock) ? Number(readFileSync(lock, "utf8")) : undefined;
    }
    const stacks = join(this.local, "terraform");
    const found = (existsSync(stacks) ? readdirSync(stacks) : [])
      .map((stack) => remembered(terraformProcess(join(stacks, stack)))?.pid)
      .find((pid) => pid !== undefined);
    return victim === "terraform" || found === undefined ? found : memberOf(found);
  }
}

/** A process of the group other than its leader: Terraform's provider. */
function memberOf(group: number): number | undefined {
  return execFileSync("ps", ["-eo", "pid=,pgid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .find(([pid, pgid]) => pgid === group && pid !== group)?.[0];
}
