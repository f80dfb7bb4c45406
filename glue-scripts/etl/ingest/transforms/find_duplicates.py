"""Finds rows that repeat a business key, in the run or in what earlier deliveries left in the output.

For each key the first row of a date stays (by object key, then line), unless a row of the key was kept on
a date at most `lookback_days` earlier. Only kept rows count: a removed row opens no new window. So a
back-fill gives the same as runs day by day. `etl.ingest.plan` finds the later dates that must be among the
rows."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.ingest.transforms.decode_uri import decode_uri

ORDER = ("file_path", "block_start", "row_id")


def find_repeated(rows: DataFrame, earlier: DataFrame | None, business_key: tuple[str, ...]) -> DataFrame:
    """The hashes of the keys that occur more than once. Nearly all keys occur once, and a hash of eight
    bytes is enough to see that. A collision only adds a suspect."""
    hashes = [frame.select(_hash(list(business_key))) for frame in (rows, earlier) if frame is not None]
    return _union(hashes).groupBy("key_hash").count().filter(F.col("count") > 1).select("key_hash")


def find_duplicates(
    rows: DataFrame,
    earlier: DataFrame | None,
    repeated: DataFrame,
    business_key: tuple[str, ...],
    lookback_days: int,
) -> DataFrame:
    """`rows` holds the key, `run_date` (text) and the order of lines as `read_lines` gives it; `earlier`
    holds the key and `run_date` of rows that stay as they are; `repeated` is what `find_repeated` found in
    both. Gives `run_date` and `row_id` of the rows to remove."""
    key = list(business_key)
    mine = rows.select(*key, "run_date", *ORDER)
    theirs = None if earlier is None else earlier.select(*key, "run_date")
    suspects = [_suspects(mine, repeated, key).withColumn("is_earlier", F.lit(False))]
    if theirs is not None:
        without_order = _suspects(theirs, repeated, key).withColumn("is_earlier", F.lit(True))
        suspects.append(without_order)
    together = _union(suspects)

    of_key = Window.partitionBy(*key)
    unbounded = of_key.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    in_order = Window.partitionBy(*key, "run_date").orderBy(
        decode_uri(F.col("file_path")), "block_start", "row_id"
    )
    dates = F.array_sort(F.collect_set(F.struct("run_date", "is_earlier")).over(unbounded))
    placed = together.select("*", dates.alias("dates"), F.row_number().over(in_order).alias("place"))
    is_first_of_date = F.col("place") == 1
    stays = is_first_of_date & F.array_contains(_kept_dates(F.col("dates"), lookback_days), F.col("run_date"))
    return placed.filter(~F.col("is_earlier") & ~stays).select("run_date", "row_id")


def _hash(key: list[str]) -> Column:
    return F.xxhash64(*key).alias("key_hash")


def _suspects(frame: DataFrame, repeated: DataFrame, key: list[str]) -> DataFrame:
    return frame.select("*", _hash(key)).join(repeated, on="key_hash", how="left_semi").drop("key_hash")


def _union(frames: list[DataFrame]) -> DataFrame:
    first, *rest = frames
    for frame in rest:
        first = first.unionByName(frame, allowMissingColumns=True)
    return first


def _kept_dates(dates: Column, lookback_days: int) -> Column:
    """Walks the ascending `dates` of one key as runs day by day would. Gives the dates on which a row was
    kept."""

    def walk(kept: Column, one: Column) -> Column:
        last = F.try_element_at(kept, F.lit(-1))
        is_seen = F.datediff(F.to_date(one["run_date"]), F.to_date(last)) <= lookback_days
        is_kept = one["is_earlier"] | last.isNull() | ~is_seen
        return F.when(is_kept, F.concat(kept, F.array(one["run_date"]))).otherwise(kept)

    return F.aggregate(dates, F.array().cast("array<string>"), walk)
