import { got, isNode, isText, NodeReader } from "./node-reader";
import { readDocument } from "./read-document";
import { type Answer, answersByKey, questionOf } from "./spark-questions";
import type { Mistake } from "../modules/core/refusals";

/** The file beside a contract that holds what Spark and Java answered. `contract compile` writes it. */

/** The record's name for a contract's: `events.spark.json` for `events.schema.json`. */
export const recordFile = (contractFile: string): string => besideContract(contractFile, "spark");

/** The file of another kind beside a contract, e.g. `events.quality.json`. */
export const besideContract = (contractFile: string, kind: string): string =>
  `${contractFile.replace(/(\.schema)?\.json$/, "")}.${kind}.json`;

const KEYS = {
  row: ["kind", "expression", "columns", "type"],
  aggregate: ["kind", "expression", "groupBy", "columns", "type"],
  condition: ["kind", "expression", "columns", "type"],
  replace: ["kind", "pattern", "with"],
} as const;
const KINDS = Object.keys(KEYS) as (keyof typeof KEYS)[];

/** Reads the text of a record. What `recordText` would not write is a mistake. */
export function readAnswers(text: string): {
  answers: readonly Answer[];
  mistakes: readonly Mistake[];
} {
  const { document, mistakes: unread } = readDocument(text);
  if (unread.length > 0) return { answers: [], mistakes: unread };
  const mistakes: Mistake[] = [];
  if (!isNode(document)) return { answers: [], mistakes: [["", `must be an object, ${got(document)}`]] };
  const file = new NodeReader(document, "", "", mistakes);
  file.refuseOthers("a record of answers", ["answers"]);
  const answers = file.children("answers", "answer").flatMap((node) => (node ? readAnswer(node) : []));
  return { answers, mistakes };
}

function readAnswer(node: NodeReader): Answer[] {
  const kind = node.oneOf("kind", KINDS);
  if (kind === undefined) return [];
  node.refuseOthers(`an answer to a ${kind}`, KEYS[kind]);
  if (kind === "replace") {
    const text = node.value("with");
    if (!isText(text)) node.wrong("with", `must be a text, it may be empty, ${got(text)}`);
    return [{ kind, pattern: node.text("pattern"), with: String(text) }];
  }
  const columns = node.child("columns");
  const types = Object.keys(columns?.node ?? {}).map((name) => [name, columns!.text(name)] as const);
  const common = {
    expression: node.text("expression"),
    columns: Object.fromEntries(types),
    type: node.text("type"),
  };
  return [kind === "aggregate" ? { kind, ...common, groupBy: node.names("groupBy") } : { kind, ...common }];
}

/** Prettier's width in this repository. */
const COLUMNS = 110;

/** The text of a record, formatted as Prettier does. Equal answers give equal bytes, in whatever order they are. */
export function recordText(answers: readonly Answer[]): string {
  const sorted = [...answersByKey(answers)].sort(([one], [other]) => (one < other ? -1 : 1));
  const entries = sorted.map(([, answer]) => {
    const type = answer.type === undefined ? {} : { type: answer.type };
    const lines = Object.entries({ ...questionOf(answer), ...type }).map(keyAndValue);
    return `    {\n${lines.join(",\n")}\n    }`;
  });
  return `{\n  "answers": [\n${entries.join(",\n")}\n  ]\n}\n`;
}

function keyAndValue([key, value]: [string, unknown]): string {
  const start = `      "${key}": `;
  const onOneLine = Array.isArray(value)
    ? `[${value.map((entry) => JSON.stringify(entry)).join(", ")}]`
    : undefined;
  if (onOneLine !== undefined && `${start}${onOneLine},`.length <= COLUMNS) return `${start}${onOneLine}`;
  return `${start}${JSON.stringify(value, null, 2).replaceAll("\n", "\n      ")}`;
}
