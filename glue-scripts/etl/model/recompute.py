"""Recomputes models: what a model says of a date is made again from all rows of that date, whichever run
wrote them, and replaces what was there. Only the folders of these dates are read."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from etl import io, session
from etl.errors import ModelRefused
from etl.model.check_models import select_rows
from etl.model.models import Model
from etl.model.targets import Target
from etl.model.touched_dates import Touched, date_of
from etl.run.catalogue import register_partitions
from etl.run.log import log
from etl.run.replacing import list_partitions, remove_stale
from etl.write import partitions

MOST_NAMED = 5


Figures = Mapping[str, int]  # `dates`, and the `rows` that they have now


def recompute(
    spark: SparkSession,
    targets: Sequence[Target],
    source: str,
    columns: Mapping[str, str],
    touched: Touched,
) -> dict[str, Figures]:
    """Recomputes each model for the dates that were touched in its column. `source` is the place of the
    published rows, which have these `columns`. A date that has no row any more loses its rows in the model.
    Raises ModelRefused where a SELECT gives rows that the table cannot have."""
    lying = io.list_dates(source, partitions.PARTITION, date.min, date.max)
    files = [file for of_date in lying.values() for file in of_date if not io.is_hidden(file)]
    made = {}
    for target in targets:
        dates = touched.get(target.model.by, frozenset())
        of_dates = [file for file in files if date_of(file, target.model.by) in dates]
        made[target.model.name] = _recompute(spark, target, source, columns, of_dates, dates)
    return made


def _recompute(
    spark: SparkSession,
    target: Target,
    source: str,
    columns: Mapping[str, str],
    files: Sequence[io.StoredObject],
    dates: Collection[date],
) -> Figures:
    model, location = target.model, target.location
    if not dates:
        return {"dates": 0, "rows": 0}
    io.delete_leftovers(location)
    before = list_partitions(location, dates, model.by)
    if files:
        session.configure(spark, sum(file.size for file in files))
        rows = partitions.read_partitions(spark, source, files, columns)
        _write(select_rows(rows, model).select(*model.columns), target, dates)
    now = remove_stale(before, list_partitions(location, dates, model.by))
    written = [file for of_date in now.values() for file in of_date]
    if target.table is not None:
        register_partitions(target.table, location, dates, written)
    count = _count(spark, location, written)
    log(f"recomputed {len(dates)} dates of {model.name}: {count} rows")
    return {"dates": len(dates), "rows": count}


def _write(rows: DataFrame, target: Target, dates: Collection[date]) -> None:
    """Writes the rows of the dates. They are kept meanwhile, because they are checked first."""
    model = target.model
    kept = rows.persist()
    _check_rows(kept, model, dates)
    in_order = kept.withColumn("row_id", F.struct(*model.key))
    partitions.write_partitions(
        in_order, target.location, order="row_id", is_scattered=True, partition=model.by
    )
    kept.unpersist()


def _check_rows(rows: DataFrame, model: Model, dates: Collection[date]) -> None:
    """Raises ModelRefused for rows of other dates, which would replace those of whole dates, and for a key
    that two rows have."""
    is_of_dates = F.coalesce(F.col(model.by).isin(list(dates)), F.lit(False))
    wrong = (
        rows.groupBy(*model.key)
        .agg(F.count(F.lit(1)).alias("rows"), F.min(is_of_dates).alias("is_of_dates"))
        .filter("rows > 1 or not is_of_dates")
        .limit(MOST_NAMED)
        .collect()
    )
    if not wrong:
        return
    named = [", ".join(f"{name} {row[name]}" for name in model.key) for row in wrong]
    others = [text for text, row in zip(named, wrong, strict=True) if not row["is_of_dates"]]
    if others:
        raise ModelRefused(
            f"{model.name}: its SELECT gives rows of other dates than those it is made from "  # noqa: S608
            f"({'; '.join(others)}): take {model.by} as it is"
        )
    raise ModelRefused(
        f"{model.name}: its SELECT gives several rows for {'; '.join(named)}: "
        "group by the key, or declare another"
    )


def _count(spark: SparkSession, location: str, files: Sequence[io.StoredObject]) -> int:
    """The rows in the files, by their footers."""
    if not files:
        return 0
    return spark.read.option("basePath", location).parquet(*session.paths_of(files)).count()
