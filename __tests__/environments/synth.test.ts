import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { digests } from "../../local/digests";
import { cloneWorkingTree } from "../support/clone";
import { sampleSubscribers } from "../../local/sample-place";

const PLACE = { ETL_ACCOUNT_ID: "000000000000", ETL_REGION: "us-east-1", ...sampleSubscribers({}) };
const tsNode = require.resolve("ts-node/dist/bin.js");

/** Runs the app as `cdktf synth` does: main.ts, type-checked unless `options` of ts-node say otherwise. */
function synth(folder: string, variables: Record<string, string>, options: readonly string[] = []) {
  return spawnSync(process.execPath, [tsNode, ...options, join(folder, "main.ts")], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...variables },
  });
}

test("two clones in different folders synthesise the same bytes, and name no folder", () => {
  const clones = [cloneWorkingTree("a"), cloneWorkingTree("another-name/deeper")];
  try {
    const outputs = clones.map((clone, index) => {
      // The types were right in the first.
      const { status, stderr } = synth(clone, PLACE, index === 0 ? [] : ["--swc"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      return digests(join(clone, "cdktf.out"));
    });
    expect(Object.keys(outputs[0]!)).toEqual(
      expect.arrayContaining(["dev", "staging", "prod"].map((name) => `stacks/etl-${name}/cdk.tf.json`)),
    );
    expect(outputs[0]).toEqual(outputs[1]);
    // Alone, too: a review of prod must not depend on what else was synthesised.
    const stack = "stacks/etl-prod/cdk.tf.json";
    const alone = { ETL_ENVIRONMENTS: "prod", CDKTF_OUTDIR: join(clones[1]!, "alone") };
    synth(clones[1]!, { ...PLACE, ...alone }, ["--swc"]);
    expect(digests(join(clones[1]!, "alone"))[stack]).toBe(outputs[0]![stack]);
    for (const clone of clones) {
      const stack = readFileSync(join(clone, "cdktf.out", "stacks", "etl-dev", "cdk.tf.json"), "utf8");
      expect(stack).not.toContain(dirname(clone));
    }
  } finally {
    for (const clone of clones) rmSync(clone, { recursive: true, force: true });
  }
}, 120_000);

test("mistakes end the synth with sentences, exit code 1 and nothing written", () => {
  const clone = cloneWorkingTree("mistakes");
  try {
    const variables = { ETL_ENVIRONMENTS: "prod,live", ETL_REGION: "us-east-1" };
    const { status, stderr, stdout } = synth(clone, variables, ["--swc"]);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n")).toEqual([
      "ETL_ENVIRONMENTS: unknown environment 'live'; known are dev, staging, prod",
      "environment 'prod': 'accountId' is not set; set ETL_ACCOUNT_ID or ETL_PROD_ACCOUNT_ID",
      expect.stringMatching(
        /^environment 'prod': 'subscriptions\.notifications' must have at least one subscriber, got none: .+/,
      ),
      expect.stringMatching(
        /^environment 'prod': 'subscriptions\.alerts' must have at least one subscriber, got none: .+/,
      ),
    ]);
    expect(status).toBe(1);
    expect(readdirSync(join(clone, "cdktf.out", "stacks"))).toEqual([]);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
}, 60_000);
