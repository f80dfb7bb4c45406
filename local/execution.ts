import {
  DescribeExecutionCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  type SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import pc from "picocolors";
import { pause } from "./interrupts";
import { type Progress } from "./progress";

/** How an execution ended. */
export interface Ended {
  readonly executionArn: string;
  readonly name: string;
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}

const POLL_MS = 300;
const ALIVE_MS = 15_000;

/** Starts an execution of the alias, and shows its task states until it ends. */
export async function runExecution(
  sfn: SFNClient,
  stateMachineArn: string,
  input: unknown,
  progress: Progress,
): Promise<Ended> {
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  const arn = executionArn!;
  progress.note(arn);
  const shown = new StateLines(progress);
  for (;;) {
    const { status, error, cause, name } = await sfn.send(
      new DescribeExecutionCommand({ executionArn: arn }),
    );
    for await (const { events = [] } of paginateGetExecutionHistory({ client: sfn }, { executionArn: arn })) {
      shown.show(events);
    }
    shown.showAlive();
    if (status !== "RUNNING") {
      shown.showUnfinished(status === "SUCCEEDED");
      return { executionArn: arn, name: name!, status: status!, error, cause };
    }
    await pause(POLL_MS);
  }
}

/** Takes the lines about an execution. */
export interface Lines {
  line(text: string): void;
  note(text: string): void;
  /** A step ended. */
  record?(name: string, started: number, ended: number): void;
}

/** Shows a task state when it is entered and when it is left. Choice and pass states take no time and are not shown. */
export class StateLines {
  private last = 0;
  /** The states at work, by name, oldest first: branches run at the same time, and items have the same names. */
  private readonly open: { readonly name: string; readonly at: Date }[] = [];
  private aliveAt = Date.now();

  constructor(private readonly lines: Lines) {}

  show(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      const id = event.id ?? 0;
      if (id <= this.last) continue;
      this.last = id;
      const at = event.timestamp ?? new Date();
      if (event.type === "TaskStateEntered") this.enter(event.stateEnteredEventDetails?.name ?? "", at);
      if (event.type === "TaskStateExited")
        this.leave(event.stateExitedEventDetails?.name ?? "", pc.green("✓"), at);
    }
  }

  showAlive(): void {
    const [oldest] = this.open;
    if (oldest === undefined || Date.now() - this.aliveAt < ALIVE_MS) return;
    this.aliveAt = Date.now();
    this.lines.note(`  … ${((Date.now() - oldest.at.getTime()) / 1000).toFixed(0)} s`);
  }

  showUnfinished(succeeded: boolean): void {
    if (succeeded) return;
    for (const { name } of [...this.open]) this.leave(name, pc.red("✗"), new Date());
  }

  private enter(name: string, at: Date): void {
    this.open.push({ name, at });
    this.aliveAt = Date.now();
    this.lines.line(`  ${pc.dim("▸")} ${name}`);
  }

  private leave(name: string, mark: string, at: Date): void {
    const place = this.open.findIndex((state) => state.name === name);
    const [state] = place < 0 ? [] : this.open.splice(place, 1);
    if (state === undefined) return;
    this.lines.record?.(name, state.at.getTime(), at.getTime());
    const seconds = Math.round((at.getTime() - state.at.getTime()) / 100) / 10;
    this.lines.line(`  ${mark} ${name} ${pc.dim(`${seconds} s`)}`);
  }
}
