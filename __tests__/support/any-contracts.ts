import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { readContract } from "../../contracts/contract";
import { contractMistakes } from "../../contracts/contract-mistakes";
import { baseTypes } from "../../contracts/contract-types";
import { planOf, planText } from "../../contracts/plan";
import { judgedBy } from "../../contracts/quality-contract";
import { readQuality } from "../../contracts/quality-reader";

/**
 * Prints plans of random contracts for `glue-scripts/tests/test_any_contract.py`: those that synth takes, with the number of those that it
 * refuses. The same ones each time, unless a seed is given.
 */

type Node = Record<string, unknown>;

const ETL = join(__dirname, "..", "..", "glue-scripts", "etl");

/** The names of columns in the job's code. */
function namesOfTheJob(): string[] {
  const files = ["ingest", "run", "write"].flatMap((room) =>
    readdirSync(join(ETL, room), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".py"))
      .map((file) => join(ETL, room, file)),
  );
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const calls = text.match(/\b(?:alias|col|withColumn|select|drop|groupBy|coalesce)\((?:"\w+"[, ]*)+/g) ?? [];
  return [...new Set(calls.join(" ").match(/(?<=")[a-z]\w*(?=")/g) ?? [])].sort();
}

const plainName = fc.constantFrom(
  "id",
  "Amount",
  "born_on",
  "n1",
  "kind",
  "note",
  "Region",
  "shop",
  "x",
  "_y",
);
const name = fc.oneof(
  { weight: 3, arbitrary: plainName },
  { weight: 3, arbitrary: fc.constantFrom(...namesOfTheJob()) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "Größe in cm",
      "a-b",
      "1st",
      "select",
      "ORDER",
      "値段",
      "count",
      "é",
      "date",
      "__proto__",
    ),
  },
);
/** Names in headers of others. */
const header = fc.oneof(
  name,
  fc.constantFrom(
    "a.b",
    "c[0]",
    "d`e",
    "f(x)",
    " g ",
    "it's",
    "h;i",
    "j,k",
    "l|m",
    "n\\o",
    'p"q',
    "#r",
    "s\tt",
    "ü",
    "€",
  ),
);
const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/GMT+5");
const momentFormats = fc.uniqueArray(
  fc.constantFrom("yyyy-MM-dd HH:mm:ss", "dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ss[XXX]", "yyyyMMddHHmmss"),
  { minLength: 1, maxLength: 3 },
);
const moments = optional(
  { formats: momentFormats },
  {
    timeZone: zone,
    ambiguous: fc.constantFrom("first", "second", "quarantine"),
    nonexistent: fc.constantFrom("quarantine", "later"),
  },
);
const nulls = fc.uniqueArray(fc.constantFrom("", "-", "NULL", "0", "n/a"), { minLength: 1, maxLength: 2 });
const bounds = fc.constantFrom<Node>(
  {},
  {},
  { minimum: 0 },
  { exclusiveMinimum: -1.5, maximum: 100 },
  { exclusiveMaximum: 9007199254740991 },
);
const dateFormats = fc.constantFrom(["yyyy-MM-dd"], ["dd.MM.yyyy", "yyyyMMdd"]);
const decimal = fc.constantFrom([10, 2], [38, 0], [38, 38], [1, 0]);
const mark = fc.constantFrom(".", ",", "'", " ", "\u202f");

/** An object with these keys, and any of the optional ones. */
function optional(
  always: Record<string, fc.Arbitrary<unknown>>,
  some: Record<string, fc.Arbitrary<unknown>>,
) {
  return fc.record({ ...always, ...some }, { requiredKeys: Object.keys(always) });
}

const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<Node> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Node);

function property(isCsv: boolean): fc.Arbitrary<Node> {
  const type = (kind: string) => ({ type: fc.constantFrom(kind, [kind, "null"]) });
  const onlyCsv = (keys: Record<string, fc.Arbitrary<unknown>>) => (isCsv ? keys : {});
  const form = optional({}, { decimal: mark, thousands: mark });
  const scalars = [
    optional(type("string"), { "x-null": nulls, enum: fc.constantFrom(["a"], ["a", "b", null]) }),
    optional({ ...type("string"), "x-date": dateFormats }, { "x-null": nulls }),
    optional({ ...type("string"), "x-timestamp": moments }, { "x-null": nulls }),
    merged(
      optional(type("integer"), {
        enum: fc.constantFrom([1, 2, 3], [-1]),
        ...onlyCsv({ "x-null": nulls, "x-number": optional({}, { thousands: mark }) }),
      }),
      bounds,
    ),
    merged(
      optional(type("number"), { "x-decimal": decimal, ...onlyCsv({ "x-null": nulls, "x-number": form }) }),
      bounds,
    ),
    optional(
      type("boolean"),
      onlyCsv({ "x-null": nulls, "x-boolean": fc.constant({ true: ["J", "ja"], false: ["N"] }) }),
    ),
  ];
  if (isCsv) return fc.oneof(...scalars);
  const scalar = fc.record({ type: fc.constantFrom("string", "integer", "number", "boolean") });
  const fields = fc.dictionary(name, scalar, { minKeys: 1, maxKeys: 3 });
  return fc.oneof(
    ...scalars,
    fc.record({ type: fc.constantFrom("object", ["object", "null"]) }),
    scalar.map((items) => ({ type: "array", items })),
    fields.map((properties) => ({ type: "array", items: { properties } })),
  );
}

const csvFormat: fc.Arbitrary<Node> = optional(
  { kind: fc.constant("csv") },
  {
    delimiter: fc.constantFrom(",", ";", "\t", "|", "\u0001", "^", " ", "€", "."),
    quote: fc.constantFrom('"', null),
    escape: fc.constantFrom("\\", "^", "/"),
    multiLine: fc.boolean(),
    unknownColumns: fc.constantFrom("ignore", "keep", "refuse"),
    encoding: fc.constantFrom("UTF-8", "ISO-8859-1", "windows-1252"),
    skipTop: fc.constantFrom(0, 1, 3),
    skipBottom: fc.constantFrom(0, 1),
    comment: fc.constantFrom("#", "/", "é"),
  },
).map((format: Node) => {
  // Most pairs that exclude each other are tested in bad-contracts.json.
  const { comment, multiLine, ...rest } = format;
  if (multiLine === true && rest.quote !== null) return { ...rest, multiLine };
  return comment === undefined ? rest : { ...rest, comment };
});

const jsonFormat = fc.record({ kind: fc.constantFrom("jsonLines", "jsonObjects", "jsonArray") });
const step = fc.constantFrom(
  "trim",
  "upper",
  "lower",
  { replace: "\\.0$", with: "" },
  { replace: "(a)|b", with: "$1" },
);
const clean = fc.array(step, { minLength: 1, maxLength: 3 });

/** Expressions of columns of a type, with the type that Spark gives them. */
const EXPRESSIONS: Readonly<Record<string, readonly (readonly [expression: string, type: string])[]>> = {
  string: [
    ["upper(trim(X))", "string"],
    ["length(X)", "bigint"],
    ["X in ('a', 'b')", "boolean"],
    ["coalesce(substring(X, 1, 2), 'none')", "string"],
  ],
  bigint: [
    ["X * 2 - 1", "bigint"],
    ["case when X > 0 then 'up' else 'down' end", "string"],
    ["abs(X)", "decimal(20,0)"],
  ],
  double: [
    ["round(X, 2)", "double"],
    ["X is null", "boolean"],
  ],
  boolean: [["not X", "boolean"]],
  date: [["year(X)", "bigint"]],
  timestamp: [["hour(X) * 60", "bigint"]],
  decimal: [["X + 1.5", "decimal(38,2)"]],
};

interface Draft {
  readonly properties: Node;
  readonly extension: Node;
}

/** Adds computed columns, an output, partitions and sums, all of columns that exist. */
function completed({ properties, extension }: Draft, random: fc.GeneratorValue): Node {
  const document = (more: Node): Node => ({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    properties,
    required: ["key"],
    "x-etl": { ...extension, ...more },
  });
  const draft = baseTypes(readContract(document({ output: ["key"] })).contract);
  const chance = () => random(fc.boolean);
  const scalars = [...draft].filter(([column, type]) => isWord(column) && !type.includes("<"));
  const computed = scalars.slice(0, 3).flatMap(([column, type], index) => {
    const known = EXPRESSIONS[type.replace(/\(.*/, "")]!;
    const [expression, made] = known[random(fc.nat, { max: known.length - 1 })]!;
    return chance()
      ? [[`made_${index}`, { expression: expression.replaceAll("X", column), type: made }] as const]
      : [];
  });
  const published = [...draft.keys()].filter(
    (column) => ["key", "unknown_columns"].includes(column) || chance() || chance(),
  );
  const output = [...published, ...computed.map(([column]) => column)];
  const texts = published.filter((column) => draft.get(column) === "string" && column !== "key");
  const partitionBy = chance() ? texts.slice(0, 2) : [];
  const keys = published.filter((column) => /^(string|bigint|date|boolean)$/.test(draft.get(column)!));
  const numbers = published.filter(
    (column) => draft.get(column) === "bigint" && /^[A-Za-z_]\w*$/.test(column),
  );
  const sums = {
    rows: { expression: "count(*)", type: "bigint" },
    ...(numbers[0] === undefined
      ? {}
      : { total: { expression: `sum(${numbers[0]})`, type: "decimal(38,0)" } }),
  };
  return document({
    output,
    ...(computed.length > 0 ? { computed: Object.fromEntries(computed) } : {}),
    ...(partitionBy.length > 0 ? { partitionBy } : {}),
    ...(keys.length > 0 && chance() ? { aggregate: { groupBy: keys.slice(0, 3), columns: sums } } : {}),
  });
}

/** Tells whether an expression can name a column, without reading it as a literal. */
const isWord = (column: string): boolean => /^(?!(?:true|false|null)$)[A-Za-z_]\w*$/.test(column);

const contract: fc.Arbitrary<Node> = fc
  .boolean()
  .chain((isCsv) =>
    fc
      .record({
        key: fc.constantFrom<Node>(
          { type: "string" },
          { type: "integer" },
          { type: "number", "x-decimal": [12, 3] },
        ),
        columns: fc.uniqueArray(fc.tuple(name, property(isCsv)), {
          minLength: 1,
          maxLength: 6,
          selector: ([column]) => column.toLowerCase(),
        }),
        format: isCsv ? csvFormat : jsonFormat,
        timestamp: fc.option(merged(moments, optional({}, { dateFormats }))),
        hasCategory: fc.boolean(),
        shapes: fc.array(
          fc.uniqueArray(fc.tuple(header, fc.option(clean)), {
            minLength: 8,
            maxLength: 11,
            selector: ([one]) => one,
          }),
          { maxLength: 2 },
        ),
        isHeadless: fc.nat(9).map((number) => number === 0),
        places: isCsv ? fc.constant(null) : fc.option(fc.shuffledSubarray(PLACES, { minLength: 3 })),
      })
      .chain((drawn) => fc.gen().map((random) => ({ ...drawn, random }))),
  )
  .map(({ key, columns, format, timestamp, hasCategory, shapes, isHeadless, places, random }) => {
    const placed: readonly (readonly [string, Node])[] =
      places === null ? columns : columns.map(([column, of], at) => [column, lying(of, places[at])]);
    const given: Node = Object.fromEntries<unknown>([
      ["key", key],
      ...placed,
      ["moment_text", { type: "string" }],
    ]);
    const names = Object.keys(given);
    const isLimited = columns.some(([, column]) =>
      Object.keys(column).some((word) => /^enum$|imum$/.test(word)),
    );
    const reasons = [
      { reason: "malformed", rule: "notAnObject" },
      { reason: "missing_key", rule: "missing", column: "key" },
      { reason: "wrong_type", rule: "wrongType" },
      ...(timestamp === null ? [] : [{ reason: "no_time", rule: "notATimestamp", column: "moment_text" }]),
      ...(isLimited ? [{ reason: "not_allowed", rule: "notAllowed" }] : []),
    ];
    const isShaped = (format as Node).kind === "csv" && shapes.length > 0;
    const shaped = Object.fromEntries(
      shapes.map((shape, index) => [`shape_${index}`, shapeOf(shape, names)]),
    );
    const extension = {
      ...{ businessKey: ["key"], lookbackDays: 3, reasons },
      format:
        isHeadless && (format as Node).kind === "csv" ? { ...format, columns: [...names].reverse() } : format,
      ...(timestamp === null
        ? {}
        : { timestamp: { source: "moment_text", column: "at_time", dateColumn: "on_date", ...timestamp } }),
      ...(hasCategory
        ? {
            category: {
              source: "moment_text",
              column: "group",
              values: { a: "one", "b'": "two" },
              default: "?",
            },
          }
        : {}),
      ...(isShaped ? { shapes: shaped } : {}),
    };
    return completed({ properties: given, extension }, random);
  });

const PLACES = ["a.b", "a.c[0]", "a.c[1].d", "e['f.g'].h", "i.j.k", "l", "a.c[2][0]"];

/** The property at a place in the delivered object, where there is one, and with what its type takes there. */
function lying(property: Node, place: string | undefined): Node {
  const type: unknown = Array.isArray(property.type) ? (property.type as unknown[])[0] : property.type;
  const path = place === undefined ? {} : { "x-path": place };
  if (type === "array") return { type: "object", ...path, "x-accepts": ["array"] };
  if (type === "string") return { ...property, ...path, "x-blank": "null", "x-accepts": ["object"] };
  return {
    ...property,
    ...path,
    ...(type === "integer" || type === "number" ? { "x-accepts": ["string"] } : {}),
  };
}

/** A shape that fills each column from a header, and knows some more headers. */
function shapeOf(headers: readonly (readonly [string, unknown])[], names: readonly string[]): Node {
  return Object.fromEntries(
    headers.map(([delivered, steps], index) => {
      const column = names[index] ?? null;
      return [delivered, column === null || steps === null ? column : { column, clean: steps }];
    }),
  );
}

/** A contract of one format with a column of every name that the job's code has, but for those that synth refuses. */
function ofEveryName(format: Node): Node {
  const document = (columns: readonly string[]): Node => ({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    properties: Object.fromEntries(columns.map((column) => [column, { type: "string" }])),
    required: ["key"],
    "x-etl": {
      ...{ businessKey: ["key"], lookbackDays: 0, format, output: columns },
      reasons: [
        { reason: "malformed", rule: "notAnObject" },
        { reason: "missing_key", rule: "missing", column: "key" },
        { reason: "wrong_type", rule: "wrongType" },
      ],
    },
  });
  const all = [...new Set(["key", ...namesOfTheJob()])];
  const refused = contractMistakes(document(all)).map(([field]) => field.replace("properties.", ""));
  return document(all.filter((column) => !refused.includes(column)));
}

const [, , count = "400", seed = "15"] = process.argv;
const rules = { threshold: 0, rules: [{ name: "any", type: "rowCount", atLeast: 0, action: "warn" }] };
const contracts = [
  ofEveryName({ kind: "jsonLines" }),
  ofEveryName({ kind: "csv", multiLine: true }),
  ...fc.sample(contract, { numRuns: Number(count), seed: Number(seed) }),
];
const taken = contracts.filter((one) => contractMistakes(one).length === 0);
const plans = taken.map((one) => {
  const { quality } = readQuality(rules, judgedBy(one).judged);
  return { contract: one, plan: planText(planOf(readContract(one).contract, quality)) };
});
process.stdout.write(JSON.stringify({ refused: contracts.length - taken.length, taken: plans }));
if (process.argv.includes("--mistakes"))
  for (const one of contracts) for (const mistake of contractMistakes(one)) console.error(mistake.join(" "));
