import { readContract } from "./contract";
import { contractMistakes } from "./contract-mistakes";
import { outputTypes } from "./contract-types";
import { type Mistake } from "../modules/core/refusals";
import { readQuality } from "./quality-reader";
import { type Judged } from "./quality-rules";

/**
 * The published columns and the reasons of a contract (a JSON Schema with `x-etl`), which is what quality rules name. Pure.
 *
 * @param document the parsed file
 * @returns what rules may name, nothing known of a contract with mistakes; and every mistake
 */
export function judgedBy(document: unknown): { judged: Judged; mistakes: readonly Mistake[] } {
  const mistakes = contractMistakes(document);
  if (mistakes.length > 0) return { judged: {}, mistakes };
  const { contract } = readContract(document);
  // Of what a column is, rules ask for no more than the kind.
  const kinds = [...outputTypes(contract)].map(([name, type]) => [name, type.replace(/[(<].*/, "")] as const);
  return {
    judged: { columns: new Map(kinds), reasons: contract.rules.map(({ reason }) => reason) },
    mistakes,
  };
}

/**
 * Every mistake of a file of quality rules, as field and words that follow it. Pure.
 *
 * @param rules the parsed file
 * @param contract the parsed contract whose columns and reasons the rules may name; any, where it has mistakes of its own
 */
export function qualityMistakes(rules: unknown, contract: unknown): readonly Mistake[] {
  return readQuality(rules, judgedBy(contract).judged).mistakes;
}
