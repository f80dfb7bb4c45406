"""Reads the lines of delivered files, each with its place."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from etl import session
from etl.ingest import dms_files
from etl.ingest.contract import JSON_LINES, Dms, Format
from etl.ingest.file_lines import encode
from etl.ingest.packings import ENDINGS
from etl.ingest.parquet_files import read_parquet
from etl.io import DAY_MILLIS, DELIVERY, DT, StoredObject
from etl.write.partitions import PARTITION

_BYTES = "ISO-8859-1"
_UPPER_CONTROLS = bytes(range(0x80, 0xA0))
_WINDOWS = (_UPPER_CONTROLS.decode("latin-1"), _UPPER_CONTROLS.decode("cp1252", "replace"))

UNPACKED_PER_PACKED_BYTE = 8  # roughly, for JSON and CSV

# monotonically_increasing_id has 33 bits for the line and the task above them. A million tasks leave ten
# bits.
_TASK_BITS = 33
_READ_BITS = _TASK_BITS + 20


def weigh(files: Iterable[StoredObject]) -> int:
    """The bytes of the files; for packed ones, about as many as they have unpacked."""
    return sum(file.size * (UNPACKED_PER_PACKED_BYTE if file.uri.endswith(ENDINGS) else 1) for file in files)


def read_lines(
    spark: SparkSession,
    source: str,
    files: Sequence[StoredObject],
    *,
    number: int = 0,
    format_: Format = JSON_LINES,
    layout: str = DT,
    dms: Dms | None = None,
) -> DataFrame:
    """The lines of delivered files: `value`, `run_date` (text) and their order: `file_path` (encoded URI),
    `block_start`, `row_id` (unique among the reads of a run, if each has another `number` below 1024).
    `source` is the location of the folders of days, which are named by `layout`, or of the files of `dms`.
    Compression by the name's ending; a byte-order mark at the start of a file is dropped.

    A line ends with a line feed alone: inside JSON a carriage return is space. Where the header of a file is
    simply its first line (`is_below_header`), header and blank lines and comments are left out. In XML a line
    ends where the end tag of a row begins. Of Parquet each row is an object of JSON on a line, and
    `block_start` is its number in its file, from 1.
    """
    paths = session.paths_of(files)
    if format_.is_parquet:
        placed = read_parquet(spark, files, dms)
    else:
        read = _read_below_header if is_below_header(format_) else _read_all
        lines = read(spark, paths, format_)
        # `row_id` orders the lines of a split, `block_start` the splits of a file.
        placed = lines.select(
            "value",
            F.col("_metadata.file_path").alias("file_path"),
            F.col("_metadata.file_block_start").alias("block_start"),
        )
    together = placed.coalesce(1) if _fit_in_a_task(files) else placed
    columns = together.select(
        "*", (F.monotonically_increasing_id() + F.lit(number << _READ_BITS)).alias("row_id")
    )
    if dms is not None:
        day = dms_files.day_of(dms)
    else:
        day = _day_of_dt(source) if layout == DT else _day_of_millis(source)
    return columns.select("value", day.alias(PARTITION), "file_path", "block_start", "row_id")


def _day_of_dt(source: str) -> Column:
    nesting = source.count(f"/{DELIVERY}=") + 1
    below = F.substring_index(
        F.substring_index("file_path", f"/{DELIVERY}=", nesting + 1), f"/{DELIVERY}=", -1
    )
    return F.substring(below, 1, 10)


def _day_of_millis(source: str) -> Column:
    """The day of the folder below `source`, whose name is the milliseconds of a UTC midnight."""
    # Spark writes the slashes behind a scheme in several ways, and encodes none in a path.
    path = F.regexp_replace("file_path", "^[a-z0-9]+:/+", "")
    depth = re.sub("^([a-z0-9]+:)?/+", "", source).count("/")
    folder = F.substring_index(F.substring_index(path, "/", depth + 1), "/", -1)
    days = F.floor(folder.cast("bigint") / F.lit(DAY_MILLIS)).cast("int")
    return F.date_format(F.date_from_unix_date(days), "yyyy-MM-dd")


def read_number() -> Column:
    """The `number` with which a row was read."""
    return F.shiftright("row_id", _READ_BITS)


def new_row_id() -> Column:
    """A `row_id` for each of the rows that are made of one line, in the task that reads the line."""
    of_read = F.shiftleft(F.shiftright("row_id", _READ_BITS), _READ_BITS)
    return of_read + F.monotonically_increasing_id()


def _fit_in_a_task(files: Sequence[StoredObject]) -> bool:
    """True if one task should read all files. Starting a task takes longer than reading a small file, and
    rows in one task need no shuffle."""
    return len(files) <= session.FILES_OF_A_TASK and weigh(files) < session.OPTIMISED_FROM_BYTES


def is_below_header(format_: Format) -> bool:
    """True if the lines of a file are read without its header. Otherwise all lines are read, and
    `transforms/skip_lines.py` or `transforms/join_lines.py` leaves out what is no row."""
    if not format_.is_csv or format_.is_multi_line or format_.columns:
        return False
    comment = _comment(format_)
    # Spark's CSV reader knows one byte, and trims a line before it looks for the header.
    is_seen = comment == "" or (len(comment) == 1 and comment > " ")
    return is_seen and not format_.skip_top and not format_.skip_bottom


def _comment(format_: Format) -> str:
    """The comment character as Spark's CSV reader sees it."""
    return "" if format_.comment is None else encode(format_.comment, format_).decode(_BYTES)


def _read_all(spark: SparkSession, files: list[str], format_: Format) -> DataFrame:
    lines = spark.read.text(files, lineSep=f"</{format_.row_tag}" if format_.is_xml else "\n")
    if format_.encoding == "UTF-8":
        return lines
    return lines.withColumn("value", _translated(F.decode(F.col("value").cast("binary"), _BYTES), format_))


def _read_below_header(spark: SparkSession, files: list[str], format_: Format) -> DataFrame:
    """Spark's CSV reader can leave out the first line of each file, and its text reader cannot. It is
    asked for two fields with a separator that no line holds, so that it cannot parse any line and gives
    each as it was delivered. ISO 8859-1 keeps every byte."""
    read = spark.read.schema("one string, two string, whole string").csv(
        files,
        header=True,
        enforceSchema=True,
        sep="\n",
        quote="\n",
        comment=_comment(format_) or None,
        lineSep="\n",
        encoding=_BYTES,
        mode="PERMISSIVE",
        columnNameOfCorruptRecord="whole",
    )
    # All three must be requested: otherwise Spark does not parse the line, and does not report it. `whole`
    # lacks a form feed at its end.
    line = F.coalesce("one", "whole", "two")
    if format_.encoding == "UTF-8":
        return read.withColumn("value", F.encode(line, _BYTES).cast("string"))
    return read.withColumn("value", _translated(line, format_))


def _translated(text: Column, format_: Format) -> Column:
    """Text that was decoded as ISO 8859-1, in its own encoding. Spark 4 does not decode windows-1252. A byte
    that it does not define becomes U+FFFD."""
    return F.translate(text, *_WINDOWS) if format_.encoding == "windows-1252" else text


@dataclass(frozen=True)
class Counted:
    """Rows per read and date, and of these those that are `unreadable`. Two flags say whether any row is
    rejected, and whether any has a wrong type. `is_scattered` says whether the rows of some date lie in more
    than one task. `files` are the URIs of the files that have rows, `open_files` of those with a text that
    does not end."""

    rows: Mapping[tuple[int, str], int]
    unreadable: Mapping[tuple[int, str], int]
    has_rejected: bool
    has_wrong_types: bool
    is_scattered: bool
    files: frozenset[str]
    open_files: frozenset[str]


def count_rows(rows: DataFrame, unreadable_reason: str, wrong_types: Collection[str]) -> Counted:
    """Counts judged rows, in one query. `wrong_types` are the reasons of rows with a wrong type."""
    has_open = "is_open" in rows.columns
    counted = (
        rows.groupBy(PARTITION, "file_path", F.shiftright("row_id", _TASK_BITS).alias("task"))
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count(F.when(F.col("reason") == unreadable_reason, 1)).alias("unreadable"),
            F.count("reason").alias("rejected"),
            F.max(F.col("reason").isin(list(wrong_types))).alias("has_wrong_types"),
            F.max("is_open" if has_open else F.lit(False)).alias("is_open"),
        )
        .collect()
    )
    return Counted(
        _per_read_and_date(counted, "rows"),
        _per_read_and_date(counted, "unreadable"),
        any(row["rejected"] for row in counted),
        any(row["has_wrong_types"] for row in counted),
        len({(row[PARTITION], row["task"]) for row in counted}) > len({row[PARTITION] for row in counted}),
        frozenset(_uri_of(row["file_path"]) for row in counted),
        frozenset(_uri_of(row["file_path"]) for row in counted if row["is_open"]),
    )


def _per_read_and_date(counted: Iterable[Row], what: str) -> dict[tuple[int, str], int]:
    found: dict[tuple[int, str], int] = {}
    for row in counted:
        of = (row["task"] >> (_READ_BITS - _TASK_BITS), row[PARTITION])
        found[of] = found.get(of, 0) + row[what]
    return found


def _uri_of(file_path: str) -> str:
    """The URI of an object as `io.list_dates` gives it. Spark encodes it, and adds `file:` to a local one."""
    return re.sub("^file:/+", "/", unquote(file_path))
