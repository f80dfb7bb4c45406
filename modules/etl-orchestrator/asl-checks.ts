import {
  catchers,
  choices,
  errorEquals,
  everyState,
  innerMachines,
  isObject,
  isSuccess,
  reachable,
  regularSuccessors,
  retriers,
  successors,
  type Definition,
  type JsonObject,
  type State,
} from "./asl";
import { lostInputs } from "./lost-input";
import { integrationMistake, integrationOf } from "./service-integrations";

/**
 * Checks every definition passes at synth, composed or written by hand. Pure. AWS checks a definition only when a plan
 * knows all of it, and knows nothing of data flow or of what a failure is.
 */

export interface Finding {
  /** The state it is about; empty for the machine. */
  readonly state: string;
  readonly what: string;
  readonly remedy: string;
}

export interface AslCheckOptions {
  /** States that look like a failure's way and may end in success. */
  readonly successAfterFailure?: readonly string[];
  /** Job-run states that may retry every error, because what they run can be repeated. */
  readonly retriesEveryError?: readonly string[];
  /** `false` for a string that holds an unresolved token. */
  readonly isKnown?: (value: string) => boolean;
}

export const formatFinding = ({ state, what, remedy }: Finding): string =>
  `${state === "" ? "the definition" : `state ${state}`}: ${what} (${remedy})`;

/** All findings, those of inner machines included; an empty list is a definition that may be deployed. */
export function checkDefinition(definition: Definition, options: AslCheckOptions = {}): Finding[] {
  return [
    ...machineFindings(definition, options),
    ...everyState(definition).flatMap(({ name, state }) => stateFindings(name, state, options)),
    ...lostInputs(definition).map(({ state, path, by }) => ({
      state,
      what: `reads ${path}, which ${by} replaced`,
      remedy: `give ${by} a "ResultPath" (null, or $.results.<step>), or write "ResultPath": "$" there if it is meant`,
    })),
  ];
}

const STATE_TYPES = ["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"];
const WITHOUT_NEXT = ["Choice", "Succeed", "Fail"];
const MOST_NAME_CHARACTERS = 80;

function machineFindings(machine: Definition, options: AslCheckOptions): Finding[] {
  const { States: states } = machine;
  const names = Object.keys(states);
  const findings: Finding[] = [];
  const find = (state: string, what: string, remedy: string) => findings.push({ state, what, remedy });

  if (machine.QueryLanguage !== undefined && machine.QueryLanguage !== "JSONPath")
    find("", `the query language ${machine.QueryLanguage} is not followed here`, "write JSONPath");
  if (states[machine.StartAt] === undefined)
    find("", `StartAt names ${machine.StartAt}, which is no state`, `name one of ${names.join(", ")}`);
  const reached = reachable(states, machine.StartAt);
  for (const [name, state] of Object.entries(states)) {
    for (const next of new Set(successors(state)))
      if (states[next] === undefined)
        find(name, `goes to ${next}, which is no state`, `name one of ${names.join(", ")}`);
    if (!reached.has(name) && states[machine.StartAt] !== undefined)
      find(name, "cannot be reached", "lead a state to it or remove it");
    const canEnd = [...reachable(states, name)].some((other) => {
      const end = states[other];
      return end !== undefined && (isSuccess(end) || end.Type === "Fail");
    });
    if (reached.has(name) && !canEnd)
      find(name, "leads to no end", 'lead it to a state with "End": true, a Succeed or a Fail');
    findings.push(...failureFindings(states, name, state, options));
  }
  for (const state of Object.values(states))
    for (const inner of innerMachines(state)) findings.push(...machineFindings(inner, options));
  return findings;
}

/** A whole word of a state's name that says that something went wrong. */
const FAILURE_WORD =
  /(?<![A-Za-z])(?:fail(?:s|ed|ure)?|errors?|issues?|problems?|invalid|reject(?:s|ed)?|refuse[sd]?|wrong|broken|exceeded|cancelled)(?![a-z])/i;
const words = (name: string) =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");

/** Failing paths that end in success: what a catcher leads to, and what is named like a failure. */
function failureFindings(
  states: Readonly<Record<string, State>>,
  name: string,
  state: State,
  { successAfterFailure = [] }: AslCheckOptions,
): Finding[] {
  const success = (from: string, without: ReadonlySet<string>) =>
    [...reachable(states, from, without)].find((other) => {
      const end = states[other];
      return end !== undefined && isSuccess(end);
    });
  const findings: Finding[] = [];
  // Coming back to the state that failed is trying again, so a way through it is not a way around it.
  for (const catcher of catchers(state)) {
    const target = typeof catcher.Next === "string" ? catcher.Next : undefined;
    if (target === undefined || successAfterFailure.includes(target)) continue;
    const end = success(target, new Set([name]));
    if (end !== undefined)
      findings.push({
        state: name,
        what: `an error caught here goes to ${target} and ends in success at ${end}`,
        remedy: "end that way in a Fail state, or do not catch: a failed Task can be redriven",
      });
  }
  const isCaught = Object.values(states).some((other) => catchers(other).some((rule) => rule.Next === name));
  if (
    FAILURE_WORD.test(words(name)) &&
    state.Type !== "Choice" &&
    !isCaught &&
    !successAfterFailure.includes(name)
  ) {
    const end = success(name, new Set());
    if (end !== undefined)
      findings.push({
        state: name,
        what: `is named like a failure and ends in success at ${end}`,
        remedy: "end that way in a Fail state, or list the state in 'successAfterFailure'",
      });
  }
  return findings;
}

function stateFindings(name: string, state: State, options: AslCheckOptions): Finding[] {
  const findings: Finding[] = [];
  const find = (what: string, remedy: string) => findings.push({ state: name, what, remedy });
  const type = typeof state.Type === "string" ? state.Type : "";

  if (name.length > MOST_NAME_CHARACTERS)
    find(`its name has ${name.length} characters`, `use at most ${MOST_NAME_CHARACTERS}`);
  if (!STATE_TYPES.includes(type))
    find(`its type is ${type || "missing"}`, `write one of ${STATE_TYPES.join(", ")}`);
  if (state.QueryLanguage !== undefined && state.QueryLanguage !== "JSONPath")
    find("uses another query language than JSONPath", "write JSONPath");
  if (
    "Assign" in state ||
    choices(state).some((rule) => "Assign" in rule) ||
    catchers(state).some((rule) => "Assign" in rule)
  )
    find("uses Assign, on which interpreters disagree", "carry values in the state: ResultPath");
  if (!WITHOUT_NEXT.includes(type)) {
    const ways = (typeof state.Next === "string" ? 1 : 0) + (state.End === true ? 1 : 0);
    if (ways === 0) find("has neither Next nor End", 'write "Next" or "End": true');
    if (ways === 2) find("has both Next and End", "write one of them");
  }
  if (type === "Choice" && state.Default === undefined)
    find("is a Choice without Default: an unforeseen value fails without a reason", "write a Default");
  if (type === "Choice" && regularSuccessors(state).length === 0) find("leads nowhere", "write Choices");
  if (type === "Fail") {
    if (state.Error === undefined && state.ErrorPath === undefined)
      find("is a Fail without Error", "write Error: the failure rules sort messages by it");
    if (state.Cause === undefined && state.CausePath === undefined)
      find("is a Fail without Cause", "write Cause or CausePath: somebody has to act on it");
  }
  if (type === "Task") findings.push(...taskFindings(name, state, options));
  findings.push(...retryFindings(name, state, options));
  findings.push(...anyErrorFindings(name, "Catch", catchers(state)));
  return findings;
}

function taskFindings(name: string, state: State, { isKnown }: AslCheckOptions): Finding[] {
  const findings: Finding[] = [];
  const find = (what: string, remedy: string) => findings.push({ state: name, what, remedy });
  const { Resource: resource, TimeoutSeconds: timeout, HeartbeatSeconds: heartbeat } = state;
  if (typeof resource !== "string") {
    find("is a Task without Resource", "write the ARN of an integration or a function");
    return findings;
  }
  const mistake = integrationMistake(resource, isKnown);
  if (mistake !== undefined) find(mistake.what, mistake.remedy);
  if (
    /\.(sync|sync:2|waitForTaskToken)$/.test(resource) &&
    timeout === undefined &&
    !("TimeoutSecondsPath" in state)
  )
    find("waits without TimeoutSeconds, which is 99999999 s", "write TimeoutSeconds above what it waits for");
  if (typeof timeout === "number" && typeof heartbeat === "number" && heartbeat >= timeout)
    find(
      `HeartbeatSeconds ${heartbeat} is not below TimeoutSeconds ${timeout}`,
      "write a smaller HeartbeatSeconds",
    );
  return findings;
}

function anyErrorFindings(name: string, field: string, rules: readonly JsonObject[]): Finding[] {
  return rules.flatMap((rule, index) => {
    const errors = errorEquals(rule);
    if (!errors.includes("States.ALL")) return [];
    const alone = errors.length === 1;
    const last = index === rules.length - 1;
    return alone && last
      ? []
      : [
          {
            state: name,
            what: `States.ALL in ${field} is ${alone ? "not last" : "not alone"}`,
            remedy: "give it a rule of its own at the end",
          },
        ];
  });
}

function retryFindings(name: string, state: State, options: AslCheckOptions): Finding[] {
  const rules = retriers(state);
  const findings: Finding[] = anyErrorFindings(name, "Retry", rules);
  const find = (what: string, remedy: string) => findings.push({ state: name, what, remedy });
  for (const rule of rules) {
    const {
      BackoffRate: backoff,
      JitterStrategy: jitter,
      MaxDelaySeconds: delay,
      IntervalSeconds: interval,
    } = rule;
    if (typeof backoff === "number" && backoff < 1)
      find(`BackoffRate ${backoff} is below 1`, "write 1 or more");
    if (jitter !== undefined && jitter !== "FULL" && jitter !== "NONE")
      find(`JitterStrategy ${JSON.stringify(jitter)} does not exist`, "write FULL or NONE");
    if (typeof delay === "number" && typeof interval === "number" && delay <= interval)
      find(`MaxDelaySeconds ${delay} is not above IntervalSeconds ${interval}`, "write a greater one");
  }
  const resource = typeof state.Resource === "string" ? integrationOf(state.Resource).call : "";
  if (resource === "glue:startJobRun" && !(options.retriesEveryError ?? []).includes(name))
    for (const every of ["States.TaskFailed", "States.ALL"])
      if (rules.some((rule) => errorEquals(rule).includes(every) && rule.MaxAttempts !== 0))
        find(
          `retries ${every}, so a run that failed for a reason is run and paid again`,
          "retry only what never started (Step.runJob does), or list the state in 'retriesEveryError'",
        );
  return findings;
}

/** Errors that the machine's own Fail states raise: repeating a Fail state cannot help. */
export const failErrors = (definition: Definition): string[] =>
  [
    ...new Set(
      everyState(definition)
        .filter(({ state }) => state.Type === "Fail" && typeof state.Error === "string")
        .map(({ state }) => state.Error as string),
    ),
  ].sort();

/** Reads a hand-written definition. @throws Error when it has not the shape of one. */
export function asDefinition(value: unknown): Definition {
  if (!isObject(value) || typeof value.StartAt !== "string" || !isObject(value.States))
    throw new Error("is no state machine definition: it needs StartAt and States");
  if (!Object.values(value.States).every(isObject)) throw new Error("holds a state that is no object");
  return value as unknown as Definition;
}
