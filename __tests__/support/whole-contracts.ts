/** Contracts that say everything that the language has, each key with another value than its default. */

type Node = Record<string, unknown>;

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

const computed = {
  label: { expression: "concat(name, '!')", type: "string" },
  double_amount: { expression: "amount * 2", type: "decimal(20,2)" },
};

const common = {
  businessKey: ["id", "code"],
  lookbackDays: 3,
  onDrift: "fail",
  category: { source: "kind", column: "kind_group", values: { a: "first", b: "second" }, default: "other" },
  computed,
  partitionBy: ["kind_group"],
  aggregate: {
    groupBy: ["kind", "sold_on"],
    columns: { rows: { expression: "count(*)", type: "bigint" } },
  },
  orderColumn: "code",
};

const reasons = [
  { reason: "malformed", rule: "notAnObject" },
  { reason: "missing_id", rule: "missing", column: "id" },
  { reason: "missing_code", rule: "missing", column: "code" },
  { reason: "wrong_type", rule: "wrongType" },
  { reason: "no_time", rule: "notATimestamp", column: "sold_at" },
  { reason: "not_allowed", rule: "notAllowed" },
];

const timestamp = {
  source: "sold_at",
  column: "sold_time",
  dateColumn: "sold_on",
  formats: ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ssXXX"],
  dateFormats: ["yyyy-MM-dd"],
  timeZone: "Europe/Berlin",
  ambiguous: "second",
  nonexistent: "later",
};

const paid = {
  type: ["string", "null"],
  "x-timestamp": {
    formats: ["dd.MM.yyyy HH:mm"],
    timeZone: "America/New_York",
    ambiguous: "quarantine",
    nonexistent: "later",
  },
  "x-null": ["-"],
};

export const WHOLE_CSV: Node = {
  $schema: DRAFT,
  properties: {
    id: { type: "string", enum: ["x", "y", "z"], "x-null": ["?"] },
    code: { type: "integer", "x-number": { thousands: "." }, "x-null": ["0"], minimum: 1, maximum: 99 },
    amount: {
      ...{ type: "number", "x-decimal": [12, 2], "x-number": { decimal: ",", thousands: "." } },
      ...{ "x-null": ["n/a"], exclusiveMinimum: 0.5, exclusiveMaximum: 99.5 },
    },
    grade: { type: ["integer", "null"], enum: [1, 2, 3] },
    is_gift: { type: "boolean", "x-boolean": { true: ["J", "ja"], false: ["N"] }, "x-null": ["-"] },
    name: { type: "string" },
    kind: { type: "string" },
    born: { type: "string", "x-date": ["dd.MM.yyyy", "yyyy-MM-dd"] },
    paid,
    sold_at: { type: "string" },
  },
  required: ["id", "code"],
  "x-etl": {
    ...common,
    reasons,
    timestamp,
    format: {
      ...{ kind: "csv", delimiter: ";", quote: null, escape: "\\", unknownColumns: "keep" },
      ...{ encoding: "windows-1252", skipBottom: 1 },
    },
    shapes: {
      old: {
        ...{ ID: "id", Code: "code", Amount: "amount", Grade: "grade", Gift: "is_gift", Kind: "kind" },
        Name: { column: "name", clean: ["trim", "upper", { replace: "\\s+(x)$", with: "$1" }, "lower"] },
        ...{ Born: "born", Paid: "paid", Sold: "sold_at", Rest: null },
      },
      new: {
        ...{ id2: "id", code2: "code", amount2: "amount", grade2: "grade", gift2: "is_gift", kind2: "kind" },
        ...{ name2: "name", born2: "born", paid2: "paid", sold2: "sold_at" },
      },
    },
    output: ["id", "code", "amount", "grade", "is_gift", "kind", "born", "paid"].concat([
      ...["sold_time", "sold_on", "kind_group", "label", "double_amount", "unknown_columns"],
    ]),
  },
};

export const WHOLE_JSON: Node = {
  $schema: DRAFT,
  properties: {
    id: { type: "string", enum: ["x", "y"], "x-null": ["-"] },
    code: { type: "integer", exclusiveMinimum: 0, exclusiveMaximum: 100 },
    amount: { type: "number", "x-decimal": [10, 3], minimum: -1, maximum: 1 },
    is_gift: { type: "boolean" },
    name: { type: "string" },
    kind: { type: "string" },
    paid,
    sold_at: { type: "string" },
    born: { type: "string", "x-date": ["yyyyMMdd"] },
    lines: {
      type: "array",
      items: { type: "object", properties: { sku: { type: "string" }, n: { type: ["integer", "null"] } } },
    },
    tags: { type: "array", items: { type: "string" } },
    extra: { type: "object" },
  },
  required: ["id", "code"],
  "x-etl": {
    ...common,
    reasons,
    timestamp,
    format: { kind: "jsonObjects" },
    output: ["id", "code", "amount", "is_gift", "kind", "paid", "born", "lines", "tags", "extra"].concat([
      ...["sold_time", "sold_on", "kind_group", "label", "double_amount"],
    ]),
  },
};

/** Files without a header, with texts over several lines. */
export const WHOLE_HEADLESS: Node = {
  $schema: DRAFT,
  properties: { id: { type: "string" }, n: { type: "integer" } },
  required: ["id"],
  "x-etl": {
    businessKey: ["id"],
    lookbackDays: 0,
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      { reason: "missing_id", rule: "missing", column: "id" },
      { reason: "wrong_type", rule: "wrongType" },
    ],
    format: { kind: "csv", multiLine: true, columns: ["n", "x", "id"] },
    output: ["id", "n"],
  },
};

/** Files with lines that a crawler does not understand, so that drift is not compared. */
export const WHOLE_LINES: Node = {
  ...WHOLE_HEADLESS,
  "x-etl": {
    ...(WHOLE_HEADLESS["x-etl"] as Node),
    format: { kind: "csv", skipTop: 2, comment: "#" },
  },
};

/** Sources of every layout, each with other columns, another format, other shapes. */
export const WHOLE_SOURCES: Node = {
  $schema: DRAFT,
  properties: { id: { type: "string" }, n: { type: "integer", minimum: 1 } },
  required: ["id"],
  "x-etl": {
    businessKey: ["id", "channel"],
    lookbackDays: 2,
    sourceColumn: "channel",
    unknownSources: "skip",
    sources: {
      tills: {
        folder: "in/tills/",
        unknownFolders: "skip",
        format: { kind: "csv", delimiter: "|", unknownColumns: "keep" },
        shapes: { old: { ID: { column: "id", clean: ["trim"] }, N: "n", K: "kind" } },
        properties: { kind: { type: "string", enum: ["a", "b"] } },
      },
      web: {
        folder: "in/web-shop/",
        layout: "epochMillis",
        whenMissing: "report",
        properties: { n: { type: "integer", maximum: 9 }, basket: { type: "object" } },
      },
    },
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      { reason: "missing_id", rule: "missing", column: "id" },
      { reason: "wrong_type", rule: "wrongType" },
      { reason: "not_allowed", rule: "notAllowed" },
    ],
    output: ["id", "n", "channel", "kind", "basket", "unknown_columns"],
  },
};

/** Objects with columns inside of them. */
export const WHOLE_FLAT: Node = {
  $schema: DRAFT,
  properties: {
    id: { type: "string", "x-path": "call.id", "x-blank": "null" },
    other_id: { type: "string", "x-path": "call['other.id']" },
    version: { type: "string", "x-path": "call.app.version", "x-accepts": ["number", "boolean"] },
    amount: { type: "number", "x-decimal": [10, 2], "x-path": "rest.amount", "x-accepts": ["string"] },
    sku: { type: "string", "x-path": "rest.parts[0].sku" },
    parts: { type: "integer", "x-path": "rest.parts", "x-count": true },
    is_gift: { type: "boolean", "x-path": "call.gift" },
    rest: { type: "object" },
    tags: { type: "object", "x-path": "call.tags", "x-accepts": ["array"] },
    sent: {
      type: "string",
      "x-path": "call.sent",
      "x-timestamp": { formats: ["yyyy-MM-dd'T'HH:mm:ss"], timeZone: "Europe/Berlin" },
    },
  },
  required: ["id"],
  "x-etl": {
    businessKey: ["id"],
    lookbackDays: 0,
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      { reason: "missing_id", rule: "missing", column: "id" },
      { reason: "missing_one", rule: "missing", columns: ["other_id", "sku"] },
      { reason: "missing_one", rule: "notATimestamp", column: "sent" },
      { reason: "wrong_type", rule: "wrongType" },
    ],
    dropped: ["noise", "call.device"],
    output: ["id", "other_id", "version", "amount", "sku", "parts", "is_gift", "rest", "tags", "sent"],
  },
};

const versioned = (changes: Node, ...required: string[]): Node => ({
  $schema: DRAFT,
  properties: {
    id: { type: "string" },
    name: { type: "string" },
    op: { type: "string" },
    at: { type: "string", "x-date": ["yyyy-MM-dd"] },
  },
  required: ["id", ...required],
  "x-etl": {
    businessKey: ["id"],
    lookbackDays: 3,
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      ...["id", ...required].map((column) => ({ reason: `missing_${column}`, rule: "missing", column })),
      { reason: "wrong_type", rule: "wrongType" },
    ],
    output: ["id", "name", "op", "at"],
    changes,
  },
});

const ofDms = (type: string, more: object = {}) => ({ type, "x-null": ["\\N"], ...more });

/** A contract of CSV without a header, as AWS DMS writes it. */
export const deliveredByDms = (dms: Node): Node => ({
  $schema: DRAFT,
  properties: {
    Op: { type: "string", enum: ["I", "U", "D"] },
    at: ofDms("string", {
      "x-timestamp": { formats: ["yyyy-MM-dd HH:mm:ss.SSSSSS"], timeZone: "Europe/Berlin" },
    }),
    id: ofDms("integer"),
    name: ofDms("string"),
    seq: ofDms("string"),
  },
  required: ["Op", "at", "id", "seq"],
  "x-etl": {
    businessKey: ["id"],
    lookbackDays: 0,
    format: { kind: "csv", delimiter: ";", columns: ["Op", "at", "id", "name", "seq"] },
    reasons: [
      { reason: "malformed", rule: "notAnObject" },
      ...["Op", "at", "id", "seq"].map((column) => ({
        reason: `missing_${column}`,
        rule: "missing",
        column,
      })),
      { reason: "wrong_type", rule: "wrongType" },
      { reason: "unknown_op", rule: "notAllowed" },
    ],
    output: ["Op", "at", "id", "name", "seq"],
    changes: {
      ...{ delivery: "increment", order: ["seq", "file"], validFrom: "at" },
      deletes: { column: "Op", values: ["D"] },
    },
    dms,
  },
});

/** Contracts of tables with every version: one for each kind of delivery and of proof. */
export const WHOLE_CHANGES: Readonly<Record<string, Node>> = {
  increments: versioned(
    {
      ...{ delivery: "increment", order: ["at", "file"], validFrom: "at", compare: ["at"] },
      deletes: { column: "op", values: ["D"] },
    },
    ...["op", "at"],
  ),
  counted: versioned({
    ...{ delivery: "whole", order: ["file"], compare: ["name"] },
    deletes: { provedBy: "count", file: "_count.json", member: "rows" },
  }),
  marked: versioned({
    ...{ delivery: "whole", order: ["file"], compare: ["name"] },
    deletes: { provedBy: "marker", file: "_END" },
  }),
  "with a floor": versioned({
    ...{ delivery: "whole", order: ["file"], compare: ["name"] },
    deletes: { provedBy: "floor", share: 0.5 },
  }),
  "files of DMS": deliveredByDms({
    ...{ schema: "shop", table: "things", fullLoadDate: "2025-11-20", changeSequence: "seq" },
    addedColumns: ["name"],
    endpoint: {
      ...{ CsvNullValue: "\\N", CsvDelimiter: ";", TimestampColumnName: "at" },
      ...{ UseTaskStartTimeForFullLoadTimestamp: true, DatePartitionEnabled: true },
      ...{ DatePartitionSequence: "YYYYMMDDHH", DatePartitionDelimiter: "DASH" },
    },
    task: { HandleSourceTableTruncated: false, HandleSourceTableDropped: false },
  }),
};
