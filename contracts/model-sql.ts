/** The SELECT of a model, judged as far as that is possible without Spark: one statement that only reads, and gives the same rows again. */

interface Token {
  /** `word`: a name or a keyword without quotes, in lower case. `name`: between backquotes. */
  readonly kind: "word" | "name" | "sign";
  readonly text: string;
}

/** Spark's: https://spark.apache.org/docs/latest/sql-ref-literals.html, …/sql-ref-identifier.html, …/sql-ref-syntax-comments.html */
const PARTS =
  /(?<comment>--[^\n]*|\/\*[\s\S]*?\*\/)|(?<text>'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*")|`(?<name>(?:[^`]|``)*)`|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<open>'|"|`|\/\*)|(?<sign>[^\s])/gu;

/** Words that change something, or that begin another statement. */
const WRITING = ["alter", "create", "delete", "drop", "insert", "merge", "overwrite", "truncate", "update"];
/** The results of these depend on the moment, on chance or on how the rows lie. */
const CHANGING = [
  ...["current_date", "current_timestamp", "curdate", "localtimestamp", "now", "unix_timestamp"],
  ...["rand", "randn", "random", "randstr", "shuffle", "uuid"],
  ...["input_file_name", "monotonically_increasing_id", "spark_partition_id", "current_user", "session_user"],
  ...["first", "first_value", "last", "last_value", "any_value"],
  ...["collect_list", "collect_set", "array_agg", "listagg", "string_agg", "percentile_approx"],
  ...["approx_percentile", "input_file_block_start", "input_file_block_length", "version"],
];
/** They are functions only before a parenthesis; a column may have such a name. The others need none. */
const NEED_NO_PARENTHESIS = [
  "current_date",
  "current_timestamp",
  "localtimestamp",
  "current_user",
  "session_user",
];

/**
 * Lists the mistakes of a SELECT.
 *
 * @param source the only table that it may read, or all of several, of which it reads one at least
 */
export function selectMistakes(sql: string, source: string | readonly string[]): string[] {
  const { tokens, open } = tokensOf(sql);
  if (open !== undefined) return [`has ${open} that does not end`];
  const first = tokens.find(({ text }) => text !== "(");
  if (first === undefined) return ["must be one SELECT, and is empty"];
  const words = tokens.filter(({ kind }) => kind === "word").map(({ text }) => text);
  const mistakes: string[] = [];
  if (!["select", "with"].includes(first.text))
    mistakes.push(`must begin with select or with, got '${first.text}'`);
  if (tokens.slice(0, -1).some(({ text }) => text === ";"))
    mistakes.push("must be one SELECT, and has several statements: leave out ';'");
  const writing = [...new Set(words.filter((word) => WRITING.includes(word)))];
  if (writing.length > 0)
    mistakes.push(
      `must only read, got ${writing.join(", ")}; a column of such a name goes between backquotes`,
    );
  const changing = [...new Set(tokens.flatMap((_, index) => changingAt(tokens, index)))];
  if (changing.length > 0)
    mistakes.push(`must give the same rows whenever it is run, and uses ${changing.join(", ")}`);
  if (!isBalanced(tokens)) mistakes.push("has parentheses that do not match");
  return [...mistakes, ...sourceMistakes(tokens, source)];
}

function tokensOf(sql: string): { readonly tokens: readonly Token[]; readonly open?: string } {
  const tokens: Token[] = [];
  for (const { groups = {} } of sql.matchAll(PARTS)) {
    const { name, word, open, sign } = groups;
    if (open !== undefined) return { tokens, open: open === "/*" ? "a comment" : `a ${open}` };
    if (name !== undefined) tokens.push({ kind: "name", text: name.replaceAll("``", "`").toLowerCase() });
    if (word !== undefined) tokens.push({ kind: "word", text: word.toLowerCase() });
    if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
  }
  return { tokens };
}

function changingAt(tokens: readonly Token[], index: number): string[] {
  const { kind, text } = tokens[index]!;
  if (kind !== "word" || !CHANGING.includes(text)) return [];
  if (tokens[index - 1]?.text === ".") return [];
  return NEED_NO_PARENTHESIS.includes(text) || tokens[index + 1]?.text === "(" ? [text] : [];
}

function isBalanced(tokens: readonly Token[]): boolean {
  let depth = 0;
  for (const { kind, text } of tokens) {
    if (kind !== "sign") continue;
    if (text === "(") depth += 1;
    if (text === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** The tables behind `from` and `join` are the sources, or named by `with`. */
function sourceMistakes(tokens: readonly Token[], source: string | readonly string[]): string[] {
  const sources = typeof source === "string" ? [source] : source;
  const read = tablesOf(tokens);
  const others = read.filter((name) => !sources.includes(name));
  if (others.length > 0) return [`must read ${listed(sources)}, got ${others.join(", ")}`];
  return read.length > 0 ? [] : [`must read ${sources.join(" or ")}`];
}

const listed = (sources: readonly string[]): string =>
  sources.length === 1 ? `${sources[0]} alone` : `no tables but ${sources.join(", ")}`;

/** The tables that a SELECT reads, without those that it names itself by `with`. */
export const tablesRead = (sql: string): string[] => tablesOf(tokensOf(sql).tokens);

function tablesOf(tokens: readonly Token[]): string[] {
  const named = new Set(tokens.flatMap((_, index) => namedAt(tokens, index)));
  const read = new Set(tokens.flatMap((_, index) => tablesBehind(tokens, index)));
  return [...read].filter((name) => !named.has(name));
}

/** `with <name> as (`, and `, <name> as (` behind it. */
function namedAt(tokens: readonly Token[], index: number): string[] {
  const [before, name, as, open] = [-1, 0, 1, 2].map((offset) => tokens[index + offset]);
  const isNamed = before?.text === "with" || before?.text === ",";
  return isNamed && as?.text === "as" && open?.text === "(" && isName(name) ? [name.text] : [];
}

function tablesBehind(tokens: readonly Token[], index: number): string[] {
  const { kind, text } = tokens[index]!;
  if (kind !== "word" || !["from", "join"].includes(text) || isExtract(tokens, index)) return [];
  return [index, ...(text === "from" ? commasBehind(tokens, index) : [])].flatMap((before) =>
    nameBehind(tokens, before),
  );
}

function nameBehind(tokens: readonly Token[], index: number): string[] {
  const parts: string[] = [];
  for (let at = index + 1; isName(tokens[at]); at += 2) {
    parts.push(tokens[at]!.text);
    if (tokens[at + 1]?.text !== ".") break;
  }
  return parts.length === 0 ? [] : [parts.join(".")];
}

/** Words that end a list of tables. */
const BEHIND_TABLES = [
  "where",
  "group",
  "order",
  "having",
  "limit",
  "union",
  "except",
  "intersect",
  "window",
  "sort",
];

/** The commas of `from a, b`. */
function commasBehind(tokens: readonly Token[], index: number): number[] {
  const commas: number[] = [];
  let depth = 0;
  for (let at = index + 1; at < tokens.length; at += 1) {
    const { kind, text } = tokens[at]!;
    if (kind === "sign" && text === "(") depth += 1;
    if (kind === "sign" && text === ")") depth -= 1;
    if (depth < 0 || (depth === 0 && kind === "word" && BEHIND_TABLES.includes(text))) break;
    if (depth === 0 && kind === "sign" && text === ",") commas.push(at);
  }
  return commas;
}

/** `from` inside a function: `extract(year from moment)`, `trim(both from text)`, `substring(text from 2)`. */
function isExtract(tokens: readonly Token[], index: number): boolean {
  let depth = 0;
  for (let at = index - 1; at >= 0; at -= 1) {
    const { text } = tokens[at]!;
    if (text === ")") depth += 1;
    if (text === "(") depth -= 1;
    if (depth < 0)
      return ["extract", "trim", "substring", "substr", "overlay"].includes(tokens[at - 1]?.text ?? "");
    if (depth === 0 && text === "select") return false;
  }
  return false;
}

const isName = (token: Token | undefined): token is Token =>
  token !== undefined && (token.kind === "name" || token.kind === "word");
