import { mkdirSync, writeFileSync } from "node:fs";
import pc from "picocolors";
import { answerTable } from "./answers";
import { type Answer } from "./athena";
import { balances, type Books } from "./books";
import { type Ended } from "./execution";
import { wrap } from "./lines";
import { type Notification } from "./notifications";
import { BENCH, LAST_RUN, LOCAL } from "./places";
import { type StepSeconds } from "./progress";
import { type Questions } from "./questions";
import type { FollowerRun } from "./followers";
import { type Examples, refusedLines } from "./refused";
import {
  booksTable,
  followersTable,
  notificationText,
  qualityLines,
  reasonsLine,
  secondsLine,
  sourcesLines,
} from "./summary";

/** How a run ended: shown to the user, and recorded for machines. */
export interface Run {
  readonly pipeline: string;
  readonly ended: Ended;
  readonly books: Books | undefined;
  readonly questions: Questions;
  /** The answer to the final question; not set when nothing was published. */
  readonly answer: Answer | undefined;
  /** Values of a refused run's rejected rows. */
  readonly examples: Examples;
  readonly notifications: readonly Notification[];
  /** The pipelines that ran after it. */
  readonly followers?: readonly FollowerRun[];
  readonly seconds: StepSeconds;
}

/** `true`: the execution succeeded and the books balance. */
export function succeeded({
  ended,
  books,
  followers = [],
}: Pick<Run, "ended" | "books" | "followers">): boolean {
  return ended.status === "SUCCEEDED" && books !== undefined && balances(books) && followers.every(succeeded);
}

/** Prints the end of a run. */
export function tell(run: Run): void {
  const { pipeline, ended, books, questions, answer, examples, notifications, followers = [], seconds } = run;
  const paint = succeeded({ ended, books }) ? pc.green : pc.red;
  console.log("");
  console.log(pc.bold(`${pipeline}: ${paint(ended.status)}`));
  if (ended.error !== undefined) console.log(failureText(ended, books));
  if (books !== undefined) {
    console.log(booksTable(books));
    for (const line of sourcesLines(books)) console.log(line);
    console.log(`${reasonsLine(books)}\n${qualityLines(books)}`);
    for (const line of refusedLines(books, examples)) console.log(line);
  }
  if (followers.length > 0) console.log(followersTable(followers));
  for (const follower of followers.filter((one) => one.ended.error !== undefined))
    console.log(`${follower.pipeline}: ${failureText(follower.ended, follower.books)}`);
  if (answer !== undefined) console.log(`\n${wrap(questions.final)}\n${answerTable(answer)}`);
  console.log(`\nnotifications received: ${notifications.length}`);
  for (const notification of notifications) console.log(notificationText(notification));
  console.log(`\n${secondsLine(seconds)}`);
  console.log(`logs: .local/logs   record: .local/last-run.json`);
  console.log(
    succeeded(run)
      ? `next: npm start -- query "${questions.next}"`
      : books?.refused === undefined
        ? "next: npm start -- logs, fix the cause, npm start again"
        : "next: correct the delivery or the rules, npm start again",
  );
}

/** Writes the run down for machines. */
export function record({ pipeline, ended, books, notifications, followers, seconds }: Run): void {
  const { orchestration, status, executionArn, workflow, name, error, cause } = ended;
  const rows = books && rowsIn(books);
  const run = {
    pipeline,
    environment: BENCH.environment,
    orchestration,
    status,
    executionArn,
    workflowRun: workflow === undefined ? undefined : { workflow, runId: name },
    error,
    cause,
    rows,
    dates: books?.dates,
    missingSources: books?.missingSources,
    skipped: books?.skipped,
    reasons: books?.reasons,
    refused: books?.refused,
    quality: books?.quality,
    drift: books?.drift,
    restated: books?.restated.dates,
    followers: followers?.map(ofFollower),
    seconds,
    notifications,
  };
  mkdirSync(LOCAL, { recursive: true });
  writeFileSync(LAST_RUN, `${JSON.stringify(run, null, 2)}\n`);
}

function rowsIn(books: Books): object {
  return {
    read: books.read,
    written: books.written,
    duplicates: books.duplicates,
    quarantined: books.quarantinedByReason,
    changes: books.changes,
    sources: books.sources && rowsOf(books.sources),
  };
}

function ofFollower({ pipeline, ended, books }: FollowerRun): object {
  const { status, executionArn, error, cause } = ended;
  return {
    ...{ pipeline, status, executionArn, error, cause },
    rows: books && rowsIn(books),
    dates: books?.dates.map(({ runDate }) => runDate),
    restated: books?.restated.dates,
  };
}

/** The rows of each source, as those of the run. */
function rowsOf(sources: NonNullable<Books["sources"]>): object {
  const rows = Object.entries(sources).map(([name, { read, written, duplicates, quarantinedByReason }]) => [
    name,
    { read, written, duplicates, quarantined: quarantinedByReason },
  ]);
  return Object.fromEntries(rows) as object;
}

function failureText({ error, cause }: Ended, books: Books | undefined): string {
  // The details of a refusal are printed separately.
  if (books?.refused !== undefined && cause?.startsWith(books.refused.cause))
    return wrap(`${error}: ${books.refused.cause} Nothing was published.`);
  const run = asJobRun(cause);
  const told = run?.ErrorMessage ?? cause ?? "no cause given";
  return wrap(`${error}: ${told.length > 800 ? `${told.slice(0, 799)}…` : told}`);
}

/** A failed job's cause is its job run as JSON. */
function asJobRun(cause: string | undefined): { readonly ErrorMessage?: string } | undefined {
  try {
    return JSON.parse(cause ?? "") as { ErrorMessage?: string };
  } catch {
    return undefined;
  }
}
