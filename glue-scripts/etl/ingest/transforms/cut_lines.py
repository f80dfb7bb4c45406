"""Cuts lines of JSON into pieces, at places where an object or an element may end or begin.

A cut inside a text does no harm, because the pieces are joined again. Whether a piece begins inside a text is
known for each line by itself: a text of JSON holds no line end."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from etl.ingest.reading import new_row_id
from etl.write.partitions import PARTITION

SPACE = " \t\r"
_BYTES = "ISO-8859-1"
_PLACE = (PARTITION, "file_path", "block_start")


def cut_lines(lines: DataFrame, cut: Callable[[Column], Column]) -> DataFrame:
    """In: lines as `reading.read_lines` gives them; `cut` makes an array of pieces of a line. Out, for each
    piece that is not blank:

    - `piece`: its text, in which each character is one byte, so that invalid UTF-8 is kept;
    - `number` in its file, `size` in bytes, and `end`, the bytes of its file up to its end;
    - `is_first`, `is_last`: it is the first of its line, the last;
    - `sign`, `last_sign`: its first and last characters that are not space;
    - `sign_before`: the last character before it, null for the first piece of a file;
    - `quotes`: 1 if an odd number of its quotes begin or end a text, else 0;
    - `quotes_before`: the sum of these for the pieces before it in its file;
    - `row_id`, its own, and the `run_date`, `file_path` and `block_start` of its line."""
    line = F.decode(F.col("value").cast("binary"), _BYTES)
    pieces = lines.select(*_PLACE, "row_id", F.explode(cut(line)).alias("piece"))
    last = F.expr(f"substring(rtrim('{SPACE}', piece), -1, 1)")
    described = pieces.select(
        *_PLACE,
        new_row_id().alias("row_id"),
        "piece",
        F.length("piece").alias("size"),
        F.col("row_id").alias("line"),
        F.expr(f"substring(ltrim('{SPACE}', piece), 1, 1)").alias("sign"),
        # Trimming walks the whole piece, and most end so.
        F.when(F.col("piece").endswith("}"), "}").otherwise(last).alias("last_sign"),
        (count(without_escapes(F.col("piece")), '"') % 2).alias("quotes"),
    ).filter("sign != ''")
    line_before, line_after = (go("line").over(of_file()) for go in (F.lag, F.lead))
    return described.select(
        "*",
        F.coalesce(line_before != F.col("line"), F.lit(True)).alias("is_first"),
        F.coalesce(line_after != F.col("line"), F.lit(True)).alias("is_last"),
        F.row_number().over(of_file()).alias("number"),
        F.sum("size").over(so_far()).alias("end"),
        F.lag("last_sign").over(of_file()).alias("sign_before"),
        (F.sum("quotes").over(so_far()) - F.col("quotes")).alias("quotes_before"),
    )


def cut_at(line: Column, places: str, marked: str) -> Column:
    """Cuts a line at the line feeds in `marked`, which replaces each of the `places`."""
    return F.split(F.regexp_replace(line, places, marked), "\n", -1)


def is_inside(is_outside: Column) -> Column:
    """True for a piece that begins inside a text. None does where `is_outside` is true."""
    at_outside = F.last(F.when(is_outside, F.col("quotes_before")), ignorenulls=True).over(so_far())
    return (F.col("quotes_before") - at_outside) % 2 == 1


def without_escapes(piece: Column) -> Column:
    """The piece without escaped backslashes and quotes: each quote that is left begins or ends a text."""
    return F.replace(F.replace(piece, F.lit("\\\\"), F.lit("")), F.lit('\\"'), F.lit(""))


def count(text: Column, sign: str) -> Column:
    return F.octet_length(text) - F.octet_length(F.replace(text, F.lit(sign), F.lit("")))


def as_delivered(text: Column) -> Column:
    """The text of pieces in its own characters."""
    return F.encode(text, _BYTES).cast("string")


def of_file() -> WindowSpec:
    return Window.partitionBy("file_path").orderBy("block_start", "row_id")


def so_far() -> WindowSpec:
    return of_file().rowsBetween(Window.unboundedPreceding, Window.currentRow)


def before() -> WindowSpec:
    return of_file().rowsBetween(Window.unboundedPreceding, -1)
