import {
  catchers,
  errorEquals,
  innerMachines,
  isSuccess,
  reachable,
  type Definition,
  type State,
} from "./asl";
import { Findings, type AslCheckOptions, type Finding } from "./finding";

/** Checks that failures end in failure, and that nothing prevents a redrive. */

type States = Readonly<Record<string, State>>;

/** Matches words for failure in a state's name. */
const FAILURE_WORD =
  /(?<![A-Za-z])(?:fail(?:s|ed|ure)?|errors?|issues?|problems?|invalid|reject(?:s|ed)?|refuse[sd]?|wrong|broken|exceeded|cancelled)(?![a-z])/i;
const words = (name: string) =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");

/** Tells whether a state is named like a failure. */
export const isNamedLikeFailure = (name: string): boolean => FAILURE_WORD.test(words(name));

const EVERY_ERROR = ["States.ALL", "States.TaskFailed"];

/** Lists the findings about failure paths of a machine, inner machines included. */
export function failurePathFindings(machine: Definition, options: AslCheckOptions): Finding[] {
  return Object.entries(machine.States).flatMap(([name, state]) => [
    ...caughtFindings(machine.States, name, state, options),
    ...namedFindings(machine.States, name, state, options),
    ...innerMachines(state).flatMap((inner) => failurePathFindings(inner, options)),
  ]);
}

/** An end state of one kind that can be reached without entering one of `without`. */
const endFrom = (
  states: States,
  from: string,
  without: ReadonlySet<string>,
  isEnd: (state: State) => boolean,
) =>
  [...reachable(states, from, without)].find((name) => {
    const state = states[name];
    return state !== undefined && isEnd(state);
  });

/** Checks caught errors. A way back to the failed state is a retry, so ways through it are not followed. */
function caughtFindings(
  states: States,
  name: string,
  state: State,
  { successAfterFailure = [] }: AslCheckOptions,
): Finding[] {
  const findings = new Findings(name);
  for (const catcher of catchers(state)) {
    const target = typeof catcher.Next === "string" ? catcher.Next : undefined;
    if (target === undefined) continue;
    const success = endFrom(states, target, new Set([name]), isSuccess);
    if (success !== undefined && !successAfterFailure.includes(target))
      findings.find(
        "caught-success",
        `an error caught here goes to ${target} and ends in success at ${success}`,
        "end that way in a Fail state, or do not catch: a failed Task can be redriven",
      );
    const fail = endFrom(states, target, new Set([name]), ({ Type }) => Type === "Fail");
    const every = EVERY_ERROR.find((error) => errorEquals(catcher).includes(error));
    if (success === undefined && fail !== undefined && every !== undefined)
      findings.find(
        "redrive",
        `catches ${every} and ends in the Fail state ${fail}, where a redrive fails again`,
        "do not catch: let the Task fail, and report it by rules on the machine's status events",
      );
  }
  return findings.all;
}

function namedFindings(
  states: States,
  name: string,
  state: State,
  { successAfterFailure = [] }: AslCheckOptions,
): Finding[] {
  const findings = new Findings(name);
  const isCaught = Object.values(states).some((other) => catchers(other).some((rule) => rule.Next === name));
  if (!isNamedLikeFailure(name) || state.Type === "Choice") return [];
  if (isCaught || successAfterFailure.includes(name)) return [];
  const end = endFrom(states, name, new Set(), isSuccess);
  if (end !== undefined)
    findings.find(
      "named-failure",
      `is named like a failure and ends in success at ${end}`,
      "end that way in a Fail state, or list the state in 'successAfterFailure'",
    );
  return findings.all;
}
