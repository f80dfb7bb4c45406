import { type RunKind } from "../core/run";
import { type RunbookPage } from "../core/runbook";

/** A text in its parts. */
export interface Said {
  /** A clause. */
  readonly happened: string;
  /** A sentence. */
  readonly remedy: string;
  readonly runbook: RunbookPage;
}

/** The words for runs of one kind. */
export interface RunTexts {
  /** A run, and none, with their articles. */
  readonly a: string;
  readonly no: string;
  /** The word before the link to runs. */
  readonly link: string;
  readonly failed: Said;
  readonly aborted: Said;
  readonly slow: Omit<Said, "happened">;
  readonly missed: Omit<Said, "happened">;
  /** The composite of all runs that did not succeed. */
  readonly unsuccessful: Said;
  /** The composite of the other alarms. */
  readonly unusual: Said;
}

const TEXTS: Readonly<Record<RunKind, RunTexts>> = {
  execution: {
    a: "an execution",
    no: "no execution",
    link: "Executions",
    failed: {
      happened: "an execution failed",
      remedy:
        "Fix the cause, then run the command in the message on the notifications topic: redrive or a new execution.",
      runbook: "execution-failed",
    },
    aborted: {
      happened: "somebody stopped an execution",
      remedy: "Ask who stopped it and whether its dates must still be run; if so, redrive.",
      runbook: "aborted",
    },
    slow: {
      remedy: "Compare its states with those of an earlier execution: the lock, a crawl, or the job.",
      runbook: "slow",
    },
    missed: {
      remedy: "Check whether the schedule is enabled, whether it started an execution, and how that ended.",
      runbook: "missed-run",
    },
    unsuccessful: {
      happened: "an execution failed, timed out or was stopped",
      remedy:
        "Its message on the notifications topic has the cause and the command to run. OK only means that no further execution failed.",
      runbook: "executions",
    },
    unusual: {
      happened: "its runs are not as usual, but no execution failed for this reason",
      remedy:
        "The reason names the alarm: throttled, slow, quarantine share, row count or crawl. OK only means that no further run crossed it.",
      runbook: "pipeline-data",
    },
  },
  workflowRun: {
    a: "a run",
    no: "no run",
    link: "Runs",
    failed: {
      happened: "a run of its Glue workflow failed",
      remedy:
        "Fix the cause, then run the command in the message on the notifications topic: resume or a new run.",
      runbook: "workflow-run",
    },
    aborted: {
      happened: "somebody stopped a run of its Glue workflow",
      remedy:
        "Ask who stopped it and whether its dates must still be run; if so, run the command in the message on the notifications topic.",
      runbook: "workflow-run",
    },
    slow: {
      remedy: "Compare its jobs and crawls with those of an earlier run, in the graph of each.",
      runbook: "workflow-run",
    },
    missed: {
      remedy: "Check whether the start trigger is activated, whether it started a run, and how that ended.",
      runbook: "workflow-run",
    },
    unsuccessful: {
      happened: "a run failed or was stopped",
      remedy:
        "Its message on the notifications topic has the cause and the command to run. OK only means that no further run failed.",
      runbook: "workflow-run",
    },
    unusual: {
      happened: "its runs are not as usual, but no run failed for this reason",
      remedy:
        "The reason names the alarm: slow, quarantine share or row count. OK only means that no further run crossed it.",
      runbook: "pipeline-data",
    },
  },
};

export const runTexts = (kind: RunKind = "execution"): RunTexts => TEXTS[kind];
