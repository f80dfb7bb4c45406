"""Compares the SELECT of each model with the table that it is to give, before a row is written."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from etl.errors import ModelRefused
from etl.model.models import Model
from etl.run.no_rows import no_rows


def check_models(spark: SparkSession, models: Collection[Model], columns: Mapping[str, str]) -> None:
    """`columns` are those of the published table, with their types. Raises ModelRefused naming every model
    whose SELECT cannot be computed or gives other columns, and what it gives."""
    rows = no_rows(spark, columns)
    mistakes = [f"{model.name}: {mistake}" for model in models for mistake in _mistakes(rows, model)]
    if mistakes:
        raise ModelRefused("; ".join(mistakes))


def select_rows(rows: DataFrame, model: Model) -> DataFrame:
    """The rows of the model, made of `rows` of the published table; not yet computed."""
    rows.createOrReplaceTempView(model.source)
    return rows.sparkSession.sql(model.sql)


def _mistakes(rows: DataFrame, model: Model) -> Iterator[str]:
    try:
        found = select_rows(rows, model).dtypes
    except PySparkException as error:
        yield f"its SELECT cannot be computed: {str(error).strip().splitlines()[0]}"
        return
    times = Counter(name for name, _ in found)
    types = dict(found)
    for name, declared in model.columns.items():
        if name not in types:
            yield f"its SELECT gives no column {name}, which is declared as {declared}"
        elif types[name] != declared:
            yield f"{name} must be {declared}, and its SELECT gives {types[name]}: cast it, or declare that"
    for name, count in times.items():
        if name not in model.columns:
            yield f"its SELECT gives the column {name}, which is not declared"
        elif count > 1:
            yield f"its SELECT gives the column {name} {count} times"
