import Table from "cli-table3";
import { type Books, type Figures } from "./books";
import type { FollowerRun } from "./followers";
import { wrap, wrapCommand } from "./lines";
import { type Notification } from "./notifications";
import { type StepSeconds } from "./progress";

/** The text at the end of a run, at most 80 columns wide. */

/** A longer list of dates is cut in the middle. */
const MOST_DATES = 10;

export function booksTable(books: Books): string {
  const head = ["run date", "read", "written", "duplicates", "quarantined", "files"];
  const dates = books.dates.map((date) => [date.runDate, ...figures(date)]);
  const shown =
    dates.length <= MOST_DATES
      ? dates
      : [...dates.slice(0, MOST_DATES / 2), ["…", "", "", "", "", ""], ...dates.slice(-MOST_DATES / 2)];
  return table(head, [...shown, ...(dates.length > 1 ? [["all", ...figures(books)]] : [])]);
}

/** The figures of each source, and what is missing; nothing where the contract names no sources. */
export function sourcesLines({ sources = {}, missingSources = [], skipped = [] }: Books): string[] {
  const rows = Object.entries(sources).map(([name, { read, written, duplicates, quarantined }]) => [
    name,
    ...[read, written, duplicates, quarantined].map(String),
  ]);
  if (rows.length === 0) return [];
  const missing = missingSources.map(({ source, date }) => `${source} on ${date}`);
  return [
    table(["source", "read", "written", "duplicates", "quarantined"], rows),
    ...(missing.length === 0 ? [] : [wrap(`missing sources: ${missing.join(", ")}`)]),
    ...(skipped.length === 0 ? [] : [wrap(`skipped, no delivery: ${skipped.join(", ")}`)]),
  ];
}

/** The pipelines that ran after another, one line each. */
export function followersTable(followers: readonly FollowerRun[]): string {
  const head = ["then ran", "read", "new", "changed", "deleted", "same", "rejected"];
  return table(
    head,
    followers.map(({ pipeline, ended, books }) => [
      pipeline,
      ...(ended.status !== "SUCCEEDED" || books === undefined
        ? [ended.status, "", "", "", "", ""]
        : changesOf(books)),
    ]),
  );
}

function changesOf({ read, written, duplicates, quarantined, changes }: Books): string[] {
  const of = changes ?? { inserted: written, updated: 0, deleted: 0, deletedByAbsence: 0 };
  const cells = [read, of.inserted, of.updated, of.deleted + of.deletedByAbsence, duplicates, quarantined];
  return cells.map(String);
}

export function reasonsLine({ quarantinedByReason, outcome }: Books): string {
  const found = Object.entries(quarantinedByReason).filter(([, rows]) => rows > 0);
  // Rows of a refused run do not go to quarantine.
  const where = outcome === "REFUSED" ? "rejected" : "quarantined";
  if (found.length === 0) return `${where}: nothing`;
  return wrap(`${where}: ${found.map(([reason, rows]) => `${reason} ${rows}`).join(", ")}`);
}

export function qualityLines({ quality, drift, restated }: Books): string {
  const { verdict, score, threshold, failed } = quality;
  return [
    `quality: ${verdict}, score ${score} of 100 (at least ${threshold})${failed === "" ? "" : `; ${failed}`}`,
    `source: ${sourceText(drift)}`,
    ...(restated.dates.length === 0 ? [] : [`restated: ${restated.dates.join(", ")}`]),
  ]
    .map((line) => wrap(line))
    .join("\n");
}

/** A step and its seconds stay on one line. */
export function secondsLine(seconds: StepSeconds): string {
  const parts = Object.entries(seconds).map(([step, value]) => `${step}\u00a0${value}`);
  return wrap(`seconds: ${parts.join(", ")}`).replaceAll("\u00a0", " ");
}

/** A message as a person receives it. A message without text is shown as indented JSON. */
export function notificationText({ subject, text, message }: Notification): string {
  const body = text ?? (typeof message === "string" ? message : JSON.stringify(message, null, 2));
  const machines = text === undefined ? [] : ["", "(the JSON part is in .local/last-run.json)"];
  return [...(subject === undefined ? [] : [`Subject: ${subject}`, ""]), body, ...machines]
    .join("\n")
    .split("\n")
    .map((line) => (/^aws /.test(line) ? wrapCommand(`  ${line}`) : wrap(`  ${line}`)))
    .map((line) => line.trimEnd())
    .join("\n");
}

function figures({ read, written, duplicates, quarantined, files }: Figures): string[] {
  return [read, written, duplicates, quarantined, files].map(String);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const colAligns = head.map((_, column) =>
    rows.every((row) => /^[-\d.,…]*$/.test(row[column] ?? "")) ? ("right" as const) : ("left" as const),
  );
  const drawn = new Table({ head: [...head], colAligns, style: { head: [], border: [], compact: true } });
  for (const row of rows) drawn.push([...row]);
  return drawn.toString();
}

function sourceText(drift: Books["drift"]): string {
  if (drift === null) return "not compared: no crawl shows the columns of such files";
  return drift === "" ? "as in the contract" : `drifted: ${drift}`;
}
