import {
  DescribeExecutionCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
  type SFNClient,
  StartExecutionCommand,
} from "@aws-sdk/client-sfn";
import { type Orchestration } from "../modules/core/orchestrations";
import { pause } from "./interrupts";
import { type Lines, StateLines } from "./state-lines";

/** How an execution or the run of a workflow ended. */
export interface Ended {
  readonly orchestration: Orchestration;
  /** Only of an execution. */
  readonly executionArn?: string;
  /** Only of a workflow's run: the name of the workflow. */
  readonly workflow?: string;
  /** The id of the run: its books lie under it. */
  readonly name: string;
  readonly status: string;
  readonly error?: string;
  readonly cause?: string;
}

const POLL_MS = 300;

/** Starts an execution of the alias, and shows its task states until it ends. */
export async function runExecution(
  sfn: SFNClient,
  stateMachineArn: string,
  input: unknown,
  progress: Lines,
): Promise<Ended> {
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
  );
  const arn = executionArn!;
  progress.note(arn);
  const shown = new EventLines(progress);
  for (;;) {
    const { status, error, cause, name } = await sfn.send(
      new DescribeExecutionCommand({ executionArn: arn }),
    );
    for await (const { events = [] } of paginateGetExecutionHistory({ client: sfn }, { executionArn: arn })) {
      shown.show(events);
    }
    shown.showAlive();
    if (status !== "RUNNING") {
      shown.end(status === "SUCCEEDED");
      return {
        orchestration: "stepFunctions",
        executionArn: arn,
        name: name!,
        status: status!,
        error,
        cause,
      };
    }
    await pause(POLL_MS);
  }
}

/** Shows a task state when it is entered and when it is left. Choice and pass states take no time and are not shown. */
export class EventLines {
  private last = 0;
  private readonly lines: StateLines;

  constructor(lines: Lines) {
    this.lines = new StateLines(lines);
  }

  show(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      const id = event.id ?? 0;
      if (id <= this.last) continue;
      this.last = id;
      const at = event.timestamp ?? new Date();
      if (event.type === "TaskStateEntered") this.lines.enter(event.stateEnteredEventDetails?.name ?? "", at);
      if (event.type === "TaskStateExited")
        this.lines.leave(event.stateExitedEventDetails?.name ?? "", true, at);
    }
  }

  showAlive(): void {
    this.lines.showAlive();
  }

  end(succeeded: boolean): void {
    if (!succeeded) this.lines.leaveAll();
  }
}
