import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./places";
import { UserError } from "./user-error";

/**
 * Installs what is missing of the parts that `npm start` does not install by itself.
 *
 * @param part words of `--needs` in tools/setup.mjs
 * @throws UserError with set-up's own words when it cannot be installed
 */
export async function install(part: "spark4" | "notebook" | "jdbc,postgres"): Promise<void> {
  const needs = `python,java,${part}`;
  // Its progress goes to standard error: a command may write data to standard output.
  const child = spawn(process.execPath, [join(ROOT, "tools", "setup.mjs"), "--needs", needs], {
    stdio: ["ignore", process.stderr, "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", reject);
  });
  if (code !== 0) throw new UserError(complaint.trim());
}
