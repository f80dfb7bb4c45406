import {
  catchers,
  choices,
  innerMachines,
  isJsonata,
  isObject,
  isSuccess,
  reachable,
  regularSuccessors,
  successors,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "./asl";
import { Findings, type AslCheckOptions, type Finding } from "./finding";

const STATE_TYPES = ["Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"];
const WITHOUT_NEXT = ["Choice", "Succeed", "Fail"];
const MOST_NAME_CHARACTERS = 80;
/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MOST_DEFINITION_BYTES = 1_048_576;

/** Checks the transitions of a machine, inner machines included: its start, unreachable states and ends. */
export function flowFindings(machine: Definition): Finding[] {
  const { States: states } = machine;
  const names = Object.keys(states);
  const own = new Findings("");
  if (states[machine.StartAt] === undefined)
    own.find(
      "start",
      `StartAt names ${machine.StartAt}, which is not a state`,
      `name one of ${names.join(", ")}`,
    );
  const reached = reachable(states, machine.StartAt);
  const perState = Object.entries(states).flatMap(([name, state]) => {
    const findings = new Findings(name);
    for (const next of new Set(successors(state)))
      if (states[next] === undefined)
        findings.find("dangling", `goes to ${next}, which is not a state`, `name one of ${names.join(", ")}`);
    if (!reached.has(name) && states[machine.StartAt] !== undefined)
      findings.find("unreachable", "cannot be reached", "lead a state to it or remove it");
    const canEnd = [...reachable(states, name)].some((other) => {
      const end = states[other];
      return end !== undefined && (isSuccess(end) || end.Type === "Fail");
    });
    if (reached.has(name) && !canEnd)
      findings.find(
        "no-end",
        "never reaches an end",
        'lead it to a state with "End": true, a Succeed or a Fail',
      );
    return [...findings.all, ...innerMachines(state).flatMap(flowFindings)];
  });
  return [...own.all, ...perState];
}

/** Checks the machine as a whole: query language, size, time-out. */
export function machineFindings(
  machine: Definition,
  { isFragment = false, takesJsonata = false }: AslCheckOptions,
): Finding[] {
  const findings = new Findings("");
  noteLanguage(findings, machine.QueryLanguage, takesJsonata);
  if (machine.TimeoutSeconds === undefined && !isFragment)
    findings.find(
      "machine-timeout",
      "has no TimeoutSeconds: a polling loop may run for a year",
      "write TimeoutSeconds above what the longest run takes",
    );
  const bytes = Buffer.byteLength(JSON.stringify(machine));
  if (bytes > MOST_DEFINITION_BYTES)
    findings.find(
      "definition-size",
      `has ${bytes} bytes, and AWS takes ${MOST_DEFINITION_BYTES}`,
      "move steps to a state machine of their own",
    );
  return findings.all;
}

function noteLanguage(findings: Findings, language: Json | undefined, takesJsonata: boolean): void {
  if (language === undefined || language === "JSONPath") return;
  if (language !== "JSONata")
    findings.find(
      "query-language",
      `names the query language ${JSON.stringify(language)}, which does not exist`,
      "write JSONPath or JSONata",
    );
  else if (!takesJsonata)
    findings.find(
      "query-language",
      "uses JSONata, from which the orchestrator derives no rights",
      "write JSONPath",
    );
}

/** Checks the type and the fields of one state. */
export function shapeFindings(
  name: string,
  state: State,
  machineLanguage: string | undefined,
  { takesJsonata = false }: AslCheckOptions,
): Finding[] {
  const findings = new Findings(name);
  const type = typeof state.Type === "string" ? state.Type : "";
  if (name.length > MOST_NAME_CHARACTERS)
    findings.find(
      "name-length",
      `its name has ${name.length} characters`,
      `use at most ${MOST_NAME_CHARACTERS}`,
    );
  if (!STATE_TYPES.includes(type))
    findings.find("state-type", `its type is ${type || "missing"}`, `write one of ${STATE_TYPES.join(", ")}`);
  if (state.QueryLanguage === "JSONPath" && machineLanguage === "JSONata")
    findings.find(
      "query-language",
      "uses JSONPath in a machine of JSONata, which AWS refuses",
      'write it in JSONata, or "QueryLanguage": "JSONPath" for the machine and JSONata for single states',
    );
  if (state.QueryLanguage !== machineLanguage) noteLanguage(findings, state.QueryLanguage, takesJsonata);
  if (!isJsonata(state)) noteJsonataFields(findings, state);
  if (isJsonata(state)) return [...findings.all, ...endFindings(name, state, type)];
  if (
    "Assign" in state ||
    choices(state).some((rule) => "Assign" in rule) ||
    catchers(state).some((rule) => "Assign" in rule)
  )
    findings.find(
      "assign",
      "uses Assign, on which interpreters disagree",
      "carry values in the state: ResultPath",
    );
  return [...findings.all, ...endFindings(name, state, type)];
}

function endFindings(name: string, state: State, type: string): Finding[] {
  const findings = new Findings(name);
  if (!WITHOUT_NEXT.includes(type)) {
    const ways = (typeof state.Next === "string" ? 1 : 0) + (state.End === true ? 1 : 0);
    if (ways === 0) findings.find("next-and-end", "has neither Next nor End", 'write "Next" or "End": true');
    if (ways === 2) findings.find("next-and-end", "has both Next and End", "write one of them");
  }
  if (type === "Choice" && state.Default === undefined)
    findings.find(
      "choice-default",
      "is a Choice without Default: an unexpected value fails with no reason given",
      "write a Default",
    );
  if (type === "Choice" && regularSuccessors(state).length === 0)
    findings.find("choice-default", "leads nowhere", "write Choices");
  if (type !== "Fail") return findings.all;
  if (state.Error === undefined && state.ErrorPath === undefined)
    findings.find(
      "fail-words",
      "is a Fail without Error",
      "write Error: the failure rules sort messages by it",
    );
  if (state.Cause === undefined && state.CausePath === undefined)
    findings.find("fail-words", "is a Fail without Cause", "write Cause or CausePath: it says what to do");
  return findings.all;
}

/** Fields that only JSONata has, and their JSONPath counterparts. */
const JSONATA_FIELDS: Readonly<Record<string, string>> = {
  Arguments: "Parameters",
  Output: "ResultSelector, ResultPath or OutputPath",
  Items: "ItemsPath",
  Condition: "Variable with a comparison",
};

/** AWS's examples use JSONata; in a JSONPath machine their fields are refused or taken literally. */
function noteJsonataFields(findings: Findings, state: State): void {
  const places: JsonObject[] = [state, ...choices(state), ...catchers(state)];
  for (const [field, instead] of Object.entries(JSONATA_FIELDS))
    if (places.some((place) => field in place))
      findings.find("jsonata-field", `has the JSONata field ${field} but uses JSONPath`, `write ${instead}`);
  if (textsOf(state).some((text) => /^\{%.*%\}$/s.test(text)))
    findings.find(
      "jsonata-field",
      "has a JSONata expression {% … %}, which JSONPath reads as a plain string",
      'write a path: "name.$": "$.field"',
    );
}

/** Every string in a value, without those of inner machines. */
export function textsOf(value: Json | undefined): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(textsOf);
  if (!isObject(value) || isObject(value.States)) return [];
  return Object.values(value).flatMap(textsOf);
}
