"""Decides for each row whether it meets a quality rule."""

from collections.abc import Sequence
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.errors import PlanRefused
from etl.run.quality import Quality, Rule


def meets(rule: Rule) -> Column:
    """True for a row that meets a completeness, allowedValues or customSql rule, else false. A null meets
    allowedValues; a condition that is null does not meet customSql."""
    if rule.type == "completeness":
        return F.col(rule.columns[0]).isNotNull()
    if rule.type == "allowedValues":
        value = F.col(rule.columns[0])
        return value.isNull() | value.isin(list(rule.values))
    return F.coalesce(_condition(rule.expression), F.lit(False))


def check_expressions(rows: DataFrame, quality: Quality) -> None:
    """Has Spark analyse each custom SQL expression over the columns of `rows`; reads no row. Raises
    PlanRefused.

    A text compared with a number or a time is refused. Spark would cast one of them, and stop at the first
    text that cannot be cast. Athena refuses the comparison, but only after the rows are published."""
    mistakes = []
    for rule in quality.rules:
        if rule.type == "customSql" and (mistake := _mistake(rows, rule.expression)):
            mistakes.append(f"the expression of rule '{rule.name}' {mistake}")
    if mistakes:
        raise PlanRefused("; ".join(mistakes))


def _mistake(rows: DataFrame, expression: str) -> str:
    try:
        judged = rows.select(_condition(expression).alias("met"))
    except PySparkException as error:
        return f"is not valid for Spark: {str(error).strip().splitlines()[0]}"
    kind = judged.schema["met"].dataType.simpleString()
    if kind != "boolean":
        return f"must be true or false, is {kind}"
    mixed = find_mixed_types(nodes_of(judged))
    return f"compares or joins {mixed}: write the literal in the column's type" if mixed else ""


def _condition(expression: str) -> Column:
    # In parentheses, because Spark reads a stray last word as an alias.
    return F.expr(f"({expression})")


def nodes_of(of: Any) -> list[Any]:
    """The expressions of a frame's last step, as Spark analysed it, or the children of an expression."""
    if isinstance(of, DataFrame):
        return _items(of._jdf.queryExecution().analyzed().expressions())
    return _items(of.children())


def find_mixed_types(nodes: Sequence[Any]) -> str:
    """The types of the first cast between a text and another type that Spark inserted; "" without one."""
    for node in nodes:
        children = nodes_of(node)
        if node.nodeName() == "Cast":
            types = (children[0].dataType().simpleString(), node.dataType().simpleString())
            if types.count("string") == 1 and "void" not in types:
                return " and ".join(sorted(types))
        if mixed := find_mixed_types(children):
            return mixed
    return ""


def _items(sequence: Any) -> list[Any]:
    return [sequence.apply(index) for index in range(sequence.size())]
