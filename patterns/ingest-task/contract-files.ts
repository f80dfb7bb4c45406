import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { type ContractTables, contractTables } from "../../contracts/contract-tables";
import { jsonMistake } from "../../contracts/json-mistake";
import { qualityMistakes } from "../../contracts/quality-contract";
import { type Mistake, mistakeText } from "../../modules/core/refusals";
import { writeModeMistakes } from "../../modules/core/write-modes";

/** The two files of a pipeline, judged together at synth: a mistake in them would fail the job at night. */

export interface PipelineFiles {
  /** Absolute path of the contract. */
  readonly contractFile: string;
  /** Absolute path of the quality rules. */
  readonly rulesFile: string;
  /** Name of the table that holds the contract's aggregate. */
  readonly aggregateTable?: string;
  /** How the published table is written. */
  readonly written: {
    readonly tableFormat?: string;
    readonly writeMode?: string;
    readonly orderColumn?: string;
    readonly maxConcurrentRuns?: number;
  };
}

/**
 * Reads and judges both files.
 *
 * @returns the tables that the contract makes, or every mistake as a sentence: by file and field, then what does not fit the contract
 */
export function readPipelineFiles(files: PipelineFiles): ContractTables | readonly string[] {
  const contract = read(files.contractFile, contractMistakes);
  const rules = read(files.rulesFile, (document) => qualityMistakes(document, contract.document));
  const own = contract.mistakes.length === 0 ? propMistakes(contract.document, files) : [];
  const sentences = [
    ...[contract, rules].map(({ name, mistakes }) => [`${name}: `, mistakes] as const),
    ["", own] as const,
  ]
    .filter(([, mistakes]) => mistakes.length > 0)
    .map(([prefix, mistakes]) => `${prefix}${mistakes.map(mistakeText).join("; ")}`);
  return sentences.length > 0 ? sentences : contractTables(contract.document);
}

interface Judged {
  /** Its path from the root of its repository. */
  readonly name: string;
  /** `undefined` for a file that could not be read. */
  readonly document?: unknown;
  readonly mistakes: readonly Mistake[];
}

function read(file: string, judge: (document: unknown) => readonly Mistake[]): Judged {
  const name = nameOf(file);
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch {
    return { name, mistakes: [["", "file not found; create it"]] };
  }
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch (error) {
    return { name, mistakes: [["", `is not valid JSON: ${jsonMistake(content, error as Error)}`]] };
  }
  return { name, document, mistakes: judge(document) };
}

/** From the nearest folder above with a `package.json`, so that a message is the same in every clone. */
function nameOf(file: string): string {
  const rootAbove = (folder: string): string | undefined => {
    if (existsSync(join(folder, "package.json"))) return folder;
    return folder === dirname(folder) ? undefined : rootAbove(dirname(folder));
  };
  const root = rootAbove(dirname(file));
  return root === undefined ? file : relative(root, file).replaceAll("\\", "/");
}

/** Compares the props with a contract that is right in itself. */
function propMistakes(document: unknown, { aggregateTable, written }: PipelineFiles): Mistake[] {
  const { orderColumn } = written;
  const contract = document as {
    readonly "x-etl": { readonly aggregate?: object; readonly orderColumn?: string };
  };
  const extension = contract["x-etl"];
  const mistakes: Mistake[] = [];
  if (extension.aggregate !== undefined && aggregateTable === undefined)
    mistakes.push([
      "aggregateTable",
      "must be given: the contract has an aggregate, whose table needs a name",
    ]);
  if (extension.aggregate === undefined && aggregateTable !== undefined)
    mistakes.push([
      "aggregateTable",
      `must be left out: the contract has no aggregate, got '${aggregateTable}'`,
    ]);
  const isOrderDeclared = extension.orderColumn !== undefined;
  mistakes.push(
    ...writeModeMistakes({ ...written, isOrderDeclared, isAddedUp: extension.aggregate !== undefined }),
  );
  if (orderColumn === undefined) return mistakes;
  if (extension.orderColumn !== undefined && extension.orderColumn !== orderColumn) {
    const demand = `must be '${extension.orderColumn}', the contract's x-etl.orderColumn`;
    return [...mistakes, ["orderColumn", `${demand}, got '${orderColumn}'`]];
  }
  const ordered = { ...contract, "x-etl": { ...extension, orderColumn } };
  return [...mistakes, ...contractMistakes(ordered).map(([, words]): Mistake => ["orderColumn", words])];
}
