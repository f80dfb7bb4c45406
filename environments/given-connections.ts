import { PIPELINES } from "../pipelines";
import { entriesOf, isBlank, variableOf } from "./given";
import type { EnvironmentData } from "./settings";

/**
 * Reads the connections of pipelines that read a database: what a deployment says, like its account and region. A pipeline without one is left
 * out, with those that need it, and a line says so.
 */

/** The variables and the part of the context that are about one environment. */
export interface GivenConnections {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly context: Readonly<Record<string, unknown>>;
}

/** The settings of a connection by the end of the variable's name. */
const SETTINGS: Readonly<Record<string, string>> = {
  HOST: "host",
  PORT: "port",
  DATABASE: "database",
  SECRET_ARN: "secretArn",
  SECRET_KEY_ARN: "secretKeyArn",
  SUBNET_ID: "subnetId",
  AVAILABILITY_ZONE: "availabilityZone",
  VPC_ID: "vpcId",
  SECURITY_GROUP_IDS: "securityGroupIds",
  CERTIFICATE: "certificate",
};
const NEEDED = ["HOST", "DATABASE", "SECRET_ARN", "SUBNET_ID", "AVAILABILITY_ZONE"];

interface Registered {
  readonly name: string;
  readonly needs?: readonly string[];
  readonly hasConnection?: boolean;
}

interface Connected {
  readonly pipelines: EnvironmentData["pipelines"];
  readonly mistakes: readonly string[];
  /** One line for each pipeline that is left out. */
  readonly notes: readonly string[];
}

const upperSnake = (pipeline: string): string => pipeline.toUpperCase().replaceAll("-", "_");

const connectedIn = (registry: readonly Registered[]): string[] =>
  registry.filter(({ hasConnection }) => hasConnection === true).map(({ name }) => name);

/** The ends of the variables' names of all connections, e.g. `SHOP_HOST`. */
export const connectionSuffixes = (registry: readonly Registered[] = PIPELINES): string[] =>
  connectedIn(registry).flatMap((name) =>
    Object.keys(SETTINGS).map((suffix) => `${upperSnake(name)}_${suffix}`),
  );

/** The context keys of all connections, which are the pipelines' names. */
export const connectionKeys = (registry: readonly Registered[] = PIPELINES): string[] =>
  connectedIn(registry);

/**
 * Adds the given connections to the settings of the pipelines that need one, and leaves pipelines without one out.
 *
 * @param isAsked a variable names the pipelines to deploy: then none of them is left out
 */
export function connectPipelines(
  environment: string,
  given: GivenConnections,
  pipelines: EnvironmentData["pipelines"],
  isAsked: boolean,
  registry: readonly Registered[] = PIPELINES,
): Connected {
  const mistakes: string[] = [];
  const notes: string[] = [];
  const left = new Map(Object.entries(pipelines));
  for (const name of connectedIn(registry).filter((one) => left.get(one) !== undefined)) {
    const { connection, missing } = connectionOf(environment, name, given);
    const said = `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not set`;
    if (missing.length === 0) left.set(name, { ...left.get(name), connection } as never);
    else if (connection !== undefined || isAsked) mistakes.push(`'${name}' needs its connection: ${said}`);
    else {
      left.delete(name);
      notes.push(`environment '${environment}' has no ${name}: ${said}`);
    }
  }
  const lackOf = ({ name, needs = [] }: Registered): string | undefined =>
    left.get(name) === undefined
      ? undefined
      : needs.find((need) => pipelines[need as never] !== undefined && !left.has(need));
  // A pipeline that needs something which is left out goes too, and so on. One line for all that lack the same.
  const lacking = new Map<string, string[]>();
  for (let one = registry.find(lackOf); one !== undefined; one = registry.find(lackOf)) {
    const need = lackOf(one)!;
    lacking.set(need, [...(lacking.get(need) ?? []), one.name]);
    left.delete(one.name);
  }
  for (const [need, names] of lacking)
    notes.push(
      `environment '${environment}' has no ${names.join(", ")}: ${names.length > 1 ? "they need" : "it needs"} ${need}`,
    );
  return { pipelines: Object.fromEntries(left), mistakes, notes };
}

/** The connection as it is given, `undefined` where nothing of it is; and the variables that are missing. */
function connectionOf(environment: string, pipeline: string, { variables, context }: GivenConnections) {
  const fromContext = context[pipeline];
  const inContext = typeof fromContext === "object" && fromContext !== null ? fromContext : {};
  const variable = (suffix: string): string => variableOf(environment, `${upperSnake(pipeline)}_${suffix}`);
  const entries = Object.entries(SETTINGS).flatMap(([suffix, setting]) => {
    const own = variables[variable(suffix)];
    const value = isBlank(own) ? (inContext as Record<string, unknown>)[setting] : own!.trim();
    return isBlank(value) ? [] : [[setting, valueOf(setting, value)] as const];
  });
  const connection = Object.fromEntries(entries);
  const missing = NEEDED.filter((suffix) => connection[SETTINGS[suffix]!] === undefined).map(variable);
  if (connection.vpcId === undefined && connection.securityGroupIds === undefined)
    missing.push(`${variable("VPC_ID")} or ${variable("SECURITY_GROUP_IDS")}`);
  return { connection: entries.length === 0 ? undefined : connection, missing };
}

/** A port that is not a number is left as it is: the schema reports it. */
function valueOf(setting: string, value: unknown): unknown {
  if (setting === "port" && typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  return setting === "securityGroupIds" ? entriesOf(value) : value;
}
