"""Joins the pieces that `cut_lines` made to records."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.ingest.transforms.cut_lines import as_delivered, so_far
from etl.ingest.transforms.parse_lines import MAX_LINE_BYTES, cut
from etl.write.partitions import PARTITION


def join_pieces(pieces: DataFrame, *others: Column) -> DataFrame:
    """In: the pieces of whole files, each with its `text` as it stands in its record, and whether it `begins`
    a record.

    Out, for each record: its `value`, its `size` in bytes, its place as `reading.read_lines` gives it, and
    the `others`, which are aggregates of its pieces. `row_id` and `block_start` are those of its first piece.
    A record above MAX_LINE_BYTES is cut. The rows of a file lie in one task."""
    begin = F.col("end") - F.col("size")
    numbered = pieces.select(
        "*",
        F.sum(F.col("begins").cast("int")).over(so_far()).alias("record"),
        F.max(F.when(F.col("begins"), begin)).over(so_far()).alias("record_begin"),
    )
    is_needed = begin - F.col("record_begin") <= MAX_LINE_BYTES
    line_end = F.when(F.col("is_first") & ~F.col("begins"), "\n").otherwise("")
    texts = F.array_sort(
        F.collect_list(F.when(is_needed, F.struct("number", F.concat(line_end, "text").alias("text"))))
    )
    joined = F.array_join(F.transform(texts, lambda one: one["text"]), "")
    records = numbered.groupBy(PARTITION, "file_path", "record").agg(
        as_delivered(joined).alias("value"),
        F.sum("size").alias("size"),
        F.min_by("block_start", "number").alias("block_start"),
        F.min_by("row_id", "number").alias("row_id"),
        *others,
    )
    shown = F.when(F.col("size") > MAX_LINE_BYTES, cut(F.col("value"), F.col("size")))
    return records.withColumn("value", shown.otherwise(F.col("value")))
