import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Compiled, compilePlan } from "../../contracts/compile-plan";
import { readDocument, type ReadDocument } from "../../contracts/read-document";
import type { Answer } from "../../contracts/spark-questions";
import { readAnswers, recordFile } from "../../contracts/spark-record";
import { type Mistake, mistakeText } from "../core/refusals";

/** The files of a plan, read and judged together: a mistake in them would fail the job at night. */

export interface PlanFiles {
  /** Absolute path of the contract. What Spark said of its expressions is recorded beside it, in `<name>.spark.json`. */
  readonly contractFile: string;
  /** Absolute path of the quality rules. */
  readonly rulesFile: string;
}

export interface ReadPlan {
  /** `undefined` after a mistake. */
  readonly compiled?: Compiled;
  /** The parsed contract; `undefined` if it has a mistake. */
  readonly contract?: unknown;
  /** One sentence for each file with mistakes, by its path from the root of its repository. */
  readonly sentences: readonly string[];
  /** The assumptions about a contract, as one sentence. */
  readonly warnings: readonly string[];
}

/** Reads and compiles the files of a plan. */
export function readPlan({ contractFile, rulesFile }: PlanFiles): ReadPlan {
  const [contract, rules] = [readJson(contractFile), readJson(rulesFile)];
  const record = readRecord(recordFile(contractFile));
  const compiled = compilePlan(contract.document, rules.document, record.answers, contract.name);
  const ofContract = contract.mistakes.length > 0 ? contract.mistakes : compiled.mistakes.contract;
  const ofRules = rules.mistakes.length > 0 ? rules.mistakes : compiled.mistakes.quality;
  const sentences = [
    ...sentence(contract.name, ofContract),
    ...sentence(rules.name, ofRules),
    ...sentence(record.name, record.mistakes),
  ];
  return {
    compiled: sentences.length > 0 ? undefined : compiled,
    contract: ofContract.length > 0 ? undefined : contract.document,
    sentences,
    warnings: sentence(contract.name, compiled.warnings),
  };
}

/** The mistakes of a file as one sentence; empty if it has none. */
export const sentence = (name: string, mistakes: readonly Mistake[]): string[] =>
  mistakes.length === 0 ? [] : [`${name}: ${mistakes.map(mistakeText).join("; ")}`];

function readRecord(file: string): {
  readonly name: string;
  readonly answers: readonly Answer[];
  readonly mistakes: readonly Mistake[];
} {
  const name = nameOf(file);
  return existsSync(file)
    ? { name, ...readAnswers(readFileSync(file, "utf8")) }
    : { name, answers: [], mistakes: [] };
}

export interface JsonFile extends ReadDocument {
  /** Its path from the root of its repository. */
  readonly name: string;
}

/** Reads a file of JSON. A file that is not there is a mistake. */
export function readJson(file: string): JsonFile {
  const name = nameOf(file);
  try {
    return { name, ...readDocument(readFileSync(file, "utf8")) };
  } catch {
    return { name, mistakes: [["", "file not found; create it"]] };
  }
}

/** From the nearest folder above with a `package.json`, so that a message is the same in every clone. */
export function nameOf(file: string): string {
  const rootAbove = (folder: string): string | undefined => {
    if (existsSync(join(folder, "package.json"))) return folder;
    return folder === dirname(folder) ? undefined : rootAbove(dirname(folder));
  };
  const root = rootAbove(dirname(file));
  return root === undefined ? file : relative(root, file).replaceAll("\\", "/");
}
