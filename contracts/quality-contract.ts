import { readContract } from "./contract";
import { contractMistakes } from "./contract-mistakes";
import { outputTypes } from "./contract-types";
import { type Mistake } from "../modules/core/refusals";
import { readQuality } from "./quality-reader";
import { type Judged } from "./quality-rules";

/**
 * Lists the published columns and the reasons of a contract, which quality rules may name.
 *
 * @param document the parsed contract
 * @returns what rules may name (empty if the contract has mistakes), and every mistake of the contract
 */
export function judgedBy(document: unknown): { judged: Judged; mistakes: readonly Mistake[] } {
  const mistakes = contractMistakes(document);
  if (mistakes.length > 0) return { judged: {}, mistakes };
  const { contract } = readContract(document);
  // Rules need the kind of a column only, without precision or element type.
  const kinds = [...outputTypes(contract)].map(([name, type]) => [name, type.replace(/[(<].*/, "")] as const);
  return {
    judged: { columns: new Map(kinds), reasons: contract.rules.map(({ reason }) => reason) },
    mistakes,
  };
}

/**
 * Lists every mistake of a file of quality rules, as pairs of field and message.
 *
 * @param rules the parsed file
 * @param contract the parsed contract. If it has mistakes, the rules' columns and reasons are not checked
 */
export function qualityMistakes(rules: unknown, contract: unknown): readonly Mistake[] {
  return readQuality(rules, judgedBy(contract).judged).mistakes;
}
