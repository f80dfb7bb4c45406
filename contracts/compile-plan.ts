import { readContract } from "./contract";
import { contractWarnings } from "./contract-warnings";
import { type Plan, planOf } from "./plan";
import { judgedBy } from "./quality-contract";
import { readQuality } from "./quality-reader";
import { type Answer, type PosedQuestion, sparkMistakes, sparkQuestions } from "./spark-questions";
import type { Mistake } from "../modules/core/refusals";

/** The compiler's answer about a contract and its quality rules. */
export interface Compiled {
  /** `undefined` if there is any mistake. */
  readonly plan?: Plan;
  /** The mistakes of each file, as pairs of field and message. */
  readonly mistakes: { readonly contract: readonly Mistake[]; readonly quality: readonly Mistake[] };
  /** Assumptions that the contract leaves open. */
  readonly warnings: readonly Mistake[];
  /** The questions that Spark must have answered; empty if a file has mistakes of its own. */
  readonly questions: readonly PosedQuestion[];
}

/**
 * Judges a contract and its rules, and compiles them to the plan that the job loads.
 *
 * @param contractDocument the parsed contract
 * @param qualityDocument the parsed rules
 * @param answers what Spark said of the contract's expressions, from the record beside it
 * @param file the contract's name in messages
 */
export function compilePlan(
  contractDocument: unknown,
  qualityDocument: unknown,
  answers: readonly Answer[],
  file: string,
): Compiled {
  const { judged, mistakes: ofContract } = judgedBy(contractDocument);
  const { quality, mistakes: ofQuality } = readQuality(qualityDocument, judged);
  if (ofContract.length > 0 || ofQuality.length > 0)
    return { mistakes: { contract: ofContract, quality: ofQuality }, warnings: [], questions: [] };
  const { contract } = readContract(contractDocument);
  const questions = sparkQuestions(contract, quality.rules);
  const mistakes = sparkMistakes(questions, answers, file);
  const isSound = mistakes.contract.length === 0 && mistakes.quality.length === 0;
  return {
    plan: isSound ? planOf(contract, quality) : undefined,
    mistakes,
    warnings: contractWarnings(contract),
    questions,
  };
}
