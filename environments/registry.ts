import { arrivalSettingMistakes } from "./arrival-checks";
import { dev } from "./dev";
import { prod } from "./prod";
import { entriesOf, isBlank, pipelinesVariable } from "./given";
import { connectionKeys, connectionSuffixes, connectPipelines } from "./given-connections";
import { choosePipelines } from "./given-pipelines";
import { type EnvironmentData, type EnvironmentSettings, settingsMistakes } from "./settings";
import { staging } from "./staging";
import { silentTopicMistake, silentTopics, subscribersOf, type Topic, TOPICS } from "./subscribers";

export type { EnvironmentData } from "./settings";

/** Every environment there is. */
export const ENVIRONMENTS: Readonly<Record<string, EnvironmentData>> = { dev, staging, prod };

/** The sources of the account, the region and a Glue version to try; a more specific source wins over a general one. */
export interface Deployment {
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /**
   * CDKTF context (`cdktf.json`, `CDKTF_CONTEXT_JSON`):
   * `{ accountId, region, alerts, notifications, <environment>: { accountId, region, glueVersion, alerts, notifications, pipelines, orchestration, arrival } }`.
   */
  readonly context: unknown;
  /**
   * `false` where only the state's bucket is made: then nobody has to subscribe to anything.
   * @default true
   */
  readonly hasPipelines?: boolean;
}

/** The settings that come from outside an environment's file, each with the end of its variable's name. */
const GIVEN_FROM_OUTSIDE: Readonly<Record<string, string>> = {
  accountId: "ACCOUNT_ID",
  region: "REGION",
  glueVersion: "GLUE_VERSION",
  alerts: "ALERTS",
  notifications: "NOTIFICATIONS",
  pipelines: "PIPELINES",
  orchestration: "ORCHESTRATION",
  arrival: "ARRIVAL",
};

/** Settings that cannot be used; the message lists every mistake of every selected environment. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/**
 * Resolves `ETL_ENVIRONMENTS` (comma-separated, default all) to validated settings, in the registry's order.
 *
 * @throws {EnvironmentError} with all mistakes of all selected environments at once
 */
export function selectEnvironments(
  deployment: Deployment,
  registry: Readonly<Record<string, EnvironmentData>> = ENVIRONMENTS,
): EnvironmentSettings[] {
  const known = Object.keys(registry);
  const requested = requestedNames(deployment.variables.ETL_ENVIRONMENTS, known);
  const mistakes = requested
    .filter((name) => !known.includes(name))
    .map((name) => `ETL_ENVIRONMENTS: unknown environment '${name}'; known are ${known.join(", ")}`);
  const selected = known.filter((name) => requested.includes(name));
  const choices = Object.fromEntries(
    selected.map((name) => [name, pipelinesOf(name, deployment, registry[name]!)] as const),
  );
  const candidates = selected.map(
    (name) =>
      [
        name,
        {
          ...registry[name],
          ...placeOf(name, deployment),
          ...versionOf(name, deployment),
          ...subscriptionsOf(name, deployment, registry[name]!),
          pipelines: choices[name]!.pipelines,
        },
      ] as const,
  );
  mistakes.push(
    ...requested.flatMap((name) => (known.includes(name) ? notGivenThatWay(name, deployment) : [])),
  );
  for (const [name, candidate] of candidates) {
    const found = [
      ...misnamed(name, candidate),
      ...missingPlace(candidate),
      ...choices[name]!.mistakes,
      ...TOPICS.flatMap((topic) => givenSubscribers(name, topic, deployment)?.mistakes ?? []),
      ...settingsMistakes(candidate),
      ...arrivalSettingMistakes(candidate),
      ...silentTopics(candidate)
        // Mistakes in given subscribers are reported already.
        .filter(
          (topic) =>
            deployment.hasPipelines !== false &&
            (givenSubscribers(name, topic, deployment)?.mistakes ?? []).length === 0,
        )
        .map((topic) => silentTopicMistake(name, topic)),
    ].filter(
      // A missing place was said with its remedy already.
      (mistake) => !/^'(accountId|region)' .*got nothing$/.test(mistake),
    );
    mistakes.push(...found.map((mistake) => `environment '${name}': ${mistake}`));
  }
  if (mistakes.length > 0) throw new EnvironmentError(mistakes.join("\n"));
  return candidates.map(([name, candidate]) => {
    const { notes } = choices[name]!;
    return (notes.length === 0 ? candidate : { ...candidate, notes }) as EnvironmentSettings;
  });
}

function requestedNames(value: string | undefined, known: readonly string[]): readonly string[] {
  return isBlank(value) ? known : entriesOf(value);
}

function placeOf(name: string, { variables, context }: Deployment): { accountId?: string; region?: string } {
  const general = asRecord(context);
  const specific = asRecord(general[name]);
  const prefix = `ETL_${name.toUpperCase()}_`;
  return {
    accountId: firstText(
      variables[`${prefix}ACCOUNT_ID`],
      variables.ETL_ACCOUNT_ID,
      specific.accountId,
      general.accountId,
    ),
    region: firstText(variables[`${prefix}REGION`], variables.ETL_REGION, specific.region, general.region),
  };
}

/** Only for one environment by its name: what is tried in dev must not reach prod with it. */
function versionOf(
  name: string,
  { variables, context }: Deployment,
): Partial<Pick<EnvironmentSettings, "glueVersion">> {
  const specific = asRecord(asRecord(context)[name]);
  const glueVersion = firstText(variables[`ETL_${name.toUpperCase()}_GLUE_VERSION`], specific.glueVersion);
  if (glueVersion === undefined) return {};
  // The schema judges the value, with all other mistakes.
  return { glueVersion: glueVersion as EnvironmentSettings["glueVersion"] };
}

/** Subscribers from outside replace the file's list of that topic. */
function subscriptionsOf(
  name: string,
  deployment: Deployment,
  { subscriptions }: EnvironmentData,
): Partial<Pick<EnvironmentSettings, "subscriptions">> {
  const given = TOPICS.flatMap((topic) => {
    const found = givenSubscribers(name, topic, deployment);
    return found === undefined || found.mistakes.length > 0 ? [] : [[topic, found.subscribers] as const];
  });
  return given.length === 0 ? {} : { subscriptions: { ...subscriptions, ...Object.fromEntries(given) } };
}

function pipelinesOf(name: string, { variables, context }: Deployment, data: EnvironmentData) {
  // The schema reports anything else.
  if (typeof data.pipelines !== "object" || data.pipelines === null)
    return { pipelines: data.pipelines, mistakes: [], notes: [] };
  const given = { variables, context: asRecord(asRecord(context)[name]) };
  const isAsked = !isBlank(variables[pipelinesVariable(name)]) || !isBlank(given.context.pipelines);
  const chosen = choosePipelines(name, given, data);
  // A mistake in the names leaves all pipelines of the file, whose connections nobody asked for.
  const connected = connectPipelines(name, given, chosen.pipelines, isAsked && chosen.mistakes.length === 0);
  return { ...connected, mistakes: [...chosen.mistakes, ...connected.mistakes] };
}

function givenSubscribers(name: string, topic: Topic, { variables, context }: Deployment) {
  const [own, general] = [`ETL_${name.toUpperCase()}_${topic.toUpperCase()}`, `ETL_${topic.toUpperCase()}`];
  const contexts = asRecord(context);
  const sources: readonly (readonly [source: string, given: unknown])[] = [
    [own, variables[own]],
    [general, variables[general]],
    [`context 'etl.${name}.${topic}'`, asRecord(contexts[name])[topic]],
    [`context 'etl.${topic}'`, contexts[topic]],
  ];
  const found = sources.find(([, given]) => !isBlank(given));
  return found && subscribersOf(found[1], found[0]);
}

/** Its name decides what an environment may do, and is part of every physical name: a file of prod stays prod. */
function misnamed(name: string, { environment }: Partial<EnvironmentSettings>): string[] {
  if (environment === name) return [];
  return [
    `'environment' must be ${JSON.stringify(name)} as in the registry, got ${JSON.stringify(environment)}`,
  ];
}

/** Variables and context keys of one environment that give nothing: a misspelt one, or a setting that is a file's alone. */
function notGivenThatWay(name: string, { variables, context }: Deployment): string[] {
  const prefix = `ETL_${name.toUpperCase()}_`;
  const given = [...Object.keys(GIVEN_FROM_OUTSIDE), ...connectionKeys()];
  const suffixes = [...Object.values(GIVEN_FROM_OUTSIDE), ...connectionSuffixes()];
  const unknownVariables = Object.keys(variables)
    .filter((variable) => variable.startsWith(prefix) && !suffixes.includes(variable.slice(prefix.length)))
    .map(
      (variable) =>
        `${variable} gives no setting; variables are ${suffixes.map((s) => prefix + s).join(", ")}`,
    );
  const unknownKeys = Object.keys(asRecord(asRecord(context)[name]))
    .filter((key) => !given.includes(key))
    .map((key) => `context 'etl.${name}.${key}' gives no setting; the context gives ${given.join(", ")}`);
  const remedy = `all other settings stand in environments/${name}.ts`;
  return [...unknownVariables, ...unknownKeys].map(
    (mistake) => `environment '${name}': ${mistake}; ${remedy}`,
  );
}

function missingPlace(candidate: Partial<EnvironmentSettings>): string[] {
  const name = String(candidate.environment ?? "").toUpperCase();
  return [
    ["accountId", "ACCOUNT_ID"],
    ["region", "REGION"],
  ]
    .filter(([field]) => candidate[field as "accountId" | "region"] === undefined)
    .map(([field, suffix]) => `'${field}' is not set; set ETL_${suffix} or ETL_${name}_${suffix}`);
}

/** The value if it is an object, else an empty one: what comes from outside may be anything. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function firstText(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === "string" && value !== "");
}
