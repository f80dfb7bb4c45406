import pc from "picocolors";
import { type Progress } from "./progress";

const ALIVE_MS = 15_000;

/** Lines about the parts of a run: one when a part begins, one when it ends, one in between when it takes long. */
export class StateLines {
  /** The parts at work, by name, oldest first: branches run at the same time, and items have the same names. */
  private readonly open: { readonly name: string; readonly at: Date }[] = [];
  private aliveAt = Date.now();

  constructor(private readonly progress: Progress) {}

  enter(name: string, at: Date): void {
    this.open.push({ name, at });
    this.aliveAt = Date.now();
    this.progress.line(`  ${pc.dim("▸")} ${name}`);
  }

  leave(name: string, succeeded: boolean, at: Date): void {
    const place = this.open.findIndex((state) => state.name === name);
    const [state] = place < 0 ? [] : this.open.splice(place, 1);
    if (state === undefined) return;
    this.progress.record(name, state.at.getTime(), at.getTime());
    const mark = succeeded ? pc.green("✓") : pc.red("✗");
    this.progress.line(`  ${mark} ${name} ${pc.dim(`${this.progress.seconds[name]} s`)}`);
  }

  /** Ends the parts that are still at work: they failed, or nobody saw their end. */
  leaveAll(): void {
    for (const { name } of [...this.open]) this.leave(name, false, new Date());
  }

  showAlive(): void {
    const [oldest] = this.open;
    if (oldest === undefined || Date.now() - this.aliveAt < ALIVE_MS) return;
    this.aliveAt = Date.now();
    this.progress.note(`  … ${((Date.now() - oldest.at.getTime()) / 1000).toFixed(0)} s`);
  }
}
