import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Settings and contracts, changed in a clone before it is deployed. */

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

/**
 * Lets files start pipelines with plain settings, and the price lists.
 *
 * @param arrivals the settings of their arrival, as text, by pipeline
 * @throws Error when one of them changes nothing
 */
export function letFilesStart(clone: string, arrivals: Readonly<Record<string, string>>): void {
  const file = join(clone, "environments", "dev.ts");
  const text = readFileSync(file, "utf8");
  const after = Object.entries(arrivals).reduce((before, [pipeline, arrival]) => {
    const changed = before
      .replace(`    ${pipeline}: daily,\n`, `    ${pipeline}: { ...daily, arrival: ${arrival} },\n`)
      .replace(
        new RegExp(`(\\n {4}"?${pipeline}"?: \\{\\n[^]*?\\n {6}arrival: )\\{.*\\},\\n`),
        (_, start: string) => `${start}${arrival},\n`,
      );
    if (changed === before) throw new Error(`${file} has no settings for the arrival of ${pipeline}`);
    return changed;
  }, text);
  writeFileSync(file, after);
}

/**
 * Makes the products pipeline one that keeps every version: its settings, and in its contract `x-etl.changes`.
 *
 * @param changes the declaration of `x-etl.changes`
 * @throws Error when dev has no plain products
 */
export function keepVersionsOfProducts(clone: string, changes: object): void {
  const settings = join(clone, "environments", "dev.ts");
  const text = readFileSync(settings, "utf8");
  const as = '    products: { ...daily, tableFormat: "iceberg", writeMode: "changes" },\n';
  const changed = text.replace("    products: daily,\n", as);
  if (changed === text) throw new Error(`${settings} has no plain products`);
  writeFileSync(settings, changed);
  const file = join(clone, "pipelines", "products", "products.schema.json");
  const contract = JSON.parse(readFileSync(file, "utf8")) as { "x-etl": Record<string, unknown> };
  contract["x-etl"].changes = changes;
  writeFileSync(file, JSON.stringify(contract));
}
