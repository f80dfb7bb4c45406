"""The catalogue's types, and the comparisons that Trino refuses because it converts no type on its own.

https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

import functools

from sqlglot import exp

from embedded_aws.athena.failures import QueryFailedError, position

_Type = exp.DataType.Type
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


@functools.cache
def of_catalogue(text: str) -> exp.DataType:
    """Parse a type of the Data Catalog in Hive's syntax. Raises QueryFailedError if it is unknown."""
    try:
        return exp.DataType.build(text.lower(), dialect="hive")
    except Exception as error:
        raise QueryFailedError(f"HIVE_INVALID_METADATA: '{text}' is not a type") from error


def for_duckdb(text: str) -> str:
    """A type of the Data Catalog in DuckDB's syntax."""
    base = text.lower().split("(")[0]
    return "VARCHAR" if base in ("string", "char", "varchar") else of_catalogue(text).sql("duckdb")


def kind(node: exp.Expr | None) -> str:
    """One of text, number, boolean and moment; empty for other and unknown types."""
    found = node.type if node is not None else None
    if not isinstance(found, exp.DataType) or isinstance(node, exp.Null):
        return ""
    if found.is_type(*exp.DataType.TEXT_TYPES):
        return "text"
    if found.is_type(*exp.DataType.NUMERIC_TYPES):
        return "number"
    if found.is_type(_Type.BOOLEAN):
        return "boolean"
    moment = found.is_type(*exp.DataType.TEMPORAL_TYPES) and not found.is_type(_Type.TIME)
    return "moment" if moment else ""


def check(query: exp.Expr) -> None:
    """Raises QueryFailedError with TYPE_MISMATCH for the first expression with incompatible sides."""
    for node in query.walk():
        if isinstance(node, _COMPARISONS) and _differ(node.left, node.right):
            raise _mismatch(node, f"Cannot apply operator: {_sides(node)}")
        if isinstance(node, _ARITHMETIC) and "text" in (kind(node.left), kind(node.right)):
            raise _mismatch(node, f"Cannot apply operator: {_sides(node)}")
        if isinstance(node, exp.Between):
            low, high = node.args["low"], node.args["high"]
            if _differ(node.this, low, high):
                words = f"Cannot check if {_name(node.this)} is BETWEEN {_name(low)} and {_name(high)}"
                raise _mismatch(node, words)
        if isinstance(node, exp.In) and _differ(node.this, *node.expressions):
            raise _mismatch(node, "IN value and list items must be the same type")
        _check_call(node)


def _check_call(node: exp.Expr) -> None:
    if isinstance(node, exp.DPipe | exp.Concat):
        parts = node.expressions if isinstance(node, exp.Concat) else [node.left, node.right]
        if {kind(part) for part in parts} & {"number", "boolean", "moment"}:
            name = "concat_ws" if isinstance(node, exp.ConcatWs) else "concat"
            raise _unexpected(node, name, parts)
    if isinstance(node, exp.Sum | exp.Avg) and kind(node.this) == "text":
        raise _unexpected(node, type(node).__name__.lower(), [node.this])
    if isinstance(node, exp.Coalesce) and _differ(node.this, *node.expressions):
        raise _mismatch(node, "All COALESCE operands must be the same type")
    if isinstance(node, exp.Case):
        results = [branch.args["true"] for branch in node.args["ifs"]]
        if _differ(*results, *filter(None, [node.args.get("default")])):
            raise _mismatch(node, "All CASE results must be the same type")


def _differ(*nodes: exp.Expr) -> bool:
    return len({kind(node) for node in nodes} - {""}) > 1


def _mismatch(node: exp.Expr, words: str) -> QueryFailedError:
    return QueryFailedError(f"TYPE_MISMATCH: {position(node)}: {words}")


def _unexpected(node: exp.Expr, name: str, parts: list[exp.Expr]) -> QueryFailedError:
    given = ", ".join(_name(part) for part in parts)
    words = f"Unexpected parameters ({given}) for function {name}"
    return QueryFailedError(f"FUNCTION_NOT_FOUND: {position(node)}: {words}")


def _sides(node: exp.Binary) -> str:
    return f"{_name(node.left)} {_OPERATORS[type(node)]} {_name(node.right)}"


def _name(node: exp.Expr) -> str:
    return node.type.sql("trino").lower() if isinstance(node.type, exp.DataType) else "unknown"
