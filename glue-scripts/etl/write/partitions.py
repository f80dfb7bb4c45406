"""Tables as folders of Parquet files, `<location>run_date=…/`: their rows, and how they are replaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.io import StoredObject
from etl.session import FILES_OF_A_TASK, paths_of

PARTITION = "run_date"
MAX_RECORDS_PER_FILE = 5_000_000


def read_partitions(
    spark: SparkSession, location: str, files: Sequence[StoredObject], columns: Mapping[str, str]
) -> DataFrame:
    """`columns`, with their types, of Parquet files, and `run_date` as text."""
    schema = ", ".join([*(f"`{name}` {kind}" for name, kind in columns.items()), f"{PARTITION} string"])
    reader = spark.read.schema(schema).option("basePath", location)
    return reader.parquet(*paths_of(files))


@dataclass(frozen=True)
class Written:
    """Parquet files under `location`, by date. Rows are counted for each value of `column`, and of `source`,
    the column that holds the name of a row's source."""

    location: str
    files: Mapping[date, Sequence[StoredObject]]
    column: str | None = None
    source: str | None = None


def count_rows_of_files(spark: SparkSession, *places: Written) -> list[dict[tuple[str, str, str], int]]:
    """Counts the rows in the files, for each place by date, value of its column and source ("" without such a
    column). Reads the footers and those columns only, in one query."""
    frames = []
    has_sources = any(place.source for place in places)
    for number, place in enumerate(places):
        present = [file for of_date in place.files.values() for file in of_date]
        if present:
            read = [name for name in (place.column, place.source) if name is not None]
            rows = read_partitions(spark, place.location, present, dict.fromkeys(read, "string"))
            value = F.col(f"`{place.column}`") if place.column else F.lit("")
            source = F.col(f"`{place.source}`") if place.source else F.lit("")
            by_source = [source.alias("source")] if has_sources else []
            frames.append(
                rows.select(PARTITION, value.alias("value"), *by_source, F.lit(number).alias("place"))
            )
    found: list[dict[tuple[str, str, str], int]] = [{} for _ in places]
    if frames:
        together = reduce(DataFrame.unionByName, frames)
        if sum(len(of_date) for place in places for of_date in place.files.values()) <= FILES_OF_A_TASK:
            together = together.coalesce(1)
        keys = ("place", PARTITION, "value", *(["source"] if has_sources else []))
        for row in together.groupBy(*keys).count().collect():
            of = (row[PARTITION], row["value"], row["source"] if has_sources else "")
            found[row["place"]][of] = row["count"]
    return found


def write_partitions(
    frame: DataFrame,
    location: str,
    *,
    order: str,
    is_scattered: bool,
    by: Sequence[str] = (),
    partition: str = PARTITION,
) -> None:
    """Replaces the partitions that `frame` has rows for, and no others. Rows are sorted by `order`, which is
    not written, so that the same rows give the same bytes. Partitions are by the date in `partition`, then by
    the columns in `by`. A partition is one file, or several if it is large."""
    keys = (partition, *by)
    gathered = _gather(frame, keys) if is_scattered else frame
    sorted_rows = gathered.sortWithinPartitions(*keys, order).drop(order)
    (
        sorted_rows.write.mode("overwrite")
        .option("partitionOverwriteMode", "dynamic")
        .option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
        # Spark commits by moving whole partitions out of a staging folder. Version 1 would move each file
        # twice.
        .option("mapreduce.fileoutputcommitter.algorithm.version", "2")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .partitionBy(*keys)
        .parquet(location)
    )


def _gather(frame: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Brings the rows of a partition together in tasks of about `session.SHUFFLE_BYTES_PER_FILE`."""
    if frame.sparkSession.conf.get("spark.sql.adaptive.enabled") == "false":
        # A small run: one task for each partition. REBALANCE needs adaptive plans.
        return frame.repartition(*keys)
    # In SQL, because DataFrame.hint of Spark 3.5 takes no column names.
    names = ", ".join(f"`{name}`" for name in keys)
    rebalance = f"select /*+ REBALANCE({names}) */ * from {{frame}}"  # noqa: S608 (names of a contract)
    return frame.sparkSession.sql(rebalance, frame=frame)
