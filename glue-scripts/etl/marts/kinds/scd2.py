"""Slowly changing dimensions of type 2: a row for each version of a key, with the half-open interval
[`valid_from`, `valid_to`) in which it was valid."""

from dataclasses import dataclass

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.marts.kinds.intervals import IS_THERE, SINCE, UNTIL, Versioned, intervals, named, names_of
from etl.marts.kinds.surrogate_keys import surrogate_key

_LAST, _IS_NEW, _VERSION = "_last", "_is_new", "_version"
VALIDITY = ("valid_from", "valid_to", "is_current", "version")


@dataclass(frozen=True)
class Dimension:
    """A change of one of the columns `compared` makes a version. Those `overwritten` have the values of the
    version's last row. `kind` is the type of the intervals: date or timestamp_ntz."""

    compared: tuple[str, ...]
    overwritten: tuple[str, ...]
    surrogate: str
    kind: str = "date"


def scd2(versions: Versioned, dimension: Dimension) -> DataFrame:
    """The key, both kinds of columns, `valid_from`, `valid_to` (null while the version is open),
    `is_current`, `version` (from 1, counting on behind a delete) and the surrogate key.

    A delete closes the version and opens none. A key that comes back opens another one, also with the values
    of old."""
    key = list(versions.key)
    in_order = Window.partitionBy(*names_of(key)).orderBy(named(SINCE))
    state = F.struct(named(IS_THERE), *names_of(dimension.compared))
    before = F.lag(state).over(in_order)
    rows = intervals(versions, dimension.kind).withColumn(_IS_NEW, ~state.eqNullSafe(before))
    rows = rows.filter(named(IS_THERE))
    rows = rows.withColumn(_VERSION, F.sum(named(_IS_NEW).cast("int")).over(in_order))
    last = F.struct(*names_of([UNTIL, *dimension.compared, *dimension.overwritten]))
    merged = rows.groupBy(*names_of(key), named(_VERSION)).agg(
        F.min(named(SINCE)).alias(SINCE), F.max_by(last, named(SINCE)).alias(_LAST)
    )
    return merged.select(
        *names_of(key),
        *(named(_LAST)[name].alias(name) for name in (*dimension.compared, *dimension.overwritten)),
        named(SINCE).alias("valid_from"),
        named(_LAST)[UNTIL].alias("valid_to"),
        named(_LAST)[UNTIL].isNull().alias("is_current"),
        named(_VERSION).cast("int").alias("version"),
        surrogate_key(key, named(SINCE), dimension.kind).alias(dimension.surrogate),
    )


def deletes(versions: Versioned, kind: str = "date") -> DataFrame:
    """The key and the moment (`valid_to`) of each delete that lasted."""
    gone = intervals(versions, kind).filter(~named(IS_THERE))
    return gone.select(*names_of(versions.key), named(SINCE).alias("valid_to"))
