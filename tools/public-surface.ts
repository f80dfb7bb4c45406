/** Changes of the public surface since the last release, and those that the changelog does not list. */

/** Name of an exported declaration → its lines. */
export type Surface = Readonly<Record<string, readonly string[]>>;

export interface SurfaceChange {
  readonly name: string;
  readonly kind: "new" | "gone" | "changed";
  /** The members of a changed declaration that are new, gone or different. */
  readonly members: readonly string[];
}

const DECLARATION =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|const|enum|function|interface|namespace|type) (\w+)/;
const MEMBER = /^(?:(?:abstract|get|protected|readonly|set|static) )*(\w+)/;

/** The declarations of an API report, without its comments. */
export function surfaceOf(report: string): Surface {
  const code = /^```ts\n(.*?)^```/ms.exec(report)?.[1] ?? "";
  const surface: Record<string, string[]> = {};
  let current: string[] = [];
  for (const line of code.split("\n")) {
    if (line.trim() === "" || line.trimStart().startsWith("//") || line.startsWith("import ")) continue;
    const name = DECLARATION.exec(line)?.[1];
    if (name !== undefined) surface[name] = current = [];
    current.push(line);
  }
  return surface;
}

export function surfaceChanges(before: Surface, now: Surface): SurfaceChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return names.flatMap((name): SurfaceChange[] => {
    const [old, current] = [before[name], now[name]];
    if (old === undefined) return [{ name, kind: "new", members: [] }];
    if (current === undefined) return [{ name, kind: "gone", members: [] }];
    if (old.join("\n") === current.join("\n")) return [];
    const different = [
      ...old.filter((line) => !current.includes(line)),
      ...current.filter((line) => !old.includes(line)),
    ];
    const members = different.flatMap((line) => (line.startsWith("    ") ? memberOf(line) : []));
    return [{ name, kind: "changed", members: [...new Set(members)].sort() }];
  });
}

function memberOf(line: string): string[] {
  const name = MEMBER.exec(line.trim())?.[1];
  return name === undefined || name === "constructor" ? [] : [name];
}

/**
 * Changes that no entry of the changelog's Unreleased section lists. An entry must name, as code, the declaration (for `XProps` also
 * `X`) and each changed member.
 */
export function unlistedChanges(changes: readonly SurfaceChange[], changelog: string): SurfaceChange[] {
  const unreleased = /^## Unreleased\n(.*?)(?=^## |$(?![^]))/ms.exec(changelog)?.[1] ?? "";
  const entries = unreleased.split(/^- /m).map(wordsOfCode);
  return changes.flatMap((change) => {
    const names = [change.name, change.name.replace(/Props$/, "")];
    const listing = entries.filter((words) => names.some((name) => words.has(name)));
    if (listing.length === 0) return [change];
    const members = change.members.filter((member) => !listing.some((words) => words.has(member)));
    return members.length === 0 ? [] : [{ ...change, members }];
  });
}

function wordsOfCode(entry: string): Set<string> {
  const code = [...entry.matchAll(/`([^`]+)`/g)].flatMap(([, text]) => text!.match(/\w+/g) ?? []);
  return new Set(code);
}

/** One line for each change: `GlueSparkJobProps: changed executionClass`. */
export const changeLines = (changes: readonly SurfaceChange[]): string =>
  changes.map(({ name, kind, members }) => `  ${name}: ${[kind, ...members].join(" ")}`).join("\n");
