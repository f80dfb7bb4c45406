import { readContract } from "./contract";
import { crossMistakes } from "./contract-checks";
import { type SourceContract, sourceContracts, sourceMistakes } from "./source-contracts";
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
  if (broken.has("") || broken.has("x-etl") || broken.has("sources")) return mistakes;
  const isSound = (part: string) => !broken.has(part);
  if (contract.sources.length === 0) return [...mistakes, ...crossMistakes(contract, isSound)];
  const columns = [...new Set(contract.sources.flatMap((source) => source.columns))];
  const between = ["output", "properties", "sourceColumn"].every(isSound) ? sourceMistakes(contract) : [];
  return [
    ...mistakes,
    ...crossMistakes({ ...contract, columns }, isSound, "all sources"),
    ...together(
      sourceContracts(contract).map((one) => ({
        ...one,
        mistakes: crossMistakes(one.contract, isSound, "each source"),
      })),
    ),
    ...between,
  ];
}

interface Judged extends SourceContract {
  readonly mistakes: readonly Mistake[];
}

/** Names each mistake once: for all sources, or with the source that has it. */
function together(found: readonly Judged[]): Mistake[] {
  const isOfAll = ([field, message]: Mistake) =>
    found.length > 1 &&
    found.every(({ mistakes }) => mistakes.some((one) => one[0] === field && one[1] === message));
  return found.flatMap(({ source, mistakes }, index) =>
    mistakes.flatMap((one): Mistake[] => {
      if (isOfAll(one)) return index === 0 ? [one] : [];
      const [field, message] = placed(one, source);
      const isPlain = source === undefined || field.startsWith(`${source.place}.`);
      return [[field, isPlain ? message : `of source ${source.name} ${message}`]];
    }),
  );
}

/** A mistake of a part that the source has of its own lies there. */
function placed([field, message]: Mistake, source: SourceContract["source"]): Mistake {
  const part = source?.own.find((one) => field === `x-etl.${one}` || field.startsWith(`x-etl.${one}.`));
  return [part === undefined ? field : field.replace("x-etl", source!.place), message];
}

/** The part of the contract that a field belongs to: `output` for `x-etl.output`, `x-etl` for `x-etl`. */
function partOf(field: string): string {
  const [first = "", second] = field.split(/[.[]/);
  return first === "x-etl" && second !== undefined ? second : first;
}
