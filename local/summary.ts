import Table from "cli-table3";
import { type Answer } from "./athena";
import { type Books, type Figures } from "./books";
import { type Notification } from "./notifications";
import { type StepSeconds } from "./progress";

/** What is printed at the end of a run: plain text of at most 80 columns. */

const WIDTH = 80;
/** More dates than these are cut in the middle. */
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

export function reasonsLine({ quarantinedByReason }: Figures): string {
  const found = Object.entries(quarantinedByReason).filter(([, rows]) => rows > 0);
  if (found.length === 0) return "quarantined: nothing";
  return wrap(`quarantined: ${found.map(([reason, rows]) => `${reason} ${rows}`).join(", ")}`);
}

export function qualityLines({ quality, drift, restated }: Books): string {
  const { verdict, score, threshold, failed } = quality;
  return [
    `quality: ${verdict}, score ${score} of 100 (at least ${threshold})${failed === "" ? "" : `; ${failed}`}`,
    `source: ${drift === "" ? "as in the contract" : `drifted: ${drift}`}`,
    ...(restated.dates.length === 0 ? [] : [`restated: ${restated.dates.join(", ")}`]),
  ]
    .map((line) => wrap(line))
    .join("\n");
}

export function answerTable({ columns, rows, more }: Answer): string {
  const shown = rows.map((row) => row.map((value) => cut(value, Math.floor((WIDTH - 4) / columns.length))));
  return `${table(columns, shown)}${more ? "\n… and more rows" : ""}`;
}

export function secondsLine(seconds: StepSeconds): string {
  return wrap(
    Object.entries(seconds)
      .map(([step, value]) => `${step} ${value}`)
      .join(", "),
  );
}

/** The message as it was received: text as it is, JSON spread over lines. */
export function notificationText({ subject, message }: Notification): string {
  const body = typeof message === "string" ? message : JSON.stringify(message, null, 2);
  return [...(subject === undefined ? [] : [`Subject: ${subject}`]), body]
    .join("\n")
    .split("\n")
    .flatMap((line) => wrap(line, WIDTH - 2).split("\n"))
    .map((line) => `  ${line}`)
    .join("\n");
}

export function wrap(text: string, width = WIDTH): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<= )/)) {
    if (line.length + word.trimEnd().length > width && line !== "") {
      lines.push(line.trimEnd());
      line = "  ";
    }
    line += word;
  }
  return [...lines, line.trimEnd()].join("\n");
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

function cut(text: string, width: number): string {
  const room = Math.max(width - 3, 5);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}
