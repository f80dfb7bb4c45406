import { javaPatternMistake, replacementMistake } from "./java-pattern";
import { got, isNode, isText, NOTES, type NodeReader } from "./node-reader";

/** A CSV header that is accepted: the names that it must hold, in any order. */
export interface Shape {
  /** "" for the contract's own names. */
  readonly name: string;
  readonly sources: readonly Source[];
}

export interface Source {
  /** The name in the header. */
  readonly delivered: string;
  /** The contract's column; `null` for a delivered column that is left out. */
  readonly column: string | null;
  /** The steps that clean its texts, in order. */
  readonly clean: readonly Step[];
}

/** A replacement has a regular expression of Java, and the text that is put there (`$1` is a group). */
export type Step = (typeof STEPS)[number] | { readonly replace: string; readonly with: string };

const STEPS = ["trim", "upper", "lower"] as const;

export function readShapes(shapes: NodeReader | undefined): Shape[] {
  const entries = shapes?.objects() ?? [];
  return entries.flatMap(([name, node]) => {
    if (node === undefined) return [];
    if (name === "") node.wrong("", "must have a name");
    return [{ name, sources: Object.keys(node.node).map((delivered) => readSource(node, delivered)) }];
  });
}

function readSource(shape: NodeReader, delivered: string): Source {
  const value = shape.value(delivered);
  if (value === null || (isText(value) && value !== "")) return { delivered, column: value, clean: [] };
  if (!isNode(value)) {
    shape.wrong(delivered, `must be a column, null, or an object with column and clean, ${got(value)}`);
    return { delivered, column: null, clean: [] };
  }
  const node = shape.child(delivered)!;
  node.refuseOthers("a source", ["column", "clean"], NOTES);
  const steps = node.has("clean") ? node.list("clean", "step") : [];
  const clean = steps.flatMap((step, index) => readStep(node, step, index));
  return { delivered, column: node.text("column") || null, clean };
}

function readStep(source: NodeReader, step: unknown, index: number): Step[] {
  if (!isNode(step)) {
    const known = STEPS.find((one) => one === step);
    if (known !== undefined) return [known];
    source.wrong(
      `clean[${index}]`,
      `must be trim, upper, lower or an object with replace and with, ${got(step)}`,
    );
    return [];
  }
  const node = source.child(`clean[${index}]`, step)!;
  node.refuseOthers("a step", ["replace", "with"], NOTES);
  const pattern = node.text("replace");
  const mistake = pattern === "" ? undefined : javaPatternMistake(pattern);
  if (mistake !== undefined)
    node.wrong("replace", `must be a regular expression, ${got(pattern)}: ${mistake}`);
  const text = node.value("with");
  if (!isText(text)) node.wrong("with", `must be a text, it may be empty, ${got(text)}`);
  else if (replacementMistake(text) !== undefined)
    node.wrong("with", `${replacementMistake(text)!}, ${got(text)}`);
  return isText(text) ? [{ replace: pattern, with: text }] : [];
}
