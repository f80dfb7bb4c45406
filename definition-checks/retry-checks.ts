import { catchers, errorEquals, isJsonata, retriers, type JsonObject, type State } from "./asl";
import { Findings, type AslCheckOptions, type Finding } from "./finding";
import { errorNameMistake, isDeterministic, serviceOf, transientErrors } from "./service-errors";
import { integrationOf } from "./service-integrations";

const MOST_DELAY_SECONDS = 31_622_400;

/** Checks the Retry and Catch rules of a state. */
export function retryFindings(name: string, state: State, options: AslCheckOptions): Finding[] {
  const findings = new Findings(name);
  noteOrder(findings, "Retry", retriers(state));
  noteOrder(findings, "Catch", catchers(state));
  retriers(state).forEach((rule) => noteFields(findings, rule));
  noteNames(findings, state);
  noteRepeats(findings, state, options);
  noteMissingRetry(findings, state);
  for (const rule of catchers(state))
    if (!("ResultPath" in rule) && !isJsonata(state))
      findings.find(
        "catch-result-path",
        `a Catch to ${JSON.stringify(rule.Next)} has no ResultPath, so Error and Cause replace the state's data`,
        'write "ResultPath": "$.error", or "$" if nothing else is needed',
      );
  return findings.all;
}

/** Rules are tried in order, and States.ALL must be alone in the last. */
function noteOrder(findings: Findings, field: string, rules: readonly JsonObject[]): void {
  const seen = new Set<string>();
  rules.forEach((rule, index) => {
    const errors = errorEquals(rule);
    if (errors.includes("States.ALL") && (errors.length > 1 || index < rules.length - 1))
      findings.find(
        "error-order",
        `States.ALL in ${field} is ${errors.length === 1 ? "not last" : "not alone"}`,
        "give it a rule of its own at the end",
      );
    for (const error of errors) {
      const taken = seen.has(error)
        ? error
        : seen.has("States.TaskFailed") && error !== "States.ALL" && error !== "States.Timeout"
          ? "States.TaskFailed"
          : undefined;
      if (taken !== undefined)
        findings.find(
          "error-order",
          `${error} in ${field} is never reached: ${taken === error ? "an earlier rule names it too" : "States.TaskFailed before it matches too"}`,
          "put the rule for the one error first, and name each error once",
        );
    }
    errors.forEach((error) => seen.add(error));
  });
}

function noteFields(findings: Findings, rule: JsonObject): void {
  const {
    BackoffRate: backoff,
    JitterStrategy: jitter,
    MaxDelaySeconds: delay,
    IntervalSeconds: interval,
  } = rule;
  const find = (what: string, remedy: string) => findings.find("retry-fields", what, remedy);
  if (typeof backoff === "number" && backoff < 1)
    find(`BackoffRate ${backoff} is below 1`, "write 1 or more");
  if (jitter !== undefined && jitter !== "FULL" && jitter !== "NONE")
    find(`JitterStrategy ${JSON.stringify(jitter)} does not exist`, "write FULL or NONE");
  if (typeof delay !== "number") return;
  if (typeof interval === "number" && delay <= interval)
    find(`MaxDelaySeconds ${delay} is not above IntervalSeconds ${interval}`, "write a greater one");
  if (delay < 1 || delay >= MOST_DELAY_SECONDS)
    find(`MaxDelaySeconds ${delay} is out of range`, `write more than 0 and less than ${MOST_DELAY_SECONDS}`);
}

const resourceOf = (state: State) => (typeof state.Resource === "string" ? state.Resource : "");

/** Errors are compared exactly: a misspelt name silently never matches. */
function noteNames(findings: Findings, state: State): void {
  const { prefix } = state.Type === "Task" ? serviceOf(resourceOf(state)) : {};
  const rules = [
    ...retriers(state).map((rule) => ({ field: "Retry", rule })),
    ...catchers(state).map((rule) => ({ field: "Catch", rule })),
  ];
  for (const { field, rule } of rules)
    for (const error of errorEquals(rule)) {
      const meant = errorNameMistake(error, prefix);
      if (meant !== undefined)
        findings.find(
          "error-name",
          `${field} names ${error}, an error that is never raised`,
          `write ${meant}`,
        );
      if (error === "States.Runtime")
        findings.find(
          "uncatchable",
          `${field} names States.Runtime, which always fails the execution`,
          "fix what raises it: a missing path, or a comparison of another type",
        );
    }
}

const isRepeated = (rule: JsonObject) => rule.MaxAttempts !== 0;

/** Reports retries of failed runs, and of errors that the same call raises again. */
function noteRepeats(findings: Findings, state: State, { retriesEveryError = [] }: AslCheckOptions): void {
  const resource = resourceOf(state);
  const errors = retriers(state).filter(isRepeated).flatMap(errorEquals);
  const isRun =
    state.Type === "Task" &&
    (/\.sync(?::2)?$/.test(resource) || integrationOf(resource).call === "glue:startJobRun");
  const name = findings.about;
  if (isRun && !retriesEveryError.includes(name))
    for (const every of ["States.TaskFailed", "States.ALL", "States.Timeout"])
      if (errors.includes(every))
        findings.find(
          "retry-run",
          `retries ${every}, so a failed run is run, and paid for, again`,
          "retry only errors of the start itself (Step.runJob does), or list the state in 'retriesEveryError'",
        );
  for (const error of new Set(errors.filter(isDeterministic)))
    findings.find(
      "retry-deterministic",
      `retries ${error}, which the same call raises again`,
      "take it out of Retry; catch it if it is an expected answer",
    );
}

/** Errors that only starting a run can raise. */
const ONLY_STARTS = /\.(?:ConcurrentRunsExceeded|ResourceNumberLimitExceeded)Exception$/;

/** Without a Retry, one throttled call fails the execution. */
function noteMissingRetry(findings: Findings, state: State): void {
  const { prefix } = state.Type === "Task" ? serviceOf(resourceOf(state)) : {};
  const transient = transientErrors(prefix ?? "");
  if (transient.length === 0) return;
  const startsRun = integrationOf(resourceOf(state)).call.endsWith("glue:startJobRun");
  const covers = (error: string) =>
    error === "States.ALL" ||
    error === "States.TaskFailed" ||
    (error.startsWith(`${prefix}.`) && !isDeterministic(error));
  if (!retriers(state).filter(isRepeated).flatMap(errorEquals).some(covers))
    findings.find(
      "retry-missing",
      "has no Retry for throttling and other transient errors",
      `retry ${transient.filter((error) => startsRun || !ONLY_STARTS.test(error)).join(", ")}`,
    );
}
