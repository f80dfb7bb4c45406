"""The invariants of marts, asked of tables as they lie after a write. Each violation is counted; no value of
a row is named."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.marts.kinds.intervals import named, names_of


@dataclass(frozen=True)
class Violation:
    """`rows` break what `invariant` says."""

    invariant: str
    rows: int

    def __str__(self) -> str:
        return f"{self.invariant}: {self.rows} rows"


def check_key(rows: DataFrame, key: Sequence[str]) -> list[Violation]:
    """No two rows have one key, and no column of it is null."""
    names = ", ".join(key)
    is_null = _any([named(name).isNull() for name in key])
    counted = rows.groupBy(*names_of(key)).agg(F.count(F.lit(1)).alias("_rows"))
    several = F.count(F.when(named("_rows") > 1, 1))
    nulls = F.coalesce(F.sum(F.when(is_null, named("_rows"))), F.lit(0))
    [more, without] = counted.agg(several, nulls).collect()[0]
    return _violations((f"no two rows have the same {names}", more), (f"each row has {names}", without))


def check_versions(
    rows: DataFrame, key: Sequence[str], surrogate: str, gone: DataFrame, unknown: int | None = None
) -> list[Violation]:
    """The invariants of versions. `gone` has the key and `valid_to` of each delete: there alone may a gap
    begin. `unknown` is the surrogate key of the member for the unknown, which has no interval."""
    member = F.lit(False) if unknown is None else named(surrogate).eqNullSafe(F.lit(unknown))
    of_key = Window.partitionBy(*names_of(key))
    in_order = of_key.orderBy(named("valid_from"), named("version"))
    known_gaps = gone.select(*names_of(key), named("valid_to"), F.lit(True).alias("_is_delete")).distinct()
    following = (
        rows.filter(~member)
        .withColumns(
            {
                "_next": F.lead("valid_from").over(in_order),
                "_number": F.row_number().over(in_order),
                "_current": F.count(F.when(named("is_current"), 1)).over(of_key),
            }
        )
        .join(known_gaps, [*key, "valid_to"], "left")
    )
    is_open, has_next = named("valid_to").isNull(), named("_next").isNotNull()
    counted: dict[str, Column] = {
        "a version begins before it ends": named("valid_from").isNull()
        | (~is_open & (named("valid_to") <= named("valid_from"))),
        "no two versions of a key overlap": has_next & (is_open | (named("valid_to") > named("_next"))),
        "a version is current as long as it is open": ~named("is_current").eqNullSafe(is_open),
        "versions of a key are numbered from 1": ~named("version").eqNullSafe(named("_number")),
        "each version has its key": _any([named(name).isNull() for name in (*key, surrogate)]),
        "a key has one open version at most": named("is_current") & (named("_current") > 1),
        "a gap begins with a delete": has_next
        & ~is_open
        & (named("valid_to") < named("_next"))
        & named("_is_delete").isNull(),
    }
    found = following.agg(*(F.count(F.when(wrong, 1)) for wrong in counted.values())).collect()[0]
    of_surrogate = rows.groupBy(named(surrogate)).agg(F.count(F.lit(1)).alias("rows"))
    several = F.count(F.when(named("rows") > 1, 1))
    members = F.coalesce(F.sum(F.when(member, named("rows"))), F.lit(0))
    [collisions, of_member] = of_surrogate.agg(several, members).collect()[0]
    return _violations(
        *zip(counted, found, strict=True),
        (f"no two versions have the same {surrogate}", collisions),
        (f"the dimension has one member {unknown}", 0 if unknown is None else abs(1 - of_member)),
    )


def check_facts(facts: DataFrame, column: str, dimension: DataFrame, name: str) -> list[Violation]:
    """Each fact has a row of the dimension `name` under its `column`."""
    keys = dimension.select(named(column)).distinct()
    orphans = facts.join(keys, column, "left_anti")
    return _violations((f"each fact has a row of {name}", orphans.count()))


def _violations(*counts: tuple[str, int]) -> list[Violation]:
    return [Violation(invariant, rows) for invariant, rows in counts if rows > 0]


def _any(conditions: Sequence[Column]) -> Column:
    found = F.lit(False)
    for condition in conditions:
        found = found | condition
    return found
