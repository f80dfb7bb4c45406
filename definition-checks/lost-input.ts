import { choices, everyState, isObject, type Definition, type Json, type JsonObject } from "./asl";
import { type Reading } from "./data-flow";
import { originsIn, partsOf, type Origin } from "./data-shape";
import { type AslCheckOptions, type Finding } from "./finding";
import { CALLS } from "./service-shapes";

/** States that read what is not there: lost, never given, or of another kind than they take it for. Pure. */

/** `all` is what the definition reads, followed from `input` when that is declared. */
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

/** A path that some Choice tests with IsPresent is taken for optional and never reported. */
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
        what: `reads ${path}, and what the function of ${by} answered is under Payload`,
        remedy: `read it there, or let ${by} have "OutputPath": "$.Payload" or a ResultSelector; "ResultPath" keeps the input`,
      },
    ];
  // What is missing at the top may as well be the input that an answer replaced.
  if (answerOf !== undefined && (field === "ResultSelector" || depth > 0))
    return [
      {
        check: "answer-member",
        state,
        what: `reads ${path}, which ${answerOf} does not answer with`,
        remedy: `read one of ${someOf(membersOf(answerOf)) || "nothing: its answer is empty"}`,
      },
    ];
  return [
    {
      check: "lost-input",
      state,
      what: `reads ${path}, which ${by} replaced`,
      remedy: `give ${by} a "ResultPath" (null, or $.results.<step>), or write "ResultPath": "$" there if it is meant`,
    },
  ];
}

/** As many names as one reads. */
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

/** Parts of an answer that are not always there. A test for a part below it is a test for it too. */
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
      what: `reads ${path} of ${origin.call}, which is not always there: ${why}`,
      remedy:
        reading.field === "ResultSelector"
          ? "select the object that holds it, and test for it with IsPresent"
          : "test for it with IsPresent first",
    },
  ];
}

/** Athena answers with texts, and a numeric comparison with a text is false. */
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
        what: `compares ${path} as a number, and Athena answers with texts`,
        remedy: "make it a number first: States.StringToJson, in a Pass or the ResultSelector",
      })),
  );
}

const valueAt = (input: JsonObject, path: string): Json | undefined =>
  path
    .split(".")
    .reduce<Json | undefined>((value, part) => (isObject(value) ? value[part] : undefined), input);

/** Fields of the declared input that are no texts and become job arguments as they are. */
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
        what: `the job argument ${reading.key} is the input's ${origin.path}, which is no text, and Glue takes texts only`,
        remedy: `write States.Format('{}', ${reading.path})`,
      },
    ];
  });
}

/** Fields of the declared input that nothing reads. */
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
