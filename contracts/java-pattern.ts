/**
 * Regular expressions of a contract are Java's, as Spark reads them. Only Java can tell all that is wrong with one; what is told here
 * is wrong in any case, so that nothing that Java would take is refused. The job has the same (`glue-scripts/etl/ingest/java_pattern.py`). Pure.
 *
 * Source: https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/regex/Pattern.html
 */

const PART =
  /(?<quoted>\\Q[^]*?(?:\\E|$))|(?<escaped>\\(?:c[^]|[^]))|(?<backslash>\\)|(?<opening>\((?:\?<[A-Za-z]|\?)?)|(?<other>[^])/g;

/** What is wrong with a pattern in any case. */
export function javaPatternMistake(pattern: string): string | undefined {
  // With comments on, anything may stand in one.
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

/** What is wrong with the text that a match is replaced by: `$1` and `${name}` are groups in it. */
export function replacementMistake(text: string): string | undefined {
  const isRight = /^(?:[^$\\]|\\[^]|\$\d|\$\{[A-Za-z][A-Za-z0-9]*\})*$/.test(text);
  return isRight ? undefined : "must name a group after each $, or be written \\$, and \\\\ for a backslash";
}
