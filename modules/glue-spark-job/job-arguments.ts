import { misspeltGlueArgument } from "../core/glue-arguments";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { mistakesBy } from "./named-mistakes";

const LOGS_ALWAYS = "since Glue 5.0 every job logs continuously, here to the groups of 'name'";

/**
 * Arguments that the construct manages, with the way to set each. They are refused even if the feature is off.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */
const MANAGED: Readonly<Record<string, string>> = {
  "extra-py-files": "set 'modules'",
  "additional-python-modules": "set 'pythonModules'",
  "python-modules-installer-option": "set 'pythonInstaller'",
  "extra-jars": "set 'jars'",
  "extra-files": "set 'extraFiles'",
  TempDir: "it is always set, below the artifacts",
  "enable-auto-scaling": "set 'capacity' to { kind: \"autoScaling\", … }",
  "custom-logGroup-prefix": "it is always set, from 'name'",
  "custom-logStream-prefix": "streams are named by the run's id",
  "enable-continuous-cloudwatch-log": LOGS_ALWAYS,
  "enable-continuous-log-filter": LOGS_ALWAYS,
  "continuous-log-logGroup": LOGS_ALWAYS,
  "continuous-log-logStreamPrefix": LOGS_ALWAYS,
  "continuous-log-conversionPattern": LOGS_ALWAYS,
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

/** Glue's further arguments: the reason why there is no prop. */
const WITHOUT_PROP: Readonly<Record<string, string>> = {
  "auto-scale-within-microbatch": "it is for streaming jobs, and this one is not",
  "customer-driver-env-vars": "'arguments' carry values, and are as visible",
  "customer-executor-env-vars": "'arguments' carry values, and are as visible",
  "disable-proxy-v2": "it changes the network path of calls in a VPC, which the bench cannot show",
  "enable-glue-datacatalog":
    "the job would read any table that its role may, and no prop says which; grant the rights with job.role.addToPolicy",
  "enable-lakeformation-fine-grained-access": "Lake Formation would decide instead of the role's policy",
  "enable-rename-algorithm-v2": "the library's jobs are not tested with it",
  "enable-s3-parquet-optimized-committer": "Glue decides which committer is right for its version",
  "enable-spark-ui":
    "its event logs need a place and the right to write there; a place below 'outputs' has both",
  "executor-cores": "'capacity' decides the cores",
  "spark-event-logs-path": "it needs the right to write there; a place below 'outputs' has it",
  "spark-ui-event-logs-path": "it needs the right to write there; a place below 'outputs' has it",
  "use-postgres-driver": "it chooses between drivers that Glue brings; 'jars' takes one of your own",
  "user-jars-first": "classes of 'jars' would replace Glue's own, also those that it needs",
  "write-shuffle-files-to-s3": "shuffles on S3 are slower, and need a place and the right to write there",
  "write-shuffle-spills-to-s3": "shuffles on S3 are slower, and need a place and the right to write there",
};

/** The statement that sets an argument without a prop. */
const escapeHatch = (name: string): string => `job.resource.addOverride("default_arguments.--${name}", "…")`;

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
  const reason = WITHOUT_PROP[name];
  if (reason !== undefined)
    return `is an argument of Glue that has no prop: ${reason}; to set it: ${escapeHatch(name)}`;
  if (KEPT_BY_GLUE.includes(name)) return "is reserved by Glue; use another name";
  const glues = misspeltGlueArgument(name);
  if (glues !== undefined) {
    const way =
      MANAGED[glues] ??
      (WITHOUT_PROP[glues] === undefined ? "Glue sets it" : `set it with ${escapeHatch(glues)}`);
    return `is not an argument of Glue, whose own is '${glues}', so Glue would only pass it to the script; ${way}, or use another name`;
  }
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
  /** Requirements and URIs of wheels. */
  readonly pythonModules?: readonly string[];
  readonly installerOptions?: string;
  /** URIs. */
  readonly jars?: readonly string[];
  /** URIs. */
  readonly extraFiles?: readonly string[];
}

/** All default arguments of the job, sorted by name. */
export function renderArguments(
  given: Readonly<Record<string, string>>,
  managed: ManagedArguments,
): Record<string, string> {
  const { modulesUri, tempUri, logGroupPrefix, autoScaling, conf, datalakeFormats } = managed;
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
    ...listed("additional-python-modules", managed.pythonModules),
    ...listed(
      "python-modules-installer-option",
      managed.installerOptions === undefined ? [] : [managed.installerOptions],
    ),
    ...listed("extra-jars", managed.jars),
    ...listed("extra-files", managed.extraFiles),
  };
  const names = Object.keys(all).sort();
  return Object.fromEntries(names.map((name) => [`--${name}`, all[name]!]));
}

const listed = (name: string, values: readonly string[] = []): Record<string, string> =>
  values.length === 0 ? {} : { [name]: [...values].join(",") };
