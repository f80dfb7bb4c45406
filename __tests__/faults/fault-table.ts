import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The table of faults, and what a runner saw of them, kept for the table that `npm test` prints. */

export type Runner = "interpreter" | "pytest" | "bench";
export type Message = "success" | "redrive" | "new execution" | "missing";

export interface Fault {
  readonly id: string;
  readonly fault: string;
  readonly runners: readonly Runner[];
  readonly status: "SUCCEEDED" | "FAILED" | "ABORTED" | "TIMED_OUT";
  readonly error: string | null;
  readonly cause: string | null;
  readonly steps: readonly string[] | null;
  readonly message: Message | null;
  readonly rows: string;
}

export interface Seen {
  readonly id: string;
  readonly runner: Runner;
  readonly passed: boolean;
}

export const FAULTS = JSON.parse(
  readFileSync(join(__dirname, "fault-table.json"), "utf8"),
) as readonly Fault[];

export const faultsOf = (runner: Runner): Fault[] => FAULTS.filter(({ runners }) => runners.includes(runner));

/** Which of the messages on the topic this is, told by its command. */
export function kindOf(message: { status?: unknown; outcome?: unknown; command?: unknown }): Message {
  if (message.status === "SUCCEEDED") return "success";
  if (message.outcome === "MISSING") return "missing";
  return String(message.command).includes(" redrive-execution ") ? "redrive" : "new execution";
}

const KEPT = join(__dirname, "..", "..", ".local", "test");

/** Writes down what a runner saw, where `npm test` looks for it. */
export function keep(runner: Runner, seen: readonly Seen[]): void {
  mkdirSync(join(KEPT, "faults"), { recursive: true });
  writeFileSync(join(KEPT, "faults", `${runner}.json`), JSON.stringify(seen));
}

/** Writes down a proof, which `npm test` prints at its end. */
export function keepText(name: string, text: string): void {
  mkdirSync(join(KEPT, "proofs"), { recursive: true });
  writeFileSync(join(KEPT, "proofs", name), `${text.trimEnd()}\n`);
}
