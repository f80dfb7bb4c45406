import { misspeltGlueArgument } from "../core/glue-arguments";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { mistakesBy } from "./named-mistakes";

/**
 * Arguments that the construct manages, with the way to set each. They are refused even if the feature is off.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */
const MANAGED: Readonly<Record<string, string>> = {
  "extra-py-files": "set 'modules'",
  TempDir: "it is always set, below the artifacts",
  "enable-auto-scaling": "set 'capacity' to { kind: \"autoScaling\", … }",
  "custom-logGroup-prefix": "it is always set, from 'name'",
  "custom-logStream-prefix": "streams are named by the run's id",
  "enable-continuous-cloudwatch-log": "since Glue 5.0 every job logs continuously",
  "enable-metrics": "it is always on",
  "enable-observability-metrics": "it is always on",
  "enable-job-insights": "it is always on",
  "job-language": "jobs are Python",
  conf: "set 'sparkConf'",
  "datalake-formats": "set 'icebergTable'",
  "job-bookmark-option":
    "bookmarks are not supported: a rename loses them, and with overwriting they lose data",
  "job-bookmark-from": "bookmarks are not supported",
  "job-bookmark-to": "bookmarks are not supported",
  scriptLocation: "set 'script'",
  "worker-type": "it is not a job argument; set 'capacity'",
  "number-of-workers": "it is not a job argument; set 'capacity'",
};

/** Arguments that Glue sets itself, or that a script cannot read. */
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

/** Lists the mistakes in a caller's arguments: `[name, mistake]`. */
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
    return `is not an argument of Glue, whose own is '${glues}', so Glue would only pass it to the script; ${ways} use another name`;
  }
  if (KEPT_BY_GLUE.includes(name)) return "is reserved by Glue; use another name";
  return undefined;
}

function valueMistake(name: string, value: string): string | undefined {
  if (value === "") return "must not be empty: Glue refuses empty arguments; leave it out";
  return plaintextSecretMistake(name, value);
}

/** The arguments that the construct sets. */
export interface ManagedArguments {
  readonly modulesUri?: string;
  readonly tempUri: string;
  readonly logGroupPrefix: string;
  readonly autoScaling: boolean;
  /** All Spark settings, as the value of `--conf`. */
  readonly conf: string;
  /** The table formats that Glue loads, e.g. `iceberg`. */
  readonly datalakeFormats?: string;
}

/** All default arguments of the job, sorted by name. */
export function renderArguments(
  given: Readonly<Record<string, string>>,
  { modulesUri, tempUri, logGroupPrefix, autoScaling, conf, datalakeFormats }: ManagedArguments,
): Record<string, string> {
  const all: Record<string, string> = {
    ...given,
    "job-language": "python",
    // For a job without it Glue creates a bucket, which may be public.
    TempDir: tempUri,
    "custom-logGroup-prefix": logGroupPrefix,
    // Glue ignores the value: the argument's presence turns it on.
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
