import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { ask } from "./athena";
import { hasDatabase, startDatabase } from "./bench-database";
import { readBooks } from "./books";
import { clientsOf } from "./clients";
import { type Deliveries, findDeliveries, leftOutLines } from "./deliveries";
import { healAloud, withDeployed } from "./deploy";
import { deployedOrchestrations, deployedPipelines, workflowOutput } from "./deployed-pipelines";
import { type EmbeddedAws } from "./embedded-aws";
import { runExecution } from "./execution";
import { synthesiseEnvironment } from "./environments";
import { interrupted } from "./interrupts";
import { environmentPipelines, stackName } from "./known-environments";
import { Lake } from "./lake";
import { wrap } from "./lines";
import { NotificationListener } from "./notifications";
import { orchestrationVariable, pipelinesVariable } from "../environments/given";
import { type Orchestration } from "../modules/core/orchestrations";
import { chosenOrchestrations } from "./orchestration-choice";
import { choosePipelines, refuseUnknownPipeline, snakeCase } from "./pipeline-choice";
import { BENCH, ROOT } from "./places";
import { Progress } from "./progress";
import { questionsOf } from "./questions";
import { mirrorInput } from "./raw-zone";
import { findExamples } from "./refused";
import { runShop } from "./run-shop";
import { record, type Run, succeeded, tell } from "./run-record";
import { installSpark4For } from "./spark4";
import { placesOfPipeline } from "./places-of-pipeline";
import { deliveriesFolderOf, deliveriesIn, refuseFollower } from "./made-deliveries";
import { output } from "./stack-outputs";
import { type Outputs } from "./terraform";
import { UserError } from "./user-error";
import { runWorkflow } from "./workflow-run";

/** `npm start`: deploys pipelines of the dev environment to the embedded AWS and runs one of them on real files. */

export interface StartOptions {
  readonly pipeline: string;
  readonly input?: string;
  readonly runDate?: string;
  /** @default what the environment's settings say */
  readonly orchestration?: Orchestration;
}

const STACK = stackName(BENCH.environment);

export async function start(options: StartOptions): Promise<number> {
  const { environment } = BENCH;
  const all = environmentPipelines(environment);
  refuseUnknownPipeline({ pipeline: options.pipeline, environment, all });
  refuseFollower(options.pipeline);
  const given = options.input === undefined ? sampleOf(options.pipeline) : asTyped(options.input);
  const input = deliveriesIn(options.pipeline, given);
  const deliveries = findDeliveries(input, { ...options, places: placesOfPipeline(options.pipeline) });
  const progress = new Progress();
  // Before the choice: it may change what is deployed.
  await healAloud((line) => progress.line(line));
  const { names: pipelines, text } = choosePipelines({
    pipeline: options.pipeline,
    environment,
    all,
    deployed: deployedPipelines(STACK, all),
    given: process.env[pipelinesVariable(environment)],
  });
  for (const line of wrap(text).split("\n")) progress.line(line);
  const orchestrations = chosenOrchestrations({
    ...options,
    given: process.env[orchestrationVariable(environment)],
    names: pipelines,
    deployed: deployedOrchestrations(STACK, all),
  });
  // Before the synth, which needs the settings of its connection.
  const database = hasDatabase(options.pipeline)
    ? await progress.step("database", () => startDatabase(options.pipeline))
    : undefined;
  try {
    const stack = await progress.step("synth", () =>
      synthesiseEnvironment(environment, { pipelines, orchestrations }),
    );
    await installSpark4For(stack);
    return await withDeployed({ synthesised: stack, name: STACK }, progress, async (aws, deployment) => {
      const bench = { aws, outputs: await deployment.outputs(), progress };
      const run =
        database === undefined
          ? await runPipeline(options, { input, deliveries }, bench)
          : await runShop({ ...options, input, deliveries }, { ...bench, database });
      record(run);
      tell(run);
      return succeeded(run) ? 0 : 1;
    });
  } finally {
    await database?.stop();
  }
}

/** Uploads the deliveries, runs the execution, and collects its notifications, books and rows. */
async function runPipeline(
  options: StartOptions,
  { input, deliveries }: { readonly input: string; readonly deliveries: Deliveries },
  { aws, outputs, progress }: { aws: EmbeddedAws; outputs: Outputs; progress: Progress },
): Promise<Run> {
  const { pipeline } = options;
  const clients = clientsOf(aws.at);
  const { s3, sfn, sns, sqs, athena, glue } = clients;
  await progress.step("input", async (note) => {
    const lake = new Lake(clients, outputs, pipeline, deliveriesFolderOf(pipeline));
    const folder = deliveriesFolderOf(pipeline);
    const { uploaded, removed, startedEmpty } = await mirrorInput(
      s3,
      lake,
      pipeline,
      input,
      deliveries,
      folder,
    );
    const { files, dates } = deliveries;
    if (startedEmpty) note("another input than last time: its lake starts empty");
    note(`${files.length} files of ${dates.length} dates, ${uploaded} uploaded, ${removed} removed`);
    for (const line of leftOutLines(deliveries.leftOut)) note(line);
  });
  const listener = await NotificationListener.subscribe(sqs, sns, output(outputs, "notifications_topic_arn"));
  try {
    const workflow = outputs[workflowOutput(pipeline)];
    const ended =
      workflow === undefined
        ? await progress.step("execution", () =>
            runExecution(
              sfn,
              output(outputs, `${snakeCase(pipeline)}_alias_arn`),
              executionInput(options, deliveries.dates),
              progress,
            ),
          )
        : await progress.step("workflow", () =>
            runWorkflow(glue, workflow, runProperties(options, deliveries.dates), progress),
          );
    const notifications = await listener.received();
    const books = await readBooks(s3, output(outputs, "processed_bucket"), pipeline, ended.name);
    const questions = questionsOf(pipeline, outputs);
    const answer =
      succeeded({ ended, books }) && books?.outcome !== "EMPTY"
        ? await progress.step("query", () => ask(athena, output(outputs, "workgroup"), questions.final))
        : undefined;
    const examples =
      books?.refused === undefined
        ? []
        : await findExamples(athena, output(outputs, "workgroup"), books, ended.name);
    const { seconds } = progress;
    return { pipeline, ended, books, questions, answer, examples, notifications, seconds };
  } finally {
    if (!interrupted.aborted) await listener.close();
  }
}

function executionInput({ runDate }: StartOptions, dates: readonly string[]): unknown {
  if (runDate !== undefined) return { runDate };
  if (dates.length === 1) return { runDate: dates[0] };
  return { mode: "backfill", fromDate: dates[0], toDate: dates.at(-1) };
}

/** The same dates as properties of a workflow's run. */
function runProperties({ runDate }: StartOptions, dates: readonly string[]): Record<string, string> {
  if (runDate !== undefined) return { run_date: runDate };
  if (dates.length === 1) return { run_date: dates[0]! };
  return { from_date: dates[0]!, to_date: dates.at(-1)! };
}

/** @throws UserError when the pipeline has no sample */
function sampleOf(pipeline: string): string {
  const folder = join(ROOT, "pipelines", pipeline, "sample");
  if (existsSync(folder)) return folder;
  throw new UserError(
    `--input: ${pipeline} has no sample in ${relative(ROOT, folder)}; give a folder with its deliveries`,
  );
}

/** Relative to the folder in which the user typed the command; npm runs it elsewhere. */
function asTyped(input: string): string {
  return resolve(process.env.INIT_CWD ?? ROOT, input);
}
