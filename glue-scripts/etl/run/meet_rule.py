"""Decides for each row whether it meets a quality rule."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from etl.run.quality import Rule


def meets(rule: Rule) -> Column:
    """True for a row that meets a completeness, allowedValues or customSql rule, else false. A null meets
    allowedValues; a condition that is null does not meet customSql."""
    if rule.type == "completeness":
        return F.col(rule.columns[0]).isNotNull()
    if rule.type == "allowedValues":
        value = F.col(rule.columns[0])
        return value.isNull() | value.isin(list(rule.values))
    return F.coalesce(expression_of(rule.expression), F.lit(False))


def expression_of(text: str) -> Column:
    """An SQL expression of a rule or of a computed column. Spark judged it when it was compiled
    (`compiler/ask_spark.py`)."""
    # In parentheses, because Spark reads a stray last word as an alias.
    return F.expr(f"({text})")
