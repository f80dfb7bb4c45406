"""How many rejected rows each reason has, and each column of a wrong type."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transforms.decode_uri import decode_uri

FIRST_CHARACTERS = 500  # of a line, by which it is found again in its file


@dataclass(frozen=True)
class FirstRow:
    """Of the first rejected row: the URI of its file, the beginning of its line, and the delivered value of
    the column."""

    file: str
    line: str
    value: str | None


@dataclass(frozen=True)
class Counted:
    rows: int
    first: FirstRow


def count_rejected(rows: DataFrame, wrong_types: Sequence[str]) -> dict[tuple[str, str], Counted]:
    """`rows` are what `classify_rows` made. By reason and column; the column is "" but for the reasons that
    are `wrong_types`, of which a row is counted in each of its columns."""
    column = F.when(F.col("reason").isin(list(wrong_types)), F.map_keys("reason_values"))
    of_row = F.struct(
        decode_uri(F.col("file_path")).alias("file"),
        F.substring("raw_line", 1, FIRST_CHARACTERS).alias("line"),
        F.col("reason_values").alias("values"),
    )
    of_columns = rows.filter(F.col("reason").isNotNull()).select(
        "reason",
        F.explode_outer(column).alias("column"),
        of_row.alias("of_row"),
        F.struct("run_date", "row_id").alias("place"),
    )
    counted = (
        of_columns.groupBy("reason", "column")
        .agg(F.count(F.lit(1)).alias("rows"), F.min_by("of_row", "place").alias("first"))
        .collect()
    )
    found = {}
    for row in counted:
        first, name = row["first"], row["column"] or ""
        values = first["values"] or {}
        value = values.get(name) if name else next(iter(values.values()), None)
        found[row["reason"], name] = Counted(row["rows"], FirstRow(first["file"], first["line"], value))
    return found
