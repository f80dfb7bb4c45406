import type { Contract } from "./contract";
import { expressionTypes, outputTypes } from "./contract-types";
import { columnsOf } from "./expression";
import type { QualityRule } from "./quality-rules";
import type { Shape } from "./shapes";
import type { Mistake } from "../modules/core/refusals";

/**
 * The questions about a contract that only Spark and Java can answer: the type of an expression, and whether a regular expression is
 * one. `contract compile` asks them (`glue-scripts/compiler/ask_spark.py`), and records the answers in a file beside the contract, so that
 * neither synth nor the job has to ask.
 */

/** Columns by name, their types spelt as in Glue's catalogue. */
type Types = Readonly<Record<string, string>>;

/**
 * A question. `columns` are only those that `expression` and `groupBy` name, in alphabetical order: so an answer stays valid when other
 * columns change.
 */
export type Question =
  | { readonly kind: "row" | "condition"; readonly expression: string; readonly columns: Types }
  | {
      readonly kind: "aggregate";
      readonly expression: string;
      readonly groupBy: readonly string[];
      readonly columns: Types;
    }
  | { readonly kind: "replace"; readonly pattern: string; readonly with: string };

/** The answer to a question. Those with a mistake are never recorded. */
export type Answer = Question & Answered;

export interface Answered {
  /** The type of an expression, e.g. `decimal(21,4)`; a `replace` has none. */
  readonly type?: string;
  readonly mistake?: string;
  /** The part of the question that has the mistake, e.g. `expression`. */
  readonly key?: string;
}

/** A question and the place that poses it. */
export interface PosedQuestion {
  readonly question: Question;
  readonly file: "contract" | "quality";
  /** The place in the file, e.g. `x-etl.computed.total`. */
  readonly place: string;
  /** The rule's name, which each mistake of a quality file repeats; "" in a contract. */
  readonly owner: string;
  /** The declared type. The answer's must be of its family. */
  readonly type?: string;
}

/** The mistakes of each file. */
export interface SparkMistakes {
  readonly contract: readonly Mistake[];
  readonly quality: readonly Mistake[];
}

/**
 * Lists the questions that a contract and its quality rules pose. Neither may have mistakes.
 *
 * @param rules in the order of their file
 */
export function sparkQuestions(contract: Contract, rules: readonly QualityRule[]): PosedQuestion[] {
  const { groupBy = [], columns: sums = [] } = contract.aggregate ?? {};
  const [base, output] = [expressionTypes(contract), outputTypes(contract)];
  const ofContract = { file: "contract", owner: "" } as const;
  return [
    ...replaces(contract.shapes, "x-etl"),
    ...contract.sources.flatMap(({ own, shapes, place }) =>
      own.includes("shapes") ? replaces(shapes, place) : [],
    ),
    ...contract.computed.map(({ place, type, expression }): PosedQuestion => {
      const question = { kind: "row", expression, columns: typesOf(expression, base) } as const;
      return { ...ofContract, place, type, question };
    }),
    ...sums.map(({ place, type, expression }): PosedQuestion => {
      const columns = typesOf(expression, output, groupBy);
      return { ...ofContract, place, type, question: { kind: "aggregate", expression, groupBy, columns } };
    }),
    ...rules.flatMap((rule, index): PosedQuestion[] => {
      if (rule.type !== "customSql") return [];
      const { name: owner, expression } = rule;
      const question = { kind: "condition", expression, columns: typesOf(expression, output) } as const;
      return [{ file: "quality", place: `rules[${index}]`, owner, type: "boolean", question }];
    }),
  ];
}

function replaces(shapes: readonly Shape[], owner: string): PosedQuestion[] {
  return shapes.flatMap(({ name, sources }) =>
    sources.flatMap(({ delivered, clean }) =>
      clean.flatMap((step, index): PosedQuestion[] => {
        if (typeof step === "string") return [];
        const place = `${owner}.shapes.${name}.${delivered}.clean[${index}]`;
        const question = { kind: "replace", pattern: step.replace, with: step.with } as const;
        return [{ file: "contract", place, owner: "", question }];
      }),
    ),
  );
}

function typesOf(
  expression: string,
  types: ReadonlyMap<string, string>,
  also: readonly string[] = [],
): Types {
  const names = new Set([...columnsOf(expression, [...types.keys()]), ...also]);
  return inOrder(Object.fromEntries([...names].map((name) => [name, types.get(name)!])));
}

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number =>
  one < other ? -1 : 1;

const inOrder = (types: Types): Types => Object.fromEntries(Object.entries(types).sort(byName));

/** The question alone, with its keys and columns in the order in which they are written. */
export function questionOf(answer: Answer): Question {
  switch (answer.kind) {
    case "replace":
      return { kind: answer.kind, pattern: answer.pattern, with: answer.with };
    case "aggregate": {
      const { kind, expression, groupBy, columns } = answer;
      return { kind, expression, groupBy, columns: inOrder(columns) };
    }
    case "row":
    case "condition": {
      const { kind, expression, columns } = answer;
      return { kind, expression, columns: inOrder(columns) };
    }
  }
}

/** Equal questions have equal keys. Keys sort by kind, then by expression or pattern. */
export const keyOf = (question: Question): string => JSON.stringify(Object.values(questionOf(question)));

/** The answers by the keys of their questions. */
export const answersByKey = (answers: readonly Answer[]): ReadonlyMap<string, Answer> =>
  new Map(answers.map((answer) => [keyOf(answer), answer]));

/** The questions that have no answer. */
export function unanswered(posed: readonly PosedQuestion[], answers: readonly Answer[]): PosedQuestion[] {
  const known = answersByKey(answers);
  return posed.filter(({ question }) => !known.has(keyOf(question)));
}

/** The answers to the questions, one each. */
export function answersTo(posed: readonly PosedQuestion[], answers: readonly Answer[]): Answer[] {
  const keys = new Set(posed.map(({ question }) => keyOf(question)));
  return [...answersByKey(answers)].filter(([key]) => keys.has(key)).map(([, answer]) => answer);
}

/** The answers to other questions. */
export function unusedAnswers(posed: readonly PosedQuestion[], answers: readonly Answer[]): Answer[] {
  const used = new Set(answersTo(posed, answers));
  return answers.filter((answer) => !used.has(answer));
}

/**
 * Lists the questions that have no answer or one with a mistake, and those of which the answer's type is not the declared one.
 *
 * @param contractFile is shown in the command that is to be typed
 */
export function sparkMistakes(
  posed: readonly PosedQuestion[],
  answers: readonly Answer[],
  contractFile: string,
): SparkMistakes {
  const known = answersByKey(answers);
  const mistakesIn = (file: PosedQuestion["file"]): Mistake[] => {
    const asked = posed.filter((one) => one.file === file);
    const judged = asked.flatMap((one) => mistakeOf(one, known.get(keyOf(one.question))) ?? []);
    return [...judged, ...openMistake(unanswered(asked, answers), contractFile)];
  };
  return { contract: mistakesIn("contract"), quality: mistakesIn("quality") };
}

const SHOWN = 3;

/** One mistake for all questions of a file that are open: one command answers them. */
function openMistake(open: readonly PosedQuestion[], contractFile: string): Mistake[] {
  if (open.length === 0) return [];
  const places = open
    .slice(0, SHOWN)
    .map(({ place, owner }) => (owner === "" ? place : `${place} of ${owner}`));
  const more = open.length > SHOWN ? ", …" : "";
  const have = open.length === 1 ? "expression has" : "expressions have";
  return [
    [
      "",
      `${open.length} ${have} not been judged by Spark yet (${places.join(", ")}${more}): ` +
        `run npx cdktf-aws-etl contract compile ${contractFile}`,
    ],
  ];
}

function mistakeOf(
  { place, owner, question, type: declared }: PosedQuestion,
  answer: Answer | undefined,
): [Mistake] | undefined {
  const is = (mistake: string, key = question.kind === "replace" ? "replace" : "expression"): [Mistake] => [
    [`${place}.${key}`, owner === "" ? mistake : `of ${owner} ${mistake}`],
  ];
  if (answer?.mistake !== undefined) return is(answer.mistake, answer.key);
  if (declared === undefined || answer?.type === undefined || familyOf(answer.type) === familyOf(declared))
    return undefined;
  return is(`must be ${declared}, is ${answer.type}`);
}

/** Numbers fit numbers: the job rounds a value to the declared type, and quarantines one that is too large. */
function familyOf(type: string): string {
  const name = type.replace(/\(.*/, "");
  return ["bigint", "int", "double", "decimal"].includes(name) ? "number" : name;
}
