/**
 * Tells whether `outer` matches every text that `inner` matches. Both are IAM patterns with `*` (anything) and `?` (one character); matching
 * packages compare a pattern with a text only. A wrong "no" is possible, a wrong "yes" is not.
 */
export function contains(outer: string, inner: string): boolean {
  if (!/[*?]/.test(outer)) return outer === inner;
  return included(normalised(outer), normalised(inner));
}

/** Brings runs of wildcards into one order, e.g. `*?` to `?*`. */
const normalised = (pattern: string): string =>
  pattern.replaceAll(/[*?]*\*[*?]*/g, (run) => `${"?".repeat(run.split("?").length - 1)}*`);

function included(outer: string, inner: string): boolean {
  // reach[j]: outer up to here can match the first j characters of inner; a `*` of inner counts as a character.
  let reach = Array.from({ length: inner.length + 1 }, (_, j) => j === 0);
  for (const symbol of outer) {
    const next = reach.map(() => false);
    for (let j = 0; j <= inner.length; j++) {
      const swallowed = j > 0 ? inner[j - 1]! : "";
      if (symbol === "*") next[j] = reach[j]! || (j > 0 && next[j - 1]!);
      else if (j > 0 && reach[j - 1]!) next[j] = symbol === "?" ? swallowed !== "*" : swallowed === symbol;
    }
    reach = next;
  }
  return reach[inner.length]!;
}

/** Tells whether some text is matched by both patterns. `${…}` may stand for anything. A wrong "yes" is possible, a wrong "no" is not. */
export function intersects(one: string, other: string): boolean {
  if (!/[*?$]/.test(one) && !/[*?$]/.test(other)) return one === other;
  const [a, b] = [one, other].map((pattern) => pattern.replaceAll(/\$\{[^}]*\}/g, "*")) as [string, string];
  let row = Array.from({ length: b.length + 1 }, (_, j) => b.slice(0, j).replaceAll("*", "") === "");
  for (const symbol of a) {
    const next = row.map(() => false);
    for (let j = 0; j <= b.length; j++) {
      const other = j > 0 ? b[j - 1]! : "";
      const both = symbol === "?" || other === "?" || symbol === other;
      next[j] =
        (symbol === "*" && (row[j]! || (j > 0 && next[j - 1]!))) ||
        (other === "*" && (next[j - 1]! || row[j]!)) ||
        (j > 0 && symbol !== "*" && other !== "*" && both && row[j - 1]!);
    }
    row = next;
  }
  return row[b.length]!;
}

const ARN_PARTS = 6;

/** Like {@link contains}, for ARNs, in which a wildcard stays within its part (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html). */
export function arnContains(outer: string, inner: string): boolean {
  if (outer === "*") return true;
  const [a, b] = [parts(outer), parts(inner)];
  if (a === undefined || b === undefined) return outer === inner || (a === b && contains(outer, inner));
  return a.every((part, i) => contains(part, b[i]!));
}

function parts(arn: string): string[] | undefined {
  const pieces = arn.split(":");
  if (pieces[0] !== "arn" || pieces.length < ARN_PARTS) return undefined;
  return [...pieces.slice(0, ARN_PARTS - 1), pieces.slice(ARN_PARTS - 1).join(":")];
}
