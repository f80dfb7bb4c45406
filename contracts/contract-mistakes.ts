import { readContract } from "./contract";
import { crossMistakes } from "./contract-checks";
import type { Mistake } from "../modules/core/refusals";

/**
 * Lists every mistake of a contract that can be found without Spark, so that a contract the job would refuse is refused before
 * anything is created. The job judges the rest: the syntax and type of an expression, datetime patterns, and Java's further rules
 * for regular expressions.
 *
 * @param document the parsed file, for example `pipelines/events/events.schema.json`
 * @returns pairs of field and message; empty for a contract that may be deployed. The field is "" for the file as a whole
 */
export function contractMistakes(document: unknown): readonly Mistake[] {
  const { contract, mistakes } = readContract(document);
  const broken = new Set(mistakes.map(([field]) => partOf(field)));
  if (broken.has("") || broken.has("x-etl")) return mistakes;
  return [...mistakes, ...crossMistakes(contract, (part) => !broken.has(part))];
}

/** The part of the contract that a field belongs to: `output` for `x-etl.output`, `x-etl` for `x-etl`. */
function partOf(field: string): string {
  const [first = "", second] = field.split(/[.[]/);
  return first === "x-etl" && second !== undefined ? second : first;
}
