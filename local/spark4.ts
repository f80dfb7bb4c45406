import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SETUP } from "./places";
import { install } from "./setup";

/** Spark 4, for jobs of Glue versions that have it. It is half a gigabyte, so it is installed only when a job needs it. */

/** Set-up installs Spark 4 here. */
export const SPARK4_PYTHON = join(SETUP, "venv-spark4", "bin", "python");
export const SPARK4_JARS = join(SETUP, "jars-spark4");

/** Glue versions with Spark 4, https://docs.aws.amazon.com/glue/latest/dg/release-notes.html. */
const GLUE_VERSIONS: readonly unknown[] = ["6.0"];

/** `true`: a job of the synthesised stack runs on Spark 4. */
export function needsSpark4(stack: string): boolean {
  const { resource } = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as {
    readonly resource?: { readonly aws_glue_job?: Readonly<Record<string, { glue_version?: string }>> };
  };
  return Object.values(resource?.aws_glue_job ?? {}).some((job) => GLUE_VERSIONS.includes(job.glue_version));
}

/**
 * Installs Spark 4 if a job of the synthesised stack needs it and it is missing.
 *
 * @throws UserError with set-up's own words when it cannot be installed
 */
export async function installSpark4For(stack: string): Promise<void> {
  if (!needsSpark4(stack)) return;
  await install("spark4");
}
