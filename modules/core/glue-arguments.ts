/**
 * The names of Glue's own job arguments, which have hyphens. The same name with underscores would be an argument of the script, which
 * Glue passes on without acting on it.
 *
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */
export const GLUE_ARGUMENTS: readonly string[] = [
  "additional-python-modules",
  "auto-scale-within-microbatch",
  "continuous-log-conversionPattern",
  "continuous-log-logGroup",
  "continuous-log-logStreamPrefix",
  "custom-logGroup-prefix",
  "custom-logStream-prefix",
  "customer-driver-env-vars",
  "customer-executor-env-vars",
  "datalake-formats",
  "disable-proxy-v2",
  "enable-auto-scaling",
  "enable-continuous-cloudwatch-log",
  "enable-continuous-log-filter",
  "enable-glue-datacatalog",
  "enable-job-insights",
  "enable-lakeformation-fine-grained-access",
  "enable-metrics",
  "enable-observability-metrics",
  "enable-rename-algorithm-v2",
  "enable-s3-parquet-optimized-committer",
  "enable-spark-ui",
  "encryption-type",
  "executor-cores",
  "extra-files",
  "extra-jars",
  "extra-py-files",
  "job-bookmark-from",
  "job-bookmark-option",
  "job-bookmark-to",
  "job-language",
  "number-of-workers",
  "python-modules-installer-option",
  "spark-event-logs-path",
  "spark-ui-event-logs-path",
  "use-postgres-driver",
  "user-jars-first",
  "worker-type",
  "write-shuffle-files-to-s3",
  "write-shuffle-spills-to-s3",
];

/** The Glue argument that a name resembles, or `undefined`. */
export function misspeltGlueArgument(name: string): string | undefined {
  const hyphenated = name.replaceAll("_", "-").toLowerCase();
  const found = GLUE_ARGUMENTS.find((known) => known.toLowerCase() === hyphenated);
  return found === name ? undefined : found;
}
