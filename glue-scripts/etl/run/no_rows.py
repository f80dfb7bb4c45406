"""An empty frame over which Spark can analyse an expression before a row is read."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession


def no_rows(spark: SparkSession, columns: Mapping[str, str]) -> DataFrame:
    """A frame without rows. `columns` have types as Glue spells them."""
    return spark.range(0).selectExpr(*(f"cast(null as {kind}) as `{name}`" for name, kind in columns.items()))
