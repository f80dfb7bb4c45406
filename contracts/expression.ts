/**
 * Checks the SQL of customSql rules and of computed columns. Spark judges a rule in the job and Athena (Trino) after it, so it may hold only
 * what both read alike: `/`, for example, rounds in Trino and not in Spark; a double quote makes a text in Spark and a column in Trino.
 * The job allows the same words; a test compares the two.
 *
 * Source: https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
 */

const FUNCTIONS = ["abs", "coalesce", "day", "hour", "length", "lower", "month", "nullif", "upper", "year"];

/** The functions of a computed column, which only Spark runs. All are deterministic. */
export const ROW_FUNCTIONS = [
  ...FUNCTIONS,
  ...["concat", "greatest", "least", "round", "substring", "trim"],
] as const;

/** The functions of an aggregate's columns. */
export const SUM_FUNCTIONS = [...ROW_FUNCTIONS, "count", "max", "min", "sum"] as const;

const KEYWORDS = [
  "and",
  "between",
  "case",
  "date",
  "else",
  "end",
  "false",
  "in",
  "is",
  "like",
  "not",
  "null",
  "or",
  "then",
  "timestamp",
  "true",
  "when",
];

/** Keywords that may stand before an opening parenthesis without being a call. */
const BEFORE_PARENTHESIS = KEYWORDS.filter(
  (word) => !["date", "timestamp", "end", "null", "true", "false", "is"].includes(word),
);

const FORBIDDEN: readonly (readonly [sign: string, what: string])[] = [
  [";", "';'"],
  ["?", "'?'"],
  ["--", "a comment"],
  ["/*", "a comment"],
  ["\\", "a backslash"],
];

const TOKEN =
  /(?<space>[ \t\n\r\f\v]+)|(?<text>'[^']*')|(?<number>\d+(?:\.\d+)?)(?![\w.])|(?<word>[A-Za-z_]\w*)|(?<sign><=(?!>)|>=|<>|!=|\|\||[-+*=<>(),](?!=))/y;

interface Token {
  readonly kind: "text" | "number" | "word" | "sign" | "end";
  readonly text: string;
}

const END: Token = { kind: "end", text: "" };

/**
 * Lists the mistakes of an expression, as words that follow its name ("must not hold ';'").
 *
 * @param columns the columns it may name; any if not given
 * @param functions the functions it may call
 */
export function expressionMistakes(
  expression: string,
  columns?: readonly string[],
  functions: readonly string[] = FUNCTIONS,
): string[] {
  const forbidden = FORBIDDEN.filter(([sign]) => expression.includes(sign)).map(([, what]) => what);
  if (forbidden.length > 0) {
    return [...new Set(forbidden)].map((what) => `must not hold ${what}`);
  }
  const { tokens, rest } = tokenise(expression);
  if (rest !== "") return [`must not hold ${shown(rest)}, which Spark and Athena read differently`];
  if (tokens.length === 0) return ["must not be empty"];
  return [...wrongWords(tokens, columns, functions), ...wrongOrder(tokens)];
}

/** The `columns` that an expression without mistakes names. Capitals do not count, as in Spark. */
export function columnsOf(expression: string, columns: readonly string[]): string[] {
  const { tokens } = tokenise(expression);
  const names = tokens.filter(({ kind }, index) => kind === "word" && !isCallOrLiteral(tokens, index));
  const words = new Set(names.map(({ text }) => text.toLowerCase()));
  return columns.filter((column) => words.has(column.toLowerCase()));
}

/** The word calls a function, or begins a literal such as `date '2010-12-01'`. */
function isCallOrLiteral(tokens: readonly Token[], index: number): boolean {
  const next = tokens[index + 1] ?? END;
  const isType = ["date", "timestamp"].includes(tokens[index]!.text.toLowerCase());
  return next.text === "(" || (isType && next.kind === "text");
}

/** The expression with every text rewritten by `literal`. */
export function withLiterals(expression: string, literal: (text: string) => string): string {
  return expression.replace(/'([^']*)'/g, (_, text: string) => literal(text));
}

function tokenise(expression: string): { tokens: readonly Token[]; rest: string } {
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(expression);
    if (match === null) return { tokens, rest: expression.slice(at) };
    const [kind] = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined) ?? ["space"];
    if (kind !== "space") tokens.push({ kind: kind as Token["kind"], text: match[0] });
    at = TOKEN.lastIndex;
  }
  return { tokens, rest: "" };
}

function wrongWords(
  tokens: readonly Token[],
  columns: readonly string[] | undefined,
  functions: readonly string[],
): string[] {
  const names = columns?.map((column) => column.toLowerCase());
  const mistakes = tokens.flatMap(({ kind, text }, index) => {
    const word = text.toLowerCase();
    if (kind !== "word") return [];
    if (tokens[index + 1]?.text === "(") {
      if (functions.includes(word) || BEFORE_PARENTHESIS.includes(word)) return [];
      return [`must not call ${word}; the functions are ${functions.join(", ")}`];
    }
    if (names === undefined || KEYWORDS.includes(word) || names.includes(word)) return [];
    return [`must not name ${text}, neither a column nor one of ${KEYWORDS.join(", ")}`];
  });
  return [...new Set(mistakes)];
}

function wrongOrder(tokens: readonly Token[]): string[] {
  let depth = 0;
  for (const [index, { kind, text }] of tokens.entries()) {
    const next = tokens[index + 1] ?? END;
    depth += text === "(" ? 1 : text === ")" ? -1 : 0;
    if (depth < 0) break;
    if (kind === "text" && next.kind === "text") {
      return [`must not hold ${shown(text + next.text)}: a text cannot hold a quote`];
    }
  }
  return depth === 0 ? [] : ["must have parentheses that match"];
}

const shown = (text: string): string => JSON.stringify(text.length <= 20 ? text : `${text.slice(0, 17)}...`);
