import { cpSync } from "node:fs";
import { join } from "node:path";
import { cloneWorkingTree } from "../support/clone";
import { npmStart } from "./commands";
import { DEPLOYED } from "./deploy-once";

/**
 * A clone whose dev environment is deployed with all its pipelines, and has run the sample of events. `change` may edit the
 * clone's files first; what it changes is applied on top.
 *
 * @throws Error with what `npm start` said
 */
export function deployedClone(name: string, change: (clone: string) => void = () => undefined): string {
  const clone = cloneWorkingTree(name);
  const deployed = process.env[DEPLOYED];
  if (deployed === undefined) throw new Error(`${DEPLOYED} is not set: jest.config.js sets deploy-once up`);
  cpSync(join(deployed, ".local"), join(clone, ".local"), { recursive: true });
  change(clone);
  const { exitCode, output } = npmStart(clone, "deploy", "--environment", "dev");
  if (exitCode !== 0) throw new Error(output);
  return clone;
}
