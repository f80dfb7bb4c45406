import { existsSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { ENVIRONMENTS } from "../environments/registry";
import { PROFILE, quoted, removeAwsProfile, writeAwsProfile } from "./aws-profile";
import { hasDatabase, type RunningDatabase, startDatabaseBeside } from "./bench-database";
import { clientsOf } from "./clients";
import { findDeliveries } from "./deliveries";
import { deployedPipelines } from "./deployed-pipelines";
import { type EmbeddedAws } from "./embedded-aws";
import { type Endpoint } from "./endpoint";
import { ExecutionFollower, type Follower, JobRunFollower, type Show, WorkflowFollower } from "./follow";
import { interrupted, pause } from "./interrupts";
import { keepUp } from "./keep-up";
import { environmentPipelines, stackName } from "./known-environments";
import { wrapCommand } from "./lines";
import { snakeCase } from "./pipeline-choice";
import { BENCH, ROOT } from "./places";
import { deployedResources, outputValues } from "./terraform-state";

/** `npm start -- serve`: the bench until Ctrl-C, for other commands and for the `aws` command; shows what runs on it. */

const IDLE_MS = 2_000;
const BUSY_MS = 500;

/** @returns 0 after Ctrl-C */
export async function serve(): Promise<number> {
  const say = (line: string) => console.log(line);
  return keepUp("npm start -- serve", { say }, async (aws) => {
    const databases = await startDeployedDatabases(aws, say);
    try {
      for (const line of deployedLines()) say(line);
      for (const line of reachLines(aws.at, writeAwsProfile(aws.at))) say(line);
      await follow(aws);
    } catch (error) {
      if (!interrupted.aborted) throw error;
    } finally {
      removeAwsProfile();
      for (const database of databases) await database.stop();
    }
    say("stopped: the bench's state is kept in .local");
    return 0;
  });
}

/** The databases that deployed pipelines read, on the ports that their connections name. */
async function startDeployedDatabases(
  aws: EmbeddedAws,
  say: (line: string) => void,
): Promise<RunningDatabase[]> {
  const { environment } = BENCH;
  const deployed = deployedPipelines(stackName(environment), environmentPipelines(environment));
  const started: RunningDatabase[] = [];
  for (const pipeline of deployed.filter(hasDatabase)) {
    const database = await startDatabaseBeside(aws, pipeline);
    started.push(database);
    const { host, port, isMoved } = database.at;
    const moved = isMoved ? `; its connection names another port: npm start -- --pipeline ${pipeline}` : "";
    say(`database of ${pipeline}: ${host}:${port}${moved}`);
  }
  return started;
}

/** One line for each stack that is deployed. */
function deployedLines(): string[] {
  const lines = Object.keys(ENVIRONMENTS).flatMap((environment) => {
    const stack = stackName(environment);
    const resources = deployedResources(stack);
    if (resources === 0) return [];
    const pipelines = deployedPipelines(stack, environmentPipelines(environment)).join(", ");
    return [`deployed: ${stack}, ${resources} resources; pipelines: ${pipelines || "none yet"}`];
  });
  return lines.length > 0 ? lines : ["nothing is deployed yet: type npm start in another terminal"];
}

/** How to reach the bench. @param profile the file that a shell reads */
export function reachLines({ endpoint, caBundle }: Endpoint, profile: string): string[] {
  return [
    `endpoint: ${endpoint} (region ${BENCH.region}, account ${BENCH.accountId})`,
    `certificate: ${caBundle}`,
    `profile for aws, boto3 and others: ${PROFILE}; to use it in another terminal, type`,
    wrapCommand(`. ${quoted(profile)}`),
    "then, for instance,",
    wrapCommand(startCommand() ?? "aws stepfunctions list-state-machines"),
    "Ctrl-C stops the bench; until then, everything that runs on it is shown here.",
  ];
}

/** The command that starts the first deployed pipeline on the first date of its sample. */
function startCommand(): string | undefined {
  const { environment } = BENCH;
  const outputs = outputValues(stackName(environment));
  for (const { name } of environmentPipelines(environment)) {
    const arn = outputs[`${snakeCase(name)}_alias_arn`];
    const sample = join(ROOT, "pipelines", name, "sample");
    if (typeof arn !== "string" || !existsSync(sample)) continue;
    const [runDate] = findDeliveries(sample, { pipeline: name }).dates;
    return `aws stepfunctions start-execution --state-machine-arn ${arn} --input '${JSON.stringify({ runDate })}'`;
  }
  return undefined;
}

/** Shows runs until the command is interrupted. @throws when the server ends by itself */
async function follow({ at }: EmbeddedAws): Promise<never> {
  const { sfn, glue } = clientsOf(at);
  const since = new Date();
  const followers: readonly Follower[] = [
    new ExecutionFollower(sfn, since, show),
    new WorkflowFollower(glue, since, show),
    new JobRunFollower(glue, since, show),
  ];
  let complaint = "";
  for (;;) {
    let working = 0;
    try {
      for (const follower of followers) working += await follower.look();
      complaint = "";
    } catch (error) {
      interrupted.throwIfAborted();
      at.gone?.throwIfAborted();
      // Once, because the next look may fail in the same way.
      const message = `cannot look at what runs: ${(error as Error).message}`;
      if (message !== complaint) console.error(message);
      complaint = message;
    }
    await pause(working > 0 ? BUSY_MS : IDLE_MS);
    at.gone?.throwIfAborted();
  }
}

const show: Show = (label, text) => {
  const time = new Date().toISOString().slice(11, 19);
  console.log(`${pc.dim(time)} ${pc.cyan(label)} ${text}`);
};
