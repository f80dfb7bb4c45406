"""Counts the rejected rows of each reason, and of each column with a wrong value."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from etl.ingest.transforms.decode_uri import stored_uri

FIRST_CHARACTERS = 4_000  # of a line, to find it again in its file


@dataclass(frozen=True)
class FirstRow:
    """The first rejected row: the URI of its file, the beginning of its line, the delivered value of the
    column, and where its block of the file begins; without lines that is its number in the file."""

    file: str
    line: str
    value: str | None
    block: int = 0


@dataclass(frozen=True)
class Counted:
    rows: int
    first: FirstRow | None


def count_rejected(
    rows: DataFrame, by_columns: Sequence[str], *, with_first: bool
) -> dict[tuple[str, str], Counted]:
    """Counts `rows`, which `explain_rejected` made, by reason and column. The column is "" except for the
    reasons in `by_columns`: a row with one of these is counted in each of its columns. The first rows cost
    more."""
    found = count_rejected_by_source(rows, by_columns, F.lit(""), with_first=with_first)
    return found.get("", {})


def count_rejected_by_source(
    rows: DataFrame, by_columns: Sequence[str], source: Column, *, with_first: bool
) -> dict[str, dict[tuple[str, str], Counted]]:
    """Counts the rows of each source, whose name is `source`, as `count_rejected` does."""
    column = F.when(F.col("reason").isin(list(by_columns)), F.map_keys("reason_values"))
    of_row = F.struct(
        stored_uri(F.col("file_path")).alias("file"),
        F.substring("raw_line", 1, FIRST_CHARACTERS).alias("line"),
        F.col("reason_values").alias("values"),
        (F.col("block_start") if "block_start" in rows.columns else F.lit(0)).alias("block"),
    )
    place = F.struct("run_date", "row_id")
    of_columns = rows.select(
        source.alias("source"),
        "reason",
        F.explode_outer(column).alias("column"),
        *((of_row.alias("of_row"), place.alias("place")) if with_first else ()),
    )
    first = (F.min_by("of_row", "place").alias("first"),) if with_first else ()
    by = of_columns.groupBy("source", "reason", "column")
    found: dict[str, dict[tuple[str, str], Counted]] = {}
    for row in by.agg(F.count(F.lit(1)).alias("rows"), *first).collect():
        counted = Counted(row["rows"], _first(row) if with_first else None)
        found.setdefault(row["source"], {})[row["reason"], row["column"] or ""] = counted
    return found


def _first(row: Row) -> FirstRow:
    first, column = row["first"], row["column"]
    values = first["values"] or {}
    value = values.get(column) if column else next(iter(values.values()), None)
    return FirstRow(first["file"], first["line"], value, first["block"])
