import { choices, everyState, isJsonata, isObject, type Definition, type Json, type JsonObject } from "./asl";
import { type Reading } from "./data-flow";
import { originsIn, partsOf, type Origin } from "./data-shape";
import { type AslCheckOptions, type Finding } from "./finding";
import { evaluatedTexts, isExpression } from "./jsonata-expressions";
import { NUMERIC_RUN_PARAMETERS } from "./run-parameter-checks";
import { CALLS, optionalPathsOf } from "./service-shapes";

/**
 * Reports states that read data which is lost, was never there, or has another type.
 *
 * @param all the readings of the definition, followed from `input` if that is declared
 */
export function dataFindings(
  definition: Definition,
  all: readonly Reading[],
  { input }: AslCheckOptions,
): Finding[] {
  const paths = testedPaths(all);
  const origins = testedOrigins(all);
  const neverNull = neverNullOf(definition);
  const judged = [
    ...all.flatMap((reading) => lossFinding(reading, paths)),
    ...all.flatMap((reading) => optionalFinding(reading, origins, neverNull)),
    ...textFindings(definition, all),
    ...(input === undefined
      ? []
      : [...numberFindings(input, all), ...unusedFindings(input, all, definition)]),
  ];
  const once = new Map(judged.map((finding) => [JSON.stringify(finding), finding]));
  return [...once.values()];
}

const isWithin = (path: string, whole: string) =>
  path === whole || path.startsWith(`${whole}.`) || path.startsWith(`${whole}[`);

/** Paths that some Choice tests with IsPresent are optional, and never reported. */
const testedPaths = (all: readonly Reading[]) => all.filter(({ isTest }) => isTest).map(({ path }) => path);

function lossFinding({ state, path, loss, isTest, field }: Reading, tested: readonly string[]): Finding[] {
  if (loss === undefined || isTest || tested.some((test) => isWithin(path, test))) return [];
  const { by, answerOf, depth } = loss;
  if (answerOf === "input")
    return [
      {
        check: "undeclared-input",
        state,
        what: `reads ${path}, which the declared input does not have`,
        remedy: "declare it, or test for it with IsPresent first",
      },
    ];
  if (answerOf?.startsWith("lambda:invoke"))
    return [
      {
        check: "function-answer",
        state,
        what: `reads ${path}, but the answer of the function called by ${by} is under Payload`,
        remedy: `read it there, or let ${by} have "OutputPath": "$.Payload" or a ResultSelector; "ResultPath" keeps the input`,
      },
    ];
  // A field missing at the top may also be an input that the answer replaced.
  if (answerOf !== undefined && (field === "ResultSelector" || depth > 0))
    return [
      {
        check: "answer-member",
        state,
        what: `reads ${path}, which is not in the answer of ${answerOf}`,
        remedy:
          membersOf(answerOf).length > 0
            ? `read one of ${someOf(membersOf(answerOf))}`
            : "its answer is empty: do not read it",
      },
    ];
  return [
    {
      check: "lost-input",
      state,
      what: `reads ${path}, which ${by} replaced`,
      remedy: `give ${by} a "ResultPath" (null, or $.results.<step>), or write "ResultPath": "$" there if that is intended`,
    },
  ];
}

/** The most names to list in a message. */
const MOST_NAMES = 8;
const someOf = (names: readonly string[]) =>
  names.length <= MOST_NAMES
    ? names.join(", ")
    : `${names.slice(0, MOST_NAMES).join(", ")} and ${names.length - MOST_NAMES} more`;

function membersOf(answerOf: string): readonly string[] {
  const shape = CALLS[answerOf.replace(/\.sync(?::2)?$/, "")];
  return (answerOf.includes(".sync") ? shape?.awaited : shape?.answer) ?? [];
}

const originOf = ({ found }: Reading): Origin | undefined =>
  found?.kind === "any" ? found.origin : undefined;

const testedOrigins = (all: readonly Reading[]) =>
  all.filter(({ isTest }) => isTest).flatMap((reading) => originOf(reading) ?? []);

/** The part of a path that an optional path with `[*]` for indices covers; `undefined` if it covers none. */
function optionalPart(path: string, optional: string): string | undefined {
  const pattern = optional.replace(/[.[\]*]/g, "\\$&").replaceAll("\\[\\*\\]", "\\[\\d+\\]");
  return new RegExp(`^${pattern}(?=$|[.[])`).exec(path)?.[0];
}

/**
 * Tells whether a test proves an optional part: a test of it or of a part below it. Of a row, a test of one value counts for the others,
 * because the query says which are there together.
 */
function provesPart(test: Origin, call: string, part: string): boolean {
  const row = /^ResultSet\.Rows\[\d+\](?=\.Data\[\d+\]\.VarCharValue$)/.exec(part)?.[0];
  return (
    test.call === call &&
    (isWithin(test.path, part) ||
      (row !== undefined && isWithin(test.path, row) && test.path.includes(".Data[")))
  );
}

/** Reports optional parts of an answer. */
function optionalFinding(reading: Reading, tested: readonly Origin[], neverNull: NeverNull): Finding[] {
  const origin = originOf(reading);
  if (origin === undefined || reading.isTest) return [];
  const [match] = optionalPathsOf(origin.call).flatMap(([path, why]) => {
    const part = optionalPart(origin.path, path);
    return part === undefined ? [] : [{ part, why }];
  });
  if (match === undefined || neverNull(origin.path)) return [];
  const { part, why } = match;
  const isTested = tested.some((test) => provesPart(test, origin.call, part));
  if (isTested && reading.field !== "ResultSelector") return [];
  return [
    {
      check: "optional-member",
      state: reading.state,
      what: `reads ${part} of ${origin.call}, which is not always present: ${why}`,
      remedy:
        reading.field === "ResultSelector"
          ? "select the object that holds it, and test for it with IsPresent"
          : "test for it with IsPresent first",
    },
  ];
}

type NeverNull = (path: string) => boolean;
const VALUE = /^ResultSet\.Rows\[(\d+)\]\.Data\[(\d+)\]\.VarCharValue$/;
const SELECT = /^\s*select\s+(.+?)\sfrom\s(.*)$/is;
const NEVER_NULL = /^\s*(?:count|count_if|approx_distinct)\s*\(|^\s*(?:'[^']*'|\d+)\s*(?:as\s|$)/i;

/**
 * The values of Athena's answers that are always there: the header, and the counts of queries that give exactly one row. Every query of the
 * definition must be such a query, because the definition does not show which one an answer belongs to.
 */
function neverNullOf(definition: Definition): NeverNull {
  const queries = everyState(definition).flatMap(({ state }) => {
    const isQuery = typeof state.Resource === "string" && /:athena:startQueryExecution/.test(state.Resource);
    return isQuery ? [isObject(state.Parameters) ? state.Parameters.QueryString : undefined] : [];
  });
  const columns = queries.map((query) => {
    const text = typeof query === "string" ? query.replace(/;\s*$/, "") : "";
    const [, list = "", rest = ""] = SELECT.exec(text) ?? SELECT.exec(`${text} from x`) ?? [];
    const counts = topLevel(list);
    const isOneRow =
      !/\b(?:group\s+by|having|limit|offset|union|except|intersect)\b/i.test(rest) &&
      (counts.some((one) => /^\s*count/i.test(one)) || !/\sfrom\s/i.test(text));
    return isOneRow ? counts : [];
  });
  return (path) => {
    const [, row, column] = VALUE.exec(path) ?? [];
    if (row === undefined) return false;
    const isHeader =
      row === "0" &&
      queries.length > 0 &&
      queries.every((query) => typeof query === "string" && /^\s*(?:select|with)\b/i.test(query));
    const isCount =
      row === "1" && columns.length > 0 && columns.every((one) => NEVER_NULL.test(one[Number(column)] ?? ""));
    return isHeader || isCount;
  };
}

/** The columns of a list, which are divided by the commas outside brackets and texts. */
function topLevel(list: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const piece of list.match(/'(?:''|[^'])*'|[(),]|[^'(),]+/g) ?? []) {
    if (piece === "(") depth++;
    if (piece === ")") depth--;
    if (piece === "," && depth === 0) parts.push("");
    else parts.push(`${parts.pop()}${piece}`);
  }
  return parts;
}

/** Athena returns strings, and a numeric comparison with a string is always false. */
function textFindings(definition: Definition, all: readonly Reading[]): Finding[] {
  const texts = all.filter(
    (reading) => reading.field === "Choices" && originOf(reading)?.path.endsWith("VarCharValue"),
  );
  const compared = (rule: Json | undefined): string[] => {
    if (Array.isArray(rule)) return (rule as readonly Json[]).flatMap(compared);
    if (!isObject(rule)) return [];
    const isNumeric = Object.keys(rule).some((key) => key.startsWith("Numeric"));
    const own = isNumeric && typeof rule.Variable === "string" ? [rule.Variable] : [];
    return [...own, ...[rule.And, rule.Or, rule.Not].flatMap(compared)];
  };
  return everyState(definition).flatMap(({ name, state }) =>
    [...new Set(choices(state).flatMap(compared))]
      .filter((path) => texts.some((reading) => reading.state === name && reading.path === path))
      .map((path) => ({
        check: "text-as-number" as const,
        state: name,
        what: `compares ${path} as a number, but Athena returns strings`,
        remedy: "convert it first with States.StringToJson, in a Pass or the ResultSelector",
      })),
  );
}

const valueAt = (input: JsonObject, path: string): Json | undefined =>
  path
    .split(".")
    .reduce<Json | undefined>((value, part) => (isObject(value) ? value[part] : undefined), input);

/** Reports fields of the declared input that have another type than the argument or parameter of a job that they fill. */
function numberFindings(input: JsonObject, all: readonly Reading[]): Finding[] {
  return all.flatMap((reading): Finding[] => {
    const origin = originOf(reading);
    const { key, state } = reading;
    if (origin?.call !== "input" || !reading.isPlain || key === undefined) return [];
    const value = valueAt(input, origin.path);
    if (key.startsWith("--") && typeof value !== "string" && value !== undefined)
      return [
        {
          check: "glue-argument",
          state,
          what: `the job argument ${key} is the input's ${origin.path}, which is not a string, but Glue takes strings only`,
          remedy: `write States.Format('{}', ${reading.path})`,
        },
      ];
    if (NUMERIC_RUN_PARAMETERS.includes(key) && typeof value === "string" && reading.field === "Parameters")
      return [
        {
          check: "run-parameter",
          state,
          what: `its ${key} is the input's ${origin.path}, which is a text, but Glue takes a number`,
          remedy: `let the input hold a number, or write States.StringToJson(${reading.path})`,
        },
      ];
    return [];
  });
}

/** Reports fields of the declared input that no state reads. */
function unusedFindings(input: JsonObject, all: readonly Reading[], definition: Definition): Finding[] {
  const used = all.flatMap(({ found }) => (found === undefined ? [] : originsIn(found)));
  const expressions = everyState(definition)
    .filter(({ state }) => isJsonata(state))
    .flatMap(({ state }) => evaluatedTexts(state).map(({ text }) => text))
    .filter(isExpression);
  const readsAll = expressions.some((text) =>
    /\$states\.(?:input|context\.Execution\.Input)(?![\w.[])/.test(text),
  );
  const isUsed = (field: string) =>
    readsAll ||
    expressions.some((text) => new RegExp(`\\b${field.replace(/[$]/g, "\\$&")}\\b`).test(text)) ||
    used.some(({ call, path }) => call === "input" && isWithin(path, field)) ||
    all.some(({ loss, path }) => loss !== undefined && partsOf(path).parts[0] === field);
  return Object.keys(input)
    .filter((field) => !isUsed(field))
    .map((field) => ({
      check: "unused-input" as const,
      state: "",
      what: `no state reads $.${field} of the declared input`,
      remedy: `pass it on ("--${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}.$": "$.${field}"), or leave it out of the input`,
    }));
}
