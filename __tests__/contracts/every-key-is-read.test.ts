import { readContract } from "../../contracts/contract";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { planOf, planText } from "../../contracts/plan";
import {
  WHOLE_CHANGES,
  WHOLE_CSV,
  WHOLE_FLAT,
  WHOLE_HEADLESS,
  WHOLE_JSON,
  WHOLE_LINES,
  WHOLE_SOURCES,
} from "../support/whole-contracts";

/** A key that nothing reads is a mistake: whatever is changed in a contract changes its plan, or is refused. */

const RULES = { threshold: 0, rules: [] };
const WHOLE = {
  ...{ csv: WHOLE_CSV, json: WHOLE_JSON, headless: WHOLE_HEADLESS, lines: WHOLE_LINES },
  sources: WHOLE_SOURCES,
  flat: WHOLE_FLAT,
  ...WHOLE_CHANGES,
};

/** The mistakes of a contract, or its plan. */
function outcome(document: unknown): string {
  const mistakes = contractMistakes(document);
  return mistakes.length > 0
    ? JSON.stringify(mistakes)
    : planText(planOf(readContract(document).contract, RULES));
}

type Path = readonly (string | number)[];
type Edit = (parent: Record<string | number, unknown>, key: string | number) => void;

/** A copy in which the value at a path has been edited. */
function edited(document: object, path: Path, edit: Edit): unknown {
  const copy = structuredClone(document);
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], copy);
  edit(parent as Record<string, unknown>, path.at(-1)!);
  return copy;
}

/** Every value of a document, with its path. */
function values(node: unknown, path: Path = []): [path: Path, value: unknown][] {
  if (typeof node !== "object" || node === null) return [[path, node]];
  const inner = Array.isArray(node) ? [...node.entries()] : Object.entries(node);
  return [[path, node], ...inner.flatMap(([key, value]) => values(value, [...path, key]))];
}

/** Other values, of the same kind and of other kinds. */
function others(value: unknown): unknown[] {
  if (typeof value === "string") return [`${value}x`, "", 7, null];
  if (typeof value === "number") return [value + 1, String(value), null];
  if (typeof value === "boolean") return [!value, "x"];
  if (value === null) return ["x", 0];
  return Array.isArray(value) ? [[], "x", {}] : [[], "x", null];
}

describe.each(Object.entries(WHOLE))("the whole language: %s", (_, document) => {
  const plan = outcome(document);
  const all = values(document).filter(([path]) => path.length > 0);

  test("is taken", () => {
    expect(contractMistakes(document)).toEqual([]);
    expect(all.length).toBeGreaterThan(20);
  });

  test("any other value changes the plan, or is refused", () => {
    const unread = all.flatMap(([path, value]) =>
      others(value)
        .filter((other) => outcome(edited(document, path, (parent, key) => (parent[key] = other))) === plan)
        .map((other) => `${path.join("/")} = ${JSON.stringify(other)}`),
    );
    expect(unread).toEqual([]);
  });

  test("whatever is left out changes the plan, or is missed", () => {
    const unread = all
      .map(([path]) => path)
      .filter((path) => !isDescription(path))
      .filter((path) => outcome(edited(document, path, remove)) === plan)
      .map((path) => path.join("/"));
    expect(unread).toEqual([]);
  });

  test("whatever is added changes the plan, or is refused, unless it is a note", () => {
    const objects = all.filter(
      ([, value]) => typeof value === "object" && value !== null && !Array.isArray(value),
    );
    const added = (path: Path, name: string) =>
      outcome(edited(document, [...path, name], (parent, key) => (parent[key] = "x")));
    const places = [[] as Path, ...objects.map(([path]) => path)];
    expect(places.filter((path) => added(path, "nobody") === plan)).toEqual([]);
    expect(added([], "title")).toBe(plan);
  });
});

/** The rules of `x-etl.reasons` decide about a missing value; `required` must agree with them, and the null of a type is for readers. */
function isDescription(path: Path): boolean {
  const text = path.join("/");
  return /^required\/\d$|\/type\/1$/.test(text) || text === "properties/lines/items/type";
}

function remove(parent: Record<string | number, unknown>, key: string | number): void {
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
}

test("the whole contracts hold every key that may stand anywhere", () => {
  const keys = new Set(
    Object.values(WHOLE).flatMap((document) => values(document).map(([path]) => path.at(-1))),
  );
  const unknown = (document: object): string =>
    contractMistakes(document)
      .map(([, words]) => words)
      .join("\n");
  const refused = unknown({
    ...{ $schema: "https://json-schema.org/draft/2020-12/schema", nobody: 1 },
    properties: {
      ...Object.fromEntries(
        ["string", "integer", "number", "boolean", "array"].map((type) => [type, { type, nobody: 1 }]),
      ),
      moment: { type: "string", "x-timestamp": { nobody: 1 } },
      number: { type: "number", "x-number": { nobody: 1 } },
      flag: { type: "boolean", "x-boolean": { nobody: 1 } },
    },
    "x-etl": {
      nobody: 1,
      format: { kind: "csv", nobody: 1 },
      timestamp: { nobody: 1 },
      category: { nobody: 1 },
      aggregate: { nobody: 1 },
      computed: { a: { nobody: 1 } },
      reasons: [{ rule: "missing", nobody: 1 }],
      shapes: { a: { b: { nobody: 1, clean: [{ nobody: 1 }] } } },
    },
  });
  const known = [...refused.matchAll(/^is unknown: .* may hold (.*)$/gm)].flatMap(([, list]) =>
    list!.split(", "),
  );
  expect(known.length).toBeGreaterThan(60);
  // These have one value each, or are notes.
  const constant = ["$id", "type", "additionalProperties"];
  expect(known.filter((key) => !keys.has(key) && !constant.includes(key))).toEqual([]);
});
