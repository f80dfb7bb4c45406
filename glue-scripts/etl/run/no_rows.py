"""A frame for Spark to analyse an expression over, before any row is read."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession


def no_rows(spark: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    """Has `columns`, by name and type as Glue spells it, and no row."""
    return spark.range(0).selectExpr(*(f"cast(null as {kind}) as `{name}`" for name, kind in columns.items()))
