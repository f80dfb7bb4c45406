import {
  GetJobRunsCommand,
  GetWorkflowRunsCommand,
  type GlueClient,
  type JobRun,
  paginateGetJobs,
  paginateListWorkflows,
} from "@aws-sdk/client-glue";
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ListExecutionsCommand,
  paginateGetExecutionHistory,
  paginateListStateMachines,
  type SFNClient,
} from "@aws-sdk/client-sfn";
import pc from "picocolors";
import { EventLines } from "./execution";
import { NodeLines } from "./workflow-run";

/** Follows all that runs on the bench, whoever started it: each follower is asked again and again, and shows what is new. */

/** Shows a line about one run. `label` names the run in front of it. */
export type Show = (label: string, text: string) => void;

export interface Follower {
  /** Shows what is new since the last call. @returns how many runs are at work */
  look(): Promise<number>;
}

/** How often the names of machines and jobs are asked for, in looks. */
const NAMES_EVERY = 10;
/** Runs of one job or machine that can begin between two looks. */
const MOST_NEW = 20;
/** The input by which AWS links a nested execution to the one that started it. */
const STARTED_BY = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID";

/**
 * Executions of all state machines. A nested one, such as a crawl, is a step of the one that started it, and is not followed by
 * itself.
 */
export class ExecutionFollower implements Follower {
  private readonly known = new Map<string, Followed>();
  private readonly machines: Names;

  constructor(
    private readonly sfn: SFNClient,
    private readonly since: Date,
    private readonly show: Show,
  ) {
    this.machines = new Names(async function* () {
      for await (const { stateMachines = [] } of paginateListStateMachines({ client: sfn }, {}))
        for (const { stateMachineArn } of stateMachines) yield stateMachineArn!;
    });
  }

  async look(): Promise<number> {
    await Promise.all((await this.machines.current()).map((machine) => this.find(machine)));
    const working = [...this.known.values()].filter(({ isWorking }) => isWorking);
    // One after the other: each shows its lines together.
    for (const one of working) await one.look();
    return working.length;
  }

  private async find(stateMachineArn: string): Promise<void> {
    const asked = new ListExecutionsCommand({ stateMachineArn, maxResults: MOST_NEW });
    const { executions = [] } = (await orNothing(this.sfn.send(asked))) ?? {};
    for (const { executionArn, startDate, status } of [...executions].reverse()) {
      const known = this.known.get(executionArn!);
      // A redrive goes on with an execution that had ended.
      if (known !== undefined) known.isWorking ||= status === "RUNNING";
      else if (status === "RUNNING" || startDate! >= this.since)
        this.known.set(executionArn!, new Followed(this.sfn, executionArn!, this.show));
    }
  }
}

/** One execution, state by state. */
class Followed {
  isWorking = true;
  private begun = false;
  private isNested = false;
  private readonly label: string;
  private readonly lines: EventLines;

  constructor(
    private readonly sfn: SFNClient,
    private readonly executionArn: string,
    private readonly show: Show,
  ) {
    this.label = executionLabel(executionArn);
    const line = (text: string) => this.show(this.label, text.trimStart());
    this.lines = new EventLines({ line, note: line });
  }

  async look(): Promise<void> {
    const { executionArn } = this;
    const described = await this.sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (!this.begun) this.begin(described);
    if (!this.isNested) {
      const asked = { executionArn };
      for await (const { events = [] } of paginateGetExecutionHistory({ client: this.sfn }, asked))
        this.lines.show(events);
      this.lines.showAlive();
    }
    if (described.status === "RUNNING") return;
    this.isWorking = false;
    if (!this.isNested) this.end(described);
  }

  private begin({ input }: DescribeExecutionCommandOutput): void {
    this.begun = true;
    this.isNested = startedBy(input) !== undefined;
    if (!this.isNested) this.show(this.label, `started with ${short(input ?? "{}")}`);
  }

  private end({ status, error, cause, startDate, stopDate }: DescribeExecutionCommandOutput): void {
    this.lines.end(status === "SUCCEEDED");
    const why = error === undefined ? "" : `: ${error}${cause === undefined ? "" : `: ${short(cause)}`}`;
    this.show(this.label, `${ended(status!)} ${pc.dim(secondsBetween(startDate, stopDate))}${why}`);
  }
}

/** Runs of all Glue jobs, also of those that a person started. */
export class JobRunFollower implements Follower {
  private readonly states = new Map<string, string>();
  private readonly jobs: Names;

  constructor(
    private readonly glue: GlueClient,
    private readonly since: Date,
    private readonly show: Show,
  ) {
    this.jobs = new Names(async function* () {
      for await (const { Jobs = [] } of paginateGetJobs({ client: glue }, {}))
        for (const { Name } of Jobs) yield Name!;
    });
  }

  async look(): Promise<number> {
    const found = await Promise.all((await this.jobs.current()).map((job) => this.find(job)));
    return found.reduce((sum, working) => sum + working, 0);
  }

  private async find(JobName: string): Promise<number> {
    const asked = new GetJobRunsCommand({ JobName, MaxResults: MOST_NEW });
    const { JobRuns = [] } = (await orNothing(this.glue.send(asked))) ?? {};
    let working = 0;
    for (const run of [...JobRuns].reverse()) {
      const [id, state] = [run.Id!, run.JobRunState!];
      const isWorking = !ENDED_RUNS.includes(state);
      working += Number(isWorking);
      const isNew = this.states.has(id) || isWorking || run.StartedOn! >= this.since;
      if (!isNew || this.states.get(id) === state) continue;
      this.states.set(id, state);
      this.show(`job ${JobName} ${id.slice(0, "jr_".length + ID)}`, stateOfRun(run));
    }
    return working;
  }
}

/** Runs of Glue workflows, crawl by crawl and job by job. */
export class WorkflowFollower implements Follower {
  private readonly known = new Map<string, NodeLines>();
  private readonly workflows: Names;

  constructor(
    private readonly glue: GlueClient,
    private readonly since: Date,
    private readonly show: Show,
  ) {
    this.workflows = new Names(async function* () {
      for await (const { Workflows = [] } of paginateListWorkflows({ client: glue }, {})) yield* Workflows;
    });
  }

  async look(): Promise<number> {
    const found = await Promise.all((await this.workflows.current()).map((name) => this.find(name)));
    return found.reduce((sum, working) => sum + working, 0);
  }

  private async find(Name: string): Promise<number> {
    const asked = new GetWorkflowRunsCommand({ Name, IncludeGraph: true, MaxResults: MOST_NEW });
    const { Runs = [] } = (await orNothing(this.glue.send(asked))) ?? {};
    let working = 0;
    for (const run of [...Runs].reverse()) {
      const isWorking = run.Status === "RUNNING" || run.Status === "STOPPING";
      working += Number(isWorking);
      const label = `${Name} ${run.WorkflowRunId!.slice(0, "wr_".length + ID)}`;
      let lines = this.known.get(run.WorkflowRunId!);
      if (lines === undefined && !isWorking && run.StartedOn! < this.since) continue;
      if (lines === undefined) {
        const line = (text: string) => this.show(label, text.trimStart());
        lines = new NodeLines({ line, note: line });
        this.known.set(run.WorkflowRunId!, lines);
        this.show(label, `started with ${short(JSON.stringify(run.WorkflowRunProperties ?? {}))}`);
      }
      if (lines.isEnded) continue;
      lines.show(run.Graph?.Nodes ?? []);
      if (isWorking) continue;
      lines.end();
      this.show(label, `${run.Status} ${pc.dim(secondsBetween(run.StartedOn, run.CompletedOn))}`);
    }
    return working;
  }
}

const ENDED_RUNS: readonly string[] = ["SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"];

function stateOfRun({ JobRunState, ExecutionTime, ErrorMessage }: JobRun): string {
  if (!ENDED_RUNS.includes(JobRunState!)) return JobRunState!.toLowerCase();
  const why = ErrorMessage === undefined ? "" : `: ${short(ErrorMessage)}`;
  return `${ended(JobRunState!)} ${pc.dim(`${ExecutionTime ?? 0} s`)}${why}`;
}

/** Names that change only with a deployment. */
class Names {
  private names: readonly string[] = [];
  private looks = 0;

  constructor(private readonly ask: () => AsyncGenerator<string>) {}

  async current(): Promise<readonly string[]> {
    if (this.looks++ % NAMES_EVERY === 0) {
      const found: string[] = [];
      for await (const name of this.ask()) found.push(name);
      this.names = found;
    }
    return this.names;
  }
}

/** Characters of an id that tell runs of one day apart. */
const ID = 4;

/** Matches what all names of executions that files start begin with. */
const STARTED_BY_FILES = /^arrival-/;

/** `etl-dev-events e44e`: the machine, and the first characters of the execution's name that other names do not share. */
export function executionLabel(executionArn: string): string {
  const [machine = "", name = ""] = executionArn.split(":").slice(-2);
  return `${machine} ${name.replace(STARTED_BY_FILES, "").slice(0, ID)}`;
}

/** The execution that started this one; `undefined` for one that a person, a schedule or a rule started. */
export function startedBy(input: string | undefined): string | undefined {
  try {
    const parsed: unknown = JSON.parse(input ?? "");
    const found = (parsed as Record<string, unknown> | null)?.[STARTED_BY];
    return typeof found === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}

const MOST_SHOWN = 300;

/** On one line, and not too long. */
export function short(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= MOST_SHOWN ? line : `${line.slice(0, MOST_SHOWN)} …`;
}

function ended(status: string): string {
  return status === "SUCCEEDED" ? pc.green(status) : pc.red(status);
}

function secondsBetween(start: Date | undefined, end: Date | undefined): string {
  return `${(((end ?? new Date()).getTime() - (start ?? new Date()).getTime()) / 1000).toFixed(1)} s`;
}

/** A machine or a job may be destroyed between the list of names and the question about its runs. */
async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (["StateMachineDoesNotExist", "EntityNotFoundException"].includes((error as Error).name))
      return undefined;
    throw error;
  }
}
