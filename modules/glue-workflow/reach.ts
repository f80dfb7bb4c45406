import { type Mistake } from "../core/refusals";
import { type WorkflowNode } from "./workflow-node";
import { type OnCrawl, readConditions, type WorkflowTrigger } from "./workflow-trigger";

/** The states that nodes must end in, by their names, so that something is started. */
type Needs = ReadonlyMap<string, readonly string[]>;

/** Lists the nodes that no run can reach. Each node is started by one trigger at most. */
export function reachMistakes(
  nodes: readonly WorkflowNode[],
  triggers: readonly WorkflowTrigger[],
  onCrawl: OnCrawl,
): Mistake[] {
  const needsOf = needsByNode(nodes, triggers, onCrawl);
  return nodes.flatMap(({ name }, index): Mistake[] => {
    const trigger = triggers.find(({ starts }) => starts.includes(name));
    if (trigger === undefined)
      return [
        [
          `nodes[${index}]`,
          `('${name}') is started by no trigger; name it in 'starts' of one, or leave it out`,
        ],
      ];
    if (needsOf.has(name)) return [];
    return [
      [
        `nodes[${index}]`,
        `('${name}') is never reached: its trigger '${trigger.name}' waits for ${waitedFor(trigger, nodes, onCrawl)}, ` +
          "which does not happen in one run of this workflow",
      ],
    ];
  });
}

/** The needs of each reachable node, found from the start trigger on until nothing is added. */
function needsByNode(
  nodes: readonly WorkflowNode[],
  triggers: readonly WorkflowTrigger[],
  onCrawl: OnCrawl,
): Map<string, Needs> {
  const found = new Map<string, Needs>();
  let size = -1;
  while (found.size > size) {
    size = found.size;
    for (const trigger of triggers) {
      const needs = needsOfTrigger(trigger, found, nodes, onCrawl);
      if (needs !== undefined) for (const name of trigger.starts) found.set(name, needs);
    }
  }
  return found;
}

/** The needs of a trigger: its conditions and what their nodes need; `undefined` if one is not reachable, or two contradict each other. */
function needsOfTrigger(
  trigger: WorkflowTrigger,
  found: ReadonlyMap<string, Needs>,
  nodes: readonly WorkflowNode[],
  onCrawl: OnCrawl,
): Needs | undefined {
  const all = new Map<string, readonly string[]>();
  const add = (name: string, states: readonly string[]): void => {
    const before = all.get(name) ?? states;
    all.set(
      name,
      before.filter((state) => states.includes(state)),
    );
  };
  for (const { name, states } of readConditions(trigger, nodes, onCrawl)) {
    const needs = found.get(name);
    if (needs === undefined) return undefined;
    add(name, states);
    for (const [needed, in_] of needs) add(needed, in_);
  }
  return [...all.values()].some((states) => states.length === 0) ? undefined : all;
}

const waitedFor = (trigger: WorkflowTrigger, nodes: readonly WorkflowNode[], onCrawl: OnCrawl): string =>
  readConditions(trigger, nodes, onCrawl)
    .map(({ name, states }) => `'${name}' (${states.join(", ")})`)
    .join(" and ");
