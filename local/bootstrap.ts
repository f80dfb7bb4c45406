import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { Command } from "commander";
import { clientsOf } from "./clients";
import { healAloud } from "./deploy";
import { EmbeddedAws } from "./embedded-aws";
import { type Endpoint } from "./endpoint";
import { alone } from "./lock";
import { BENCH, LOCAL } from "./places";
import { Progress } from "./progress";
import { dropReturnPoint } from "./return-point";
import { StateDeployment } from "./state-deployment";
import { synthesise } from "./synth";
import { UserError } from "./user-error";

/**
 * `npm run bootstrap -- --environment E`: makes the bucket for an environment's Terraform state and keeps the bucket's own state in
 * it. Can be repeated: it continues after an interruption, and changes nothing when everything is done.
 */

interface Options {
  readonly environment: string;
  /** Use the embedded AWS instead of the account of the credentials. */
  readonly embedded?: boolean;
  /** The id of an abandoned lock, as Terraform printed it. */
  readonly unlock?: string;
}

async function bootstrap({ environment, embedded = false, unlock }: Options): Promise<void> {
  const progress = new Progress();
  const stack = await progress.step("synth", () => synthesiseState(environment, embedded));
  if (embedded) {
    await healAloud((line) => progress.line(line));
    dropReturnPoint(); // going back would lose what this command makes
  }
  const aws = embedded ? await progress.step("embedded AWS", () => EmbeddedAws.start()) : undefined;
  try {
    const deployment = new StateDeployment(stack, s3Of(aws?.at), aws?.at);
    if (unlock === undefined) await bring(deployment, progress);
    else await progress.step("unlock", () => deployment.unlock(unlock));
  } finally {
    await aws?.stop();
  }
}

async function bring(deployment: StateDeployment, progress: Progress): Promise<void> {
  const stage = await progress.step("look", async (note) => {
    const found = await deployment.stage();
    note(`s3://${deployment.bucket}: ${found}`);
    return found;
  });
  if (stage !== "complete") {
    await progress.step("apply with a local state", async (note) => {
      if (stage === "bucket without a state") note("importing the existing bucket into the state");
      await deployment.applyLocally(stage === "bucket without a state");
    });
    await progress.step("move the state into the bucket", () => deployment.migrate());
  }
  const changed = await progress.step("compare", () => deployment.applyChanges(stage === "complete"));
  progress.line(
    stage === "complete" && !changed
      ? `nothing to do: s3://${deployment.bucket} exists and is up to date`
      : `ready: s3://${deployment.bucket}/${deployment.key}, locked by ${deployment.key}.tflock beside it`,
  );
}

async function synthesiseState(environment: string, embedded: boolean): Promise<string> {
  const outdir = join(LOCAL, "cdktf.out-state");
  mkdirSync(LOCAL, { recursive: true });
  const place: Record<string, string> = embedded
    ? { ETL_ACCOUNT_ID: BENCH.accountId, ETL_REGION: BENCH.region }
    : {};
  const variables = { ...place, ETL_ENVIRONMENTS: environment };
  const [stack] = await synthesise(variables, { outdir, typeCheck: false, app: "state.ts" });
  if (stack !== undefined) return stack;
  throw new UserError(
    `--environment: '${environment}' needs no bucket: its backend is local, a file beside the clone`,
  );
}

/** Uses the user's credentials, found in the order that AWS tools share. */
function s3Of(at: Endpoint | undefined): (region: string) => S3Client {
  return (region) => (at === undefined ? new S3Client({ region }) : clientsOf(at).s3);
}

const options = new Command("npm run bootstrap --")
  .description(
    "Makes the bucket for an environment's Terraform state, and moves the bucket's own state into it.",
  )
  .requiredOption("--environment <name>", "an environment whose backend is S3: staging, prod")
  .option("--unlock <id>", "only remove an abandoned lock")
  .option("--embedded", "use the embedded AWS of this computer")
  .parse()
  .opts<Options>();

alone(() => bootstrap(options)).catch((error: unknown) => {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
});
