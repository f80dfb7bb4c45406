import { join } from "node:path";
import { type BenchOptions } from "./bench-options";
import { countDeployments } from "./deployments";
import { measureInTurn, printTable } from "./measure";

/** `npm start`, after everything is installed and deployed. */
export async function measureStart({ rounds, counted }: BenchOptions): Promise<void> {
  if (counted !== undefined) {
    if (!(await countDeployments(counted))) process.exitCode = 1;
    return;
  }
  const contender = {
    name: "npm start, warm",
    command: "npm",
    args: ["start"],
    cwd: join(__dirname, "..", ".."),
  };
  printTable("the sample", await measureInTurn([contender], rounds));
}
