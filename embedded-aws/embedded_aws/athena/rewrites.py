"""Rewrites a query whose types are known where DuckDB and Trino differ.

https://trino.io/docs/current/functions.html
"""

import re
from typing import Any

from sqlglot import exp

from embedded_aws.athena.failures import QueryFailedError, position

# Functions that DuckDB lacks, as macros of each connection.
MACROS = (
    "CREATE MACRO to_iso8601(x) AS CASE WHEN typeof(x) = 'DATE' THEN strftime(x, '%Y-%m-%d') "
    "WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE' THEN strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ') "
    "ELSE strftime(x, '%Y-%m-%dT%H:%M:%S.%g') END",
    "CREATE MACRO is_finite(x) AS isfinite(x)",
    "CREATE MACRO is_nan(x) AS isnan(x)",
    "CREATE MACRO nan() AS 'nan'::DOUBLE",
    "CREATE MACRO infinity() AS 'inf'::DOUBLE",
)
_MOVES = (exp.DateAdd, exp.DateSub, exp.DateTrunc, exp.TimestampTrunc)


def for_duckdb(query: exp.Expr) -> exp.Expr:
    """The same query, written so that DuckDB gives Trino's answer."""
    root = query.copy()
    for node in reversed(list(root.dfs())):  # the inner ones first
        written = _rewritten(node)
        if written is node:
            continue
        if written.type is None:
            written.type = node.type
        if node is root:
            root = written
        else:
            node.replace(written)
    return root


def _rewritten(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Div) and _whole(node.left) and _whole(node.right):
        # In Trino, dividing whole numbers gives a whole number.
        return exp.IntDiv(this=node.left, expression=node.right)
    if isinstance(node, exp.Floor | exp.Ceil) and _whole(node.this):
        whole: exp.Expr = node.this
        return whole
    moved = isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval)
    if (moved or isinstance(node, _MOVES)) and _is(node.this, exp.DataType.Type.DATE):
        # A date plus days is a date.
        return exp.cast(node, "date")
    if isinstance(node, exp.DateDiff):
        # Trino counts full units; DuckDB's function of that name counts the boundaries crossed.
        unit = exp.Literal.string(node.text("unit").lower() or "day")
        return exp.Anonymous(this="DATE_SUB", expressions=[unit, node.expression, node.this])
    if isinstance(node, exp.Struct) and not any(
        isinstance(part, exp.PropertyEQ) for part in node.expressions
    ):
        # ROW(a, b) has no names in Trino.
        return exp.Anonymous(this="ROW", expressions=node.expressions)
    if isinstance(node, exp.ArraySize) and _is(node.this, exp.DataType.Type.MAP):
        return exp.Anonymous(this="CARDINALITY", expressions=[node.this])
    if isinstance(node, exp.Format):
        return _printf(node)
    if isinstance(node, exp.Unnest):
        return _unnest(node)
    return node


def _is(node: exp.Expr, *kinds: Any) -> bool:
    return isinstance(node.type, exp.DataType) and node.type.is_type(*kinds)


def _whole(node: exp.Expr) -> bool:
    return _is(node, *exp.DataType.INTEGER_TYPES)


def _printf(node: exp.Format) -> exp.Expr:
    """FORMAT takes Java's patterns. DuckDB's PRINTF knows the common ones; ``%s`` takes any type."""
    values = list(node.expressions)
    specifiers = re.findall(r"%[-#+ 0,(]*\d*(?:\.\d+)?([a-zA-Z])", node.this.name.replace("%%", ""))
    for number, letter in enumerate(specifiers[: len(values)]):
        if letter == "s":
            values[number] = exp.cast(values[number], "text")
    return exp.Anonymous(this="PRINTF", expressions=[node.this, *values])


def _unnest(node: exp.Unnest) -> exp.Expr:
    """Unnest an array of rows into one column for each field."""
    items = node.expressions[0]
    kind = items.type
    element = kind.expressions[0] if isinstance(kind, exp.DataType) and kind.expressions else None
    if len(node.expressions) != 1 or element is None or not _is_row(element):
        return node
    fields = [part.name for part in element.expressions]
    alias = node.args.get("alias")
    columns = [column.name for column in alias.columns] if alias else []
    if node.args.get("offset") and len(columns) == len(fields):
        columns = [*columns, node.args["offset"].name]  # sqlglot keeps the name of the row number apart
    numbered = bool(node.args.get("offset"))
    if columns and len(columns) != len(fields) + numbered:
        words = f"Column alias list has {len(columns)} entries but '{alias.name if alias else ''}' has"
        words += f" {len(fields) + numbered} columns available"
        raise QueryFailedError(f"MISMATCHED_COLUMN_ALIASES: {position(node)}: {words}")
    names = columns or [*fields, *(["ordinality"] if numbered else [])]
    item = exp.column("item", "u", quoted=True)
    outputs: list[exp.Expr] = [
        exp.alias_(
            exp.Dot(this=item.copy(), expression=exp.to_identifier(name, quoted=True)), given, quoted=True
        )
        for name, given in zip(fields, names, strict=False)
    ]
    if numbered:
        outputs.append(exp.alias_(exp.column("n", "u", quoted=True), names[-1], quoted=True))
    inner = exp.Unnest(
        expressions=[items],
        offset=exp.to_identifier("n", quoted=True) if numbered else None,
        alias=exp.TableAlias(
            this=exp.to_identifier("u", quoted=True), columns=[exp.to_identifier("item", quoted=True)]
        ),
    )
    rows = exp.select(*outputs).from_(inner)
    given_name = alias.name if alias else "unnested"
    return exp.Lateral(
        this=exp.Subquery(this=rows),
        alias=exp.TableAlias(this=exp.to_identifier(given_name, quoted=True)),
    )


def _is_row(kind: exp.Expr) -> bool:
    return isinstance(kind, exp.DataType) and kind.is_type(exp.DataType.Type.STRUCT)
