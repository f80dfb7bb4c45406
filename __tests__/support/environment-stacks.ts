import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { type EnvironmentData, ENVIRONMENTS, selectEnvironments } from "../../environments/registry";
import { EtlStack } from "../../environments/etl-stack";
import { sampleSubscribers } from "../../local/sample-place";
import { type EnvironmentSettings } from "../../environments/settings";

/** The stacks of the environments as the app synthesises them, at one place, as Terraform's JSON. */

const PLACE = { ETL_ACCOUNT_ID: "000000000000", ETL_REGION: "us-east-1" };

export type Block = Record<string, unknown>;
export type StackJson = {
  readonly resource: Record<string, Record<string, Block>>;
  readonly output: Record<string, { readonly value: unknown }>;
  readonly terraform: Block;
  readonly provider: Block;
} & Block;

export function settingsOf(environment: string, change: Partial<EnvironmentData> = {}): EnvironmentSettings {
  const registry = { [environment]: { ...ENVIRONMENTS[environment]!, ...change } };
  const variables = { ...PLACE, ...sampleSubscribers({}, registry) };
  return selectEnvironments({ variables, context: undefined }, registry)[0]!;
}

/** @param alter what is done to the stack before it is written, as an escape hatch would */
export function synthEnvironment(
  settings: EnvironmentSettings,
  alter: (stack: EtlStack) => void = () => undefined,
): StackJson {
  const outdir = mkdtempSync(join(tmpdir(), "etl-environment-"));
  try {
    const app = new App({ outdir });
    const stack = new EtlStack(app, settings);
    alter(stack);
    app.synth();
    const file = join(outdir, "stacks", stack.node.id, "cdk.tf.json");
    return JSON.parse(readFileSync(file, "utf8")) as StackJson;
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
