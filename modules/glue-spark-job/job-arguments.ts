import { misspeltGlueArgument } from "../core/glue-arguments";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { mistakesBy } from "./named-mistakes";

/**
 * A job's arguments: those that the construct manages, those that Glue keeps for itself, and the caller's own.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */

/** Managed arguments and the one way to set each; reserved even while the feature is off. */
const MANAGED: Readonly<Record<string, string>> = {
  "extra-py-files": "set 'modules'",
  TempDir: "it is always set, below the artifacts",
  "enable-auto-scaling": "set 'capacity' to { kind: \"autoScaling\", … }",
  "custom-logGroup-prefix": "it is always set, from 'name'",
  "custom-logStream-prefix": "streams carry the run's id",
  "enable-continuous-cloudwatch-log": "since Glue 5.0 every job logs as it runs",
  "enable-metrics": "it is always on",
  "enable-observability-metrics": "it is always on",
  "enable-job-insights": "it is always on",
  "job-language": "jobs are Python",
  conf: "set 'sparkConf'",
  "datalake-formats": "set 'icebergTable'",
  "job-bookmark-option": "bookmarks are not offered: a rename loses them, and with overwrite they lose data",
  "job-bookmark-from": "bookmarks are not offered",
  "job-bookmark-to": "bookmarks are not offered",
  scriptLocation: "set 'script'",
  "worker-type": "it is no job argument; set 'capacity'",
  "number-of-workers": "it is no job argument; set 'capacity'",
};

/** Glue sets these itself, or refuses a script that reads them. */
const KEPT_BY_GLUE: readonly string[] = [
  "JOB_NAME",
  "JOB_ID",
  "JOB_RUN_ID",
  "SECURITY_CONFIGURATION",
  "encryption-type",
  "class",
  "debug",
  "mode",
  "endpoint",
];

/** What is wrong with the caller's arguments: `[name, mistake]`, the mistake in words that follow the name. */
export const argumentMistakes = mistakesBy(nameMistake, valueMistake);

function nameMistake(name: string): string | undefined {
  if (name.startsWith("-")) return "must be named without leading hyphens; they are added";
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))
    return "must be named with letters, digits, hyphens and underscores";
  const managed = MANAGED[name];
  if (managed !== undefined) return `is managed by this construct; ${managed}`;
  const glues = misspeltGlueArgument(name);
  if (glues !== undefined) {
    const remedy = MANAGED[glues];
    const ways = remedy === undefined ? `write '${glues}', or` : `${remedy}, or`;
    return `is no argument of Glue, which calls its own '${glues}' and would pass this one on to the script alone; ${ways} take another name`;
  }
  if (KEPT_BY_GLUE.includes(name)) return "is kept by Glue for itself; choose another name";
  return undefined;
}

function valueMistake(name: string, value: string): string | undefined {
  if (value === "") return "must not be empty: Glue takes no empty argument; leave it out";
  return plaintextSecretMistake(name, value);
}

/** What the construct decides. */
export interface ManagedArguments {
  readonly modulesUri?: string;
  readonly tempUri: string;
  readonly logGroupPrefix: string;
  readonly autoScaling: boolean;
  /** All of Spark's settings, as Glue takes them. */
  readonly conf: string;
  /** What Glue loads for a table, e.g. `iceberg`. */
  readonly datalakeFormats?: string;
}

/** All default arguments as Glue wants them, by name. */
export function renderArguments(
  given: Readonly<Record<string, string>>,
  { modulesUri, tempUri, logGroupPrefix, autoScaling, conf, datalakeFormats }: ManagedArguments,
): Record<string, string> {
  const all: Record<string, string> = {
    ...given,
    "job-language": "python",
    // Glue makes a bucket of its own, which may be public, for a job without one.
    TempDir: tempUri,
    "custom-logGroup-prefix": logGroupPrefix,
    // Its presence turns it on, whatever it says.
    "enable-metrics": "true",
    "enable-observability-metrics": "true",
    "enable-job-insights": "true",
    ...(autoScaling ? { "enable-auto-scaling": "true" } : {}),
    conf,
    ...(datalakeFormats === undefined ? {} : { "datalake-formats": datalakeFormats }),
    ...(modulesUri === undefined ? {} : { "extra-py-files": modulesUri }),
  };
  const names = Object.keys(all).sort();
  return Object.fromEntries(names.map((name) => [`--${name}`, all[name]!]));
}
