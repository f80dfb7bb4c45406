import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Table from "cli-table3";

/** The table of faults with each runner's result, as `npm test` prints it. */

interface Fault {
  readonly id: string;
  readonly fault: string;
  readonly runners: readonly string[];
  readonly status: string;
  readonly error: string | null;
  readonly steps: readonly string[] | null;
  readonly message: string | null;
  readonly rows: string;
}

interface Seen {
  readonly id: string;
  readonly runner: string;
  readonly passed: boolean;
}

/** Widths of the columns; with borders 80 characters. */
const WIDTHS = [21, 24, 14, 16];

export interface FaultReport {
  readonly text: string;
  /** Faults that a runner should have covered and did not. */
  readonly unseen: number;
}

/** @param ran the runners that ran */
export function faultReport(table: string, folder: string, ran: readonly string[]): FaultReport {
  const faults = JSON.parse(readFileSync(table, "utf8")) as readonly Fault[];
  const seen = ran.flatMap((runner) => {
    const file = join(folder, `${runner}.json`);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly Seen[]) : [];
  });
  const verdictOf = ({ id }: Fault, runner: string): string => {
    if (!ran.includes(runner)) return `${runner} –`;
    const found = seen.find((one) => one.id === id && one.runner === runner);
    return `${runner} ${found === undefined ? "NOT RUN" : found.passed ? "ok" : "FAILED"}`;
  };
  const drawn = new Table({
    head: ["fault", "end, message, rows", "last step", "covered by"],
    colWidths: WIDTHS,
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  let unseen = 0;
  for (const fault of faults) {
    const verdicts = fault.runners.map((runner) => verdictOf(fault, runner));
    unseen += verdicts.filter((verdict) => verdict.endsWith("NOT RUN")).length;
    const { status, error, message, rows, steps } = fault;
    const ends = [status, error, message && `message: ${message};`, `rows: ${rows}`];
    drawn.push([
      fault.fault,
      ends.filter((part) => part !== null).join(" "),
      steps?.at(-1) ?? "(job alone)",
      verdicts.join(" "),
    ]);
  }
  return { text: drawn.toString(), unseen };
}
