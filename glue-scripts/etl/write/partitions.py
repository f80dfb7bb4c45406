"""Frames and the files they come from or go to. What a file is called and weighs is `etl.io`'s business."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.ingest.packings import ENDINGS
from etl.io import StoredObject

PARTITION = "run_date"
DELIVERY = "dt"
MAX_RECORDS_PER_FILE = 5_000_000

_MIB = 1024 * 1024
_SHUFFLE_BYTES_PER_FILE = 128 * _MIB  # of rows on their way to a file; as Parquet about a third of it
_INPUT_BYTES_PER_SHUFFLE_PARTITION = 64 * _MIB
# Below it Spark spends longer on writing and compiling code for the queries, on planning them anew after each
# of their stages, and on beginning tasks, than on the rows.
OPTIMISED_FROM_BYTES = 16 * _MIB

UNPACKED_PER_PACKED_BYTE = 8  # about, of JSON and CSV
FILES_OF_A_TASK = 32  # each is a request or two, one after the other

# Of monotonically_increasing_id: 33 bits for the line, above them the task. A million tasks leave ten bits.
_TASK_BITS = 33
_READ_BITS = _TASK_BITS + 20

_BROADCAST_BELOW = "spark.sql.autoBroadcastJoinThreshold"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # The parsers of Spark 4, also on 3.5, where the default asks the operator instead of giving null.
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    # INT96 has no statistics; and no rebasing, or a row dated 0001-01-01 would end the job.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": str(_SHUFFLE_BYTES_PER_FILE),
}


def weigh(files: Iterable[StoredObject]) -> int:
    """Bytes of the files, of packed ones about those that Spark gets to read."""
    return sum(file.size * (UNPACKED_PER_PACKED_BYTE if file.uri.endswith(ENDINGS) else 1) for file in files)


def configure(spark: SparkSession, input_bytes: int) -> None:
    """Settings that the results depend on, shuffles as wide as `input_bytes` needs, and queries compiled,
    adapted and their sides broadcast where that pays."""
    for name, value in _SETTINGS.items():
        spark.conf.set(name, value)
    by_size = -(-input_bytes // _INPUT_BYTES_PER_SHUFFLE_PARTITION)
    is_large = input_bytes >= OPTIMISED_FROM_BYTES
    width = max(spark.sparkContext.defaultParallelism, min(by_size, 1000)) if is_large else 1
    spark.conf.set("spark.sql.shuffle.partitions", str(width))
    for name in ("spark.sql.adaptive.enabled", "spark.sql.codegen.wholeStage"):
        spark.conf.set(name, str(is_large).lower())
    if is_large:
        spark.conf.unset(_BROADCAST_BELOW)
    else:
        spark.conf.set(_BROADCAST_BELOW, "-1")
    spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if is_large else "NO_CODEGEN")


def read_lines(
    spark: SparkSession,
    source: str,
    files: Sequence[StoredObject],
    *,
    number: int = 0,
    has_header: bool = False,
) -> DataFrame:
    """The lines of delivered files: `value`, `run_date` (text) and their order: `file_path` (encoded URI),
    `block_start`, `row_id` (unique among the reads of a run, if each has another `number` below 1024).
    Compression by the name's ending; a byte-order mark at the start of a file is dropped.

    A line ends with a line feed alone: inside JSON a carriage return is space. With `has_header` the first
    line of a file that is not blank is left out.
    """
    read = _read_below_header if has_header else _read_all
    lines = read(spark, _literal(files))
    # Inside a split `row_id` follows the lines, and the splits of a file follow `block_start`.
    placed = lines.select(
        "value",
        F.col("_metadata.file_path").alias("file_path"),
        F.col("_metadata.file_block_start").alias("block_start"),
    )
    together = placed.coalesce(1) if _fit_in_a_task(files) else placed
    columns = together.select(
        "*", (F.monotonically_increasing_id() + F.lit(number << _READ_BITS)).alias("row_id")
    )
    nesting = source.count(f"/{DELIVERY}=") + 1
    below = F.substring_index(
        F.substring_index("file_path", f"/{DELIVERY}=", nesting + 1), f"/{DELIVERY}=", -1
    )
    return columns.select(
        "value", F.substring(below, 1, 10).alias(PARTITION), "file_path", "block_start", "row_id"
    )


def _fit_in_a_task(files: Sequence[StoredObject]) -> bool:
    """Whether one task had better read them all. To begin a task takes longer than to read a small file, and
    of rows in one place nothing needs to be shuffled."""
    return len(files) <= FILES_OF_A_TASK and weigh(files) < OPTIMISED_FROM_BYTES


def _read_all(spark: SparkSession, files: list[str]) -> DataFrame:
    return spark.read.text(files, lineSep="\n")


def _read_below_header(spark: SparkSession, files: list[str]) -> DataFrame:
    """Spark's reader of CSV knows where a file begins, which its reader of text does not tell. It is asked
    for two fields, between which stands what no line holds, so that every line comes as one that it cannot
    read: as it was delivered, byte for byte, which is what ISO 8859-1 is for."""
    read = spark.read.schema("one string, two string, whole string").csv(
        files,
        header=True,
        enforceSchema=True,
        sep="\n",
        quote="\n",
        lineSep="\n",
        encoding="ISO-8859-1",
        mode="PERMISSIVE",
        columnNameOfCorruptRecord="whole",
    )
    # All three are asked for: of a line of which a field is not wanted, Spark does not say whether it is one.
    # `whole` lacks a form feed at its end.
    line = F.coalesce("one", "whole", "two")
    return read.withColumn("value", F.encode(line, "ISO-8859-1").cast("string"))


def read_partitions(
    spark: SparkSession, location: str, files: Sequence[StoredObject], columns: Mapping[str, str]
) -> DataFrame:
    """`columns`, with their types, of Parquet files, and `run_date` as text."""
    schema = ", ".join([*(f"`{name}` {kind}" for name, kind in columns.items()), f"{PARTITION} string"])
    reader = spark.read.schema(schema).option("basePath", location)
    return reader.parquet(*_literal(files))


@dataclass(frozen=True)
class Written:
    """Parquet files under `location`, by date; `column` is the one whose values are told apart."""

    location: str
    files: Mapping[date, Sequence[StoredObject]]
    column: str | None = None


def count_rows_of_files(spark: SparkSession, *places: Written) -> list[dict[tuple[str, str], int]]:
    """Rows that really lie in the files, of each place by date and value of its column ("" when there is
    none). Reads the footers, and of the rows that column only; all in one query."""
    frames = []
    for number, place in enumerate(places):
        present = [file for of_date in place.files.values() for file in of_date]
        if present:
            rows = read_partitions(
                spark, place.location, present, {place.column: "string"} if place.column else {}
            )
            value = F.col(place.column) if place.column else F.lit("")
            frames.append(rows.select(PARTITION, value.alias("value"), F.lit(number).alias("place")))
    found: list[dict[tuple[str, str], int]] = [{} for _ in places]
    if frames:
        together = reduce(DataFrame.unionByName, frames)
        if sum(len(of_date) for place in places for of_date in place.files.values()) <= FILES_OF_A_TASK:
            together = together.coalesce(1)
        for row in together.groupBy("place", PARTITION, "value").count().collect():
            found[row["place"]][(row[PARTITION], row["value"])] = row["count"]
    return found


def broadcast(frame: DataFrame) -> DataFrame:
    """The frame, for every task of a join to hold. Where all is in one task that is a query too many."""
    is_in_one_task = frame.sparkSession.conf.get(_BROADCAST_BELOW) == "-1"
    return frame if is_in_one_task else F.broadcast(frame)


def without_plan(frame: DataFrame) -> DataFrame:
    """The same rows, of whose making a query that uses them does not speak. Spark writes out the plan of each
    query over and over, with the plans of all that is persisted in it: nested, that takes it minutes. For
    frames of a few columns; each row is copied."""
    session = frame.sparkSession
    jframe = frame._jdf
    return DataFrame(session._jsparkSession.createDataFrame(jframe.toJavaRDD(), jframe.schema()), session)


def root_cause(error: Py4JJavaError) -> str:
    """The first line of the outermost Java exception that is not Spark's own: those only say that a task
    failed."""
    causes = []
    cause = error.java_exception
    while cause is not None:
        causes.append(str(cause.toString()).splitlines()[0])
        cause = cause.getCause()
    of_others = [text for text in causes if not text.startswith("org.apache.spark.SparkException")]
    return (of_others or causes[-1:])[0]


@dataclass(frozen=True)
class Counted:
    """Rows per date, and of these those that are `unreadable`; whether the rows of some date lie in more than
    one task; the URIs of the files that have rows, and of those with a text that does not end."""

    per_date: Mapping[str, int]
    unreadable: Mapping[str, int]
    is_scattered: bool
    files: frozenset[str]
    open_files: frozenset[str]


def count_rows(rows: DataFrame, unreadable_reason: str) -> Counted:
    """Counts judged rows, in one query."""
    has_open = "is_open" in rows.columns
    counted = (
        rows.groupBy(PARTITION, "file_path", F.shiftright("row_id", _TASK_BITS).alias("task"))
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count(F.when(F.col("reason") == unreadable_reason, 1)).alias("unreadable"),
            F.max("is_open" if has_open else F.lit(False)).alias("is_open"),
        )
        .collect()
    )
    per_date: dict[str, int] = {}
    unreadable: dict[str, int] = {}
    for row in counted:
        per_date[row[PARTITION]] = per_date.get(row[PARTITION], 0) + row["rows"]
        unreadable[row[PARTITION]] = unreadable.get(row[PARTITION], 0) + row["unreadable"]
    return Counted(
        per_date,
        unreadable,
        len({(row[PARTITION], row["task"]) for row in counted}) > len(per_date),
        frozenset(_uri_of(row["file_path"]) for row in counted),
        frozenset(_uri_of(row["file_path"]) for row in counted if row["is_open"]),
    )


def _uri_of(file_path: str) -> str:
    """The URI of an object as its listing says it: Spark encodes it, and says `file:` of a local one."""
    return re.sub("^file:/+", "/", unquote(file_path))


def write_partitions(
    frame: DataFrame, location: str, *, order: str, is_scattered: bool, by: Sequence[str] = ()
) -> None:
    """Replaces the partitions that `frame` has rows for, and no other. Rows lie by `order` (which is not
    written), so that the same rows give the same bytes. Partitions are by date and then `by` text columns.
    One file per partition, more where one would be large."""
    keys = (PARTITION, *by)
    gathered = _gather(frame, keys) if is_scattered else frame
    sorted_rows = gathered.sortWithinPartitions(*keys, order).drop(order)
    (
        sorted_rows.write.mode("overwrite")
        .option("partitionOverwriteMode", "dynamic")
        .option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
        # Spark commits by moving whole partitions out of a staging folder; until then moving files twice is
        # waste.
        .option("mapreduce.fileoutputcommitter.algorithm.version", "2")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .partitionBy(*keys)
        .parquet(location)
    )


def _gather(frame: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Brings the rows of a partition together, in tasks of about `_SHUFFLE_BYTES_PER_FILE`."""
    if frame.sparkSession.conf.get("spark.sql.adaptive.enabled") == "false":
        # Small: one task a partition, whatever it weighs. What rebalances is a plan that adapts.
        return frame.repartition(*keys)
    # In SQL, because DataFrame.hint of Spark 3.5 takes no column names.
    names = ", ".join(f"`{name}`" for name in keys)
    rebalance = f"select /*+ REBALANCE({names}) */ * from {{frame}}"  # noqa: S608 (names of a contract)
    return frame.sparkSession.sql(rebalance, frame=frame)


def _literal(files: Iterable[StoredObject]) -> list[str]:
    """Names as Spark must be given them: an object key may hold what Spark takes for a pattern."""
    return [re.sub(r"([\\*?\[\]{}])", r"\\\1", file.uri) for file in files]
