"""Finds the rows of a delivery that must not be appended, because their key was taken before."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.ingest.transforms.decode_uri import stored_uri
from etl.ingest.transforms.find_duplicates import ORDER, find_duplicates, find_repeated
from etl.ingest.transforms.find_superseded import same_key


def source_file() -> Column:
    """The URI of a row's object, as a listing gives it; for a local file, its path."""
    return stored_uri(F.col("file_path"))


def find_repetitions(
    rows: DataFrame,
    taken: DataFrame | None,
    business_key: tuple[str, ...],
    lookback_days: int,
) -> DataFrame:
    """`rows` holds the key, `run_date`, `source_file`, `is_taken` (whether its object was appended by an
    earlier run) and the order of lines; `taken` holds the key, `run_date` and `source_file` of the table's
    rows.

    The rows of a taken object that are in the table are not repetitions: these are the first of each key. Any
    other row is one if the table has its key at most `lookback_days` away, before or after, or if the run has
    it before (`find_duplicates`). Gives `run_date` and `row_id`."""
    key = list(business_key)
    if taken is None:
        return _among(rows, business_key, lookback_days)
    old = taken.select(
        *(F.col(name).alias(f"old_{name}") for name in key),
        F.col("run_date").alias("old_date"),
        F.col("source_file").alias("old_file"),
    )
    in_order = Window.partitionBy(*key, "source_file").orderBy("block_start", "row_id")
    of_taken = rows.filter("is_taken").withColumn("place", F.row_number().over(in_order))
    is_itself = same_key(business_key) & (F.col("source_file") == F.col("old_file"))
    first_there = of_taken.filter("place = 1").join(old, is_itself, "left_semi").select("row_id")
    repeated = of_taken.join(first_there, "row_id", "left_anti").select("run_date", "row_id")

    new = rows.filter("not is_taken")
    days = F.abs(F.datediff(F.to_date("run_date"), F.to_date("old_date")))
    is_seen = same_key(business_key) & (days <= lookback_days)
    seen = new.join(old, is_seen, "left_semi").select("run_date", "row_id")
    fresh = new.join(seen.select("row_id"), "row_id", "left_anti")
    return repeated.unionByName(seen).unionByName(_among(fresh, business_key, lookback_days))


def _among(rows: DataFrame, business_key: tuple[str, ...], lookback_days: int) -> DataFrame:
    places = rows.select(*business_key, "run_date", *ORDER)
    repeated = find_repeated(places, None, business_key)
    return find_duplicates(places, None, repeated, business_key, lookback_days)
