"""Failures of queries, in Athena's words."""

import re

from sqlglot import exp

_INTEGERS = {"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT"}


class QueryFailedError(Exception):
    """The query fails. The text becomes its StateChangeReason."""

    state = "FAILED"


class ScanLimitError(QueryFailedError):
    """The query would scan more than its workgroup allows.

    https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html
    """

    state = "CANCELLED"

    def __init__(self) -> None:
        super().__init__("Bytes scanned limit was exceeded")


def position(node: exp.Expr) -> str:
    """The place where an expression begins in its query, as ``line 1:15``, counted from 1."""
    told = [part.meta for part in node.walk() if "line" in part.meta and "col" in part.meta]
    # sqlglot reports the column where a word ends.
    begins = [(int(at["line"]), int(at["col"]) - int(at["end"]) + int(at["start"])) for at in told]
    line, column = min(begins, default=(1, 1))
    return f"line {line}:{max(column, 1)}"


def of_engine(text: str) -> str:
    """DuckDB's error as Trino names it; its first line when Trino has no such error."""
    first = text.strip().splitlines()[0] if text.strip() else "The query failed"
    kind, _, said = first.partition(": ")
    if "Division by zero" in text:
        return "DIVISION_BY_ZERO: Division by zero"
    cast = re.search(r"Could not convert string ['\"](.*)['\"] to (\w+)", first)
    if cast:
        return f"INVALID_CAST_ARGUMENT: Cannot cast '{cast.group(1)}' to {_INTEGERS.get(cast[2], cast[2])}"
    function = re.search(r"Function with name \"?(\w+)\"? does not exist", first)
    if function:
        return f"FUNCTION_NOT_FOUND: line 1:1: Function '{function.group(1).lower()}' not registered"
    if "must appear in the GROUP BY clause" in text:
        column = re.search(r"column \"?([^\"]+)\"? must", first)
        name = column.group(1) if column else "an expression"
        return (
            "EXPRESSION_NOT_AGGREGATE: line 1:1: "
            f"'{name}' must be an aggregate expression or appear in GROUP BY clause"
        )
    if "More than one row returned by a subquery" in text:
        return "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows"
    if kind in ("Binder Error", "Parser Error", "Catalog Error", "Not implemented Error"):
        return f"SYNTAX_ERROR: line 1:1: {said}"
    if "Malformed JSON" in text or "JSON transform error" in text:
        return f"HIVE_CURSOR_ERROR: Row is not a valid JSON Object - {re.sub(r' in file .*?, ', ', ', said)}"
    return f"GENERIC_INTERNAL_ERROR: {said or first}"
