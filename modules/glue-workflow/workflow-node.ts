/**
 * A crawler or a job of a workflow, declared once. It runs at most once in a run, started by one trigger.
 */
export type WorkflowNode = CrawlNode | JobNode;

/** A crawler of a workflow. */
export interface CrawlNode extends Required<CrawlNodeProps> {
  readonly kind: "crawl";
  /** Its name in triggers, UpperCamel; the id of the trigger that starts it holds it. */
  readonly name: string;
}

/** A job of a workflow. */
export interface JobNode extends Required<JobNodeProps> {
  readonly kind: "job";
  /** Its name in triggers, UpperCamel; the id of the trigger that starts it holds it. */
  readonly name: string;
}

/** The crawler of {@link WorkflowNode}.crawl. */
export interface CrawlNodeProps {
  /** Physical name of the crawler. */
  readonly crawlerName: string;
  /**
   * `true`: the run may succeed though this crawl failed, and the watcher warns of it. It is meant for crawls of the raw zone, which no job
   * waits for: drift is judged from the rows.
   * @default false
   */
  readonly mayFail?: boolean;
}

/** The job of {@link WorkflowNode}.runJob. */
export interface JobNodeProps {
  /** Physical name of the job. */
  readonly jobName: string;
  /**
   * The time-out of a run in minutes, 1 to 10079. It is always written, because a trigger's action without one does not take the job's, but
   * 2880 or 480: https://docs.aws.amazon.com/glue/latest/webapi/API_Action.html
   */
  readonly timeoutMinutes: number;
  /**
   * Arguments of the job's runs in this workflow, without the leading hyphens; they replace the job's arguments of the same names.
   * @default - the job's own
   */
  readonly arguments?: Readonly<Record<string, string>>;
}

/** Makes the nodes of a {@link GlueWorkflow}. */
export const WorkflowNode = {
  /** Crawls with a crawler. */
  crawl(name: string, { crawlerName, mayFail = false }: CrawlNodeProps): CrawlNode {
    return { kind: "crawl", name, crawlerName, mayFail };
  },

  /** Runs a job, with the job's own role. */
  runJob(name: string, { jobName, timeoutMinutes, arguments: given = {} }: JobNodeProps): JobNode {
    return { kind: "job", name, jobName, timeoutMinutes, arguments: given };
  },
};

/** The physical name of a node's crawler or job. */
export const resourceNameOf = (node: WorkflowNode): string =>
  node.kind === "crawl" ? node.crawlerName : node.jobName;

/**
 * The states in which a trigger can watch a crawl or a job run, the one of success first. Runs also end in ERROR and EXPIRED, crawls in ERROR, which
 * no trigger sees: https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html
 */
export const WATCHED_STATES: Readonly<Record<WorkflowNode["kind"], readonly string[]>> = {
  crawl: ["SUCCEEDED", "FAILED", "CANCELLED"],
  job: ["SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"],
};

/** The states that are no success. */
export const failureStatesOf = (kind: WorkflowNode["kind"]): readonly string[] =>
  WATCHED_STATES[kind].filter((state) => state !== SUCCEEDED);

export const SUCCEEDED = "SUCCEEDED";
