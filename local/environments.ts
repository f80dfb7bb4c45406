import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ENVIRONMENTS } from "../environments/registry";
import { destroyDeployed, healAloud, withDeployed } from "./deploy";
import { guardsOf, guardsTable } from "./guards";
import { BENCH, LOCAL } from "./places";
import { Progress } from "./progress";
import { deployedResources } from "./return-point";
import { SAMPLE_SUBSCRIBER, sampleSubscribers } from "./sample-place";
import { synthesise } from "./synth";
import { UserError } from "./user-error";

/** Any environment on the embedded AWS: `deploy`, `destroy` and `guards`. `npm start` itself runs in dev. */

/**
 * Synthesises one environment at the bench's place and with a sample subscriber where it needs one, without type checks: `npm run synth` and the tests make those.
 *
 * @returns the stack's folder
 */
export async function synthesiseEnvironment(
  environment: string,
  outdir = synthesisedFolder(environment),
  note: (text: string) => void = () => undefined,
): Promise<string> {
  refuseUnknown(environment);
  const prefix = `ETL_${environment.toUpperCase()}`;
  const subscribers = sampleSubscribers(process.env);
  if (Object.keys(subscribers).some((name) => name.startsWith(`${prefix}_`)))
    note(`${SAMPLE_SUBSCRIBER} stands in for the subscribers that nobody named`);
  const variables = {
    ...subscribers,
    ETL_ENVIRONMENTS: environment,
    [`${prefix}_ACCOUNT_ID`]: "",
    [`${prefix}_REGION`]: "",
    ETL_ACCOUNT_ID: BENCH.accountId,
    ETL_REGION: BENCH.region,
  };
  mkdirSync(dirname(outdir), { recursive: true });
  const [stack] = await synthesise(variables, { outdir, typeCheck: false });
  return stack!;
}

/** Brings an environment to what is synthesised now. */
export async function deployEnvironment(environment: string): Promise<void> {
  const progress = new Progress();
  const stack = await progress.step("synth", (note) => synthesiseEnvironment(environment, undefined, note));
  await withDeployed({ synthesised: stack, name: stackName(environment) }, progress, () => Promise.resolve());
}

/** Destroys an environment as Terraform would on AWS, guards included; what Terraform refuses stays. */
export async function destroyEnvironment(environment: string): Promise<void> {
  refuseUnknown(environment);
  const name = stackName(environment);
  await healAloud((line) => console.log(line));
  if (deployedResources(name) === 0) {
    throw new UserError(
      `${name} is not deployed here: type npm start -- deploy --environment ${environment}`,
    );
  }
  const synthesised = join(synthesisedFolder(environment), "stacks", name);
  await destroyDeployed({ synthesised, name }, (line) => console.log(line));
}

/** Lists what protects an environment, read from its own Terraform. */
export async function showGuards(environment: string): Promise<void> {
  console.log(guardsTable(guardsOf(await synthesiseEnvironment(environment))));
}

/** dev's folder is the one of `npm start`; the others lie beside it, because a synth empties its folder. */
function synthesisedFolder(environment: string): string {
  return join(LOCAL, environment === BENCH.environment ? "cdktf.out" : `cdktf.out-${environment}`);
}

export function stackName(environment: string): string {
  return `${ENVIRONMENTS[environment]!.project}-${environment}`;
}

/** @throws {UserError} that names the known ones */
export function refuseUnknown(environment: string | undefined): asserts environment is string {
  const known = Object.keys(ENVIRONMENTS);
  if (environment === undefined || !known.includes(environment)) {
    const got = environment === undefined ? "none is named" : `unknown environment '${environment}'`;
    throw new UserError(`--environment: ${got}; known are ${known.join(", ")}`);
  }
}
