"""Selects partitions by an Expression of GetPartitions.

It has comparisons of partition keys with values, AND, OR, NOT, IN, BETWEEN, LIKE and IS NULL, in the types of
the keys, and at most 2048 characters:
https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html
Glue's message for an expression that it does not understand: https://github.com/getmoto/moto/pull/9306
"""

from typing import Any

import duckdb
from sqlglot import errors, exp, parse_one

from embedded_aws.athena import types

MOST_CHARACTERS = 2048
_TYPES = frozenset(
    (
        "string",
        "date",
        "timestamp",
        "int",
        "bigint",
        "long",
        "tinyint",
        "smallint",
        "decimal",
        "char",
        "varchar",
    )
)
_LOGICAL = (exp.And, exp.Or, exp.Not, exp.Paren, exp.In, exp.Between, exp.Like, exp.Is)
_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_OPERANDS = (exp.Column, exp.Identifier, exp.Literal, exp.Neg, exp.Null, exp.Tuple)


class ExpressionError(ValueError):
    """Glue refuses the expression as invalid input."""


def meeting(
    partitions: list[dict[str, Any]], keys: list[dict[str, Any]], expression: str
) -> list[dict[str, Any]]:
    """The partitions whose values meet the expression, in order. Raises ExpressionError."""
    condition = _parsed(expression, {str(key["Name"]).lower() for key in keys})
    columns = ", ".join(
        f'TRY_CAST(item[{place}] AS {_type(key)}) AS "{str(key["Name"]).lower()}"'
        for place, key in enumerate(keys, 1)
    )
    rows = "SELECT unnest(range(len(?::VARCHAR[][]))) AS number, unnest(?::VARCHAR[][]) AS item"
    sql = f"SELECT number FROM (SELECT number, {columns} FROM ({rows})) WHERE {condition} ORDER BY 1"  # noqa: S608
    values = [list(entry.get("Values") or []) for entry in partitions]
    if not values:
        return []
    try:
        with duckdb.connect() as duck:
            return [partitions[number] for (number,) in duck.execute(sql, [values, values]).fetchall()]
    except duckdb.Error as error:
        raise ExpressionError("Invalid partition expression!") from error


def _parsed(expression: str, keys: set[str]) -> str:
    """The expression in DuckDB's SQL. Raises ExpressionError for anything that Glue's page does not name."""
    if len(expression) > MOST_CHARACTERS:
        raise ExpressionError(
            f"1 validation error detected: Value at 'expression' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_CHARACTERS}"
        )
    try:
        tree = parse_one(expression, dialect="trino")
    except errors.SqlglotError as error:
        raise ExpressionError("Invalid partition expression!") from error
    known = (*_LOGICAL, *_COMPARED, *_OPERANDS)
    columns = {column.name.lower() for column in tree.find_all(exp.Column)}
    if not isinstance(tree, (*_LOGICAL, *_COMPARED)) or columns - keys:
        raise ExpressionError("Invalid partition expression!")
    if any(not isinstance(node, known) for node in tree.walk()):
        raise ExpressionError("Invalid partition expression!")
    for column in tree.find_all(exp.Column):
        column.replace(exp.column(column.name.lower(), quoted=True))
    return tree.sql("duckdb")


def _type(key: dict[str, Any]) -> str:
    text = str(key.get("Type") or "string").lower()
    if text.partition("(")[0] not in _TYPES:
        raise ExpressionError(f"Partition key type {text} is not supported in an expression")
    return types.for_duckdb("bigint" if text == "long" else text)
