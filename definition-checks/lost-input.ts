import { choices, everyState, isObject, type Definition, type Json, type JsonObject } from "./asl";
import { type Reading } from "./data-flow";
import { originsIn, partsOf, type Origin } from "./data-shape";
import { type AslCheckOptions, type Finding } from "./finding";
import { CALLS } from "./service-shapes";

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
  const judged = [
    ...all.flatMap((reading) => lossFinding(reading, paths)),
    ...all.flatMap((reading) => optionalFinding(reading, origins)),
    ...textFindings(definition, all),
    ...(input === undefined ? [] : [...numberFindings(input, all), ...unusedFindings(input, all)]),
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

/** Reports optional parts of an answer. A test for a part below it counts as a test for it. */
function optionalFinding(reading: Reading, tested: readonly Origin[]): Finding[] {
  const origin = originOf(reading);
  if (origin === undefined || reading.isTest) return [];
  const sometimes = Object.entries(CALLS[origin.call]?.sometimes ?? {});
  const match = sometimes.find(([path]) => isWithin(origin.path, path));
  if (match === undefined) return [];
  const [path, why] = match;
  const isTested = tested.some(
    (test) =>
      test.call === origin.call && (isWithin(origin.path, test.path) || isWithin(test.path, origin.path)),
  );
  if (isTested && reading.field !== "ResultSelector") return [];
  return [
    {
      check: "optional-member",
      state: reading.state,
      what: `reads ${path} of ${origin.call}, which is not always present: ${why}`,
      remedy:
        reading.field === "ResultSelector"
          ? "select the object that holds it, and test for it with IsPresent"
          : "test for it with IsPresent first",
    },
  ];
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

/** Reports fields of the declared input that are not strings and are passed as job arguments. */
function numberFindings(input: JsonObject, all: readonly Reading[]): Finding[] {
  return all.flatMap((reading) => {
    const origin = originOf(reading);
    if (origin?.call !== "input" || !reading.isPlain || !reading.key?.startsWith("--")) return [];
    const value = valueAt(input, origin.path);
    if (typeof value === "string" || value === undefined) return [];
    return [
      {
        check: "glue-argument" as const,
        state: reading.state,
        what: `the job argument ${reading.key} is the input's ${origin.path}, which is not a string, but Glue takes strings only`,
        remedy: `write States.Format('{}', ${reading.path})`,
      },
    ];
  });
}

/** Reports fields of the declared input that no state reads. */
function unusedFindings(input: JsonObject, all: readonly Reading[]): Finding[] {
  const used = all.flatMap(({ found }) => (found === undefined ? [] : originsIn(found)));
  const isUsed = (field: string) =>
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
