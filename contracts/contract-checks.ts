import { wrongChanges } from "./change-checks";
import type { Column, NumberForm } from "./columns";
import type { Computed } from "./computed";
import type { Contract, Rule } from "./contract";
import { allTypes, baseTypes, outputTypes, scalarsOf } from "./contract-types";
import { wrongDms } from "./dms-checks";
import { expressionMistakes, ROW_FUNCTIONS, SUM_FUNCTIONS } from "./expression";
import { type Format, hasTexts, isCsv, KEPT } from "./format";
import { droppedAndRead, listsBesidePaths, pathsOfCsv, pathsOfXml, wrongPlaces } from "./path-checks";
import {
  hiddenShapes,
  shapesOfNoCsv,
  undeliverableNames,
  wrongFileColumns,
  wrongShapes,
} from "./shape-checks";
import type { Mistake } from "../modules/core/refusals";

/** Judges how the parts of a contract fit together. */

type Part =
  "properties" | "required" | Exclude<keyof Contract, "columns" | "required" | "rules" | "given"> | "reasons";
type Find = (contract: Contract) => Mistake[];

/** Columns that the job adds to those of a contract. Glue and Spark ignore capitals. */
const RESERVED = new Set([
  ...[
    "line",
    "row",
    "texts",
    "is_object",
    "is_clean",
    "is_open",
    "moment",
    "day",
    "value",
    "reason",
    "raw_line",
  ],
  ...["reason_values", "run_date", "file_path", "block_start", "row_id", "source_file", "run_id"],
  ...["source_version", "age", "place"],
]);
const isReserved = (name: string): boolean => RESERVED.has(name.toLowerCase());

const BASE: readonly Part[] = ["properties", "timestamp", "category", "format", "sourceColumn"];
const ALL: readonly Part[] = [...BASE, "computed"];

/** Each check, with the parts that must be right in themselves before it can run. */
const CHECKS: readonly (readonly [parts: readonly Part[], find: Find])[] = [
  [["properties"], wrongNames],
  [["properties", "businessKey"], wrongKey],
  [["properties", "required"], (c) => c.required.flatMap((name) => wrongUse(c, "required", name, SCALAR))],
  [["properties", "reasons"], wrongRuleColumns],
  [["properties", "timestamp"], (c) => wrongSource(c, "timestamp")],
  [["properties", "category"], (c) => wrongSource(c, "category")],
  [ALL, wrongNewNames],
  [[...ALL, "output"], wrongOutput],
  [["output", "businessKey"], keyNotPublished],
  [["output", "format"], keptNotPublished],
  [[...ALL, "output", "partitionBy"], wrongPartitions],
  [["partitionBy", "businessKey"], keyInPartitions],
  [["output", "partitionBy"], onlyPartitions],
  [[...ALL, "output", "orderColumn"], wrongOrder],
  [["reasons", "businessKey", "required", "timestamp"], unjudged],
  [["reasons"], repeatedReasons],
  [["reasons", "timestamp", "properties"], wrongKinds],
  [["format", "shapes"], shapesOfNoCsv],
  [["format", "properties"], ofAnotherFormat],
  [["format", "onDrift"], blindToDrift],
  [["format", "properties", "dropped"], pathsOfCsv],
  [["format", "properties", "dropped"], pathsOfXml],
  [["format", "properties"], listsBesidePaths],
  [["format", "properties"], wrongPlaces],
  [["properties", "dropped"], droppedAndRead],
  [["format", "shapes", "properties"], wrongShapes],
  [["format", "shapes", "properties"], hiddenShapes],
  [["format", "shapes", "properties"], undeliverableNames],
  [["format", "shapes", "properties"], wrongFileColumns],
  [ALL, wrongComputed],
  [[...ALL, "output", "aggregate"], wrongAggregate],
  [[...ALL, "output", "required", "businessKey", "changes"], wrongChanges],
  [["properties", "format", "shapes", "changes", "dms"], wrongDms],
];

/** The checks of what sources have in common: their key, their rules, and what becomes of their rows. */
const OF_ALL: readonly Find[] = [
  ...[wrongOutput, keyNotPublished, wrongPartitions, keyInPartitions, onlyPartitions, wrongOrder],
  ...[unjudged, repeatedReasons, wrongKinds, wrongComputed, wrongAggregate],
  wrongChanges,
];

/**
 * Runs every check whose parts are right in themselves.
 *
 * @param isSound tells whether a part has no mistake of its own
 * @param about the checks: of what sources have in common, or of what each delivers
 */
export function crossMistakes(
  contract: Contract,
  isSound: (part: Part) => boolean,
  about: "all sources" | "each source" | "both" = "both",
): Mistake[] {
  const isMeant = (find: Find) => about === "both" || OF_ALL.includes(find) === (about === "all sources");
  return CHECKS.flatMap(([parts, find]) => (isMeant(find) && parts.every(isSound) ? find(contract) : []));
}

interface Demand {
  readonly words: string;
  readonly isMet: (column: Column) => boolean;
}

const isText = ({ kind, dateFormats, moments }: Column): boolean =>
  kind === "string" && dateFormats.length === 0 && moments === undefined;
/** Types whose equality every engine agrees on: a double is rounded, and a date may come from the timestamp. */
const EXACT: Demand = {
  words: "a string, an integer or a decimal",
  isMet: (column) => isText(column) || column.kind === "integer" || column.decimal !== undefined,
};
const SCALAR: Demand = {
  words: "a string, an integer, a number or a boolean",
  isMet: ({ kind }) => kind !== "array" && kind !== "object",
};
const TEXT: Demand = { words: "a string", isMet: isText };
const TEXT_OR_MOMENT: Demand = {
  words: "a string",
  isMet: (column) => isText(column) || column.moments !== undefined,
};

function wrongUse({ columns }: Contract, field: string, name: string, demand: Demand): Mistake[] {
  const column = columns.find((one) => one.name === name);
  if (column === undefined) {
    const known = columns.map((one) => one.name).join(", ");
    return [[field, `must name a property, got '${name}'; the properties are ${known}`]];
  }
  if (demand.isMet(column)) return [];
  return [[field, `must name ${demand.words}, got '${name}', which is ${kindOf(column)}`]];
}

function kindOf({ kind, dateFormats, moments }: Column): string {
  if (dateFormats.length > 0) return "a date";
  return moments === undefined ? kind : "a timestamp";
}

/** Names become columns of Parquet, of Glue's catalogue and of queries, which ignore capitals and do not take every character. */
function wrongNames({ columns }: Contract): Mistake[] {
  const lists = columns.filter(({ fields }) => fields.length > 0);
  return [columns, ...lists.map(({ fields }) => fields)].flatMap((siblings) =>
    siblings.flatMap(({ place, name }, index): Mistake[] => {
      const same = siblings.slice(0, index).find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (same !== undefined)
        return [
          [
            place,
            `must differ from '${same.name}' in more than capitals: Glue, Athena and Spark ignore them`,
          ],
        ];
      return isColumnName(name) ? [] : [[place, NAME_DEMAND]];
    }),
  );
}

/** Tells whether Spark, Parquet, Glue and Athena all take a name: without dots, brackets and other signs of their languages. */
const isColumnName = (name: string): boolean =>
  /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_ -]*[\p{L}\p{M}\p{N}_-])?$/u.test(name) &&
  Buffer.byteLength(name) <= 255 &&
  !name.toLowerCase().startsWith("x-etl");

const NAME_DEMAND =
  "must be a name of letters, digits, '_', '-' and inner spaces, of at most 255 bytes, that does not begin with x-etl" +
  "; a shape gives a CSV column another name";

/** Every row has its source's name. */
function wrongKey(c: Contract): Mistake[] {
  const delivered = c.businessKey.filter((name) => name !== c.sourceColumn);
  return delivered.flatMap((name) => wrongUse(c, "x-etl.businessKey", name, EXACT));
}

function wrongRuleColumns(c: Contract): Mistake[] {
  return c.rules.flatMap(({ place, kind, column, columns }) => [
    ...(column === undefined
      ? []
      : wrongUse(c, `${place}.column`, column, kind === "missing" ? SCALAR : TEXT_OR_MOMENT)),
    ...columns.flatMap((name) => wrongUse(c, `${place}.columns`, name, SCALAR)),
  ]);
}

function wrongSource(c: Contract, part: "timestamp" | "category"): Mistake[] {
  const of = c[part];
  return of === undefined ? [] : wrongUse(c, `x-etl.${part}.source`, of.source, TEXT);
}

/** Columns derived from others, with the field that names each. */
function derived({
  timestamp,
  category,
  sourceColumn,
}: Contract): (readonly [field: string, name: string])[] {
  const named: (readonly [string, string])[] = [];
  if (timestamp !== undefined) {
    named.push(["x-etl.timestamp.column", timestamp.column]);
    if (timestamp.dateColumn !== timestamp.source)
      named.push(["x-etl.timestamp.dateColumn", timestamp.dateColumn]);
  }
  if (category !== undefined) named.push(["x-etl.category.column", category.column]);
  if (sourceColumn !== undefined) named.push(["x-etl.sourceColumn", sourceColumn]);
  return named;
}

function wrongNewNames(c: Contract): Mistake[] {
  const taken = new Set(c.columns.map(({ name }) => name.toLowerCase()));
  const mistakes: Mistake[] = [];
  const take = (field: string, name: string) => {
    if (taken.has(name.toLowerCase())) mistakes.push([field, `must be another name: '${name}' is taken`]);
    taken.add(name.toLowerCase());
  };
  for (const [field, name] of derived(c)) {
    take(field, name);
    if (!isColumnName(name)) mistakes.push([field, NAME_DEMAND]);
  }
  // The job has the column even if it is not published.
  if (isCsv(c.format)) {
    const named = [...c.columns.map(({ place, name }) => [place, name] as const), ...derived(c)];
    mistakes.push(
      ...named.filter(([, name]) => name.toLowerCase() === KEPT).map(([field]) => reserved(field)),
    );
    taken.add(KEPT);
  }
  for (const { place, name } of c.computed) take(place, name);
  return mistakes;
}

function wrongOutput(c: Contract): Mistake[] {
  const all = allTypes(c);
  const unknown = c.output.filter((name) => !all.has(name));
  const base = [...baseTypes(c).keys()];
  // An expression may use every one of them.
  const used = c.computed.length > 0 ? base : base.filter((name) => c.output.includes(name));
  const places = new Map([
    ...c.columns.map(({ name, place }) => [name, place] as const),
    ...derived(c).map(([field, name]) => [name, field] as const),
  ]);
  return [
    ...unknown.map((name): Mistake => [
      "x-etl.output",
      `must name a delivered, derived or computed column, got '${name}'; the columns are ${[...all.keys()].join(", ")}`,
    ]),
    ...used.flatMap((name): Mistake[] => {
      const place = isReserved(name) ? places.get(name) : undefined;
      return place === undefined ? [] : [reserved(place)];
    }),
  ];
}

const reserved = (field: string): Mistake => [
  field,
  "must have another name: the job adds a column of this name",
];

function keyNotPublished({ businessKey, output }: Contract): Mistake[] {
  const lost = businessKey.filter((name) => !output.includes(name));
  return lost.map((name) => ["x-etl.output", `must hold '${name}' of x-etl.businessKey`]);
}

function keptNotPublished({ format, output }: Contract): Mistake[] {
  if (format.unknownColumns !== "keep" || output.includes(KEPT)) return [];
  return [["x-etl.output", `must hold '${KEPT}', since x-etl.format.unknownColumns is keep`]];
}

function wrongPartitions(c: Contract): Mistake[] {
  const types = outputTypes(c);
  const objects = c.columns.filter(({ kind }) => kind === "object").map(({ name }) => name);
  const typeOf = (name: string) =>
    objects.includes(name) ? "an object" : (types.get(name) ?? "not published");
  return c.partitionBy
    .filter((name) => !["string", "date"].includes(typeOf(name)))
    .map((name) => [
      "x-etl.partitionBy",
      `must name string or date columns of x-etl.output, got '${name}', which is ${typeOf(name)}`,
    ]);
}

function keyInPartitions({ businessKey, partitionBy }: Contract): Mistake[] {
  const both = partitionBy.filter((name) => businessKey.includes(name));
  return both.map((name) => [
    "x-etl.partitionBy",
    `must not name '${name}', a column of x-etl.businessKey; leave it out`,
  ]);
}

function onlyPartitions({ output, partitionBy }: Contract): Mistake[] {
  if (partitionBy.length === 0 || output.some((name) => !partitionBy.includes(name))) return [];
  return [["x-etl.output", "must hold a column that is not in x-etl.partitionBy"]];
}

function wrongOrder(c: Contract): Mistake[] {
  const mistake = c.orderColumn === undefined ? undefined : orderMistake(c.orderColumn, outputTypes(c));
  return mistake === undefined ? [] : [["x-etl.orderColumn", mistake]];
}

/** Says why a column cannot order rows, or `undefined` if it can. `run_date` orders by delivery. */
export function orderMistake(name: string, types: ReadonlyMap<string, string>): string | undefined {
  const kind = types.get(name) ?? "not published";
  if (name === "run_date" || (kind !== "not published" && !kind.includes("<"))) return undefined;
  return `must be run_date or a column of x-etl.output that is not a list or a map, got '${name}', which is ${kind}`;
}

function unjudged({ rules, businessKey, required, timestamp, sourceColumn }: Contract): Mistake[] {
  // A rule notATimestamp of another column does not mind a missing value.
  const isSure = ({ kind, column }: Rule) => kind === "missing" || column === timestamp?.source;
  const judged = [...rules.filter(isSure).map(({ column }) => column), sourceColumn];
  const needed = new Set([...businessKey, ...required]);
  return [...needed]
    .filter((name) => !judged.includes(name))
    .map((name) => ["x-etl.reasons", `must hold a rule for '${name}', which is required`]);
}

/** Rules may share a reason, but for the one that counts what cannot be read. */
function repeatedReasons({ rules }: Contract): Mistake[] {
  const [first, ...rest] = rules;
  return rest.flatMap(({ place, reason }) => {
    if (reason !== first?.reason) return [];
    return [[`${place}.reason`, `must differ from that of ${first.place}, got '${reason}'`]];
  });
}

function wrongKinds({ rules, timestamp, columns }: Contract): Mistake[] {
  const limited = columns.find(({ allowed, bounds }) => allowed.length > 0 || Object.keys(bounds).length > 0);
  const mistakes: Mistake[] = [];
  const need = (kind: string, why: string) => {
    if (!rules.some((rule) => rule.kind === kind))
      mistakes.push(["x-etl.reasons", `must hold a rule '${kind}'${why}`]);
  };
  need("wrongType", "");
  const isMoment = (column: string | undefined) =>
    columns.some(({ name, moments }) => name === column && moments !== undefined);
  const isOfSource = ({ kind, column }: Rule) => kind === "notATimestamp" && !isMoment(column);
  if (timestamp !== undefined && !rules.some(isOfSource))
    mistakes.push([
      "x-etl.reasons",
      `must hold a rule 'notATimestamp' for '${timestamp.source}', the source of x-etl.timestamp`,
    ]);
  if (limited !== undefined) need("notAllowed", `, since ${limited.place} has an enum or a range`);
  for (const { place, kind, column } of rules) {
    if (kind === "notAllowed" && limited === undefined)
      mistakes.push([`${place}.rule`, "must not be notAllowed: no property has an enum or a range"]);
    if (kind !== "notATimestamp") continue;
    if (isMoment(column) || column === timestamp?.source) continue;
    const source = timestamp === undefined ? "" : `'${timestamp.source}', the source of x-etl.timestamp, or `;
    mistakes.push([`${place}.column`, `must be ${source}a property with x-timestamp, got '${column}'`]);
  }
  return mistakes;
}

/** Finds what CSV cannot hold, and what is said of CSV and means nothing in JSON. */
function ofAnotherFormat({ format, columns }: Contract): Mistake[] {
  return columns.flatMap((column): Mistake[] => {
    const { place, kind, number, words, nulls } = column;
    if (hasTexts(format)) {
      const why = isCsv(format)
        ? "a line of CSV cannot hold one"
        : "take the texts that are inside of it by x-path, each as a column";
      if (kind === "array" || kind === "object") return [[place, `must not be an ${kind}: ${why}`]];
      return number === undefined ? [] : wrongMarks(`${place}.x-number`, number, format);
    }
    const kinds = `in ${format.kind}`;
    return [
      ...(number === undefined
        ? []
        : [[`${place}.x-number`, `must be left out ${kinds}: JSON writes numbers in one way`] as const]),
      ...(words === undefined
        ? []
        : [[`${place}.x-boolean`, `must be left out ${kinds}: JSON has true and false`] as const]),
      ...(nulls.length === 0 || kind === "string"
        ? []
        : [[`${place}.x-null`, `must be left out ${kinds}, but for strings: JSON has null`] as const]),
    ];
  });
}

/** Without quotes and escapes no text holds the delimiter. */
function wrongMarks(field: string, marks: NumberForm, { delimiter, quote, escape }: Format): Mistake[] {
  if (quote !== null || escape !== null) return [];
  return (["decimal", "thousands"] as const)
    .filter((key) => marks[key] === delimiter)
    .map((key) => [
      `${field}.${key}`,
      `must differ from the delimiter, since quote is null, got ${JSON.stringify(delimiter)}`,
    ]);
}

/** The delimiters that Glue's CSV classifier looks for: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html */
const CRAWLED_DELIMITERS = [",", "|", "\t", ";", "\u0001"];

/** Finds a contract that wants to fail on drift that no crawl can show. */
function blindToDrift({ format, onDrift }: Contract): Mistake[] {
  if (onDrift !== "fail") return [];
  if (format.kind === "xml")
    return [["x-etl.onDrift", "must be report in xml: its columns are not compared with those of a crawl"]];
  if (!isCsv(format)) return [];
  const { delimiter, skipTop, comment } = format;
  const why = [
    ...(CRAWLED_DELIMITERS.includes(delimiter) ? [] : [`the delimiter ${JSON.stringify(delimiter)}`]),
    ...(skipTop > 0 ? ["skipTop"] : []),
    ...(comment === null ? [] : ["comment"]),
  ];
  if (why.length === 0) return [];
  return [
    [
      "x-etl.onDrift",
      `must be report: with ${why.join(" and ")} a crawl does not show the columns of the files`,
    ],
  ];
}

function wrongComputed(c: Contract): Mistake[] {
  return expressions(c.computed, scalarsOf(baseTypes(c)), ROW_FUNCTIONS);
}

function wrongAggregate(c: Contract): Mistake[] {
  const { aggregate } = c;
  const types = outputTypes(c);
  // wrongOutput reports the columns that do not exist.
  if (aggregate === undefined || types.size < c.output.length) return [];
  const scalars = scalarsOf(types);
  const isKey = (name: string) => types.get(name) !== "double" && scalars.includes(name);
  const wrong = aggregate.groupBy.filter((name) => !isKey(name));
  return [
    ...wrong.map((name): Mistake => {
      const demand = "columns of x-etl.output that are neither double nor a list";
      return ["x-etl.aggregate.groupBy", `must name ${demand}, got '${name}'`];
    }),
    ...expressions(aggregate.columns, scalars, SUM_FUNCTIONS),
  ];
}

function expressions(
  computed: readonly Computed[],
  columns: readonly string[],
  functions: readonly string[],
): Mistake[] {
  return computed.flatMap(({ place, name, expression }) => [
    ...(isReserved(name) ? [reserved(place)] : []),
    ...expressionMistakes(expression, columns, functions).map((mistake): Mistake => [
      `${place}.expression`,
      mistake,
    ]),
  ]);
}
