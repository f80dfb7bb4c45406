"""Columns that a contract computes from others, and rows that it adds up. Spark analyses each expression
before a row is read.

Whole numbers are computed as decimals of 19 digits. A bigint that overflows is an error in one version of
Spark and a wrong number in another; a decimal becomes as long as it must."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.errors import PlanRefused
from etl.ingest.contract import MAX_PRECISION, Aggregate, Computed, Contract
from etl.run.meet_rule import find_mixed_types, nodes_of
from etl.run.no_rows import no_rows

WHOLE = "decimal(19,0)"
_ARITHMETIC = ("Add", "Subtract", "Multiply", "UnaryMinus", "Abs", "Sum")
_NUMBERS = ("bigint", "int", "double", "decimal")
_RAW, _MADE = "x-etl-raw-", "x-etl-made-"


def check_computed(spark: SparkSession, contract: Contract) -> None:
    """Has Spark analyse the expressions of the contract; reads no row. Raises PlanRefused with every
    mistake."""
    mistakes = _mistakes(spark, contract.base_types, contract.computed, "x-etl.computed", None)
    if contract.aggregate is not None:
        where = "x-etl.aggregate.columns"
        of = contract.aggregate
        mistakes += _mistakes(spark, contract.output_types, of.columns, where, of.group_by)
    if mistakes:
        raise PlanRefused("; ".join(mistakes))


def compute_columns(rows: DataFrame, values: Mapping[str, Column], computed: Sequence[Computed]) -> DataFrame:
    """Adds the columns that `made`, `computed_text` and `is_too_large` read. `values` are the columns that
    expressions may use: null in rows that are not clean, whole numbers as `WHOLE`."""
    if not computed:
        return rows
    named = rows.select(*rows.columns, *(value.alias(name) for name, value in values.items()))
    raw = named.select(*rows.columns, *(_expression(one).alias(f"{_RAW}{one.name}") for one in computed))
    return raw.select("*", *(_fit(one).alias(f"{_MADE}{one.name}") for one in computed))


def made(name: str) -> Column:
    """The value of a computed column."""
    return F.col(f"`{_MADE}{name}`")


def computed_text(one: Computed) -> Column:
    """The result of the expression of a computed column as a text, before it is fitted to its type."""
    return F.col(f"`{_RAW}{one.name}`").cast("string")


def is_too_large(one: Computed) -> Column:
    """True if the value of a computed column does not fit its type."""
    return F.col(f"`{_RAW}{one.name}`").isNotNull() & made(one.name).isNull()


def aggregate_rows(rows: DataFrame, aggregate: Aggregate, *keys: str) -> DataFrame:
    """Makes one row of those with the same `keys` and `group_by`. A sum that does not fit its type ends the
    run."""
    group_by = [*keys, *aggregate.group_by]
    kinds = dict(rows.dtypes)
    exact = rows.select(*(F.col(n).cast(WHOLE).alias(n) if kinds[n] == "bigint" else F.col(n) for n in kinds))
    grouped = exact.groupBy(*group_by)
    raw = grouped.agg(*(_expression(one).alias(f"{_RAW}{one.name}") for one in aggregate.columns))
    fitted = raw.select(*group_by, *(_fit_or_end(one).alias(one.name) for one in aggregate.columns))
    back = {name: F.col(name).cast("bigint") for name in group_by if kinds[name] == "bigint"}
    return fitted.withColumns(back) if back else fitted


def _expression(one: Computed) -> Column:
    # In parentheses, because Spark reads a stray last word as an alias.
    return F.expr(f"({one.expression})")


def _fit(one: Computed) -> Column:
    # A cast rounds decimals half up.
    return F.expr(f"try_cast(`{_RAW}{one.name}` as {one.type})")


def _fit_or_end(one: Computed) -> Column:
    raw, fitted = F.col(f"`{_RAW}{one.name}`"), _fit(one)
    message = F.lit(f"a value of the aggregate's column '{one.name}' does not fit {one.type}")
    is_lost = raw.isNotNull() & fitted.isNull()
    return F.when(is_lost, F.raise_error(message).cast(one.type)).otherwise(fitted)


def _mistakes(
    spark: SparkSession,
    types: Mapping[str, str],
    computed: Sequence[Computed],
    where: str,
    group_by: Sequence[str] | None,
) -> list[str]:
    rows = no_rows(spark, {name: WHOLE if kind == "bigint" else kind for name, kind in types.items()})
    found = ((one, _mistake(rows, one, group_by)) for one in computed)
    return [f"'{where}.{one.name}.expression' {mistake}" for one, mistake in found if mistake]


def _mistake(rows: DataFrame, one: Computed, group_by: Sequence[str] | None) -> str:
    try:
        column = _expression(one).alias("made")
        judged = rows.select(column) if group_by is None else rows.groupBy(*group_by).agg(column)
        kind = judged.schema["made"].dataType.simpleString()
    except PySparkException as error:
        return f"is not valid for Spark: {str(error).strip().splitlines()[0]}"
    if _family(kind) != _family(one.type):
        return f"must be {one.type}, is {kind}"
    nodes = nodes_of(judged)
    if mixed := find_mixed_types(nodes):
        return f"compares or joins {mixed}: write the literal in the column's type"
    if doubtful := _find_doubtful(nodes):
        return f"computes {doubtful}, which may not hold the result: use columns with fewer digits"
    return ""


def _family(type_: str) -> str:
    name = type_.partition("(")[0]
    return "a number" if name in _NUMBERS else name


def _find_doubtful(nodes: Sequence[Any]) -> str:
    """The type of the first result that may be too long for it; "" without one."""
    for node in nodes:
        if node.nodeName() in _ARITHMETIC:
            kind = node.dataType().simpleString()
            if kind.startswith(f"decimal({MAX_PRECISION},") or kind == "bigint":
                return str(kind)
        if doubtful := _find_doubtful(nodes_of(node)):
            return doubtful
    return ""
