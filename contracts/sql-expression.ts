/**
 * The SQL of a customSql rule, and of what a contract computes. Spark judges a rule in the job and Athena (Trino) after it, so it may
 * hold only what both read alike: `/`, for one, rounds in Trino and not in Spark; a double quote makes a text in Spark and a column in Trino.
 * The job holds it to the same words; a test holds the two to each other. Pure.
 *
 * Source: https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html
 */

const FUNCTIONS = ["abs", "coalesce", "day", "hour", "length", "lower", "month", "nullif", "upper", "year"];

/** What columns that only Spark computes may call: all of them give the same for the same row. */
export const ROW_FUNCTIONS = [
  ...FUNCTIONS,
  ...["concat", "greatest", "least", "round", "substring", "trim"],
] as const;

/** What sums may call. */
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

/** After which an opening parenthesis calls nothing. */
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
 * What an expression must not hold, in words that follow its name; nothing when it may be tried.
 *
 * @param columns what it may name; any word when they are not known
 * @param functions what it may call
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
  if (rest !== "") return [`must not hold ${shown(rest)}, which Spark and Athena do not read alike`];
  if (tokens.length === 0) return ["must not be empty"];
  return [...wrongWords(tokens, columns, functions), ...wrongOrder(tokens)];
}

/** An expression as it stands in a query, every text of it written by `literal`. */
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
      return [`must not call ${word}, which is none of ${functions.join(", ")}`];
    }
    if (names === undefined || KEYWORDS.includes(word) || names.includes(word)) return [];
    return [`must not name ${text}, which is no column and none of ${KEYWORDS.join(", ")}`];
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
