import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { sampleSubscribers } from "../../local/sample-place";
import { ROOT } from "./clone";

/** The app as `cdktf synth` runs it, in a process of its own. */

export const ENVIRONMENTS = ["dev", "staging", "prod"] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

const tsNode = require.resolve("ts-node/dist/bin.js");

export interface AppPlace {
  readonly account: string;
  readonly region: string;
}

/**
 * Synthesises every environment into `outdir`.
 *
 * @param options of Node, e.g. `--require` something first
 * @throws Error with what the app said
 */
export function synthesiseApp(
  outdir: string,
  { account, region }: AppPlace,
  options: readonly string[] = [],
  variables: Readonly<Record<string, string>> = {},
): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...options, tsNode, "--swc", "--project", join(ROOT, "tsconfig.json"), join(ROOT, "main.ts")],
    {
      cwd: ROOT,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        CDKTF_OUTDIR: outdir,
        ETL_ENVIRONMENTS: ENVIRONMENTS.join(","),
        ETL_ACCOUNT_ID: account,
        ETL_REGION: region,
        ...sampleSubscribers({}),
        ...variables,
      },
    },
  );
  if (status !== 0) throw new Error(stderr || stdout);
}

/** The folder of an environment's stack. */
export function stackOf(outdir: string, environment: string): string {
  return join(outdir, "stacks", `etl-${environment}`);
}
