import { type JsonObject } from "../../definition-checks/asl";

/** Changes the fragments of steps so that a flow checks and reports each source of a run, beside the sums. */

const FIGURES = ["read", "written", "duplicates", "quarantined"] as const;

interface Machine extends JsonObject {
  readonly StartAt: string;
  readonly States: JsonObject;
}

/** The values that put the figures of each source into a message. */
export function sourcesInWords(books: string, hasSources: boolean): Record<string, string> {
  if (!hasSources) return { SourcesFormat: "", SourcesText: "" };
  return { SourcesFormat: "\n\n{}.", SourcesText: `, $.results.${books}.summary.sourcesText` };
}

/** Adds the metric of sources that have not delivered. */
export function withMissingSources(fragment: JsonObject): JsonObject {
  const { States: states, ...rest } = fragment as Machine;
  const put = states["${Step}"] as JsonObject;
  const parameters = put.Parameters as JsonObject;
  const metric = {
    MetricName: "${SourcesMissing}",
    Dimensions: [{ Name: "${Dimension}", Value: "${StateMachineName}" }],
    "Value.$": "$.results.${Books}.summary.missingCount",
    Unit: "Count",
  };
  const data = [...(parameters.MetricData as JsonObject[]), metric];
  return {
    ...rest,
    States: { ...states, "${Step}": { ...put, Parameters: { ...parameters, MetricData: data } } },
  };
}

/** Adds a sum for each source, between that of the run and that of the dates that it restated. */
export function withSourceChecks(fragment: JsonObject, sources: readonly string[]): JsonObject {
  if (sources.length === 0) return fragment;
  const { States: states, ...rest } = fragment as Machine;
  const [balance, next] = ["${Step}Balance", "${Step}HasRestated"];
  const checks = sources.map((source, index) =>
    checkOf(source, index + 1 < sources.length ? sumOf(sources[index + 1]!) : next),
  );
  const added = {
    [`${balance}OfSources`]: {
      Type: "Choice",
      Choices: [{ And: sources.flatMap(areThere), Next: sumOf(sources[0]!) }],
      Default: "${Step}ReportUnreadable",
    },
    ...Object.assign({}, ...checks),
  } as JsonObject;
  const entries = Object.entries(states).flatMap(([name, state]) =>
    name === balance
      ? [[name, goingTo(state as JsonObject, next, `${balance}OfSources`)] as const, ...Object.entries(added)]
      : [[name, state] as const],
  );
  return { ...rest, States: Object.fromEntries(entries) };
}

const upperCamel = (source: string): string =>
  source
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
const sumOf = (source: string): string => `\${Step}Sum${upperCamel(source)}`;

/** The choice with another way instead of `from`. */
function goingTo(choice: JsonObject, from: string, to: string): JsonObject {
  const choices = (choice.Choices as JsonObject[]).map((one) =>
    one.Next === from ? { ...one, Next: to } : one,
  );
  return { ...choice, Choices: choices };
}

const pathOf = (source: string, figure: string): string =>
  `$.results.\${Result}.summary.sources.${source}.${figure}`;

const areThere = (source: string): JsonObject[] =>
  FIGURES.flatMap((figure): JsonObject[] => [
    { Variable: pathOf(source, figure), IsPresent: true },
    { Variable: pathOf(source, figure), IsNumeric: true },
  ]);

function checkOf(source: string, next: string): JsonObject {
  const name = upperCamel(source);
  const [read, written, duplicates, quarantined] = FIGURES.map((figure) => pathOf(source, figure));
  const accounted = "$.results.${Result}.accounted.rows";
  return {
    [sumOf(source)]: {
      Type: "Pass",
      Parameters: { "rows.$": `States.MathAdd(States.MathAdd(${written}, ${duplicates}), ${quarantined})` },
      ResultPath: "$.results.${Result}.accounted",
      Next: `\${Step}Balance${name}`,
    },
    [`\${Step}Balance${name}`]: {
      Type: "Choice",
      Choices: [{ Variable: read!, NumericEqualsPath: accounted, Next: next }],
      Default: `\${Step}ReportImbalance${name}`,
    },
    [`\${Step}ReportImbalance${name}`]: {
      Type: "Pass",
      Parameters: {
        "cause.$": `States.Format('of source ${source}: read {} rows, but written {} + duplicates {} + quarantined {} = {}', ${read}, ${written}, ${duplicates}, ${quarantined}, ${accounted})`,
      },
      ResultPath: "$.results.${Result}.imbalance",
      Next: "BooksDoNotBalance",
    },
  };
}
