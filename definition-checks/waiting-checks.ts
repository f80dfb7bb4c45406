import {
  choices,
  innerMachines,
  isObject,
  isSuccess,
  reachable,
  regularSuccessors,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "./asl";
import { type Reading } from "./data-flow";
import { originsIn, type Origin } from "./data-shape";
import { Findings, type Finding } from "./finding";
import { serviceOf } from "./service-errors";
import { integrationOf } from "./service-integrations";
import {
  ASYNC_STARTS,
  CRAWL_STATE,
  CRAWL_VERDICT,
  STATUSES,
  WORKFLOW_STATE,
  WORKFLOW_VERDICTS,
  type StatusKind,
} from "./service-statuses";

type States = Readonly<Record<string, State>>;

/**
 * Checks that a machine waits for what it starts, inner machines included.
 *
 * @param all the readings of the definition
 */
export function waitingFindings(machine: Definition, all: readonly Reading[]): Finding[] {
  const { States: states } = machine;
  const looks = statusReadings(all).filter(({ state }) => states[state] !== undefined);
  const started = new Set(Object.values(states).map(callOf));
  return [
    ...Object.entries(states).flatMap(([name, state]) => [
      ...startFindings(states, name, state),
      ...blindFindings(states, name, state),
      ...newestRunFindings(name, state),
      ...innerMachines(state).flatMap((inner) => waitingFindings(inner, all)),
    ]),
    ...looks.flatMap((one) => statusFindings(states, one, started)),
    ...verdictFindings(looks, started),
    ...workflowFindings(looks, all, started),
  ];
}

const resourceOf = (state: State): string => (typeof state.Resource === "string" ? state.Resource : "");
const callOf = (state: State): string => {
  const { call, pattern } = integrationOf(resourceOf(state));
  return state.Type === "Task" ? call + pattern : "";
};

/** Reports ways from a start to a success without a Wait. */
function startFindings(states: States, name: string, state: State): Finding[] {
  const start = ASYNC_STARTS[callOf(state)];
  if (start === undefined) return [];
  const findings = new Findings(name);
  const waits = new Set(Object.keys(states).filter((other) => states[other]?.Type === "Wait"));
  const ends = [...new Set(regularSuccessors(state).flatMap((next) => [...reachable(states, next, waits)]))];
  const success = isSuccess(state)
    ? name
    : ends.find((other) => states[other] !== undefined && isSuccess(states[other]));
  if (success !== undefined)
    findings.find(
      "async-start",
      `starts ${start.what} and does not wait for it: the execution succeeds at ${success} while it still runs`,
      start.remedy,
    );
  return findings.all;
}

/** Reports starts after which nobody can ask for the end: no later state calls the service, a function or a machine. */
function blindFindings(states: States, name: string, state: State): Finding[] {
  const start = ASYNC_STARTS[callOf(state)];
  if (start === undefined || startFindings(states, name, state).length > 0) return [];
  const { service } = serviceOf(resourceOf(state));
  const later = regularSuccessors(state).flatMap((next) => [...reachable(states, next)]);
  const asks = later
    .filter((other) => other !== name)
    .flatMap((other) => [states[other]].filter((one) => one !== undefined))
    .some(
      (other) =>
        innerMachines(other).length > 0 ||
        (other.Type === "Task" && mayAsk(serviceOf(resourceOf(other)).service, service)),
    );
  const ends = later.some((other) => states[other] !== undefined && isSuccess(states[other]));
  if (asks || !ends) return [];
  const findings = new Findings(name);
  findings.find(
    "blind-wait",
    `starts ${start.what}, waits for a fixed time and never asks how it ended`,
    start.remedy,
  );
  return findings.all;
}

/** Services that only deliver messages. */
const NEVER_ASKS = ["sns", "sqs", "events", "eventbridge", "cloudwatch", "ses", "sesv2"];
const mayAsk = (asked: string, service: string) => asked === service || !NEVER_ASKS.includes(asked);

function newestRunFindings(name: string, state: State): Finding[] {
  if (callOf(state) !== "aws-sdk:glue:getJobRuns") return [];
  const findings = new Findings(name);
  findings.find(
    "newest-run",
    "asks for the runs of a job; the newest may belong to another execution",
    "ask for its own: getJobRun with JobName and the JobRunId that startJobRun returned, or startJobRun.sync",
  );
  return findings.all;
}

interface StatusReading {
  readonly state: string;
  readonly path: string;
  readonly origin: Origin;
  readonly kind: StatusKind;
}

/** The Choices that read a status, with its kind. */
function statusReadings(all: readonly Reading[]): StatusReading[] {
  const found = all.flatMap(({ state, field, path, found: shape, isTest }): StatusReading[] => {
    if (field !== "Choices" || isTest || shape?.kind !== "any" || shape.origin === undefined) return [];
    const { origin } = shape;
    const kind = STATUSES.find((one) => one.call === origin.call && one.path === origin.path);
    return kind === undefined ? [] : [{ state, path, origin, kind }];
  });
  return [...new Map(found.map((one) => [`${one.state} ${one.path} ${one.kind.path}`, one])).values()];
}

function statusFindings(
  states: States,
  { state: name, path, origin, kind }: StatusReading,
  started: ReadonlySet<string>,
): Finding[] {
  const findings = new Findings(name);
  const state = states[name];
  if (state === undefined) return [];
  const known = [...kind.unfinished, ...kind.ended, ...kind.failed];
  for (const value of valuesOf(state, path).filter((one) => !known.includes(one)))
    findings.find(
      "status-value",
      `compares the status of ${kind.what} with ${value}, a value that it never has`,
      `write one of ${known.join(", ")}`,
    );
  // The status of something that another machine started needs no waiting.
  if (!kind.startedBy.some((call) => started.has(call))) return findings.all;
  const asked = new Set([origin.state]);
  const targets = (value: string) => targetsFor(choices(state), state.Default, path, value);
  const leadsBack = (target: string) =>
    target === origin.state || reachable(states, target).has(origin.state);
  const lost = kind.unfinished.filter((value) => !targets(value).some(leadsBack));
  if (lost.length > 0)
    findings.find(
      "status-unfinished",
      `treats ${lost.join(", ")} as an end: ${kind.what} that still runs is never checked again`,
      `lead ${lost.join(", ")} to a Wait and back to ${origin.state}`,
    );
  const endsWith = (target: string, isEnd: (end: State) => boolean) =>
    [...reachable(states, target, asked)].some(
      (other) => states[other] !== undefined && isEnd(states[other]),
    );
  const passed = kind.failed.filter((value) => {
    const ways = targets(value);
    return (
      ways.some((target) => endsWith(target, isSuccess)) &&
      !ways.some((target) => endsWith(target, ({ Type }) => Type === "Fail"))
    );
  });
  if (passed.length > 0)
    findings.find(
      "status-failed",
      `lets ${kind.what} that ended as ${passed.join(", ")} end in success`,
      `lead every status but ${kind.ended.join(", ")} to a Fail state`,
    );
  const endless = kind.failed.filter(
    (value) =>
      !targets(value).some((target) => endsWith(target, (end) => isSuccess(end) || end.Type === "Fail")),
  );
  if (endless.length > 0)
    findings.find(
      "status-failed",
      `keeps waiting for ${kind.what} that ended as ${endless.join(", ")}`,
      `lead ${endless.join(", ")} to a Fail state: only ${kind.unfinished.join(", ")} are worth waiting for`,
    );
  return findings.all;
}

/** READY only says that a crawl has ended; it may have failed. */
function verdictFindings(all: readonly StatusReading[], started: ReadonlySet<string>): Finding[] {
  if (!started.has("aws-sdk:glue:startCrawler")) return [];
  const looks = all.filter(({ origin }) => origin.call === "aws-sdk:glue:getCrawler");
  if (looks.some(({ origin }) => origin.path === CRAWL_VERDICT)) return [];
  return looks
    .filter(({ origin }) => origin.path === CRAWL_STATE)
    .map(({ state }) => ({
      check: "crawl-verdict",
      state,
      what: "takes READY for success, but a crawl that failed or was cancelled is READY too",
      remedy: "read LastCrawl.Status when it is READY: SUCCEEDED is the only success (Step.crawl does)",
    }));
}

/** COMPLETED only says that a run of a workflow has ended; its jobs may have failed. */
function workflowFindings(
  looks: readonly StatusReading[],
  all: readonly Reading[],
  started: ReadonlySet<string>,
): Finding[] {
  if (!started.has("aws-sdk:glue:startWorkflowRun")) return [];
  const isRead = all
    .flatMap(({ found }) => (found === undefined ? [] : originsIn(found)))
    .some(
      ({ call, path }) =>
        call === "aws-sdk:glue:getWorkflowRun" &&
        (path === "Run" ||
          path === "Run.Statistics" ||
          WORKFLOW_VERDICTS.some((one) => path.startsWith(one))),
    );
  if (isRead) return [];
  return looks
    .filter(({ origin }) => origin.call === "aws-sdk:glue:getWorkflowRun" && origin.path === WORKFLOW_STATE)
    .map(({ state }) => ({
      check: "workflow-verdict",
      state,
      what: "takes COMPLETED for success, but a run whose jobs failed is COMPLETED too",
      remedy:
        "read Run.Statistics too: FailedActions, ErroredActions, TimeoutActions and StoppedActions are 0 in a success",
    }));
}

/** The literals that a Choice compares with a path. */
function valuesOf(state: State, path: string): string[] {
  const inRule = (rule: Json | undefined): string[] => {
    if (Array.isArray(rule)) return (rule as readonly Json[]).flatMap(inRule);
    if (!isObject(rule)) return [];
    const own = rule.Variable === path && typeof rule.StringEquals === "string" ? [rule.StringEquals] : [];
    return [...own, ...[rule.And, rule.Or, rule.Not].flatMap(inRule)];
  };
  return [...new Set(choices(state).flatMap(inRule))];
}

/** The states a Choice may go to if a path holds a value: the targets of all possible rules, up to the first certain one. */
function targetsFor(
  rules: readonly JsonObject[],
  fallback: Json | undefined,
  path: string,
  value: string,
): string[] {
  const targets: string[] = [];
  for (const rule of rules) {
    const outcome = outcomeOf(rule, path, value);
    if (outcome !== false && typeof rule.Next === "string") targets.push(rule.Next);
    if (outcome === true) return targets;
  }
  return typeof fallback === "string" ? [...targets, fallback] : targets;
}

/** Tells whether a rule matches if a path holds a value; `undefined` if that depends on other data. */
function outcomeOf(rule: Json | undefined, path: string, value: string): boolean | undefined {
  if (!isObject(rule)) return undefined;
  if (isObject(rule.Not)) {
    const inner = outcomeOf(rule.Not, path, value);
    return inner === undefined ? undefined : !inner;
  }
  const parts = (list: Json | undefined) =>
    (Array.isArray(list) ? (list as readonly Json[]) : []).map((part) => outcomeOf(part, path, value));
  if (Array.isArray(rule.And)) {
    const outcomes = parts(rule.And);
    return outcomes.includes(false) ? false : outcomes.includes(undefined) ? undefined : true;
  }
  if (Array.isArray(rule.Or)) {
    const outcomes = parts(rule.Or);
    return outcomes.includes(true) ? true : outcomes.includes(undefined) ? undefined : false;
  }
  if (rule.Variable !== path) return undefined;
  if (typeof rule.StringEquals === "string") return rule.StringEquals === value;
  if (typeof rule.StringMatches === "string") return matches(rule.StringMatches, value);
  if (typeof rule.IsPresent === "boolean") return rule.IsPresent;
  if (typeof rule.IsString === "boolean") return rule.IsString;
  if (typeof rule.IsNull === "boolean") return !rule.IsNull;
  return undefined;
}

const matches = (pattern: string, value: string) =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}$`,
  ).test(value);
