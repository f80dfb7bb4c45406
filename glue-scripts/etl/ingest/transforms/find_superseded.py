"""Finds the rows that an upsert leaves out: their key has a later row, in the run or in the table."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.ingest.transforms.decode_uri import decode_uri


def find_superseded(rows: DataFrame, table: DataFrame | None, business_key: tuple[str, ...]) -> DataFrame:
    """`rows` holds the key, `age` (which compares), `run_date` and the order of lines as `read_lines`
    gives it; `table` holds the key and `age`, once per key. Among rows of the same age the last line wins,
    and the run wins over the table, so that a delivery can be run again or corrected. Gives `run_date` and
    `row_id` of the rows that are left out."""
    newest_first = Window.partitionBy(*business_key).orderBy(
        F.col("age").desc_nulls_last(),
        decode_uri(F.col("file_path")).desc(),
        F.col("block_start").desc(),
        F.col("row_id").desc(),
    )
    placed = rows.withColumn("place", F.row_number().over(newest_first))
    if table is None:
        return placed.filter(F.col("place") > 1).select("run_date", "row_id")
    old = table.select(
        *(F.col(name).alias(f"old_{name}") for name in business_key), F.col("age").alias("old_age")
    )
    met = placed.join(old, same_key(business_key), "left")
    is_older = F.col("old_age").isNotNull() & (F.col("age") < F.col("old_age"))
    return met.filter((F.col("place") > 1) | is_older).select("run_date", "row_id")


def same_key(business_key: tuple[str, ...]) -> Column:
    """True if `name` and `old_name` are equal for all parts of the key."""
    same = F.lit(True)
    for name in business_key:
        same &= F.col(name).eqNullSafe(F.col(f"old_{name}"))
    return same
