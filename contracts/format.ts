import { got, isText, NOTES, type NodeReader } from "./node-reader";

/** How a file is read. All but `kind`, `rowTag` and `encoding` is about CSV. */
export interface Format {
  readonly kind: (typeof KINDS)[number];
  /** One character. */
  readonly delimiter: string;
  /** `null`: quotes are data. */
  readonly quote: '"' | null;
  /** The character that takes the meaning from the next one. */
  readonly escape: string | null;
  /** A quoted text may go over several lines. */
  readonly multiLine: boolean;
  /** Columns of a header that its shape does not name; `keep`: in one column of type map. */
  readonly unknownColumns: (typeof UNKNOWN)[number];
  readonly encoding: (typeof ENCODINGS)[number];
  /** Lines at the top of a file that are left out, blank or not. */
  readonly skipTop: number;
  /** Lines at the end of a file that are left out; blank ones do not count. */
  readonly skipBottom: number;
  /** Lines that begin with this character are left out. */
  readonly comment: string | null;
  /** The delivered names in order, where files have no header line. */
  readonly columns: readonly string[] | null;
  /** The name of the elements of XML that are rows, with its prefix if they have one; `null` in other formats. */
  readonly rowTag: string | null;
}

const KINDS = ["jsonLines", "jsonObjects", "jsonArray", "csv", "xml", "parquet"] as const;
const UNKNOWN = ["ignore", "keep", "refuse"] as const;
const ENCODINGS = ["UTF-8", "ISO-8859-1", "windows-1252"] as const;
/** More than that is a document, not a preamble. */
const MOST_SKIPPED = 1_000;
const CSV_KEYS = [
  ...["delimiter", "quote", "escape", "multiLine", "unknownColumns", "encoding"],
  ...["skipTop", "skipBottom", "comment", "columns"],
];
const KEYS = { csv: CSV_KEYS, xml: ["rowTag", "encoding"] } as const;
/** It is ASCII, so that it has the same bytes in every encoding. */
const ROW_TAG = /^(?:[A-Za-z_][A-Za-z0-9_.-]*:)?[A-Za-z_][A-Za-z0-9_.-]*$/;
const LONGEST_ROW_TAG = 100;

export const JSON_LINES: Format = {
  kind: "jsonLines",
  delimiter: ",",
  quote: '"',
  escape: null,
  multiLine: false,
  unknownColumns: "ignore",
  encoding: "UTF-8",
  skipTop: 0,
  skipBottom: 0,
  comment: null,
  columns: null,
  rowTag: null,
};

/** The characters that windows-1252 has in place of control characters of ISO-8859-1. Node's TextDecoder does not know them. */
const OF_WINDOWS = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ";

/** Tells whether a file in an encoding can hold a text. */
export function canHold(encoding: Format["encoding"], text: string): boolean {
  const isOfOneByte = (character: string) =>
    /[\0-\x7f\xa0-\xff]/.test(character) || (encoding === "windows-1252" && OF_WINDOWS.includes(character));
  return encoding === "UTF-8" || [...text].every(isOfOneByte);
}

/** The column that holds undeclared CSV columns when `unknownColumns` is `keep`, and its type in Glue's catalogue. */
export const [KEPT, KEPT_TYPE] = ["unknown_columns", "map<string,string>"] as const;

export const isCsv = ({ kind }: Format): boolean => kind === "csv";

export const isXml = ({ kind }: Format): boolean => kind === "xml";

/** Tells whether every delivered value is a text, whose type the contract alone knows. */
export const hasTexts = ({ kind }: Format): boolean => kind === "csv" || kind === "xml";

export function readFormat(node: NodeReader | undefined): Format {
  const kind = node?.oneOf("kind", KINDS);
  if (node === undefined || kind === undefined) return JSON_LINES;
  const keys = kind === "csv" || kind === "xml" ? KEYS[kind] : [];
  node.refuseOthers(`a format ${kind}`, ["kind", ...keys], NOTES);
  if (kind === "xml") return { ...JSON_LINES, kind, rowTag: readRowTag(node), encoding: readEncoding(node) };
  if (kind !== "csv") return { ...JSON_LINES, kind };
  const format: Format = {
    kind,
    delimiter: node.has("delimiter") ? readCharacter(node, "delimiter", ",") : ",",
    quote: readQuote(node),
    escape: readEscape(node),
    multiLine: readFlag(node, "multiLine"),
    unknownColumns:
      (node.has("unknownColumns") ? node.oneOf("unknownColumns", UNKNOWN) : undefined) ?? "ignore",
    encoding: readEncoding(node),
    skipTop: node.has("skipTop") ? node.whole("skipTop", 0, MOST_SKIPPED) : 0,
    skipBottom: node.has("skipBottom") ? node.whole("skipBottom", 0, MOST_SKIPPED) : 0,
    comment: node.has("comment") ? readCharacter(node, "comment", null) : null,
    columns: node.has("columns") ? node.names("columns") : null,
    rowTag: null,
  };
  refuseTogether(node, format);
  return format;
}

function readRowTag(node: NodeReader): string {
  const value = node.value("rowTag");
  if (isText(value) && ROW_TAG.test(value) && value.length <= LONGEST_ROW_TAG) return value;
  const demand = `the name of the elements that are rows, of at most ${LONGEST_ROW_TAG} letters, digits, '_', '-' and '.', with a prefix if they have one`;
  node.wrong("rowTag", `must be ${demand}, e.g. "price" or "p:price", ${got(value)}`);
  return "row";
}

function readCharacter<T extends string | null>(node: NodeReader, key: string, otherwise: T): string | T {
  const value = node.value(key);
  if (isText(value) && [...value].length === 1 && !/[\r\n\0"]/.test(value)) return value;
  const demand = "one character, neither a double quote nor a line end nor NUL";
  const isEscaped = isText(value) && /^\\(?:t|u[0-9A-Fa-f]{4})$/.test(value);
  const advice = isEscaped ? `: write one backslash, "${value}"` : "";
  node.wrong(key, `must be ${demand}, ${got(value)}${advice}`);
  return otherwise;
}

function readEscape(node: NodeReader): string | null {
  if (node.value("escape") !== '"') return node.has("escape") ? readCharacter(node, "escape", null) : null;
  node.wrong("escape", 'must be left out where a quote within quotes is written twice, got "\\""');
  return null;
}

function readQuote(node: NodeReader): Format["quote"] {
  const quote = node.has("quote") ? node.value("quote") : '"';
  if (quote !== null && quote !== '"')
    node.wrong("quote", `must be "\\"", or null where quotes are data, ${got(quote)}`);
  return quote === null ? null : '"';
}

function readFlag(node: NodeReader, key: string): boolean {
  const value = node.has(key) ? node.value(key) : false;
  if (typeof value !== "boolean") node.wrong(key, `must be true or false, ${got(value)}`);
  return value === true;
}

function readEncoding(node: NodeReader): Format["encoding"] {
  if (!node.has("encoding")) return "UTF-8";
  const value = node.value("encoding");
  if (isText(value) && /^utf-?(16|32)/i.test(value)) {
    const advice = `convert the files, e.g. iconv -f ${value} -t UTF-8 old > new`;
    node.wrong("encoding", `must be one of ${ENCODINGS.join(", ")}, ${got(value)}: ${advice}`);
    return "UTF-8";
  }
  return node.oneOf("encoding", ENCODINGS) ?? "UTF-8";
}

function refuseTogether(node: NodeReader, format: Format): void {
  const { delimiter, quote, escape, multiLine, comment, encoding } = format;
  for (const [key, character] of Object.entries({ delimiter, escape, comment }))
    if (character !== null && !canHold(encoding, character))
      node.wrong(key, `must be a character of ${encoding}, ${got(character)}`);
  if (multiLine && quote === null && escape === null)
    node.wrong(
      "multiLine",
      "must be left out where quote is null and there is no escape: then each line is a row",
    );
  if (multiLine && comment !== null)
    node.wrong("comment", "must be left out where multiLine is true: a line may belong to a text");
  if (escape === delimiter) node.wrong("escape", `must differ from the delimiter, ${got(escape)}`);
  if (comment === delimiter) node.wrong("comment", `must differ from the delimiter, ${got(comment)}`);
  if (comment !== null && comment === escape)
    node.wrong("comment", `must differ from the escape, ${got(comment)}`);
}
