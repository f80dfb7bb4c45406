"""Leaves out the lines of whole CSV files that are no rows, the same as `file_lines.py` does in Python."""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from etl.ingest.contract import Format
from etl.ingest.reading import is_below_header

_TEXT = r"[^\x00-\x20]"  # in every line that is not blank


def skip_lines(lines: DataFrame, format_: Format) -> DataFrame:
    """In: every line of whole files, as `reading.read_lines` gives them. Out: the same columns, without the
    lines that `skip_top`, `skip_bottom` and `comment` leave out. Where texts may go over several lines that
    is all, because a blank line may be part of a text; otherwise blank lines and the header are left out too.

    The lines of a file are put in order only where one of these depends on it."""
    kept = _without_ends(lines, format_) if format_.skip_top or format_.skip_bottom else lines
    if format_.is_multi_line:
        return kept
    rows = kept.filter(has_text())
    if format_.comment is not None:
        rows = rows.filter(~F.col("value").startswith(format_.comment))
    if format_.columns:
        return rows
    placed = rows.select("*", F.row_number().over(of_file()).alias("place"))
    return placed.filter(F.col("place") > 1).select(lines.columns)


def is_in_order(format_: Format) -> bool:
    """True if the lines of a file are put in order. The rows of a file then lie in one task."""
    leaves_out = format_.skip_top or format_.skip_bottom or not (is_below_header(format_) or format_.columns)
    return format_.is_csv and bool(format_.is_multi_line or leaves_out)


def has_text() -> Column:
    """True if the line is not blank."""
    return F.col("value").rlike(_TEXT)


def of_file() -> WindowSpec:
    """The lines of a file in order."""
    return Window.partitionBy("file_path").orderBy("block_start", "row_id")


def _without_ends(lines: DataFrame, format_: Format) -> DataFrame:
    so_far = of_file().rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_text = F.when(has_text(), 1).otherwise(0)
    counted = lines.select(
        "*",
        F.row_number().over(of_file()).alias("place"),
        F.sum(is_text).over(so_far).alias("texts"),
        F.sum(is_text).over(Window.partitionBy("file_path")).alias("all_texts"),
    )
    is_below = F.col("place") > format_.skip_top
    is_above = F.col("texts") <= F.col("all_texts") - format_.skip_bottom
    return counted.filter(is_below & is_above).select(lines.columns)
