import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import pc from "picocolors";
import { ask } from "./athena";
import { balances, readBooks } from "./books";
import { clientsOf } from "./clients";
import { findDeliveries } from "./deliveries";
import { EmbeddedAws } from "./embedded-aws";
import { type Ended, runExecution } from "./execution";
import { synthesiseEnvironment } from "./environments";
import { interrupted } from "./interrupts";
import { type Notification, NotificationListener } from "./notifications";
import { BENCH, LAST_RUN, LOCAL, ROOT } from "./places";
import { Progress } from "./progress";
import { mirrorInput } from "./raw-zone";
import {
  answerTable,
  booksTable,
  notificationText,
  qualityLines,
  reasonsLine,
  secondsLine,
  wrap,
} from "./summary";
import { installSpark4For } from "./spark4";
import { Deployment, type Outputs } from "./terraform";
import { UserError } from "./user-error";

/** `npm start`: deploys the dev environment to the embedded AWS and runs a pipeline on real files. */

export interface StartOptions {
  readonly pipeline: string;
  readonly input?: string;
  readonly runDate?: string;
}

const STACK = "etl-dev";

export async function start(options: StartOptions): Promise<number> {
  const folder = options.input === undefined ? sampleOf(options.pipeline) : inputFolder(options.input);
  const deliveries = findDeliveries(folder, options.runDate);
  const progress = new Progress();
  const stack = await progress.step("synth", () => synthesiseEnvironment(BENCH.environment));
  await installSpark4For(stack);
  const aws = await progress.step("embedded AWS", () => EmbeddedAws.start());
  try {
    const outputs = await progress.step("deploy", (note) => deploy(stack, aws, note));
    const { s3, sfn, sns, sqs, athena } = clientsOf(aws.at);
    await progress.step("input", async (note) => {
      const buckets = {
        raw: output(outputs, "raw_bucket"),
        processed: output(outputs, "processed_bucket"),
        quarantine: output(outputs, "quarantine_bucket"),
      };
      const { uploaded, removed, startedEmpty } = await mirrorInput(
        s3,
        options.pipeline,
        buckets,
        folder,
        deliveries,
      );
      if (startedEmpty) note("another input than last time: its lake starts empty");
      note(
        `${deliveries.files.length} files of ${deliveries.dates.length} dates, ${uploaded} uploaded, ${removed} removed`,
      );
    });
    const listener = await NotificationListener.subscribe(
      sqs,
      sns,
      output(outputs, "notifications_topic_arn"),
    );
    try {
      const ended = await progress.step("execution", () =>
        runExecution(
          sfn,
          output(outputs, `${options.pipeline}_alias_arn`),
          executionInput(options, deliveries.dates),
          progress,
        ),
      );
      const notifications = await listener.received();
      const books = await readBooks(s3, output(outputs, "processed_bucket"), options.pipeline, ended.name);
      const succeeded = ended.status === "SUCCEEDED" && books !== undefined && balances(books);
      const table = `${output(outputs, "processed_database")}.${options.pipeline}`;
      const sql = `select run_date, count(*) as "rows" from ${table} group by 1 order by 1`;
      const answer =
        succeeded && books.outcome !== "EMPTY"
          ? await progress.step("query", () => ask(athena, output(outputs, "workgroup"), sql))
          : undefined;

      record(options, ended, books, progress, notifications);
      console.log("");
      console.log(
        pc.bold(`${options.pipeline}: ${succeeded ? pc.green(ended.status) : pc.red(ended.status)}`),
      );
      if (ended.error !== undefined) console.log(failureText(ended));
      if (books !== undefined)
        console.log(`${booksTable(books)}\n${reasonsLine(books)}\n${qualityLines(books)}`);
      if (answer !== undefined) console.log(`\n${sql}\n${answerTable(answer)}`);
      console.log(`\nnotifications received: ${notifications.length}`);
      for (const notification of notifications) console.log(notificationText(notification));
      console.log(`\nseconds: ${secondsLine(progress.seconds)}`);
      console.log(`logs: .local/logs   record: .local/last-run.json`);
      console.log(
        succeeded
          ? `next: npm start -- query "select * from ${table} limit 5"`
          : "next: npm start -- logs, mend the cause, npm start again",
      );
      return succeeded ? 0 : 1;
    } finally {
      if (!interrupted.aborted) await listener.close();
    }
  } finally {
    await aws.stop();
  }
}

/** Brings the deployment to what is synthesised now, or leaves it when it is that already. */
async function deploy(stack: string, aws: EmbeddedAws, note: (text: string) => void): Promise<Outputs> {
  const deployment = new Deployment(stack, STACK, aws.at, note);
  if (deployment.isCurrent()) {
    note("up to date: the synthesised files are the ones that were applied");
  } else {
    note("terraform apply (the first time S3's lifecycle settings take a minute)");
    await deployment.apply();
  }
  return deployment.outputs();
}

function executionInput({ runDate }: StartOptions, dates: readonly string[]): unknown {
  if (runDate !== undefined) return { runDate };
  if (dates.length === 1) return { runDate: dates[0] };
  return { mode: "backfill", fromDate: dates[0], toDate: dates.at(-1) };
}

function sampleOf(pipeline: string): string {
  const folder = join(ROOT, "local", "data", pipeline);
  if (existsSync(folder)) return folder;
  throw new UserError(`--pipeline: there is no pipeline '${pipeline}' with a sample; there is events`);
}

/** Relative to where the user typed the command, not to where npm runs it. */
function inputFolder(input: string): string {
  return resolve(process.env.INIT_CWD ?? ROOT, input);
}

function output(outputs: Outputs, name: string): string {
  const value = outputs[name];
  if (value === undefined) {
    throw new UserError(
      `the deployed stack has no output '${name}'; it has ${Object.keys(outputs).join(", ")}`,
    );
  }
  return value;
}

function failureText({ error, cause }: Ended): string {
  const run = asJobRun(cause);
  const told = run?.ErrorMessage ?? cause ?? "no cause was given";
  return wrap(`${error}: ${told.length > 800 ? `${told.slice(0, 799)}…` : told}`);
}

/** The cause of a failed job is its run as JSON. */
function asJobRun(cause: string | undefined): { readonly ErrorMessage?: string } | undefined {
  try {
    return JSON.parse(cause ?? "") as { ErrorMessage?: string };
  } catch {
    return undefined;
  }
}

function record(
  { pipeline }: StartOptions,
  ended: Ended,
  books: Awaited<ReturnType<typeof readBooks>>,
  { seconds }: Progress,
  notifications: readonly Notification[],
): void {
  const { status, executionArn, error, cause } = ended;
  const rows =
    books === undefined
      ? undefined
      : {
          read: books.read,
          written: books.written,
          duplicates: books.duplicates,
          quarantined: books.quarantinedByReason,
        };
  const run = {
    pipeline,
    environment: BENCH.environment,
    status,
    executionArn,
    error,
    cause,
    rows,
    dates: books?.dates,
    quality: books?.quality,
    drift: books?.drift,
    restated: books?.restated.dates,
    seconds,
    notifications,
  };
  mkdirSync(LOCAL, { recursive: true });
  writeFileSync(LAST_RUN, `${JSON.stringify(run, null, 2)}\n`);
}
