"""Revenue by day and country of a shop's events: JSON lines become Parquet, a folder for each day."""

import sys
from collections.abc import Sequence

from awsglue.utils import getResolvedOptions
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

# Money is decimal from the first read on.
EVENTS = (
    "event_id string, timestamp string, country string,"
    " items array<struct<quantity: int, unit_price: decimal(12, 3)>>"
)


def main(argv: Sequence[str]) -> None:
    options = getResolvedOptions(argv, ["source", "target"])
    spark = SparkSession.builder.appName("country-revenue").getOrCreate()
    events = spark.read.schema(EVENTS).option("mode", "FAILFAST").json(options["source"])
    # Everything anew: a corrected delivery leaves nothing of the old one behind.
    sum_revenue(events).write.mode("overwrite").partitionBy("day").parquet(options["target"])


def sum_revenue(events: DataFrame) -> DataFrame:
    """One row for each day and country; cancellations carry negative quantities."""
    items = events.select(
        F.col("timestamp").substr(1, 10).alias("day"), "country", "event_id", F.explode("items").alias("item")
    )
    return (
        items.groupBy("day", "country")
        .agg(
            F.countDistinct("event_id").alias("events"),
            F.sum(F.col("item.quantity") * F.col("item.unit_price")).cast("decimal(18, 3)").alias("revenue"),
        )
        .coalesce(1)
    )


if __name__ == "__main__":
    main(sys.argv)
