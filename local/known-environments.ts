import { isBlank, pipelinesVariable } from "../environments/given";
import { ENVIRONMENTS } from "../environments/registry";
import { PIPELINES } from "../pipelines";
import { type Pipeline } from "./pipeline-choice";
import { UserError } from "./user-error";

/** The environments, their stacks and their pipelines. */

export function stackName(environment: string): string {
  return `${ENVIRONMENTS[environment]!.project}-${environment}`;
}

/** The environment's pipelines, in the order of the registry. */
export function environmentPipelines(environment: string): readonly Pipeline[] {
  const { pipelines } = ENVIRONMENTS[environment]!;
  return PIPELINES.filter(({ name }) => pipelines[name] !== undefined);
}

/** The user's own variable that narrows the environment's pipelines, as it was typed; `undefined` where none is set. */
export function narrowingText(environment: string): string | undefined {
  const variable = pipelinesVariable(environment);
  const given = process.env[variable];
  return isBlank(given) ? undefined : `${variable}=${given!.trim()}`;
}

/** @throws {UserError} naming the known environments */
export function refuseUnknown(environment: string | undefined): asserts environment is string {
  const known = Object.keys(ENVIRONMENTS);
  if (environment === undefined || !known.includes(environment)) {
    const got = environment === undefined ? "missing" : `unknown environment '${environment}'`;
    throw new UserError(`--environment: ${got}; known are ${known.join(", ")}`);
  }
}
