import type { Mistake } from "../modules/core/refusals";
import { jsonMistake } from "./json-mistake";

/** A parsed file; a file that is not valid JSON has no document. */
export interface ReadDocument {
  readonly document?: unknown;
  readonly mistakes: readonly Mistake[];
}

/** Parses a file strictly: JSON takes the last of several equal keys, and so would ignore the others. */
export function readDocument(text: string): ReadDocument {
  try {
    return { document: JSON.parse(text) as unknown, mistakes: repeatedKeys(text) };
  } catch (error) {
    return { mistakes: [["", `is not valid JSON: ${jsonMistake(text, error as Error)}`]] };
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** An object or a list that is open. */
interface Open {
  readonly place: string;
  /** Only of an object. */
  readonly keys?: Set<string>;
  /** The key, or the index, of the value that follows. */
  at: string;
  index: number;
}

/** @param text valid JSON */
function repeatedKeys(text: string): Mistake[] {
  const mistakes: Mistake[] = [];
  const open: Open[] = [];
  const tokens = [...text.matchAll(TOKEN)].map(([token]) => token);
  for (const [position, token] of tokens.entries()) {
    const inner = open.at(-1);
    if (token === "{" || token === "[") {
      const place = inner === undefined ? "" : placeIn(inner);
      open.push({ place, keys: token === "{" ? new Set() : undefined, at: "", index: 0 });
    } else if (token === "}" || token === "]") open.pop();
    else if (token === "," && inner !== undefined) inner.index += 1;
    else if (inner?.keys !== undefined && tokens[position + 1] === ":") {
      inner.at = JSON.parse(token) as string;
      if (inner.keys.has(inner.at))
        mistakes.push([placeIn(inner), "is there twice: leave one of the two out"]);
      inner.keys.add(inner.at);
    }
  }
  return mistakes;
}

function placeIn({ place, keys, at, index }: Open): string {
  if (keys === undefined) return `${place}[${index}]`;
  return place === "" ? at : `${place}.${at}`;
}
