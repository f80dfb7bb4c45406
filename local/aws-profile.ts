import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Endpoint } from "./endpoint";
import { BENCH, LOCAL } from "./places";

/**
 * A profile for the `aws` command, boto3 and every other SDK of AWS, as files below `.local/`: the user's own `~/.aws` stays as it is.
 * Sources: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html,
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */

export const PROFILE = "bench";
const FOLDER = join(LOCAL, "aws-profile");

/** Variables of the user that would win over the profile. */
const STRONGER = [
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"],
  ...["AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"],
];

/** @returns the file that a shell reads to use the profile: `. FILE` */
export function writeAwsProfile(at: Endpoint): string {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(profileFiles(at, FOLDER)))
    writeFileSync(join(FOLDER, name), text, { mode: 0o600 });
  return join(FOLDER, "use.sh");
}

export function removeAwsProfile(): void {
  rmSync(FOLDER, { recursive: true, force: true });
}

/** The files of the profile by name. @param folder the absolute folder that they are written to */
export function profileFiles(
  { endpoint, caBundle, accessKeyId, secretAccessKey }: Endpoint,
  folder: string,
): Readonly<Record<"config" | "credentials" | "use.sh", string>> {
  const lines = (...all: string[]) => all.map((line) => `${line}\n`).join("");
  return {
    config: lines(
      `[profile ${PROFILE}]`,
      `region = ${BENCH.region}`,
      `endpoint_url = ${endpoint}`,
      `ca_bundle = ${caBundle}`,
      "s3 =",
      "  addressing_style = path", // a bucket has no host name here
    ),
    credentials: lines(
      `[${PROFILE}]`,
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
    ),
    "use.sh": lines(
      `unset ${STRONGER.join(" ")}`,
      `export AWS_CONFIG_FILE=${quoted(join(folder, "config"))}`,
      `export AWS_SHARED_CREDENTIALS_FILE=${quoted(join(folder, "credentials"))}`,
      `export AWS_PROFILE=${PROFILE}`,
    ),
  };
}

/** A word as a shell reads it. */
export function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
