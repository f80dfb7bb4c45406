import type { Contract } from "./contract";
import { canHold, type Format, isCsv } from "./format";
import type { Shape } from "./shapes";
import type { Mistake } from "../modules/core/refusals";

/**
 * The headers that are accepted, in the order in which they are tried: first the contract's own names, or the declared shape that has
 * just these names; then the others. A file has the first whose names are all in its header.
 */
export function acceptedShapes({ columns, format, shapes }: Contract): readonly Shape[] {
  if (!isCsv(format)) return [];
  const own: Shape = {
    name: "",
    sources: columns.map(({ name }) => ({ delivered: name, column: name, clean: [] })),
  };
  const same = shapes.find((shape) => holds(shape, own) && holds(own, shape));
  return same === undefined ? [own, ...shapes] : [same, ...shapes.filter((shape) => shape !== same)];
}

const namesOf = ({ sources }: Shape): readonly string[] => sources.map(({ delivered }) => delivered);
/** Tells whether every header that has the names of `shape` also has those of `other`. */
const holds = (shape: Shape, other: Shape): boolean =>
  namesOf(other).every((name) => namesOf(shape).includes(name));
const called = ({ name }: Shape): string => (name === "" ? "the contract's own header" : `shape '${name}'`);

/** Finds shapes that are never applied, because an earlier one takes every file that they describe. */
export function hiddenShapes(contract: Contract): Mistake[] {
  // wrongFileColumns says which shape files without a header have.
  if (contract.format.columns !== null) return [];
  const accepted = acceptedShapes(contract);
  return accepted.flatMap((shape, index): Mistake[] => {
    const earlier = accepted.slice(0, index).find((one) => holds(shape, one));
    if (earlier === undefined) return [];
    return [
      [
        `x-etl.shapes.${shape.name}`,
        `is never applied: every file that has its names also fits ${called(earlier)}, which is tried first; ${advice(shape, earlier)}`,
      ],
    ];
  });
}

function advice(shape: Shape, earlier: Shape): string {
  if (holds(earlier, shape)) return "leave one of the two out";
  return earlier.name === ""
    ? "declare a shape with just the contract's own names, or leave the further names to unknownColumns"
    : `put it before ${called(earlier)}`;
}

/** Finds names that no header can hold: a shape with one of them is never applied. */
export function undeliverableNames(contract: Contract): Mistake[] {
  const { format, shapes, columns } = contract;
  if (!isCsv(format) || format.columns !== null) return [];
  const declared = shapes.flatMap(({ name: shape, sources }) =>
    sources.map(({ delivered }) => [`x-etl.shapes.${shape}.${delivered}`, delivered] as const),
  );
  const own = columns.map(({ place, name }) => [place, name] as const);
  // With shapes, files need not have the contract's own header.
  return (shapes.length > 0 ? declared : own).flatMap(([field, name]): Mistake[] => {
    const mistake = headerMistake(name, format);
    return mistake === undefined ? [] : [[field, mistake]];
  });
}

function headerMistake(
  name: string,
  { encoding, quote, escape, delimiter, multiLine }: Format,
): string | undefined {
  if (!canHold(encoding, name))
    return `must be a name that ${encoding} can hold, since no header has it otherwise`;
  if (/[\r\n]/.test(name) && !multiLine) return "must not hold a line end, since multiLine is not true";
  if (quote === null && escape === null && name.includes(delimiter))
    return "must not hold the delimiter, since quote is null";
  return undefined;
}

/** Compares the shapes with the properties. */
export function wrongShapes({ format, shapes, columns }: Contract): Mistake[] {
  if (!isCsv(format)) return [];
  const names = columns.map(({ name }) => name);
  return shapes.flatMap(({ name: shape, sources }) => {
    const field = `x-etl.shapes.${shape}`;
    const wrong = sources.flatMap(({ delivered, column }): Mistake[] => [
      ...(delivered === "" ? [[field, "must not hold an empty name"] as const] : []),
      ...(column === null || names.includes(column)
        ? []
        : [
            [
              `${field}.${delivered}`,
              `must name a property, got '${column}'; the properties are ${names.join(", ")}`,
            ] as const,
          ]),
    ]);
    const counts = names.flatMap((name): Mistake[] => {
      const from = sources.filter(({ column }) => column === name).map(({ delivered }) => delivered);
      if (from.length === 1) return [];
      return [[field, `must fill '${name}' from one delivered column, got ${from.join(", ") || "nothing"}`]];
    });
    return [...wrong, ...counts];
  });
}

export function shapesOfNoCsv({ format, shapes }: Contract): Mistake[] {
  if (isCsv(format) || shapes.length === 0) return [];
  return [
    ["x-etl.shapes", `must be left out: shapes describe CSV headers, and x-etl.format is ${format.kind}`],
  ];
}

/** Compares the names of files without a header line with the shapes. */
export function wrongFileColumns(contract: Contract): Mistake[] {
  const { columns, unknownColumns } = contract.format;
  if (columns === null) return [];
  const field = "x-etl.format.columns";
  const shape = acceptedShapes(contract).find((one) => namesOf(one).every((name) => columns.includes(name)));
  if (shape === undefined) {
    const lacks = contract.columns.filter(({ name }) => !columns.includes(name)).map(({ name }) => name);
    const orShape = contract.shapes.length === 0 ? "" : ", or all names of a shape";
    return [
      [
        field,
        `must hold all names of the properties${orShape}; of the properties it lacks ${lacks.join(", ")}`,
      ],
    ];
  }
  const others = contract.shapes.filter((one) => one !== shape);
  if (others.length > 0)
    return others.map((one) => [
      `x-etl.shapes.${one.name}`,
      `is never applied: every file has the names of x-etl.format.columns, which fit ${called(shape)}; leave it out`,
    ]);
  const unknown = unknownColumns === "refuse" ? columns.filter((name) => !namesOf(shape).includes(name)) : [];
  if (unknown.length === 0) return [];
  return [
    [field, `must not hold unknown columns, since unknownColumns is refuse, got ${unknown.join(", ")}`],
  ];
}
