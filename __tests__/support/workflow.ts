import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { ROOT } from "./clone";

/** The workflow files of `ci/`, read as what they are: data. */

export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Job {
  readonly needs?: string | readonly string[];
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly uses?: string;
  readonly steps?: readonly Step[];
}

export interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** @param file below `ci/` */
export function readYaml<T>(file: string): T {
  return parse(readFileSync(join(ROOT, "ci", file), "utf8")) as T;
}

/** The commands of a step of a GitHub workflow. @throws Error when there is no such step, or it runs no command */
export function commandOf(file: string, job: string, step: string): string {
  const { steps = [] } = readYaml<Workflow>(`github/${file}`).jobs[job] ?? {};
  const found = steps.find(({ name }) => name === step)?.run;
  if (found === undefined) throw new Error(`${file}: job '${job}' has no step '${step}' with a command`);
  return found;
}
