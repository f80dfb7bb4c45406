"""Checks the SQL of quality rules and contracts before any engine sees it.

Spark evaluates a rule in the job, and Athena (Trino) after it. So it may hold only what both read alike:
columns, literals, comparisons, `+ - * ||`, `case`, and a few functions of one row. For example `/` rounds
in Trino and not in Spark; a double quote makes a text in Spark and a column in Trino.

https://spark.apache.org/docs/3.5.6/sql-ref-literals.html
https://docs.aws.amazon.com/athena/latest/ug/functions-env3.html"""

import re
from collections.abc import Collection

FUNCTIONS = ("abs", "coalesce", "day", "hour", "length", "lower", "month", "nullif", "upper", "year")
# More functions for columns that only Spark computes. Each gives the same result for the same row.
ROW_FUNCTIONS = ("concat", "greatest", "least", "round", "substring", "trim")
AGGREGATES = ("count", "max", "min", "sum")
KEYWORDS = frozenset(
    (
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
    )
)
FORBIDDEN = {";": "';'", "?": "'?'", "--": "a comment", "/*": "a comment", "\\": "a backslash"}

_BEFORE_PARENTHESIS = KEYWORDS - {"date", "timestamp", "end", "null", "true", "false", "is"}
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<text>'[^']*')|(?P<number>\d+(?:\.\d+)?)(?![\w.])|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign><=(?!>)|>=|<>|!=|\|\||[-+*=<>(),](?!=))",
    re.ASCII,
)


def find_mistakes(
    expression: str, columns: Collection[str], functions: Collection[str] = FUNCTIONS
) -> list[str]:
    """The mistakes in an expression over `columns`, as clauses that follow "the expression"; empty if an
    engine may see it."""
    forbidden = [what for sign, what in FORBIDDEN.items() if sign in expression]
    if forbidden:
        return [f"holds {what}" for what in dict.fromkeys(forbidden)]
    tokens, rest = _tokens(expression)
    if rest:
        return [f"holds {_shown(rest)}, which Spark and Athena read differently"]
    if not tokens:
        return ["is empty"]
    return [*_wrong_words(tokens, columns, functions), *_wrong_order(tokens)]


def find_columns(expression: str, columns: Collection[str]) -> list[str]:
    """The `columns` that an expression without mistakes names."""
    words = {text.lower() for kind, text in _tokens(expression)[0] if kind == "word"}
    return [column for column in columns if column.lower() in words]


def _tokens(expression: str) -> tuple[list[tuple[str, str]], str]:
    """Kinds and texts of the tokens, without space, and what could not be read."""
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            return tokens, expression[at:]
        if match.lastgroup and match.lastgroup != "space":
            tokens.append((match.lastgroup, match[0]))
        at = match.end()
    return tokens, ""


def _wrong_words(
    tokens: list[tuple[str, str]], columns: Collection[str], functions: Collection[str]
) -> list[str]:
    names = {column.lower() for column in columns}
    mistakes = []
    for (kind, text), (_, following) in zip(tokens, [*tokens[1:], ("", "")], strict=True):
        word = text.lower()
        if kind != "word":
            continue
        if following == "(":
            if word not in functions and word not in _BEFORE_PARENTHESIS:
                mistakes.append(f"calls {word}; the functions are {', '.join(functions)}")
        elif word not in KEYWORDS and word not in names:
            mistakes.append(f"names {text}, neither a column nor one of {', '.join(sorted(KEYWORDS))}")
    return list(dict.fromkeys(mistakes))


def _wrong_order(tokens: list[tuple[str, str]]) -> list[str]:
    depth = 0
    for (_, text), (kind, following) in zip(tokens, [*tokens[1:], ("", "")], strict=True):
        depth += {"(": 1, ")": -1}.get(text, 0)
        if depth < 0:
            break
        if text.startswith("'") and kind == "text":
            return [f"holds {_shown(text + following)}: a text cannot hold a quote"]
    return [] if depth == 0 else ["has parentheses that do not match"]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:17] + "...")
