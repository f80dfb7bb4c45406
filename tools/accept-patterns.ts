import { wrapCommand } from "../local/lines";
import { contains } from "../plan-review/globs";

/** Addresses that may be gone or renamed, as `npm run addresses -- --accept` takes them: in patterns with `*`. */

export function matches(pattern: string, address: string): boolean {
  return contains(pattern, address);
}

/**
 * A few patterns that match every wanted address and no other one. Those of a construct are `*.Sales_*`, or by type
 * `aws_glue_job.Sales_*` where some of them stay; the rest are spelt out.
 */
export function acceptPatterns(wanted: readonly string[], others: readonly string[]): string[] {
  const found = new Set<string>();
  for (const address of wanted) {
    if ([...found].some((pattern) => matches(pattern, address))) continue;
    const pattern = candidates(address).find(
      (one) =>
        !others.some((other) => matches(one, other)) &&
        wanted.filter((each) => matches(one, each)).length > 1,
    );
    found.add(pattern ?? address);
  }
  return [...found];
}

function candidates(address: string): string[] {
  const [, type, construct] = /^([^.]+)\.([^_]+)_/.exec(address) ?? [];
  return construct === undefined ? [] : [`*.${construct}_*`, `${type}.${construct}_*`];
}

/** A command to paste into a shell, in lines of at most 80 columns. */
export function acceptCommand(wanted: readonly string[], others: readonly string[]): string {
  const options = acceptPatterns(wanted, others).map((pattern) =>
    pattern.includes("*") ? `--accept '${pattern}'` : `--accept ${pattern}`,
  );
  return wrapCommand(`npm run addresses -- ${options.join(" ")}`);
}
