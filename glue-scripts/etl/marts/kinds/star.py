"""Stars: dimensions with a member for the unknown, a calendar, and facts with keys valid at their time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.marts.kinds.intervals import named

CALENDAR = {
    "date_key": "int",
    "date": "date",
    "year": "int",
    "quarter": "int",
    "month": "int",
    "day": "int",
    "iso_week": "int",
    "weekday": "int",
    "fiscal_year": "int",
    "fiscal_quarter": "int",
}


@dataclass(frozen=True)
class FiscalYear:
    """Begins on the first of a month (1 to 12). Its name is the calendar year of its end, or of its
    beginning."""

    first_month: int = 1
    is_named_by_end: bool = True


@dataclass(frozen=True)
class Lookup:
    """Facts get the key `surrogate` of the dimension's version that was valid at their time. `by` has for
    each column of the dimension's key that of the facts. `unknown` is the key of its member for the
    unknown."""

    dimension: str
    surrogate: str
    by: Mapping[str, str]
    unknown: int


def with_unknown(rows: DataFrame, surrogate: str, unknown: int) -> DataFrame:
    """Adds the member for the unknown: its key, version 1, current; all else is null."""
    values = {surrogate: F.lit(unknown), "version": F.lit(1), "is_current": F.lit(True)}
    columns = [values.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in rows.dtypes]
    member = rows.sparkSession.range(1).select(*columns)
    return rows.unionByName(member)


def calendar(spark: SparkSession, first: date, last: date, fiscal: FiscalYear) -> DataFrame:
    """A row for each day from `first` to `last`. `weekday` is 1 on Mondays; `iso_week` is as in
    ISO 8601."""
    days = spark.range(1).select(F.explode(F.sequence(F.lit(first), F.lit(last))).alias("date"))
    day = named("date")
    # The month that is as far in the calendar year as the day's own month is in the fiscal year.
    shifted = F.add_months(day, -(fiscal.first_month - 1))
    ends_later = fiscal.is_named_by_end and fiscal.first_month > 1
    made: dict[str, Column] = {
        "date_key": date_key(day),
        "date": day,
        "year": F.year(day),
        "quarter": F.quarter(day),
        "month": F.month(day),
        "day": F.dayofmonth(day),
        "iso_week": F.weekofyear(day),
        "weekday": F.weekday(day) + 1,
        "fiscal_year": F.year(shifted) + int(ends_later),
        "fiscal_quarter": F.quarter(shifted),
    }
    return days.select(*(made[name].cast(kind).alias(name) for name, kind in CALENDAR.items()))


def date_key(day: Column) -> Column:
    """The date as the integer yyyymmdd."""
    return (F.year(day) * 10000 + F.month(day) * 100 + F.dayofmonth(day)).cast("int")


def with_keys(facts: DataFrame, moment: Column, lookups: Sequence[tuple[Lookup, DataFrame]]) -> DataFrame:
    """Adds the surrogate key of each lookup. A fact without a version at its moment gets the unknown
    member."""
    found = facts.withColumn("_moment", moment)
    for lookup, dimension in lookups:
        columns = {name: f"_of_{name}" for name in (*lookup.by, "valid_from", "valid_to")}
        versions = dimension.filter(named("valid_from").isNotNull()).select(
            *(named(name).alias(alias) for name, alias in columns.items()),
            named(lookup.surrogate).alias("_surrogate"),
        )
        is_same = [named(columns[name]) == named(other) for name, other in lookup.by.items()]
        at = named("_moment").cast(dict(dimension.dtypes)["valid_from"])
        is_valid = (at >= named("_of_valid_from")) & (
            named("_of_valid_to").isNull() | (at < named("_of_valid_to"))
        )
        joined = found.join(versions, [*is_same, is_valid], "left")
        key = F.coalesce(named("_surrogate"), F.lit(lookup.unknown).cast("bigint"))
        found = joined.withColumn(lookup.surrogate, key).drop("_surrogate", *columns.values())
    return found.drop("_moment")
