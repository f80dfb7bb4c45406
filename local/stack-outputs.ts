import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Outputs } from "./terraform";
import { UserError } from "./user-error";

/** What the bench knows of a deployed stack: its Terraform outputs, and no other list. */

const ALIAS = "_alias_arn";

/** @throws UserError with the outputs that there are */
export function output(outputs: Outputs, name: string): string {
  const value = outputs[name];
  if (value !== undefined) return value;
  throw new UserError(
    `the deployed stack has no output '${name}'; it has ${Object.keys(outputs).join(", ")}`,
  );
}

/** The pipelines of a synthesised stack: each has an alias that starts it. */
export function pipelinesOf(stack: string): string[] {
  const { output: outputs = {} } = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as {
    output?: Record<string, unknown>;
  };
  const names = Object.keys(outputs).filter((name) => name.endsWith(ALIAS));
  return names.map((name) => name.slice(0, -ALIAS.length)).sort();
}

/** @throws UserError naming the pipelines that there are */
export function refuseUnknownPipeline(stack: string, pipeline: string): void {
  const known = pipelinesOf(stack);
  if (known.includes(pipeline)) return;
  throw new UserError(`--pipeline: there is no pipeline '${pipeline}'; there are ${known.join(", ")}`);
}
