import { createInterface } from "node:readline";
import { readContract } from "../../contracts/contract";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { martText, readMart } from "../../contracts/marts";
import { planOf, planText, qualityPlan } from "../../contracts/plan";
import { judgedBy } from "../../contracts/quality-contract";
import { readQuality } from "../../contracts/quality-reader";
import { mistakeText } from "../../modules/core/refusals";

/**
 * Compiles contracts for the tests of the job, one per line: `{ contract, quality }` in, `{ plan }` or `{ mistakes }` out. Spark is not
 * asked for the types of expressions: it is about to run them. Rules alone, `{ quality, columns, reasons }`, become that part of a plan. A mart, `{ mart, selects }`,
 * becomes its plan.
 */

interface Question {
  readonly contract?: unknown;
  readonly quality: unknown;
  /** Name and kind of each column that the rules may name. */
  readonly columns?: Readonly<Record<string, string>>;
  readonly reasons?: readonly string[];
  readonly mart?: unknown;
  /** The SELECTs of the mart, by table. */
  readonly selects?: Readonly<Record<string, string>>;
}

const answer = (line: string): object => {
  const { contract, quality, columns, reasons = [], mart, selects = {} } = JSON.parse(line) as Question;
  if (mart !== undefined) return ofMart(mart, selects);
  if (columns !== undefined) return ofRules(quality, columns, reasons);
  const read = readQuality(quality, judgedBy(contract).judged);
  const mistakes = [...contractMistakes(contract), ...read.mistakes];
  if (mistakes.length > 0) return { mistakes: mistakes.map(mistakeText) };
  return { plan: planText(planOf(readContract(contract).contract, read.quality)) };
};

function ofRules(document: unknown, columns: Record<string, string>, reasons: readonly string[]): object {
  const kinds = Object.entries(columns).map(([name, type]) => [name, type.replace(/[(<].*/, "")] as const);
  const { quality, mistakes } = readQuality(document, { columns: new Map(kinds), reasons });
  if (mistakes.length > 0) return { mistakes: mistakes.map(mistakeText) };
  return { plan: JSON.stringify(qualityPlan(quality, Object.keys(columns), reasons)) };
}

function ofMart(document: unknown, selects: Readonly<Record<string, string>>): object {
  const { mart, mistakes } = readMart({ document, selects });
  return mistakes.length > 0 ? { mistakes: mistakes.map(mistakeText) } : { plan: martText(mart) };
}

createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(`${JSON.stringify(answer(line))}\n`);
});
