import pc from "picocolors";

const ALIVE_MS = 15_000;

/** Takes the lines about a run. */
export interface Lines {
  line(text: string): void;
  note(text: string): void;
  /** A part ended. */
  record?(name: string, started: number, ended: number): void;
}

/** Lines about the parts of a run: one when a part begins, one when it ends, one in between when it takes long. */
export class StateLines {
  /** The parts at work, by name, oldest first: branches run at the same time, and items have the same names. */
  private readonly open: { readonly name: string; readonly at: Date }[] = [];
  private aliveAt = Date.now();

  constructor(private readonly lines: Lines) {}

  enter(name: string, at: Date): void {
    this.open.push({ name, at });
    this.aliveAt = Date.now();
    this.lines.line(`  ${pc.dim("▸")} ${name}`);
  }

  leave(name: string, succeeded: boolean, at: Date): void {
    const place = this.open.findIndex((state) => state.name === name);
    const [state] = place < 0 ? [] : this.open.splice(place, 1);
    if (state === undefined) return;
    this.lines.record?.(name, state.at.getTime(), at.getTime());
    const seconds = Math.round((at.getTime() - state.at.getTime()) / 100) / 10;
    const mark = succeeded ? pc.green("✓") : pc.red("✗");
    this.lines.line(`  ${mark} ${name} ${pc.dim(`${seconds} s`)}`);
  }

  /** Ends the parts that are still at work: they failed, or nobody saw their end. */
  leaveAll(): void {
    for (const { name } of [...this.open]) this.leave(name, false, new Date());
  }

  showAlive(): void {
    const [oldest] = this.open;
    if (oldest === undefined || Date.now() - this.aliveAt < ALIVE_MS) return;
    this.aliveAt = Date.now();
    this.lines.note(`  … ${((Date.now() - oldest.at.getTime()) / 1000).toFixed(0)} s`);
  }
}
