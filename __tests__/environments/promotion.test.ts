import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ENVIRONMENTS } from "../../environments/registry";
import { ROOT } from "../support/clone";
import { settingsOf, type StackJson, synthEnvironment } from "../support/environment-stacks";

/**
 * Promotion moves a stack that was tried: the stacks of one commit differ in what the settings say, and in nothing else. The table
 * of differences stands in docs/promotion.md, for people and for this test.
 */

const DOC = readFileSync(join(ROOT, "docs", "promotion.md"), "utf8");

/** Rows `| pattern of paths | setting | … |` of the table of differences. */
const DIFFERENCES = [...DOC.matchAll(/^\| `([^`]+)` +\| `([^`]+)`/gm)].map(([, path, setting]) => ({
  path: path!,
  setting: setting!,
  matches: new RegExp(`^${path!.replaceAll(".", "\\.").replaceAll("*", ".*")}$`),
}));

/** Every leaf by its path, with the environment's own name taken out of names. */
function leavesOf(environment: string): Map<string, string> {
  const leaves = new Map<string, string>();
  const visit = (value: unknown, path: string): void => {
    const inner = documentOf(value) ?? value;
    if (typeof inner === "object" && inner !== null) {
      for (const [key, field] of Object.entries(inner)) visit(field, path === "" ? key : `${path}.${key}`);
    } else leaves.set(path, neutral(JSON.stringify(value), environment));
  };
  const { resource, provider, terraform, output }: StackJson = synthEnvironment(settingsOf(environment));
  visit({ resource, provider, terraform, output }, "");
  return new Map([...leaves].map(([path, value]) => [neutral(path, environment), value]));
}

/** Policies and definitions are documents within a text. */
function documentOf(value: unknown): unknown {
  if (typeof value !== "string" || !value.startsWith("{")) return undefined;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

function neutral(text: string, environment: string): string {
  return text.replaceAll(
    new RegExp(`(?<![A-Za-z0-9]|spark-)${environment}(?![A-Za-z0-9])`, "g"),
    "<environment>",
  );
}

function differing(one: Map<string, string>, other: Map<string, string>): string[] {
  const paths = new Set([...one.keys(), ...other.keys()]);
  return [...paths].filter((path) => one.get(path) !== other.get(path)).sort();
}

const stacks = Object.fromEntries(Object.keys(ENVIRONMENTS).map((name) => [name, leavesOf(name)]));

test.each([
  ["dev", "staging"],
  ["staging", "prod"],
])("%s and %s differ in nothing but what the table names", (one, other) => {
  const unexplained = differing(stacks[one]!, stacks[other]!).filter(
    (path) => !DIFFERENCES.some(({ matches }) => matches.test(path)),
  );
  expect(unexplained).toEqual([]);
});

test("every row of the table explains a difference that there is", () => {
  const all = [...differing(stacks.dev!, stacks.staging!), ...differing(stacks.staging!, stacks.prod!)];
  const idle = DIFFERENCES.filter(({ matches }) => !all.some((path) => matches.test(path)));
  expect(DIFFERENCES.length).toBeGreaterThan(5);
  expect(idle.map(({ path }) => path)).toEqual([]);
});

test("every setting that the table names is one", () => {
  const isSetting = (name: string) =>
    name.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], {
      ...ENVIRONMENTS.prod,
    }) !== undefined;
  expect(DIFFERENCES.map(({ setting }) => setting).filter((name) => !isSetting(name))).toEqual([]);
});
