import { type Column, isFlattened, placeOf } from "./columns";
import type { Contract } from "./contract";
import { isCsv, isXml } from "./format";
import { commonSteps, type Path, pathText } from "./paths";
import type { Mistake } from "../modules/core/refusals";

/** Judges how the places of columns in a delivered object fit together. */

const KEYS = [
  ["x-path", ({ path }: Column) => path !== undefined, "a field of CSV holds no others"],
  ["x-count", ({ isCount }: Column) => isCount, "a field of CSV is not a list"],
  ["x-accepts", ({ accepts }: Column) => accepts.length > 0, "a field of CSV is a text"],
  ["x-blank", ({ isBlankNull }: Column) => isBlankNull, "a shape with clean and trim does the same"],
] as const;

/** Finds what is said about members of objects, of which CSV has none. */
export function pathsOfCsv({ format, columns, dropped }: Contract): Mistake[] {
  if (!isCsv(format)) return [];
  const found = columns.flatMap((column) =>
    KEYS.filter(([, has]) => has(column)).map(([key, , why]): Mistake => [
      `${column.place}.${key}`,
      `must be left out in csv: ${why}`,
    ]),
  );
  const advice = "a shape leaves a column of CSV out by null";
  return dropped.length === 0 ? found : [...found, ["x-etl.dropped", `must be left out in csv: ${advice}`]];
}

/** Finds places that no element of XML has, and what is said of JSON and means nothing in XML. */
export function pathsOfXml({ format, columns, dropped }: Contract): Mistake[] {
  if (!isXml(format)) return [];
  const mistakes = columns.flatMap((column, index): Mistake[] => {
    const others = columns.slice(0, index).flatMap((other) => capitalsMistake(column, other) ?? []);
    return [
      ...(column.accepts.length > 0
        ? [[`${column.place}.x-accepts`, "must be left out in xml: every value is a text"] as const]
        : []),
      ...(column.isCount
        ? [
            [
              `${column.place}.x-count`,
              "must be left out in xml: it counts the elements of a list of JSON",
            ] as const,
          ]
        : []),
      ...[elementMistake(placeOf(column)), ...others]
        .flatMap((mistake) => mistake ?? [])
        .slice(0, 1)
        .map((mistake): Mistake => [fieldOf(column), mistake]),
    ];
  });
  const advice = "what is not named is not read";
  return dropped.length === 0
    ? mistakes
    : [...mistakes, ["x-etl.dropped", `must be left out in xml: ${advice}`]];
}

function elementMistake(path: Path): string | undefined {
  const at = path.findIndex((step, index) => typeof step === "number" && typeof path[index - 1] === "number");
  if (at >= 0)
    return `must name an element between [${path[at - 1]!}] and [${path[at]!}]: XML has no lists of lists`;
  const names = path.slice(0, -1);
  if (
    names.some((step) => typeof step === "string" && step.startsWith("@")) ||
    (typeof path.at(-1) === "number" && String(path.at(-2)).startsWith("@"))
  )
    return `must end with an attribute, since nothing lies inside of one, got ${pathText(path)}`;
  return undefined;
}

/** Spark 4 takes names that differ in capitals for one, and Spark 3.5 does not. */
function capitalsMistake(column: Column, other: Column): string | undefined {
  const [path, before] = [placeOf(column), placeOf(other)];
  const common = commonSteps(path, before);
  const [step, theirs] = [path[common], before[common]];
  if (typeof step !== "string" || typeof theirs !== "string") return undefined;
  if (step.toLowerCase() !== theirs.toLowerCase()) return undefined;
  return `must differ from the place of ${other.place} in more than capitals, which Spark ignores, got ${pathText(path)}`;
}

/** Finds lists that are read as a whole where objects are flattened. */
export function listsBesidePaths({ columns, format }: Contract): Mistake[] {
  if (isCsv(format) || isXml(format) || !columns.some(isFlattened)) return [];
  const why = "must not be an array in a contract with x-path, x-count, x-accepts or x-blank";
  const advice =
    'take its elements by x-path and its length by x-count, or keep its text by type object with "x-accepts": ["array"]';
  return columns.filter(({ kind }) => kind === "array").map(({ place }) => [place, `${why}: ${advice}`]);
}

/** Finds places that no object can have together, and names that Spark takes for one. */
export function wrongPlaces({ columns, format }: Contract): Mistake[] {
  if (isCsv(format) || isXml(format) || !columns.some(isFlattened)) return [];
  return columns.flatMap((column, index) => {
    const mistakes = columns.slice(0, index).flatMap((other) => togetherMistake(column, other) ?? []);
    return mistakes.slice(0, 1).map((mistake): Mistake => [fieldOf(column), mistake]);
  });
}

const fieldOf = ({ place, path }: Column): string => (path === undefined ? place : `${place}.x-path`);

function togetherMistake(column: Column, other: Column): string | undefined {
  const [path, before] = [placeOf(column), placeOf(other)];
  const common = commonSteps(path, before);
  const [step, theirs] = [path[common], before[common]];
  const shared = pathText(path.slice(0, common));
  if (step === undefined && theirs === undefined) return undefined;
  if (step === undefined) return insideMistake(column, other, before, common);
  if (theirs === undefined) return insideMistake(other, column, path, common);
  if (typeof step !== typeof theirs) {
    const kinds = typeof step === "string" ? ["an object", "a list"] : ["a list", "an object"];
    return `must not take ${shared} for ${kinds[0]}: ${other.place} takes it for ${kinds[1]}`;
  }
  if (typeof step === "string" && step.toLowerCase() === String(theirs).toLowerCase())
    return `must differ from the place of ${other.place} in more than capitals, which Spark ignores, got ${pathText(path)}`;
  return undefined;
}

/** Says why a column that lies at the first steps of a path cannot be there together with what lies inside of it. */
function insideMistake(outer: Column, inner: Column, path: Path, steps: number): string | undefined {
  const [isObject, isList] = [takes(outer, "object"), outer.isCount || takes(outer, "array")];
  const needed = typeof path[steps] === "string" ? isObject : isList;
  if (needed) return undefined;
  const kind = isObject ? "an object" : outer.isCount ? "a list" : `of type ${outer.kind}`;
  return `must not lie at ${pathText(path.slice(0, steps))} and inside of it: ${inner.place} is ${pathText(path)}, and ${outer.place} is ${kind}`;
}

const takes = ({ kind, accepts }: Column, wanted: "object" | "array"): boolean =>
  kind === wanted || accepts.includes(wanted);

/** Finds dropped places that are read after all. */
export function droppedAndRead({ columns, dropped }: Contract): Mistake[] {
  return dropped.flatMap((path): Mistake[] => {
    const reader = columns.find((column) => commonSteps(path, placeOf(column)) === path.length);
    if (reader === undefined) return [];
    return [["x-etl.dropped", `must not hold ${pathText(path)}: ${reader.place} is read from there`]];
  });
}
