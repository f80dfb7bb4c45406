import { plaintextSecretMistake } from "../core/plaintext-secret";
import { mistakesBy } from "./named-mistakes";

/**
 * Spark's settings of a job, which Glue takes as one argument, `--conf`.
 * Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
 */

/**
 * Where S3 is. Glue 5.1 reads S3 by Hadoop's S3A, which takes us-east-2 when nobody says.
 * Sources: https://docs.aws.amazon.com/glue/latest/dg/migrating-version-51.html,
 * https://hadoop.apache.org/docs/r3.4.1/hadoop-aws/tools/hadoop-aws/connecting.html
 */
const REGION = "spark.hadoop.fs.s3a.endpoint.region";

/** Settings that the construct manages, with all below them, and the one way to set each; reserved even while the feature is off. */
const MANAGED: readonly (readonly [name: string, remedy: string])[] = [
  [REGION, "it is always set, from 'region'"],
  ["spark.sql.extensions", "set 'icebergTable'"],
  ["spark.sql.catalog.glue_catalog", "set 'icebergTable'"],
  ["spark.hadoop.fs.s3a.encryption", "set 'securityConfiguration'"],
  ["spark.dynamicAllocation", "set 'capacity'"],
  ["spark.executor.instances", "set 'capacity'"],
  ["spark.master", "it is Glue's own"],
  ["spark.submit", "it is Glue's own"],
];

/** What is wrong with the caller's settings: `[name, mistake]`, the mistake in words that follow the name. */
export const sparkConfMistakes = mistakesBy(nameMistake, valueMistake);

function nameMistake(name: string): string | undefined {
  if (!/^spark(\.[A-Za-z0-9_-]+)+$/.test(name))
    return "must be the name of a setting of Spark, words with full stops that begin with 'spark.'";
  const managed = MANAGED.find(([own]) => name === own || name.startsWith(`${own}.`));
  return managed && `is managed by this construct; ${managed[1]}`;
}

function valueMistake(name: string, value: string): string | undefined {
  if (value === "") return "must not be empty; leave it out";
  if (/\s/.test(value))
    return `must not hold white space, got ${JSON.stringify(value)}: Glue takes all settings as one text, which is cut at it`;
  return plaintextSecretMistake(name, value);
}

/** The value of `--conf`: the region, the settings of a feature, and the caller's by name. */
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
