import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Construct } from "constructs";
import {
  contractMistakes,
  type ContractTables,
  contractTables,
  jsonMistake,
  type Mistake,
  mistakeText,
  qualityMistakes,
} from "../../index";

/** The two files of a pipeline, judged together before anything is created: what the job would refuse in the night is refused at synth. */

const ROOT = join(__dirname, "..", "..");
const PIPELINES = join(ROOT, "pipelines");

/** What must go with the contract, and is said elsewhere. */
export interface SaidElsewhere {
  /** What the table of the contract's aggregate is called. */
  readonly aggregateTable?: string;
  /** The setting of the environment. */
  readonly orderColumn?: string;
}

export const contractFile = (pipeline: string): string =>
  join(PIPELINES, pipeline, `${pipeline}.schema.json`);
export const rulesFile = (pipeline: string): string => join(PIPELINES, pipeline, `${pipeline}.quality.json`);

/**
 * What the pipeline's job writes by its contract.
 *
 * @throws Error naming every mistake of the contract and of the quality rules, by file and field, and what does not go with the contract
 */
export function readPipelineFiles(scope: Construct, pipeline: string, said: SaidElsewhere): ContractTables {
  const contract = read(contractFile(pipeline), contractMistakes);
  const rules = read(rulesFile(pipeline), (document) => qualityMistakes(document, contract.document));
  const own = contract.mistakes.length === 0 ? elsewhereMistakes(contract.document, said) : [];
  const groups = [
    ...[contract, rules].map(({ name, mistakes }) => [`${name}: `, mistakes] as const),
    ["", own] as const,
  ].filter(([, mistakes]) => mistakes.length > 0);
  if (groups.length > 0) {
    const told = groups.map(([prefix, mistakes]) => `${prefix}${mistakes.map(mistakeText).join("; ")}`);
    throw new Error(`Pipeline '${scope.node.path}': ${told.join("; ")}`);
  }
  return contractTables(contract.document);
}

interface Judged {
  /** As it is called from the root of the repository. */
  readonly name: string;
  /** Nothing, of a file that could not be read. */
  readonly document?: unknown;
  readonly mistakes: readonly Mistake[];
}

function read(file: string, judge: (document: unknown) => readonly Mistake[]): Judged {
  const name = relative(ROOT, file).replaceAll("\\", "/");
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch {
    return { name, mistakes: [["", "must be a file, and is none; write it"]] };
  }
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch (error) {
    return { name, mistakes: [["", `must be JSON, and is none: ${jsonMistake(content, error as Error)}`]] };
  }
  return { name, document, mistakes: judge(document) };
}

/** Of a contract that is right in itself. */
function elsewhereMistakes(document: unknown, { aggregateTable, orderColumn }: SaidElsewhere): Mistake[] {
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
  if (orderColumn === undefined) return mistakes;
  if (extension.orderColumn !== undefined && extension.orderColumn !== orderColumn) {
    const demand = `must be '${extension.orderColumn}', the contract's x-etl.orderColumn`;
    return [...mistakes, ["orderColumn", `${demand}, got '${orderColumn}'`]];
  }
  const ordered = { ...contract, "x-etl": { ...extension, orderColumn } };
  return [...mistakes, ...contractMistakes(ordered).map(([, words]): Mistake => ["orderColumn", words])];
}
