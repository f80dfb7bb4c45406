"""The states of keys, and how long each of them lasted, from a table of every version.

A state lasts from its version's `valid_from` until before that of the next one. In dates, a key has one state
a day: the last of the day. A state that lasted no time at all is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

DELETE = "delete"
# A state lies in [SINCE, UNTIL); UNTIL is null for the last one. IS_THERE is false behind a delete.
SINCE, UNTIL, IS_THERE = "_since", "_until", "_is_there"


@dataclass(frozen=True)
class Versioned:
    """`rows` of a table of every version (`change`, `valid_from`, `run_date`, `sequence`). Versions of a key
    with one `valid_from` follow one another by the columns `order`, then by delivery."""

    rows: DataFrame
    key: tuple[str, ...]
    order: tuple[str, ...] = ()

    def place(self) -> list[Column]:
        names = ("valid_from", *self.order, "run_date", "sequence")
        return [named(name).asc_nulls_first() for name in names]


def intervals(versions: Versioned, kind: str = "date") -> DataFrame:
    """The columns of the versions with SINCE, UNTIL (of the type `kind`: date or timestamp_ntz) and
    IS_THERE."""
    of_key = Window.partitionBy(*map(named, versions.key)).orderBy(*versions.place())
    since = named("valid_from").cast(kind)
    rows = versions.rows.withColumns({SINCE: since, UNTIL: F.lead(since).over(of_key)})
    lasting = rows.filter(named(UNTIL).isNull() | (named(UNTIL) > named(SINCE)))
    return lasting.withColumn(IS_THERE, named("change") != DELETE)


def current(versions: Versioned) -> DataFrame:
    """The last version of each key that is there: the present of the table."""
    last = Window.partitionBy(*map(named, versions.key)).orderBy(*versions.place())
    rows = versions.rows.withColumn(UNTIL, F.lead(F.lit(1)).over(last))
    return rows.filter(named(UNTIL).isNull() & (named("change") != DELETE)).drop(UNTIL)


def named(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")


def names_of(columns: Sequence[str]) -> list[Column]:
    return [named(name) for name in columns]
