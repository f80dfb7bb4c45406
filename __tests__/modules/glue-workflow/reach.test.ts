import { reachMistakes } from "../../../modules/glue-workflow/reach";
import { WATCHED_STATES, WorkflowNode } from "../../../modules/glue-workflow/workflow-node";
import { readConditions, type WorkflowTrigger } from "../../../modules/glue-workflow/workflow-trigger";

/** Which nodes a run can reach, against a model that plays every possible run. */

/** A generator of whole numbers from a seed, the same on every computer. */
function dice(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0;
    return (state >>> 8) % below;
  };
}

function anyWorkflow(roll: (below: number) => number) {
  const count = 2 + roll(4);
  const nodes = Array.from({ length: count }, (_, index): WorkflowNode =>
    roll(2) === 0
      ? WorkflowNode.crawl(`N${index}`, { crawlerName: `crawl-${index}`, mayFail: roll(2) === 0 })
      : WorkflowNode.runJob(`N${index}`, { jobName: `job-${index}`, timeoutMinutes: 1 }),
  );
  // Each may wait for any other node, also for one that comes after it.
  const triggers = nodes.map(({ name }, index): WorkflowTrigger => {
    if (index === 0) return { name: "start", starts: [name] };
    const watched = [...new Set([roll(count), roll(count), roll(count)].slice(roll(3)))].filter(
      (one) => one !== index,
    );
    const after = (watched.length === 0 ? [0] : watched).map((one) => {
      const states = WATCHED_STATES[nodes[one]!.kind];
      return { node: `N${one}`, states: roll(2) === 0 ? [states[roll(states.length)]!] : states.slice(1) };
    });
    return { name: `t${index}`, after, starts: [name] };
  });
  return { nodes, triggers };
}

/** Plays every combination of ends and collects the nodes that ran in any of them. */
function played(nodes: readonly WorkflowNode[], triggers: readonly WorkflowTrigger[]): Set<string> {
  const found = new Set<string>();
  const go = (ends: ReadonlyMap<string, string>, waiting: readonly string[]): void => {
    const [name, ...rest] = waiting;
    if (name === undefined) return;
    found.add(name);
    const node = nodes.find((one) => one.name === name)!;
    for (const state of WATCHED_STATES[node.kind]) {
      const known = new Map([...ends, [name, state]]);
      const due = triggers.filter(
        (trigger) =>
          trigger.after !== undefined &&
          !trigger.starts.some((one) => known.has(one) || rest.includes(one)) &&
          readConditions(trigger, nodes, "ended").every(({ name: one, states }) =>
            states.includes(known.get(one) ?? ""),
          ),
      );
      go(known, [...rest, ...due.flatMap(({ starts }) => starts)]);
    }
  };
  go(new Map(), triggers[0]!.starts);
  return found;
}

test("the nodes that are never reached are those that no played run has", () => {
  const seen = { reached: 0, unreached: 0 };
  for (let seed = 0; seed < 400; seed++) {
    const { nodes, triggers } = anyWorkflow(dice(seed));
    const found = played(nodes, triggers);
    const expected = nodes.flatMap(({ name }, index) => (found.has(name) ? [] : [`nodes[${index}]`]));
    expect({ seed, fields: reachMistakes(nodes, triggers, "ended").map(([field]) => field) }).toEqual({
      seed,
      fields: expected,
    });
    seen.reached += found.size;
    seen.unreached += expected.length;
  }
  expect(Math.min(seen.reached, seen.unreached)).toBeGreaterThan(200);
});
