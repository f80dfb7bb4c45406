import {
  GetWorkflowRunCommand,
  type GlueClient,
  type Node,
  StartWorkflowRunCommand,
  type WorkflowRun,
} from "@aws-sdk/client-glue";
import { type Ended } from "./execution";
import { pause } from "./interrupts";
import { type Progress } from "./progress";
import { type Lines, StateLines } from "./state-lines";

const POLL_MS = 500;

/**
 * Starts a run of a Glue workflow, and shows its crawls and job runs until it ends. A run ends COMPLETED though some failed, so the status is made of
 * the graph: whether the run is a success is the watcher's to say.
 */
export async function runWorkflow(
  glue: GlueClient,
  name: string,
  properties: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<Ended> {
  const { RunId } = await glue.send(new StartWorkflowRunCommand({ Name: name, RunProperties: properties }));
  progress.note(`${name} ${RunId}`);
  const shown = new NodeLines(progress);
  for (;;) {
    const { Run } = await glue.send(new GetWorkflowRunCommand({ Name: name, RunId, IncludeGraph: true }));
    shown.show(Run?.Graph?.Nodes ?? []);
    if (Run?.Status !== "RUNNING" && Run?.Status !== "STOPPING") {
      shown.end();
      return { orchestration: "workflow", workflow: name, name: RunId!, ...outcome(Run) };
    }
    await pause(POLL_MS);
  }
}

/** The latest attempt of a node. */
interface Attempt {
  readonly name: string;
  readonly state: string;
  readonly started?: Date;
  readonly ended?: Date;
  readonly message?: string;
}

/** The crawls and job runs of a graph. Nodes that were not started are left out. */
export function attemptsOf(nodes: readonly Node[]): Attempt[] {
  return nodes.flatMap(({ Name: name = "", JobDetails, CrawlerDetails }): Attempt[] => {
    const run = JobDetails?.JobRuns?.at(-1);
    const crawl = CrawlerDetails?.Crawls?.at(-1);
    if (run !== undefined)
      return [
        {
          name,
          state: run.JobRunState ?? "",
          started: run.StartedOn,
          ended: run.CompletedOn,
          message: run.ErrorMessage,
        },
      ];
    if (crawl === undefined) return [];
    return [
      {
        name,
        state: crawl.State ?? "",
        started: crawl.StartedOn,
        ended: crawl.CompletedOn,
        message: crawl.ErrorMessage,
      },
    ];
  });
}

/** SUCCEEDED when every job run did. A failed crawl is left to the watcher, which knows which of them matter. */
function outcome(run: WorkflowRun | undefined): Pick<Ended, "status" | "error" | "cause"> {
  const nodes = run?.Graph?.Nodes ?? [];
  const jobs = nodes.filter(({ Type }) => Type === "JOB");
  const failed = attemptsOf(jobs).find(({ state }) => state !== "SUCCEEDED");
  const idle = jobs.find(({ JobDetails }) => (JobDetails?.JobRuns ?? []).length === 0);
  if (run?.Status !== "COMPLETED")
    return { status: run?.Status ?? "UNKNOWN", error: "WorkflowStopped", cause: run?.ErrorMessage };
  if (failed !== undefined)
    return { status: "FAILED", error: `job ${failed.name} ${failed.state}`, cause: failed.message };
  if (idle !== undefined)
    return { status: "FAILED", error: `job ${idle.Name} was never started`, cause: "a trigger did not fire" };
  return { status: "SUCCEEDED" };
}

const AT_WORK = ["STARTING", "WAITING", "RUNNING", "STOPPING", "CANCELLING"];

/** Lines about the crawls and job runs of a workflow's run. */
export class NodeLines {
  isEnded = false;
  private readonly lines: StateLines;
  private readonly seen = new Map<string, string>();

  constructor(lines: Lines) {
    this.lines = new StateLines(lines);
  }

  show(nodes: readonly Node[]): void {
    for (const { name, state, started, ended } of attemptsOf(nodes)) {
      const before = this.seen.get(name);
      if (before === undefined) this.lines.enter(name, started ?? new Date());
      if (!AT_WORK.includes(state) && (before === undefined || AT_WORK.includes(before)))
        this.lines.leave(name, state === "SUCCEEDED", ended ?? new Date());
      this.seen.set(name, state);
    }
    this.lines.showAlive();
  }

  /** Parts whose end was not seen count as failed. */
  end(): void {
    this.isEnded = true;
    this.lines.leaveAll();
  }
}
