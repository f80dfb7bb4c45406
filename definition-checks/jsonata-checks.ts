import { catchers, choices, isJsonata, isObject, type Json, type JsonObject, type State } from "./asl";
import { Findings, type AslCheckOptions, type Finding } from "./finding";
import { evaluatedTexts, isExpression, syntaxOf, type Expression } from "./jsonata-expressions";

/**
 * Checks JSONata states: fields that only JSONPath has, and expressions that AWS refuses or that can never give a value.
 *
 * Sources: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html,
 * https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
 */

type Named = { readonly name: string; readonly state: State };

/** The functions of JSONata 2.0.6 without `$eval`, and those that Step Functions adds. */
const FUNCTIONS: readonly string[] = [
  ...["abs", "append", "assert", "average", "base64decode", "base64encode", "boolean", "ceil", "clone"],
  ...["contains", "count", "decodeUrl", "decodeUrlComponent", "distinct", "each", "encodeUrl"],
  ...["encodeUrlComponent", "error", "exists", "filter", "floor", "formatBase", "formatInteger"],
  ...["formatNumber", "fromMillis", "join", "keys", "length", "lookup", "lowercase", "map", "match", "max"],
  ...["merge", "millis", "min", "not", "now", "number", "pad", "parseInteger", "power", "random", "reduce"],
  ...["replace", "reverse", "round", "shuffle", "sift", "single", "sort", "split", "spread", "sqrt"],
  ...["string", "substring", "substringAfter", "substringBefore", "sum", "toMillis", "trim", "type"],
  ...["uppercase", "zip"],
  ...["hash", "parse", "partition", "range", "uuid"],
];

/** Checks every JSONata state of a definition. */
export function jsonataFindings(all: readonly Named[], options: AslCheckOptions): Finding[] {
  const assigned = all.flatMap(({ state }) =>
    [state, ...choices(state), ...catchers(state)].flatMap(({ Assign: assign }) =>
      isObject(assign) ? Object.keys(assign).map((name) => name.replace(/\.\$$/, "")) : [],
    ),
  );
  return all
    .filter(({ state }) => isJsonata(state))
    .flatMap(({ name, state }) => {
      const findings = new Findings(name);
      noteJsonpathFields(findings, state);
      for (const one of evaluatedTexts(state)) noteExpression(findings, state, one, assigned, options);
      return findings.all;
    });
}

function noteExpression(
  findings: Findings,
  state: State,
  { field, isInCatch, text }: Expression,
  assigned: readonly string[],
  { isKnown = () => true, isFragment = false }: AslCheckOptions,
): void {
  const find = (what: string, remedy: string) =>
    findings.find("jsonata-expression", `${field}: ${what}`, remedy);
  if (!isExpression(text)) {
    if (/\{%.*%\}/s.test(text) || text.startsWith("{%") || text.endsWith("%}"))
      find(
        `${JSON.stringify(text)} is only in part an expression: AWS refuses it or passes it on as it stands`,
        "let the whole text be one expression: {% 'text ' & $states.input.field %}",
      );
    return;
  }
  const { mistake, unqualified, variables, ofStates } = syntaxOf(text);
  if (mistake !== undefined) {
    find(`${text} is not valid JSONata: ${mistake}`, "correct the expression");
    return;
  }
  for (const name of unqualified.filter(isKnown))
    find(
      `${text} reads ${name}, but an expression starts from no data`,
      name.startsWith("$") || name.startsWith("*")
        ? "write $states.input"
        : `write $states.input.${name}, or $${name} for a variable`,
    );
  if (variables.includes("eval"))
    find(`${text} calls $eval, which Step Functions does not have`, "write $parse");
  const known = [...FUNCTIONS, ...assigned, "states", "eval"];
  if (!isFragment && assigned.every(isKnown))
    for (const name of variables.filter((one) => isKnown(one) && !known.includes(one)))
      find(
        `${text} uses $${name}, which is no function of Step Functions and no variable that a state assigns`,
        `assign it in an earlier state: "Assign": {"${name}": …}`,
      );
  for (const member of ofStates.filter(isKnown)) noteMember(find, state, { field, isInCatch, text }, member);
}

const WITH_RESULT = ["Task", "Parallel", "Map"];

/** `$states.result` and `$states.errorOutput` exist in few places, and AWS refuses them elsewhere. */
function noteMember(
  find: (what: string, remedy: string) => void,
  state: State,
  { field, isInCatch, text }: Expression,
  member: string,
): void {
  if (member === "input" || member === "context") return;
  if (member === "result") {
    const isThere = WITH_RESULT.includes(state.Type as string) && !isInCatch;
    if (!isThere || (field !== "Output" && field !== "Assign"))
      find(
        `${text} reads $states.result, which only Output and Assign of a Task, Parallel or Map have`,
        "read $states.input there",
      );
  } else if (member === "errorOutput") {
    if (!isInCatch)
      find(
        `${text} reads $states.errorOutput, which only Output and Assign of a Catch have`,
        'keep it there: "Assign": {"error": "{% $states.errorOutput %}"}',
      );
  } else
    find(
      `${text} reads $states.${member}, which does not exist`,
      "write $states.input, $states.result, $states.errorOutput or $states.context",
    );
}

/** Fields that only JSONPath has, and their JSONata counterparts. */
const JSONPATH_FIELDS: Readonly<Record<string, string>> = {
  InputPath: "$states.input in the expressions",
  Parameters: "Arguments",
  ResultSelector: "Output",
  ResultPath: "Output, e.g. {% $merge([$states.input, {'run': $states.result}]) %}, or Assign",
  OutputPath: "Output",
  ItemsPath: "Items",
  MaxConcurrencyPath: "MaxConcurrency with an expression",
  TimeoutSecondsPath: "TimeoutSeconds with an expression",
  HeartbeatSecondsPath: "HeartbeatSeconds with an expression",
  SecondsPath: "Seconds with an expression",
  TimestampPath: "Timestamp with an expression",
  ToleratedFailureCountPath: "ToleratedFailureCount with an expression",
  ToleratedFailurePercentagePath: "ToleratedFailurePercentage with an expression",
  MaxItemsPath: "MaxItems with an expression",
  MaxItemsPerBatchPath: "MaxItemsPerBatch with an expression",
  MaxInputBytesPerBatchPath: "MaxInputBytesPerBatch with an expression",
  ErrorPath: "Error with an expression",
  CausePath: "Cause with an expression",
  Variable: "Condition",
};

export const isJsonpathField = (field: string): boolean => Object.hasOwn(JSONPATH_FIELDS, field);

/** The parts of a state in which fields of its query language stand. */
function partsOf(state: State): JsonObject[] {
  const { ItemReader: reader, ItemBatcher: batcher, ResultWriter: writer } = state;
  const config = isObject(reader) ? reader.ReaderConfig : undefined;
  return [
    state,
    ...choices(state),
    ...catchers(state),
    ...[reader, config, batcher, writer].filter(isObject),
  ];
}

function noteJsonpathFields(findings: Findings, state: State): void {
  const parts = partsOf(state);
  for (const [field, instead] of Object.entries(JSONPATH_FIELDS))
    if (parts.some((part) => field in part))
      findings.find("jsonpath-field", `has the JSONPath field ${field} but uses JSONata`, `write ${instead}`);
  const templates = parts.flatMap((part) =>
    ["Arguments", "Output", "Assign", "ItemSelector", "BatchInput"].map((field) => part[field]),
  );
  for (const key of new Set(templates.flatMap(pathKeys)))
    findings.find(
      "jsonpath-field",
      `names a value "${key}", and JSONata does not read paths`,
      `write "${key.slice(0, -2)}": "{% $states.input.… %}"`,
    );
}

function pathKeys(value: Json | undefined): string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(pathKeys);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key.endsWith(".$") && typeof inner === "string" ? [key] : []),
    ...pathKeys(inner),
  ]);
}
