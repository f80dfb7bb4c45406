import type { Column } from "./columns";
import type { Contract } from "./contract";
import { KEPT, KEPT_TYPE } from "./format";

const SCALARS = { string: "string", integer: "bigint", number: "double", boolean: "boolean" } as const;

/** The type of a column as Glue's catalogue spells it. */
export function glueType({ kind, decimal, dateFormats, moments, fields, entries }: Column): string {
  if (decimal !== undefined) return `decimal(${decimal.join(",")})`;
  if (dateFormats.length > 0) return "date";
  if (moments !== undefined) return "timestamp";
  if (kind === "object") return "string";
  if (kind !== "array") return SCALARS[kind];
  if (entries !== undefined) return `array<${SCALARS[entries]}>`;
  return `array<struct<${fields.map((field) => `${field.name}:${glueType(field)}`).join(",")}>>`;
}

/** Every column before any is computed, with its type. */
export function baseTypes({ columns, timestamp, category, format, given }: Contract): Map<string, string> {
  return new Map([
    ...columns.map((column) => [column.name, glueType(column)] as const),
    ...(timestamp === undefined
      ? []
      : ([
          [timestamp.column, "timestamp"],
          [timestamp.dateColumn, "date"],
        ] as const)),
    ...(category === undefined ? [] : [[category.column, "string"] as const]),
    ...(format.unknownColumns === "keep" ? [[KEPT, KEPT_TYPE] as const] : []),
    ...given.map(({ name, type }) => [name, type] as const),
  ]);
}

/**
 * The types of the columns in an expression of one row. Whole numbers are decimals, which do not overflow; one with a range has as many
 * digits as its bounds.
 */
export function expressionTypes(contract: Contract): Map<string, string> {
  const bounded = contract.columns.flatMap((column) => {
    const digits = digitsOf(column);
    return digits === undefined ? [] : [[column.name, `decimal(${digits},0)`] as const];
  });
  return new Map([...baseTypes(contract), ...bounded]);
}

/** The digits of an integer between two bounds; `undefined` for other columns. */
function digitsOf({ kind, bounds }: Column): number | undefined {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = bounds;
  const [low, high] = [minimum ?? exclusiveMinimum, maximum ?? exclusiveMaximum];
  if (kind !== "integer" || low === undefined || high === undefined) return undefined;
  return String(Math.trunc(Math.max(Math.abs(low), Math.abs(high)))).length;
}

/** Every column that may be published, with its type. */
export function allTypes(contract: Contract): Map<string, string> {
  return new Map([
    ...baseTypes(contract),
    ...contract.computed.map(({ name, type }) => [name, type] as const),
  ]);
}

/** The published columns in order, without unknown names. */
export function outputTypes(contract: Contract): Map<string, string> {
  const types = allTypes(contract);
  return new Map(
    contract.output.flatMap((name) => (types.has(name) ? [[name, types.get(name)!] as const] : [])),
  );
}

/** The columns of these that are neither lists nor maps: the ones that an expression may name. */
export const scalarsOf = (types: ReadonlyMap<string, string>): string[] =>
  [...types].filter(([, type]) => !type.includes("<")).map(([name]) => name);
