import pc from "picocolors";
import { wrap } from "./lines";

/** Seconds by step, in the order of the steps. */
export type StepSeconds = Record<string, number>;

/** Prints each step before it begins and how long it took. A long step prints a line every 20 s. */
export class Progress {
  readonly seconds: StepSeconds = {};

  async step<T>(name: string, body: (note: (text: string) => void) => Promise<T>): Promise<T> {
    const started = Date.now();
    this.line(`${pc.bold(name)} …`);
    const alive = setInterval(() => this.note(`… ${elapsed(started)} s`), 20_000);
    try {
      return await body((text) => this.note(text));
    } finally {
      clearInterval(alive);
      this.record(name, started);
      this.line(`${pc.bold(name)} ${pc.dim(`${elapsed(started)} s`)}`);
    }
  }

  /** Records the seconds of a step. */
  record(name: string, started: number, ended = Date.now()): void {
    this.seconds[name] = Math.round((ended - started) / 100) / 10;
  }

  note(text: string): void {
    for (const line of wrap(`  ${text}`).split("\n")) this.line(pc.dim(line));
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

function elapsed(started: number): string {
  return ((Date.now() - started) / 1000).toFixed(1);
}
