import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { connectionVariables } from "./bench-database";
import { destroyDeployed, healAloud, withDeployed } from "./deploy";
import { orchestrationVariable, pipelinesVariable } from "../environments/given";
import { guardsOf, guardsTable } from "./guards";
import { narrowingText, refuseUnknown, stackName } from "./known-environments";
import { BENCH, LOCAL } from "./places";
import { Progress } from "./progress";
import { SAMPLE_SUBSCRIBER, sampleSubscribers } from "./sample-place";
import { synthesise } from "./synth";
import { deployedResources } from "./terraform-state";
import { UserError } from "./user-error";

/** Any environment on the embedded AWS: `deploy`, `destroy` and `guards`. `npm start` itself runs in dev. */

interface SynthesisOptions {
  /** The folder with the app. @default this clone */
  readonly root?: string;
  /** @default the environment's own folder */
  readonly outdir?: string;
  /** @default all that the environment has, or those that the user's own variable names */
  readonly pipelines?: readonly string[];
  /** Their orchestrators, as the environment's variable takes them. @default the user's own variable */
  readonly orchestrations?: string;
  readonly note?: (text: string) => void;
  /** @default warnings are written to standard error */
  readonly warn?: (warning: string) => void;
}

/**
 * Synthesises one environment at the bench's place, with a sample subscriber where it needs one. Types are not checked here:
 * `npm run synth` and the tests do that.
 *
 * @returns the stack's folder
 */
export async function synthesiseEnvironment(
  environment: string,
  {
    root,
    outdir = synthesisedFolder(environment),
    pipelines,
    orchestrations,
    note = () => undefined,
    warn,
  }: SynthesisOptions = {},
): Promise<string> {
  refuseUnknown(environment);
  const prefix = `ETL_${environment.toUpperCase()}`;
  const subscribers = sampleSubscribers(process.env);
  if (Object.keys(subscribers).some((name) => name.startsWith(`${prefix}_`)))
    note(`${SAMPLE_SUBSCRIBER} stands in for the subscribers that are not set`);
  const narrowing = narrowingText(environment);
  if (pipelines === undefined && narrowing !== undefined) note(`only the pipelines of ${narrowing}`);
  const variables = {
    ...subscribers,
    ETL_ENVIRONMENTS: environment,
    [`${prefix}_ACCOUNT_ID`]: "",
    [`${prefix}_REGION`]: "",
    ETL_ACCOUNT_ID: BENCH.accountId,
    ETL_REGION: BENCH.region,
    ...(environment === BENCH.environment ? connectionVariables(environment) : {}),
    ...(pipelines === undefined ? {} : { [pipelinesVariable(environment)]: pipelines.join(",") }),
    ...(orchestrations === undefined ? {} : { [orchestrationVariable(environment)]: orchestrations }),
  };
  mkdirSync(dirname(outdir), { recursive: true });
  const [stack] = await synthesise(variables, { outdir, typeCheck: false, root, warn });
  return stack!;
}

/** Brings an environment, with all its pipelines, to what is synthesised now. */
export async function deployEnvironment(environment: string): Promise<void> {
  refuseUnknown(environment);
  const progress = new Progress();
  await healAloud((line) => progress.line(line));
  const stack = await progress.step("synth", (note) => synthesiseEnvironment(environment, { note }));
  await withDeployed({ synthesised: stack, name: stackName(environment) }, progress, () => Promise.resolve());
}

/** Destroys an environment as Terraform would on AWS, guards included: what Terraform refuses to destroy stays. */
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

/** Lists what protects an environment with all its pipelines, read from its own Terraform. */
export async function showGuards(environment: string): Promise<void> {
  console.log(guardsTable(guardsOf(await synthesiseEnvironment(environment))));
}

/** `npm start` uses dev's folder; the others lie beside it, because a synth empties its folder. */
function synthesisedFolder(environment: string): string {
  return join(LOCAL, environment === BENCH.environment ? "cdktf.out" : `cdktf.out-${environment}`);
}
