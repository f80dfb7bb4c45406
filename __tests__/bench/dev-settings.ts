import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Settings of dev, changed in a clone before it is deployed. */

const EVENTS = /\n {4}events: \{[^]*?\n {4}\},\n/;

/**
 * Changes the settings of the events pipeline, and of no other.
 *
 * @param changes what stands there, and what is to
 * @throws Error when one of them changes nothing
 */
export function changeEvents(
  clone: string,
  changes: readonly (readonly [from: string | RegExp, to: string])[],
): void {
  const file = join(clone, "environments", "dev.ts");
  const text = readFileSync(file, "utf8");
  const [before] = EVENTS.exec(text) ?? [];
  if (before === undefined) throw new Error(`${file} has no settings of events`);
  const after = changes.reduce((events, [from, to]) => {
    const changed = events.replace(from, to);
    if (changed === events) throw new Error(`${file} has no ${String(from)} for events`);
    return changed;
  }, before);
  writeFileSync(
    file,
    text.replace(before, () => after),
  );
}
