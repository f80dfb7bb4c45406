import { triggerScheduleMistakes } from "../schedules/trigger-schedule";
import { MOST_TIMEOUT_MINUTES } from "../core/job-runs";
import { plaintextSecretMistake } from "../core/plaintext-secret";
import { type Mistake } from "../core/refusals";
import { reachMistakes } from "./reach";
import { failureStatesOf, resourceNameOf, WATCHED_STATES, type WorkflowNode } from "./workflow-node";
import { type OnCrawl, readConditions, type ReadCondition, type WorkflowTrigger } from "./workflow-trigger";

export interface Judged {
  readonly name: string;
  readonly nodes: readonly WorkflowNode[];
  readonly triggers: readonly WorkflowTrigger[];
  readonly schedule?: { readonly cron: string; readonly timeZone?: string };
  readonly onCrawl?: OnCrawl;
}

type Known = (value: unknown) => boolean;

/**
 * A larger workflow may fail to resume or to stop:
 * https://docs.aws.amazon.com/glue/latest/dg/creating_running_workflows.html (jobs, crawlers and triggers together)
 */
const MOST_PARTS = 100;
/** "Only two crawlers can be activated by a single trigger": https://docs.aws.amazon.com/glue/latest/dg/about-triggers.html */
const MOST_CRAWLS = 2;
/** The quota "Jobs per trigger": https://docs.aws.amazon.com/general/latest/gr/glue.html */
const MOST_JOBS = 50;

const unless = (ok: boolean, field: string, mistake: string): Mistake[] => (ok ? [] : [[field, mistake]]);
const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(", ");
const repeated = (values: readonly string[], index: number): boolean =>
  values.indexOf(values[index]!) < index;

/** Lists every mistake in a workflow: `[field, mistake]`. */
export function workflowMistakes(given: Judged, isKnown: Known): Mistake[] {
  const { name, nodes, triggers, onCrawl = "ended", schedule } = given;
  const parts = nodes.length + triggers.length;
  const mistakes = [
    ...unless(
      !isKnown(name) || /^[A-Za-z0-9_-]{1,80}$/.test(name),
      "name",
      `must be 1 to 80 letters, digits, hyphens or underscores, got ${JSON.stringify(name)} (${name.length})`,
    ),
    ...unless(
      ["ended", "succeeded"].includes(onCrawl),
      "onCrawl",
      `must be "ended" or "succeeded", got ${JSON.stringify(onCrawl)}`,
    ),
    ...(schedule === undefined || !isKnown(schedule.cron) ? [] : triggerScheduleMistakes(schedule)),
    ...nodes.flatMap((_, index) => nodeMistakes(nodes, index, isKnown)),
    ...unless(
      parts <= MOST_PARTS,
      "nodes",
      `must be at most ${MOST_PARTS} together with 'triggers', or Glue may fail to stop or resume a run, ` +
        `got ${nodes.length} and ${triggers.length}`,
    ),
    ...triggersMistakes(given, isKnown),
  ];
  // A node that is missing or doubled would be reported again as one that nothing reaches.
  return mistakes.length > 0
    ? mistakes
    : [...watchMistakes(nodes, triggers, onCrawl), ...reachMistakes(nodes, triggers, onCrawl)];
}

const NODE_NAME = /^[A-Z][A-Za-z0-9]{0,59}$/;

function nodeMistakes(nodes: readonly WorkflowNode[], index: number, isKnown: Known): Mistake[] {
  const node = nodes[index]!;
  const field = `nodes[${index}]`;
  const names = nodes.map(({ name }) => name);
  const ofKind = nodes.filter(({ kind }) => kind === node.kind);
  const resources = ofKind.map(resourceNameOf);
  const resource = resourceNameOf(node);
  const [what, resourceField] = node.kind === "crawl" ? ["crawler", "crawlerName"] : ["job", "jobName"];
  const first = ofKind[resources.indexOf(resource)]!;
  return [
    ...unless(
      NODE_NAME.test(node.name),
      `${field}.name`,
      `must be UpperCamel of 1 to 60 letters and digits, because it is part of the ids of triggers, got ${JSON.stringify(node.name)}`,
    ),
    ...unless(!repeated(names, index), `${field}.name`, `must not repeat '${node.name}'`),
    ...unless(
      !isKnown(resource) || isPhysicalName(resource),
      `${field}.${resourceField}`,
      `must be the name of a ${what}, 1 to 255 characters, got ${JSON.stringify(resource)}`,
    ),
    ...unless(
      !isKnown(resource) || !repeated(resources, ofKind.indexOf(node)),
      `${field}.${resourceField}`,
      `must not repeat '${resource}', the ${what} of '${first.name}': a ${what} runs once in a run of the workflow`,
    ),
    ...(node.kind === "job" ? jobMistakes(node, field, isKnown) : []),
  ];
}

const isPhysicalName = (name: string): boolean =>
  /^[\u0020-\uD7FF\uE000-\uFFFD]{1,255}$/.test(name) && name.trim() !== "";

function jobMistakes(
  { timeoutMinutes, arguments: given }: Extract<WorkflowNode, { kind: "job" }>,
  field: string,
  isKnown: Known,
): Mistake[] {
  const isMinutes =
    Number.isInteger(timeoutMinutes) && timeoutMinutes >= 1 && timeoutMinutes <= MOST_TIMEOUT_MINUTES;
  return [
    ...unless(
      !isKnown(timeoutMinutes) || isMinutes,
      `${field}.timeoutMinutes`,
      `must be a whole number from 1 to ${MOST_TIMEOUT_MINUTES}, got ${timeoutMinutes}`,
    ),
    ...Object.entries(given).flatMap(([name, value]) => {
      const mistake =
        argumentMistake(name) ?? (isKnown(value) ? plaintextSecretMistake(name, value) : undefined);
      return mistake === undefined ? [] : [[`${field}.arguments.${name}`, mistake] as const];
    }),
  ];
}

function argumentMistake(name: string): string | undefined {
  if (/^WORKFLOW_(NAME|RUN_ID)$/.test(name))
    return "is given by Glue to every job of a workflow; leave it out";
  return name === "" || name.startsWith("-") ? "must be a name without leading hyphens" : undefined;
}

function triggersMistakes({ nodes, triggers, onCrawl = "ended" }: Judged, isKnown: Known): Mistake[] {
  const starts = triggers.filter(({ after }) => after === undefined);
  const names = triggers.map(({ name }) => name);
  return [
    ...unless(
      starts.length === 1,
      "triggers",
      starts.length === 0
        ? "must have one without 'after', which starts the workflow, got none"
        : `must have one without 'after', which starts the workflow, got ${quoted(starts.map(({ name }) => name))}`,
    ),
    ...triggers.flatMap((trigger, index): Mistake[] => [
      ...unless(
        !isKnown(trigger.name) || isPhysicalName(trigger.name),
        `triggers[${index}].name`,
        `must be 1 to 255 characters, got ${JSON.stringify(trigger.name)}`,
      ),
      ...unless(!repeated(names, index), `triggers[${index}].name`, `must not repeat '${trigger.name}'`),
      ...startsMistakes(nodes, triggers, index),
      ...afterMistakes(trigger, index, readConditions(trigger, nodes, onCrawl)),
    ]),
  ];
}

function startsMistakes(
  nodes: readonly WorkflowNode[],
  triggers: readonly WorkflowTrigger[],
  index: number,
): Mistake[] {
  const { starts } = triggers[index]!;
  const field = `triggers[${index}].starts`;
  const earlier = triggers.slice(0, index).flatMap((trigger) => trigger.starts);
  const found = starts.flatMap((name) => nodes.find((node) => node.name === name) ?? []);
  const count = (kind: WorkflowNode["kind"]): number => found.filter((node) => node.kind === kind).length;
  return [
    ...unless(starts.length > 0, field, "must name at least one node"),
    ...starts.flatMap((name, place) => [
      ...unless(
        nodes.some((node) => node.name === name),
        `${field}[${place}]`,
        `must be the name of a node, got '${name}'; the nodes are ${quoted(nodes.map((node) => node.name))}`,
      ),
      ...unless(
        !earlier.includes(name) && !repeated(starts, place),
        `${field}[${place}]`,
        `must not start '${name}' again: a node is started by one trigger; let that one wait for what both wait for`,
      ),
    ]),
    ...unless(
      count("crawl") <= MOST_CRAWLS,
      field,
      `must have at most ${MOST_CRAWLS} crawls, because Glue starts no more by one trigger, got ${count("crawl")}; start them one after the other`,
    ),
    ...unless(
      count("job") <= MOST_JOBS,
      field,
      `must have at most ${MOST_JOBS} jobs, which is Glue's quota for a trigger, got ${count("job")}`,
    ),
  ];
}

function afterMistakes(
  { after, starts }: WorkflowTrigger,
  index: number,
  conditions: readonly ReadCondition[],
): Mistake[] {
  const field = `triggers[${index}].after`;
  const names = conditions.map(({ name }) => name);
  const several = conditions.find(({ states }) => states.length > 1);
  return [
    ...unless(
      after === undefined || after.length > 0,
      field,
      "must name at least one node; leave it out for the start trigger",
    ),
    ...conditions.flatMap(({ name, node, states }, place) => [
      ...unless(node !== undefined, `${field}[${place}]`, `must be the name of a node, got '${name}'`),
      ...unless(!repeated(names, place), `${field}[${place}]`, `must not repeat '${name}'`),
      ...unless(
        !starts.includes(name),
        `${field}[${place}]`,
        `must not be '${name}', which the trigger starts: it would wait for its own action`,
      ),
      ...(node === undefined ? [] : stateMistakes(node, states, `${field}[${place}].states`)),
    ]),
    ...unless(
      conditions.length < 2 || several === undefined,
      field,
      `must have one state for each node if it has several nodes, got ${quoted(several?.states ?? [])} for '${several?.name}': ` +
        'Glue takes all conditions or any of them, and nothing between; start the nodes one after the other, or wait for success only (onCrawl "succeeded")',
    ),
  ];
}

/** The states that exist, but that no trigger sees. */
const UNWATCHED: readonly string[] = [
  ...["STARTING", "RUNNING", "STOPPING", "ERROR", "WAITING", "EXPIRED"],
  "CANCELLING",
];

function stateMistakes({ kind, name }: WorkflowNode, states: readonly string[], field: string): Mistake[] {
  const watched = WATCHED_STATES[kind];
  return [
    ...unless(states.length > 0, field, "must name at least one state"),
    ...states.flatMap((state, index) => [
      ...unless(
        watched.includes(state),
        field,
        `must be of ${watched.join(", ")} for '${name}', a ${kind}, got '${state}'${
          UNWATCHED.includes(state) ? ", which no trigger of Glue sees" : ""
        }`,
      ),
      ...unless(!repeated(states, index), field, `must not repeat '${state}'`),
    ]),
  ];
}

/** Triggers that handle one failure of a node must handle all of them: else a time-out would pass by the branch for failures. */
function watchMistakes(
  nodes: readonly WorkflowNode[],
  triggers: readonly WorkflowTrigger[],
  onCrawl: OnCrawl,
): Mistake[] {
  const conditions = triggers.flatMap((trigger) => readConditions(trigger, nodes, onCrawl));
  return nodes.flatMap((node, index) => {
    const seen = new Set(conditions.filter(({ name }) => name === node.name).flatMap(({ states }) => states));
    const failures = failureStatesOf(node.kind);
    const missing = failures.filter((state) => !seen.has(state));
    return unless(
      missing.length === 0 || missing.length === failures.length,
      `nodes[${index}]`,
      `('${node.name}') has triggers for ${failures.filter((state) => seen.has(state)).join(", ")}, and none for ${missing.join(", ")}: ` +
        "a run that ends so would pass by them; watch all states of failure, or none",
    );
  });
}
