"""The rows that were there at the end of a day, or of each of several days."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.marts.kinds.intervals import IS_THERE, SINCE, UNTIL, Versioned, intervals, named, names_of


def as_of(versions: Versioned, columns: Sequence[str], day: date, day_column: str) -> DataFrame:
    """`day_column` (a date) and the columns of each key that was there at the end of `day`."""
    rows = intervals(versions).filter(named(IS_THERE) & _holds(F.lit(day)))
    return rows.select(F.lit(day).alias(day_column), *names_of(columns))


def states(versions: Versioned, columns: Sequence[str], days: DataFrame, day_column: str) -> DataFrame:
    """As `as_of`, for each of `days`, a frame with the one date column `day_column`, each date once."""
    rows = intervals(versions).filter(named(IS_THERE))
    held = rows.join(F.broadcast(days), _holds(days[day_column]))
    return held.select(days[day_column], *(rows[name] for name in columns))


def _holds(day: Column) -> Column:
    return (named(SINCE) <= day) & (named(UNTIL).isNull() | (named(UNTIL) > day))
