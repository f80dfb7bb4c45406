import { entriesOf, isBlank, pipelinesVariable } from "../environments/given";
import { UserError } from "./user-error";

/** Which pipelines a run deploys: the one that it runs, what that one needs, what follows it, and what is deployed already. */

export interface Pipeline {
  readonly name: string;
  /** Names of the pipelines that it needs. */
  readonly needs?: readonly string[];
  /** Names of the pipelines that run after it. */
  readonly followedBy?: readonly string[];
}

export interface Asked {
  /** The pipeline to run. */
  readonly pipeline: string;
  readonly environment: string;
  /** The environment's pipelines, in the order of the registry. */
  readonly all: readonly Pipeline[];
  readonly deployed: readonly string[];
  /** The user's own `ETL_<ENVIRONMENT>_PIPELINES`: it wins, and must hold what the run needs. */
  readonly given?: string;
}

export interface Choice {
  readonly names: readonly string[];
  /** One line for the user: what is new, what is there already, what goes. */
  readonly text: string;
}

/** The start of the names of a pipeline's outputs and tables. */
export const snakeCase = (pipeline: string): string => pipeline.replaceAll("-", "_");

/** @throws UserError naming the pipelines that the environment has */
export function refuseUnknownPipeline({ pipeline, environment, all }: Omit<Asked, "deployed">): void {
  if (all.some(({ name }) => name === pipeline)) return;
  const known = all.map(({ name }) => name).sort();
  throw new UserError(
    `--pipeline: ${environment} has no pipeline '${pipeline}'; its pipelines are ${known.join(", ")}`,
  );
}

/** @throws UserError when the environment, or the user's own variable, lacks a pipeline that the run needs */
export function choosePipelines(asked: Asked): Choice {
  refuseUnknownPipeline(asked);
  const { all, deployed, environment } = asked;
  const needed = withNeeds(asked);
  const given = namesOf(asked.given);
  if (given !== undefined) refuseMissing(asked, needed, given);
  const followers = all.find(({ name }) => name === asked.pipeline)?.followedBy ?? [];
  const names =
    given ??
    all
      .map(({ name }) => name)
      .filter((name) => needed.has(name) || followers.includes(name) || deployed.includes(name));
  return { names, text: textOf(names, deployed, environment, given !== undefined) };
}

/** The pipeline whose table Athena did not find: its name starts the table's. */
export function missingPipeline(reason: string, notDeployed: readonly string[]): string | undefined {
  const table = /Table '(?:\w+\.)*(\w+)' does not exist/.exec(reason)?.[1];
  if (table === undefined) return undefined;
  // The longest name first: `sales_returns` belongs to sales-returns where there is one.
  return [...notDeployed]
    .sort((one, other) => other.length - one.length)
    .find((name) => table === snakeCase(name) || table.startsWith(`${snakeCase(name)}_`));
}

function withNeeds({ pipeline, all, environment }: Asked): ReadonlySet<string> {
  const found = new Set([pipeline]);
  // A set that grows while it is read: needs of needs are read too.
  for (const name of found) {
    for (const need of all.find((one) => one.name === name)?.needs ?? []) {
      if (!all.some((one) => one.name === need))
        throw new UserError(
          `--pipeline: ${name} needs ${need}, which ${environment} does not have; ` +
            `add its settings to environments/${environment}.ts`,
        );
      found.add(need);
    }
  }
  return found;
}

/** Blank is not set, as for the app. */
function namesOf(given: string | undefined): readonly string[] | undefined {
  return isBlank(given) ? undefined : [...new Set(entriesOf(given))];
}

function refuseMissing(
  { pipeline, environment, given: text }: Asked,
  needed: ReadonlySet<string>,
  given: readonly string[],
): void {
  const [missing] = [...needed].filter((name) => !given.includes(name));
  if (missing === undefined) return;
  const what = missing === pipeline ? `'${pipeline}'` : `'${missing}', which ${pipeline} needs,`;
  throw new UserError(
    `--pipeline: ${what} is not in ${pipelinesVariable(environment)}=${text}; ` +
      "add it there, or unset the variable",
  );
}

function textOf(
  names: readonly string[],
  deployed: readonly string[],
  environment: string,
  isGiven: boolean,
): string {
  const added = names.filter((name) => !deployed.includes(name));
  const kept = names.filter((name) => deployed.includes(name));
  const removed = deployed.filter((name) => !names.includes(name));
  const parts = [
    ...(added.length === 0 ? [] : [`deploying ${added.join(", ")} to ${environment}`]),
    ...(kept.length === 0 ? [] : [`deployed already: ${kept.join(", ")}`]),
    ...(removed.length === 0 ? [] : [`removing ${removed.join(", ")}`]),
    ...(isGiven ? [`chosen by ${pipelinesVariable(environment)}`] : []),
  ];
  return parts.join("; ");
}
