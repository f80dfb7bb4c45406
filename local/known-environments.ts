import { ENVIRONMENTS } from "../environments/registry";
import { type Pipeline } from "./pipeline-choice";
import { UserError } from "./user-error";

/** The environments that there are, their stacks and their pipelines. */

export function stackName(environment: string): string {
  return `${ENVIRONMENTS[environment]!.project}-${environment}`;
}

export function environmentPipelines(environment: string): readonly Pipeline[] {
  return Object.keys(ENVIRONMENTS[environment]!.pipelines).map((name) => ({ name }));
}

/** @throws {UserError} naming the known environments */
export function refuseUnknown(environment: string | undefined): asserts environment is string {
  const known = Object.keys(ENVIRONMENTS);
  if (environment === undefined || !known.includes(environment)) {
    const got = environment === undefined ? "missing" : `unknown environment '${environment}'`;
    throw new UserError(`--environment: ${got}; known are ${known.join(", ")}`);
  }
}
