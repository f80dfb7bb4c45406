import { type Json, type JsonObject } from "../../definition-checks/asl";
import { fragment } from "./fragment";
import { makeStep, type FlowStep } from "./step-data";

/** A field of an execution's input. */
export interface InputField {
  /** A number is JSON's: `integer` refuses fractions. */
  readonly type: "string" | "integer" | "number" | "boolean";
  /**
   * The value if the field is not given.
   * @default - the field must be given
   */
  readonly default?: string | number | boolean;
  /**
   * The values that a string or a number may have.
   * @default - any
   */
  readonly oneOf?: readonly (string | number)[];
  /**
   * A pattern of a string, in which `*` stands for any characters, as StringMatches reads it.
   * @default - any
   */
  readonly matches?: string;
  /** @default - no lower bound of a number */
  readonly minimum?: number;
  /** @default - no upper bound of a number */
  readonly maximum?: number;
}

/**
 * The input of an execution: fields by name, which are checked and then at `$.run.<field>`; or `"any"`: the input is at `$.run.input`,
 * unchecked. The execution's name is at `$.run.id`.
 */
export type RunInput = { readonly fields: Readonly<Record<string, InputField>> } | "any";

const upperFirst = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Lists the mistakes in fields: the field of the props, and words that follow it. */
export function inputMistakes(input: RunInput | undefined): [field: string, message: string][] {
  if (input === undefined || input === "any") return [];
  const fields = Object.entries(input.fields);
  if (fields.length === 0)
    return [["input.fields", 'must not be empty; for an input that is not checked write input: "any"']];
  return fields.flatMap(([name, field]): [string, string][] => [
    ...nameMistakes(name),
    ...fieldMistakes(field).map(([key, message]): [string, string] => [
      `input.fields.${name}.${key}`,
      message,
    ]),
  ]);
}

function nameMistakes(name: string): [string, string][] {
  const field = `input.fields.${name}`;
  if (!/^[a-z][A-Za-z0-9]{0,29}$/.test(name))
    return [[field, "must be named by a word in lowerCamel of at most 30 letters and digits"]];
  return name === "id" ? [[field, "must not be named id, which is the execution's name"]] : [];
}

function fieldMistakes(field: InputField): [string, string][] {
  const { type, oneOf, matches, minimum, maximum } = field;
  const isNumber = type === "integer" || type === "number";
  const mistakes: [string, string][] = [];
  if (matches !== undefined && type !== "string")
    mistakes.push(["matches", `is for strings, got a field of type ${type}`]);
  if (oneOf !== undefined && type === "boolean")
    mistakes.push(["oneOf", "is for strings and numbers, got a field of type boolean"]);
  if (oneOf?.length === 0) mistakes.push(["oneOf", "must not be empty"]);
  for (const value of type === "boolean" ? [] : (oneOf ?? []))
    if (!isOfType(value, type))
      mistakes.push(["oneOf", `must hold values of type ${type}, got ${JSON.stringify(value)}`]);
  for (const [key, bound] of Object.entries({ minimum, maximum }))
    if (bound !== undefined && !isNumber) mistakes.push([key, `is for numbers, got a field of type ${type}`]);
  if (minimum !== undefined && maximum !== undefined && minimum > maximum)
    mistakes.push(["minimum", `must not be above maximum, got ${minimum} and ${maximum}`]);
  if (field.default !== undefined && !accepts(field, field.default))
    mistakes.push([
      "default",
      `must be a value that the field accepts, got ${JSON.stringify(field.default)}`,
    ]);
  return mistakes;
}

function isOfType(value: unknown, type: InputField["type"]): boolean {
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

/** Tells whether a value may be given for a field. */
function accepts(
  { type, oneOf, matches, minimum, maximum }: InputField,
  value: string | number | boolean,
): boolean {
  if (!isOfType(value, type)) return false;
  if (oneOf !== undefined && !oneOf.includes(value as string | number)) return false;
  if (typeof value === "number") return value >= (minimum ?? value) && value <= (maximum ?? value);
  if (matches === undefined || typeof value !== "string") return true;
  const parts = matches.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(value);
}

/** The comparisons that a given value must pass; `path` is where it stands. */
function comparisons({ type, oneOf, matches, minimum, maximum }: InputField, path: string): JsonObject[] {
  const kinds = { string: "IsString", integer: "IsNumeric", number: "IsNumeric", boolean: "IsBoolean" };
  const at = (comparison: string, value: Json): JsonObject => ({ Variable: path, [comparison]: value });
  const equals = type === "string" ? "StringEquals" : "NumericEquals";
  return [
    at(kinds[type], true),
    ...(oneOf === undefined ? [] : [{ Or: oneOf.map((value) => at(equals, value)) }]),
    ...(matches === undefined ? [] : [at("StringMatches", matches)]),
    ...(minimum === undefined ? [] : [at("NumericGreaterThanEquals", minimum)]),
    ...(maximum === undefined ? [] : [at("NumericLessThanEquals", maximum)]),
  ];
}

/** The values that a field accepts, in words. */
function words({ type, oneOf, matches, minimum, maximum }: InputField): string {
  if (oneOf !== undefined) return `one of ${oneOf.join(", ")}`;
  const bounds = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(matches === undefined ? [] : [`like ${matches}`]),
  ];
  const nouns = {
    string: "a string",
    integer: "a whole number",
    number: "a number",
    boolean: "true or false",
  };
  return [nouns[type], ...bounds].join(", ");
}

/** In the text of an intrinsic function these have a meaning. */
const escaped = (text: string): string => text.replace(/[\\'{}]/g, String.raw`\$&`);

export function validateInput(input: RunInput | undefined): FlowStep {
  const base = { name: "ValidateInput", kind: "validateInput", values: {}, boundSeconds: 60 };
  if (input === undefined) return makeStep({ ...base, fragment: fragment("validate-input") });
  return makeStep({
    ...base,
    fragment: input === "any" ? anyInput() : fieldsOf(Object.entries(input.fields)),
  });
}

const anyInput = (): JsonObject => ({
  StartAt: "${Step}",
  States: {
    "${Step}": {
      Type: "Pass",
      Parameters: { run: { "id.$": "$$.Execution.Name", "input.$": "$" }, results: {} },
      Next: "${Next}",
    },
  },
});

/** Checks the fields one by one and takes them to `$.run`; the known fields are counted, so that one more is a field nobody knows. */
function fieldsOf(fields: readonly (readonly [string, InputField])[]): JsonObject {
  const names = fields.map(([name]) => name);
  const after = (index: number) =>
    names[index] === undefined ? "${Step}Unknown" : `\${Step}${upperFirst(names[index])}`;
  const states = fields.map(([name, field], index) => statesOf(name, field, after(index + 1)));
  const takes = escaped(
    fields
      .map(([name, { default: other }]) => (other === undefined ? name : `${name} (optional)`))
      .join(", "),
  );
  const defaults = Object.fromEntries(
    fields.flatMap(([name, { default: other }]) => (other === undefined ? [] : [[name, other] as const])),
  );
  return {
    StartAt: "${Step}",
    States: {
      "${Step}": {
        Type: "Pass",
        Parameters: {
          "input.$": "$",
          "text.$": "States.JsonToString($)",
          fields: { count: 0 },
          known: { count: 0 },
          run: { "id.$": "$$.Execution.Name", ...defaults },
          results: {},
        },
        Next: "${Step}IsEmpty",
      },
      "${Step}IsEmpty": {
        Comment: "Interpreters disagree on $.* of an empty object",
        Type: "Choice",
        Choices: [{ Variable: "$.text", StringEquals: "{}", Next: after(0) }],
        Default: "${Step}Fields",
      },
      "${Step}Fields": {
        Type: "Pass",
        Parameters: { "count.$": "States.ArrayLength($.input.*)" },
        ResultPath: "$.fields",
        Next: after(0),
      },
      ...(Object.assign({}, ...states) as JsonObject),
      "${Step}Unknown": {
        Comment: "One field more than the known ones is a field that no step reads",
        Type: "Choice",
        Choices: [{ Variable: "$.known.count", NumericEqualsPath: "$.fields.count", Next: "${Step}Take" }],
        Default: "${Step}RefuseUnknown",
      },
      "${Step}RefuseUnknown": {
        Type: "Pass",
        Parameters: {
          "cause.$": `States.Format('a field is unknown: the input takes ${takes}, got {}', $.text)`,
        },
        Next: "InvalidInput",
      },
      "${Step}Take": {
        Type: "Pass",
        Parameters: { "run.$": "$.run", results: {} },
        Next: "${Next}",
      },
      InvalidInput: { Type: "Fail", Error: "InvalidInput", CausePath: "$.cause" },
    },
  };
}

function statesOf(name: string, field: InputField, next: string): JsonObject {
  const state = `\${Step}${upperFirst(name)}`;
  const path = `$.input.${name}`;
  const isMissing = { Not: { Variable: path, IsPresent: true } };
  const required = field.default === undefined;
  const missing = escaped(`${name} is missing: it must be ${words(field)}, got `);
  const wrong = escaped(`${name} must be ${words(field)}, got `);
  const whole: JsonObject =
    field.type === "integer"
      ? {
          [`${state}Whole`]: {
            Comment: "A number with a fraction has a full stop in its text",
            Type: "Choice",
            Choices: [
              {
                Or: [
                  { Variable: `$.whole.text`, StringMatches: "*.*" },
                  { Variable: `$.whole.text`, StringMatches: "*e*" },
                  { Variable: `$.whole.text`, StringMatches: "*E*" },
                ],
                Next: `${state}Refuse`,
              },
            ],
            Default: `${state}Take`,
          },
          [`${state}Text`]: {
            Type: "Pass",
            Parameters: { "text.$": `States.JsonToString(${path})` },
            ResultPath: "$.whole",
            Next: `${state}Whole`,
          },
        }
      : {};
  return {
    [state]: {
      Type: "Choice",
      Choices: [
        { ...isMissing, Next: required ? `${state}Missing` : next },
        { And: comparisons(field, path), Next: field.type === "integer" ? `${state}Text` : `${state}Take` },
      ],
      Default: `${state}Refuse`,
    },
    ...whole,
    [`${state}Take`]: { Type: "Pass", InputPath: path, ResultPath: `$.run.${name}`, Next: `${state}Count` },
    [`${state}Count`]: {
      Type: "Pass",
      Parameters: { "count.$": "States.MathAdd($.known.count, 1)" },
      ResultPath: "$.known",
      Next: next,
    },
    ...(field.default === undefined
      ? {
          [`${state}Missing`]: {
            Type: "Pass",
            Parameters: { "cause.$": `States.Format('${missing}{}', $.text)` },
            Next: "InvalidInput",
          },
        }
      : {}),
    [`${state}Refuse`]: {
      Type: "Pass",
      Parameters: { "cause.$": `States.Format('${wrong}{}', States.JsonToString(${path}))` },
      Next: "InvalidInput",
    },
  };
}
