import { resultKey } from "./state-machine-definition";
import { everyStep, type FlowStep, innerFlows } from "./step-data";

/**
 * Lists the mistakes in the order of steps: the step's name, and words that follow it. The checks of the definition would find them too,
 * but would name states of fragments instead of steps.
 */
export function needMistakes(steps: readonly FlowStep[]): [step: string, message: string][] {
  return [...onlyOnce(everyStep(steps)), ...flowMistakes(steps, { before: [], later: [] })];
}

/** The steps around a flow: those that came before it for sure, and the names that its steps may go to. */
interface Around {
  readonly before: readonly FlowStep[];
  readonly later: readonly string[];
}

function flowMistakes(steps: readonly FlowStep[], around: Around): [string, string][] {
  return steps.flatMap((step, place) => {
    const { ways = {}, machines = {} } = step;
    const before = [...around.before, ...steps.slice(0, place)];
    const later = [...steps.slice(place + 1).map(({ name }) => name), ...around.later];
    return [
      ...afterEnd(step, steps[place - 1]),
      ...needsOf(step, before, { own: steps, later }),
      ...Object.values(ways).flatMap((way) => flowMistakes(way, { before, later })),
      ...Object.values(machines)
        .flat()
        .flatMap((machine) => flowMistakes(machine.steps, { before, later: [] })),
    ];
  });
}

/** Checks that no step follows one that ends the execution. */
function afterEnd({ name }: FlowStep, previous: FlowStep | undefined): [string, string][] {
  if (previous === undefined || !endsAlways(previous)) return [];
  return [[name, `comes after '${previous.name}', which always ends the execution: remove one of them`]];
}

/** Tells whether nothing can come behind a step. */
function endsAlways({ isEnd, ways }: FlowStep): boolean {
  const flows = Object.values(ways ?? {});
  return isEnd === true || (flows.length > 0 && flows.every((steps) => steps.some(endsAlways)));
}

const called = ({ kind }: FlowStep): string => (kind === undefined ? "" : `(${kind}) `);

interface Place {
  readonly own: readonly FlowStep[];
  readonly later: readonly string[];
}

function needsOf(step: FlowStep, before: readonly FlowStep[], place: Place): [string, string][] {
  return [
    ...kindsOf(step, before),
    booksOf(step, before, place.own),
    ...readings(step, before),
    ...goings(step, place.later),
  ]
    .filter((message) => message !== undefined)
    .map((message) => [step.name, `${called(step)}${message}`]);
}

/** Checks that a step of the kinds that a step needs comes before it, or inside of one before it. */
function kindsOf({ needs = [] }: FlowStep, before: readonly FlowStep[]): string[] {
  const found = everyStep(before).map(({ kind }) => kind);
  return needs
    .filter(({ kinds }) => !found.some((kind) => kind !== undefined && kinds.includes(kind)))
    .map(
      ({ kinds, why }) =>
        `needs a step of ${kinds.map((kind) => `Step.${kind}`).join(" or ")} before it: ${why}`,
    );
}

/** Checks that the check-books step that a step needs comes before it. */
function booksOf(step: FlowStep, before: readonly FlowStep[], all: readonly FlowStep[]): string | undefined {
  const { name, needsBooks: books } = step;
  if (books === undefined || before.some((one) => one.name === books && isCheckBooks(one))) return undefined;
  const needs = `needs the books of a checkBooks step '${books}' before it`;
  const other = before.find(isCheckBooks);
  if (other !== undefined) return `${needs}; there is '${other.name}': set books: "${other.name}"`;
  const later = all.find(isCheckBooks);
  if (later !== undefined) return `${needs}; put '${later.name}' before '${name}'`;
  return `${needs}; add Step.checkBooks("${books}", …) before '${name}', or leave '${name}' out`;
}

const isCheckBooks = ({ kind }: FlowStep): boolean => kind === "checkBooks";

/** Checks that the results that a step reads exist. */
function readings({ name, reads = [] }: FlowStep, before: readonly FlowStep[]): string[] {
  const keys = reads.flatMap((text) =>
    [...text.matchAll(/\$\.results\.([A-Za-z0-9]+)/g)].map(([, key]) => key!),
  );
  const written = new Set(
    before.filter(({ leavesNoResult }) => leavesNoResult !== true).map((step) => resultKey(step.name)),
  );
  return [...new Set(keys)]
    .filter((key) => !written.has(key))
    .map((key) => {
      const inner = before.find((step) => innerKeys(step).includes(key));
      return (
        `reads $.results.${key}, but no step before '${name}' writes it; ` +
        (inner !== undefined
          ? `it is inside of '${inner.name}': ${pathInside(inner, key)}`
          : written.size === 0
            ? before.length === 0
              ? "it is the first step"
              : "the steps before it write no results"
            : `the steps before it write ${[...written].map((one) => `$.results.${one}`).join(", ")}`)
      );
    });
}

const innerKeys = (step: FlowStep): string[] =>
  innerFlows(step)
    .flatMap(everyStep)
    .map(({ name }) => resultKey(name));

/** How to reach a result that a step inside of another one leaves. */
function pathInside({ name, kind }: FlowStep, key: string): string {
  if (kind === "parallel") return `read $.results.${resultKey(name)}.<branch>.${key}`;
  if (kind === "forEach")
    return `keep it with keep: "$.results.${key}…" and read $.results.${resultKey(name)}.items`;
  return "only one way of a choice is gone, so read it in the same way";
}

/** Checks that steps only go to later steps. */
function goings({ name, goesTo = {} }: FlowStep, later: readonly string[]): string[] {
  return Object.values(goesTo)
    .filter((target) => target !== undefined && !later.includes(target))
    .map(
      (target) =>
        `goes to '${target}', but no step after '${name}' has that name; ` +
        (later.length === 0 ? `'${name}' is the last step` : `the steps after it are ${later.join(", ")}`),
    );
}

/** Two steps of these kinds would fail with the same errors, which could not be told apart. */
function onlyOnce(steps: readonly FlowStep[]): [string, string][] {
  return ["checkBooks", "checkQuality", "acquireLock"].flatMap((kind) => {
    const [first, ...others] = steps.filter((step) => step.kind === kind).map(({ name }) => name);
    return others
      .filter((name) => name !== first)
      .map((name): [string, string] => [
        name,
        `(${kind}) is the second ${kind} step, after '${first}'; a flow may have one: remove one`,
      ]);
  });
}
