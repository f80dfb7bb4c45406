import { resultKey } from "./state-machine-definition";
import { type Step } from "./step";

/**
 * Lists the mistakes in the order of steps: the step's name, and words that follow it. The checks of the definition would find them too,
 * but would name states of fragments instead of steps.
 */
export function needMistakes(steps: readonly Step[]): [step: string, message: string][] {
  return [...onlyOnce(steps), ...steps.flatMap((step, place) => needsOf(step, steps.slice(0, place), steps))];
}

const called = ({ kind }: Step): string => (kind === undefined ? "" : `(${kind}) `);

function needsOf(step: Step, before: readonly Step[], all: readonly Step[]): [string, string][] {
  return [booksOf(step, before, all), ...readings(step, before), ...goings(step, all)]
    .filter((message) => message !== undefined)
    .map((message) => [step.name, `${called(step)}${message}`]);
}

/** Checks that the check-books step that a step needs comes before it. */
function booksOf(step: Step, before: readonly Step[], all: readonly Step[]): string | undefined {
  const { name, needsBooks: books } = step;
  if (books === undefined || before.some((one) => one.name === books && isCheckBooks(one))) return undefined;
  const needs = `needs the books of a checkBooks step '${books}' before it`;
  const other = before.find(isCheckBooks);
  if (other !== undefined) return `${needs}; there is '${other.name}': set books: "${other.name}"`;
  const later = all.find(isCheckBooks);
  if (later !== undefined) return `${needs}; put '${later.name}' before '${name}'`;
  return `${needs}; add Step.checkBooks("${books}", …) before '${name}', or leave '${name}' out`;
}

const isCheckBooks = ({ kind }: Step): boolean => kind === "checkBooks";

/** Checks that the results that a job run's arguments are read from exist. */
function readings({ name, values }: Step, before: readonly Step[]): string[] {
  const args = Object.values((values.Arguments ?? {}) as Readonly<Record<string, unknown>>);
  const keys = args.flatMap((value) => /^\$\.results\.([A-Za-z0-9]+)/.exec(String(value))?.[1] ?? []);
  const left = before.map((step) => resultKey(step.name));
  return [...new Set(keys)]
    .filter((key) => !left.includes(key))
    .map(
      (key) =>
        `reads $.results.${key}, but no step before '${name}' writes it; ` +
        (left.length === 0
          ? "it is the first step"
          : `the steps before it write ${left.map((one) => `$.results.${one}`).join(", ")}`),
    );
}

/** Checks that steps only go to later steps. */
function goings({ name, goesTo = {} }: Step, all: readonly Step[]): string[] {
  const later = all.slice(all.findIndex((step) => step.name === name) + 1).map((step) => step.name);
  return Object.values(goesTo)
    .filter((target) => target !== undefined && !later.includes(target))
    .map(
      (target) =>
        `goes to '${target}', but no step after '${name}' has that name; ` +
        (later.length === 0 ? `'${name}' is the last step` : `the steps after it are ${later.join(", ")}`),
    );
}

/** Two steps of these kinds would fail with the same errors, which could not be told apart. */
function onlyOnce(steps: readonly Step[]): [string, string][] {
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
