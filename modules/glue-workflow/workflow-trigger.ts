import { SUCCEEDED, WATCHED_STATES, type WorkflowNode } from "./workflow-node";

/** A trigger of a workflow. The one without `after` is the start trigger. */
export interface WorkflowTrigger {
  /** Physical name, 1 to 255 characters. */
  readonly name: string;
  /**
   * The nodes to wait for: all of them. A name alone waits for success, or, for a crawl that may fail, for its end.
   * @default - none: it is the start trigger, of which a workflow has one
   */
  readonly after?: readonly (string | WorkflowCondition)[];
  /** The names of the nodes to start, each by this trigger only; at most two crawls. */
  readonly starts: readonly string[];
}

/** A node and the states that a trigger waits for, any of them. */
export interface WorkflowCondition {
  /** The node's name. */
  readonly node: string;
  /**
   * Crawl: SUCCEEDED, FAILED, CANCELLED. Job: SUCCEEDED, FAILED, TIMEOUT, STOPPED. One state of failure needs all the others.
   */
  readonly states: readonly string[];
}

/**
 * The moment at which a trigger behind a crawl that may fail fires: at its end, whatever that is, or at its success only. Then a failed crawl ends the
 * chain, and the run has failed.
 */
export type OnCrawl = "ended" | "succeeded";

/** A step of {@link workflowChain}. */
export interface WorkflowChainStep {
  /** Physical name of the trigger that starts the node. */
  readonly trigger: string;
  /** The crawl or the job. */
  readonly node: WorkflowNode;
}

/** The nodes and triggers of a {@link GlueWorkflow} that runs one node after the other. */
export function workflowChain(steps: readonly WorkflowChainStep[]): {
  readonly nodes: readonly WorkflowNode[];
  readonly triggers: readonly WorkflowTrigger[];
} {
  return {
    nodes: steps.map(({ node }) => node),
    triggers: steps.map(({ trigger: name, node }, index) => ({
      name,
      ...(index === 0 ? {} : { after: [steps[index - 1]!.node.name] }),
      starts: [node.name],
    })),
  };
}

/** A condition with its states written out; `node` is `undefined` if no node has that name. */
export interface ReadCondition {
  readonly name: string;
  readonly node: WorkflowNode | undefined;
  readonly states: readonly string[];
}

export function readConditions(
  { after = [] }: WorkflowTrigger,
  nodes: readonly WorkflowNode[],
  onCrawl: OnCrawl,
): ReadCondition[] {
  return after.map((given) => {
    const { node: name, states = undefined } = typeof given === "string" ? { node: given } : given;
    const node = nodes.find((one) => one.name === name);
    return { name, node, states: states ?? defaultStates(node, onCrawl) };
  });
}

const defaultStates = (node: WorkflowNode | undefined, onCrawl: OnCrawl): readonly string[] =>
  node?.kind === "crawl" && node.mayFail && onCrawl === "ended" ? WATCHED_STATES.crawl : [SUCCEEDED];
