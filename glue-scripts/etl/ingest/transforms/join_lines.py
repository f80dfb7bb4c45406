"""Joins lines of CSV to records, where a quoted text goes over several lines.

A line may end inside a text, depending on whether it begins in one. Both cases are computed for each line. If
they agree, the line settles the state. From there on, the lines that turn the state over are counted. With an
escaped line end the record goes on in either case."""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from etl.ingest.contract import Format
from etl.ingest.escapes import ends_escaped, hide, mark
from etl.ingest.quotes import ends_open
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES
from etl.ingest.transforms.skip_lines import has_text, of_file
from etl.write.partitions import PARTITION


def join_lines(lines: DataFrame, format_: Format) -> DataFrame:
    """In: the lines of whole files, as `skip_lines` gives them. Out: the same columns for each record that is
    not blank and not the header, which is the first of its file, and

    - `size`: its bytes. `value` of a record above MAX_LINE_BYTES holds only as many lines as are needed
      for that;
    - `is_open`: its text never ends, so that the rest of the file is in it.

    `row_id` and `block_start` are those of its first line, and the rows of a file lie in one task."""
    so_far = of_file().rowsBetween(Window.unboundedPreceding, Window.currentRow)
    size = F.octet_length("value") + 1
    placed = lines.select("*", F.row_number().over(of_file()).alias("line_number"), size.alias("line_size"))
    begun = _with_state(placed, format_, so_far).select(
        "*",
        _last(F.when(~F.col("was_open"), F.col("line_number")), so_far).alias("record"),
        F.sum("line_size").over(so_far).alias("end"),
    )
    first_end = _last(F.when(~F.col("was_open"), F.col("end")), so_far)
    if format_.columns:
        return _gather(begun.select("*", first_end.alias("first_end")))
    is_first = ~F.col("was_open") & has_text()
    header = F.first(F.when(is_first, F.col("line_number")), ignorenulls=True).over(so_far)
    placed_records = begun.select("*", header.alias("header"), first_end.alias("first_end"))
    return _gather(placed_records.filter(F.col("record") > F.col("header")))


def _with_state(lines: DataFrame, format_: Format, so_far: WindowSpec) -> DataFrame:
    """Adds `was_open` and `is_open`: the line begins inside a text or below an escaped line end, it ends
    so."""
    bare, begun = lines.select("*", F.col("value").alias("bare")), F.col("bare")
    if format_.escape is not None:
        bare = _with_escapes(lines, format_)
        begun = F.when(F.col("was_escaped"), F.concat(F.lit(mark(format_)), "bare")).otherwise(begun)
    from_outside = ends_open(begun, format_)
    from_inside = ends_open(F.concat(F.lit('"'), "bare"), format_)
    both = bare.select("*", from_outside.alias("from_outside"), from_inside.alias("from_inside"))
    is_settled = F.col("from_outside") == F.col("from_inside")
    turns = F.when(F.col("from_outside") & ~F.col("from_inside"), 1).otherwise(0)
    counted = both.select("*", is_settled.alias("is_settled"), F.sum(turns).over(so_far).alias("turns"))
    settled = F.coalesce(_last(F.when(F.col("is_settled"), F.col("from_outside")), so_far), F.lit(False))
    before = F.coalesce(_last(F.when(F.col("is_settled"), F.col("turns")), so_far), F.lit(0))
    is_open = settled != ((F.col("turns") - before) % 2 == 1)
    if format_.escape is not None:
        is_open = is_open | F.col("is_escaped")
    stated = counted.select(*lines.columns, is_open.alias("is_open"))
    return stated.select("*", F.lag("is_open", 1, False).over(of_file()).alias("was_open"))


def _with_escapes(lines: DataFrame, format_: Format) -> DataFrame:
    """Adds `bare`, the line with its escapes hidden, and `was_escaped` and `is_escaped`: the line end before
    it is escaped, its own is. Below an escaped line end a quote opens no text."""
    bare = lines.select("*", hide(F.col("value"), format_).alias("bare"))
    ended = bare.select("*", ends_escaped(F.col("bare"), format_).alias("is_escaped"))
    return ended.select("*", F.lag("is_escaped", 1, False).over(of_file()).alias("was_escaped"))


def _last(value: Column, window: WindowSpec) -> Column:
    return F.last(value, ignorenulls=True).over(window)


def _gather(lines: DataFrame) -> DataFrame:
    is_needed = F.col("end") - F.col("first_end") <= MAX_LINE_BYTES
    texts = F.collect_list(F.when(is_needed, F.struct("line_number", "value")))
    records = lines.groupBy(PARTITION, "file_path", "record").agg(
        F.array_join(F.transform(F.array_sort(texts), lambda text: text["value"]), "\n").alias("value"),
        F.min_by("block_start", "line_number").alias("block_start"),
        F.min_by("row_id", "line_number").alias("row_id"),
        (F.sum("line_size") - 1).alias("size"),
        F.max_by("is_open", "line_number").alias("is_open"),
    )
    return records.filter(has_text()).select(
        "value", PARTITION, "file_path", "block_start", "row_id", "size", "is_open"
    )
