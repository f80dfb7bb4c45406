"""Columns that a contract computes from others, and rows that it adds up. `compiler/ask_spark.py` has Spark
judge the same expressions when the contract is compiled.

Whole numbers are computed as decimals of 19 digits. A bigint that overflows is an error in one version of
Spark and a wrong number in another; a decimal becomes as long as it must."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.contract import Aggregate, Computed
from etl.run.meet_rule import expression_of

WHOLE = "decimal(19,0)"
_RAW, _MADE = "x-etl-raw-", "x-etl-made-"


def compute_columns(rows: DataFrame, values: Mapping[str, Column], computed: Sequence[Computed]) -> DataFrame:
    """Adds the columns that `made`, `computed_text` and `is_too_large` read. `values` are the columns that
    expressions may use: null in rows that are not clean, whole numbers as `WHOLE`."""
    if not computed:
        return rows
    named = rows.select(*rows.columns, *(value.alias(name) for name, value in values.items()))
    raw = named.select(
        *rows.columns, *(expression_of(one.expression).alias(f"{_RAW}{one.name}") for one in computed)
    )
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
    raw = grouped.agg(
        *(expression_of(one.expression).alias(f"{_RAW}{one.name}") for one in aggregate.columns)
    )
    fitted = raw.select(*group_by, *(_fit_or_end(one).alias(one.name) for one in aggregate.columns))
    back = {name: F.col(name).cast("bigint") for name in group_by if kinds[name] == "bigint"}
    return fitted.withColumns(back) if back else fitted


def _fit(one: Computed) -> Column:
    # A cast rounds decimals half up.
    return F.expr(f"try_cast(`{_RAW}{one.name}` as {one.type})")


def _fit_or_end(one: Computed) -> Column:
    raw, fitted = F.col(f"`{_RAW}{one.name}`"), _fit(one)
    message = F.lit(f"a value of the aggregate's column '{one.name}' does not fit {one.type}")
    is_lost = raw.isNotNull() & fitted.isNull()
    return F.when(is_lost, F.raise_error(message).cast(one.type)).otherwise(fitted)
