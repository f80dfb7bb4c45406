/**
 * Finds mistakes in the regular expressions of a contract, which Spark reads as Java patterns. It reports only what every Java refuses, so
 * no valid pattern is refused; Java judges the rest in the job. The job has the same checks (`java_pattern.py`).
 *
 * Source: https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html
 */

const PART =
  /(?<quoted>\\Q[^]*?(?:\\E|$))|(?<escaped>\\(?:c[^]|[^]))|(?<backslash>\\)|(?<opening>\((?:\?<[A-Za-z]|\?)?)|(?<other>[^])/g;

/** The first mistake of a pattern, or `undefined`. */
export function javaPatternMistake(pattern: string): string | undefined {
  // With the flag x a comment may hold anything.
  if (/\(\?[a-zA-Z]*x/.test(pattern)) return undefined;
  let [groups, classes] = [0, 0];
  let [isBegun, isFirst] = [false, false];
  for (const { 0: text, groups: kind } of pattern.matchAll(PART)) {
    if (kind?.backslash !== undefined) return "it ends in a lone backslash";
    const wasFirst = isFirst;
    isFirst = false;
    if (classes > 0) {
      // A bracket that stands first in its class, or after its ^, is a character.
      if (text === "[") [classes, isFirst] = [classes + 1, true];
      else if (text === "^" && wasFirst) isFirst = true;
      else if (text === "]" && !wasFirst) classes -= 1;
    } else if (text === "[") [classes, isFirst, isBegun] = [1, true, true];
    else if (kind?.opening !== undefined) [groups, isBegun] = [groups + 1, false];
    else if (text === ")") {
      if (groups === 0) return "a parenthesis is closed that was not opened";
      [groups, isBegun] = [groups - 1, true];
    } else if (["*", "+", "?"].includes(text) && !isBegun) return `nothing stands before ${text}`;
    else isBegun = text !== "|";
  }
  if (classes > 0) return "a bracket is not closed";
  return groups > 0 ? "a parenthesis is not closed" : undefined;
}

/** The mistake of a replacement text, in which `$1` and `${name}` are groups, or `undefined`. */
export function replacementMistake(text: string): string | undefined {
  const isRight = /^(?:[^$\\]|\\[^]|\$\d|\$\{[A-Za-z][A-Za-z0-9]*\})*$/.test(text);
  return isRight
    ? undefined
    : "must name a group after each $; write \\$ for a dollar sign and \\\\ for a backslash";
}
