import { plaintextSecretMistake } from "../core/plaintext-secret";
import { mistakesBy } from "./named-mistakes";

/**
 * The region of S3. Glue 5.1 reads S3 by Hadoop's S3A, whose default is us-east-2.
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/migrating-version-51.html,
 * https://hadoop.apache.org/docs/r3.4.1/hadoop-aws/tools/hadoop-aws/connecting.html
 */
const REGION = "spark.hadoop.fs.s3a.endpoint.region";

/** Settings that the construct manages, with all below them, and the way to set each. They are refused even if the feature is off. */
const MANAGED: readonly (readonly [name: string, remedy: string])[] = [
  [REGION, "it is always set, from 'region'"],
  ["spark.sql.extensions", "set 'icebergTable'"],
  ["spark.sql.catalog.glue_catalog", "set 'icebergTable'"],
  ["spark.hadoop.fs.s3a.encryption", "set 'securityConfiguration'"],
  ["spark.dynamicAllocation", "set 'capacity'"],
  ["spark.executor.instances", "set 'capacity'"],
  ["spark.jars", "set 'jars'"],
  ["spark.driver.extraClassPath", "set 'jars'"],
  ["spark.executor.extraClassPath", "set 'jars'"],
  ["spark.master", "Glue sets it"],
  ["spark.submit", "Glue sets it"],
];

/** Further managed settings; those below them are other settings, e.g. `spark.files.maxPartitionBytes`. */
const MANAGED_EXACTLY: Readonly<Record<string, string>> = { "spark.files": "set 'extraFiles'" };

/** Lists the mistakes in a caller's settings: `[name, mistake]`. */
export const sparkConfMistakes = mistakesBy(nameMistake, valueMistake);

function nameMistake(name: string): string | undefined {
  if (!/^spark(\.[A-Za-z0-9_-]+)+$/.test(name))
    return "must be the name of a Spark setting: words joined by full stops, beginning with 'spark.'";
  const managed = MANAGED.find(([own]) => name === own || name.startsWith(`${own}.`));
  const remedy = managed?.[1] ?? MANAGED_EXACTLY[name];
  return remedy && `is managed by this construct; ${remedy}`;
}

function valueMistake(name: string, value: string): string | undefined {
  if (value === "") return "must not be empty; leave it out";
  if (/\s/.test(value))
    return `must not hold white space, got ${JSON.stringify(value)}: Glue takes all settings as one text and splits it there`;
  return plaintextSecretMistake(name, value);
}

/**
 * The value of Glue's `--conf`: the region, the settings of a feature, and the caller's, sorted.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */
export function renderConf(
  region: string,
  feature: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): string {
  const own = Object.keys(given)
    .sort()
    .map((name) => [name, given[name]!] as const);
  return [[REGION, region] as const, ...Object.entries(feature), ...own]
    .map(([name, value]) => `${name}=${value}`)
    .join(" --conf ");
}
