import { PIPELINES } from "../pipelines";
import { arrivalOf } from "../pipelines/arrival-settings";
import { ORCHESTRATIONS } from "../modules/core/orchestrations";
import { arrivalVariable, entriesOf, isBlank, orchestrationVariable, pipelinesVariable } from "./given";
import type { EnvironmentData } from "./settings";

/** Reads what comes from outside about the pipelines of an environment: the names of those to deploy, their orchestration, and those that files start. */

/** The variables and the part of the context that are about one environment. */
export interface GivenPipelines {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly context: Readonly<Record<string, unknown>>;
}

interface Chosen {
  readonly pipelines: EnvironmentData["pipelines"];
  readonly mistakes: readonly string[];
}

/** A name of a pipeline, and what the registry says that it needs. */
interface Registered {
  readonly name: string;
  readonly needs?: readonly string[];
}

/**
 * The pipelines of the environment's file, or those of them that are asked for, with their orchestration. Where a name is wrong, all of the
 * file: the mistake is reported, and others are found too.
 */
export function choosePipelines(
  name: string,
  given: GivenPipelines,
  { pipelines }: Pick<EnvironmentData, "pipelines">,
  registry: readonly Registered[] = PIPELINES,
): Chosen {
  const narrowed = narrow(name, given, pipelines, registry);
  const orchestrated = orchestrate(name, given, narrowed.pipelines);
  const arriving = startByFiles(name, given, pipelines, orchestrated.pipelines);
  return {
    pipelines: arriving.pipelines,
    mistakes: [...narrowed.mistakes, ...orchestrated.mistakes, ...arriving.mistakes],
  };
}

function narrow(
  name: string,
  given: GivenPipelines,
  pipelines: EnvironmentData["pipelines"],
  registry: readonly Registered[],
): Chosen {
  const { source, value } = givenAs(name, given, pipelinesVariable(name), "pipelines");
  const known = namesOf(pipelines);
  if (isBlank(value)) return { pipelines, mistakes: unmet(known, registry, `environments/${name}.ts`) };
  const asked = [...new Set(entriesOf(value))];
  const mistakes = asked
    .filter((one) => !known.includes(one))
    .map((one) => {
      if (one === "") return `${source} has an empty entry; remove the comma`;
      const remedy = registry.some((registered) => registered.name === one)
        ? `give it settings in environments/${name}.ts`
        : "correct the spelling";
      return `${source} must name pipelines of the environment (${known.join(", ")}), got ${JSON.stringify(one)}; ${remedy}`;
    });
  if (mistakes.length > 0) return { pipelines, mistakes };
  const kept = Object.entries(pipelines).filter(([one]) => asked.includes(one));
  return { pipelines: Object.fromEntries(kept), mistakes: unmet(asked, registry, source) };
}

/** A pipeline whose needs are not deployed would read tables that are not there. */
function unmet(names: readonly string[], registry: readonly Registered[], source: string): string[] {
  return registry
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, needs = [] }) =>
      needs
        .filter((need) => !names.includes(need))
        .map((need) =>
          source.endsWith(".ts")
            ? `'pipelines.${need}' must be given, got nothing: '${name}' needs it; add it to ${source}`
            : `${source} has '${name}', which needs '${need}'; add that too`,
        ),
    );
}

function orchestrate(name: string, given: GivenPipelines, pipelines: EnvironmentData["pipelines"]): Chosen {
  const { source, value } = givenAs(name, given, orchestrationVariable(name), "orchestration");
  if (isBlank(value)) return { pipelines, mistakes: [] };
  const known = namesOf(pipelines);
  const pairs = entriesOf(value).map((entry) => [entry, ...entry.split(":")] as const);
  const mistakes = pairs.flatMap(([entry, pipeline, kind, ...rest]) => {
    const isPair = kind !== undefined && rest.length === 0;
    if (!isPair || !ORCHESTRATIONS.some((one) => one === kind))
      return [
        `${source} must be <pipeline>:<orchestration>, of ${ORCHESTRATIONS.join(" or ")}, got ${JSON.stringify(entry)}`,
      ];
    if (known.includes(pipeline!)) return [];
    return [
      `${source} must name pipelines of the environment (${known.join(", ")}), got ${JSON.stringify(pipeline)}; correct the spelling`,
    ];
  });
  if (mistakes.length > 0) return { pipelines, mistakes };
  const chosen = new Map(pairs.map(([, pipeline, kind]) => [pipeline, kind]));
  const changed = Object.entries(pipelines).map(([one, settings]) =>
    chosen.has(one) ? [one, { ...settings, orchestration: chosen.get(one) }] : [one, settings],
  );
  return { pipelines: Object.fromEntries(changed) as EnvironmentData["pipelines"], mistakes: [] };
}

/** Turns on the arrival of the named pipelines, and off that of others. Those that are not deployed now may be named. */
function startByFiles(
  name: string,
  given: GivenPipelines,
  all: EnvironmentData["pipelines"],
  pipelines: EnvironmentData["pipelines"],
): Chosen {
  const { source, value } = givenAs(name, given, arrivalVariable(name), "arrival");
  if (isBlank(value)) return { pipelines, mistakes: [] };
  const known = Object.entries(all ?? {}).flatMap(([one, settings]) =>
    arrivalOf(settings) === undefined ? [] : [one],
  );
  const asked = entriesOf(value);
  const mistakes = asked
    .filter((one) => !known.includes(one))
    .map(
      (one) =>
        `${source} must name pipelines whose settings say how files start them (${known.join(", ") || "no pipeline has them"}), ` +
        `got ${JSON.stringify(one)}; give it 'arrival' in environments/${name}.ts, or correct the spelling`,
    );
  if (mistakes.length > 0) return { pipelines, mistakes };
  const changed = Object.entries(pipelines).map(([one, settings]) => {
    const arrival = arrivalOf(settings);
    if (arrival === undefined) return [one, settings];
    return [one, { ...settings, arrival: { ...arrival, enabled: asked.includes(one) } }];
  });
  return { pipelines: Object.fromEntries(changed) as EnvironmentData["pipelines"], mistakes: [] };
}

function givenAs(name: string, { variables, context }: GivenPipelines, variable: string, key: string) {
  return isBlank(variables[variable])
    ? { source: `context 'etl.${name}.${key}'`, value: context[key] }
    : { source: variable, value: variables[variable] };
}

const namesOf = (pipelines: EnvironmentData["pipelines"]): string[] =>
  Object.entries(pipelines ?? {}).flatMap(([one, settings]) => (settings === undefined ? [] : [one]));
