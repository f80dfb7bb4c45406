import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { cloneWorkingTree } from "../support/clone";
import { npmStart } from "./commands";

/** The variable with the clone that `deployedClone` copies. */
export const DEPLOYED = "ETL_TEST_DEPLOYED";

/** Makes what `deployedClone` copies: a dev environment with all its pipelines, in which the sample of events has run. */
export default function deployOnce(): () => void {
  const clone = cloneWorkingTree("deployed");
  for (const args of [["deploy"], []]) {
    const { exitCode, output } = npmStart(clone, ...args);
    if (exitCode !== 0) throw new Error(output);
  }
  process.env[DEPLOYED] = clone;
  return () => rmSync(dirname(clone), { recursive: true, force: true });
}
