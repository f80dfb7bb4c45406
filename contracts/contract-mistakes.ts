import { readContract } from "./contract";
import { crossMistakes } from "./contract-checks";
import type { Mistake } from "../modules/core/refusals";

/**
 * Every mistake of a contract that can be told without Spark, as field and words that follow it: what the job would refuse is refused
 * before anything is created. What is left to the job is what only Spark knows: whether an expression is one, and of which type; whether
 * a format is a datetime pattern; all that Java asks of a regular expression. Pure.
 *
 * @param document the parsed file, `pipelines/<pipeline>/<pipeline>.schema.json` for one
 * @returns none for a contract that may be deployed. The field is "" where the file as a whole is meant
 */
export function contractMistakes(document: unknown): readonly Mistake[] {
  const { contract, mistakes } = readContract(document);
  const broken = new Set(mistakes.map(([field]) => partOf(field)));
  if (broken.has("") || broken.has("x-etl")) return mistakes;
  return [...mistakes, ...crossMistakes(contract, (part) => !broken.has(part))];
}

/** The part of the contract that a field belongs to: `output` of `x-etl.output`, `x-etl` of itself. */
function partOf(field: string): string {
  const [first = "", second] = field.split(/[.[]/);
  return first === "x-etl" && second !== undefined ? second : first;
}
