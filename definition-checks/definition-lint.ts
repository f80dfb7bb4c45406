import aslValidator from "asl-validator";
import {
  isJsonata,
  isObject,
  successors,
  withLanguages,
  type Definition,
  type Json,
  type JsonObject,
  type State,
} from "./asl";
import { asDefinition, checkDefinition, type AslCheckOptions, type Finding } from "./asl-checks";
import { isJsonpathField } from "./jsonata-checks";
import { isExpression } from "./jsonata-expressions";
import { isNamedLikeFailure } from "./failure-path-checks";

/** The options of {@link lintDefinition}. */
export type LintOptions = Pick<
  AslCheckOptions,
  "allow" | "input" | "successAfterFailure" | "retriesEveryError"
>;

const PLACEHOLDER = /\$\{([A-Za-z][\w:.]*)\}/g;
const TOKEN = /__[A-Za-z]\w*?__/;

/** Replaces placeholders by words that paths and names may hold, and restores them in findings. */
class Placeholders {
  private readonly meant = new Map<string, string>();

  hide = (text: string): string =>
    text.replace(PLACEHOLDER, (whole, name: string) => {
      const token = `__${name.replace(/\W/g, "_")}__`;
      this.meant.set(token, whole);
      return token;
    });

  show = (text: string): string =>
    [...this.meant].reduce((shown, [token, whole]) => shown.replaceAll(token, whole), text);

  isOne = (text: string): boolean => this.meant.has(text);
}

const mapTexts = (value: Json, change: (text: string) => string): Json => {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map((inner) => mapTexts(inner, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [change(key), mapTexts(inner, change)]),
  );
};

/**
 * Lists the findings in the text of one definition file. Its `${Name}` placeholders are filled later: by the orchestrator, Terraform
 * or CloudFormation. A file with a transition to a placeholder is part of a machine, as in step-functions/.
 */
export function lintDefinition(text: string, options: LintOptions = {}): Finding[] {
  const placeholders = new Placeholders();
  let definition: Definition;
  try {
    definition = asDefinition(mapTexts(JSON.parse(text) as Json, placeholders.hide));
  } catch (error) {
    return [notReadable(error as Error)];
  }
  const outside = outsideStates(definition, placeholders.isOne);
  const whole: Definition = { ...definition, States: { ...definition.States, ...outside } };
  const hidden = <T>(lists: Readonly<Record<string, T>> | undefined) =>
    lists && Object.fromEntries(Object.entries(lists).map(([name, list]) => [placeholders.hide(name), list]));
  const found = checkDefinition(whole, {
    ...options,
    allow: hidden(options.allow),
    successAfterFailure: options.successAfterFailure?.map(placeholders.hide),
    retriesEveryError: options.retriesEveryError?.map(placeholders.hide),
    isKnown: (value) => !TOKEN.test(value),
    isTemplate: true,
    takesJsonata: true,
    isFragment: Object.keys(outside).length > 0,
  }).filter(({ state }) => !Object.hasOwn(outside, state));
  return [...schemaFindings(whole, found.length === 0), ...found].map((finding) => ({
    check: finding.check,
    state: placeholders.show(finding.state),
    what: placeholders.show(finding.what),
    remedy: placeholders.show(finding.remedy),
  }));
}

const notReadable = (error: Error): Finding => ({
  check: "json",
  state: "",
  what: error instanceof SyntaxError ? `is not valid JSON: ${error.message}` : error.message,
  remedy: "write a JSON object with StartAt and States; placeholders stand inside quotes",
});

/** Stand-ins for the placeholders that a part of a machine goes to: a Fail if the name says so, otherwise a Succeed. */
function outsideStates(
  definition: Definition,
  isPlaceholder: (name: string) => boolean,
): Record<string, State> {
  const targets = Object.values(definition.States).flatMap(successors);
  const outside = (name: string): State =>
    isNamedLikeFailure(name) ? { Type: "Fail", Error: name, Cause: name } : { Type: "Succeed" };
  return Object.fromEntries(
    targets
      .filter((name) => definition.States[name] === undefined && isPlaceholder(name))
      .map((name) => [name, outside(name)]),
  );
}

/** Errors that our own checks word better. */
const ALREADY_SAID = ["MISSING_TRANSITION_TARGET", "MISSING_TERMINAL_STATE", "TERMINAL_STATE_WITH_NEXT"];
const NUMBER = /(?:Seconds|Rate|Attempts|Concurrency|Count|Percentage)$|^Numeric(?!.*Path$)/;

interface SchemaError {
  readonly "Error code": string;
  readonly Message: string;
}
const validate = aslValidator as (
  definition: unknown,
  options: { readonly checkArn: boolean; readonly checkPaths: boolean },
) => { readonly errors: readonly SchemaError[] };

/** Runs asl-validator: the language's schema and the syntax of paths. ARNs are not checked, because they hold placeholders. */
function schemaFindings(definition: Definition, isSound: boolean): Finding[] {
  const sample = withSamples(withoutJudged(withLanguages(definition)) as unknown as JsonObject);
  return validate(sample, { checkArn: false, checkPaths: true })
    .errors.filter((error) => isSound || !ALREADY_SAID.includes(error["Error code"]))
    .map(({ Message: message }) => ({
      check: "schema" as const,
      state: /^\/States\/([^/ ]+)/.exec(message)?.[1] ?? "",
      what: `does not match the schema of the Amazon States Language: ${message}`,
      remedy: "compare the fields of that state with https://states-language.net/spec.html",
    }));
}

/** Fields that hold any JSON with expressions in it. */
const TEMPLATES = ["Arguments", "Assign", "BatchInput", "Credentials", "ItemSelector", "Items", "Output"];

/**
 * Takes out what our own checks judge: expressions, because the schema refuses empty texts, several lines and lists in them; fields of
 * the other query language; and how a Map runs.
 */
function withoutJudged(machine: Definition): Definition {
  const states = Object.entries(machine.States).map(([name, state]): [string, State] => [
    name,
    sampleOf(state, isJsonata(state)) as State,
  ]);
  return { ...machine, States: Object.fromEntries(states) };
}

function sampleOf(value: Json, inJsonata: boolean, key = ""): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((inner) => sampleOf(inner, inJsonata, key));
  if (isObject(value) && isObject(value.States)) {
    const machine = withoutJudged(value as unknown as Definition);
    return Object.fromEntries(Object.entries(machine).filter(([field]) => field !== "ProcessorConfig"));
  }
  if (inJsonata && TEMPLATES.includes(key) && isTemplate(key, value)) return key === "Items" ? [] : {};
  if (!isObject(value))
    return inJsonata && typeof value === "string" && isExpression(value) && key !== "Resource"
      ? "{% 1 %}"
      : value;
  if (inJsonata && key === "Choices" && "Variable" in value)
    return { Condition: "{% true %}", ...(typeof value.Next === "string" ? { Next: value.Next } : {}) };
  const kept = Object.entries(value).filter(([field]) => !(inJsonata && isJsonpathField(field)));
  return Object.fromEntries(
    kept
      .filter(([field]) => !field.startsWith("ToleratedFailure") || field.endsWith("Path"))
      .map(([field, inner]) => [field, sampleOf(inner, inJsonata, field)]),
  );
}

/** Output may be anything; Arguments an object or an expression, Items a list or an expression, the others objects. */
const isTemplate = (key: string, value: Json): boolean =>
  key === "Output" ||
  (key === "Items" ? Array.isArray(value) : isObject(value)) ||
  (key !== "Assign" && typeof value === "string" && isExpression(value));

/** Replaces placeholders for numbers and paths by samples, because the schema does not know placeholders. */
function withSamples(value: Json, key = ""): Json {
  if (typeof value === "string" && TOKEN.test(value)) {
    if (NUMBER.test(key)) return 1;
    if (key.endsWith(".$") && !/^(?:\$|States\.)/.test(value)) return "$.sample";
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map((inner) => withSamples(inner));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withSamples(inner, name)]));
}
