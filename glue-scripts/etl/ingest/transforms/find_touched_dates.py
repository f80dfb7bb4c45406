"""Finds the later dates that a change touches: they hold a key that has appeared or disappeared on a date in
their look-back window."""

from datetime import date
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def find_changed_keys(
    before: DataFrame | None, after: DataFrame | None, business_key: tuple[str, ...]
) -> DataFrame | None:
    """Both hold the key and `run_date`, each pair once: the output as it is, and as it will be. Gives
    the pairs that only one of them has."""
    frames = [
        frame.select(*business_key, "run_date", F.lit(is_after).alias("is_after"))
        for frame, is_after in ((before, False), (after, True))
        if frame is not None
    ]
    if not frames:
        return None
    pairs = reduce(DataFrame.unionByName, frames).groupBy(*business_key, "run_date")
    sides = pairs.agg(F.min("is_after").alias("one"), F.max("is_after").alias("other"))
    return sides.filter(F.col("one") == F.col("other")).select(*business_key, "run_date")


def find_touched_dates(
    changes: DataFrame, rows: DataFrame, business_key: tuple[str, ...], lookback_days: int
) -> set[date]:
    """The dates of `rows` that hold a key of `changes`, at most `lookback_days` after it changed."""
    changed = changes.select(*(F.col(name).alias(f"changed_{name}") for name in business_key), "run_date")
    later = rows.select(*business_key, F.col("run_date").alias("later"))
    same_key = reduce(and_, (F.col(name).eqNullSafe(F.col(f"changed_{name}")) for name in business_key))
    days = F.datediff(F.to_date("later"), F.to_date("run_date"))
    touched = later.join(changed, same_key & days.between(1, lookback_days), "left_semi")
    return {date.fromisoformat(row["later"]) for row in touched.select("later").distinct().collect()}
