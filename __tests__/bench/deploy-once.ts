import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { cloneWorkingTree } from "../support/clone";
import { npmStart } from "./commands";

/** Where `deployedClone` finds what it copies. */
export const DEPLOYED = "ETL_TEST_DEPLOYED";

/** Before the first test that begins with a dev environment in which the sample has run: makes it, for all of them. */
export default function deployOnce(): () => void {
  const clone = cloneWorkingTree("deployed");
  const { exitCode, output } = npmStart(clone);
  if (exitCode !== 0) throw new Error(output);
  process.env[DEPLOYED] = clone;
  return () => rmSync(dirname(clone), { recursive: true, force: true });
}
