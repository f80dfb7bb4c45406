"""The Spark session for every program that is compared: two threads, 4 GiB."""

from pathlib import Path

from pyspark.sql import SparkSession


def open_session(events: Path | None = None) -> SparkSession:
    """A started session, which logs its events into a folder if there is one."""
    builder = SparkSession.builder.master("local[2]")
    if events is not None:
        builder = builder.config("spark.eventLog.enabled", "true").config(
            "spark.eventLog.dir", events.as_uri()
        )
    spark: SparkSession = (
        builder.config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.eventLog.rolling.enabled", "false")
        .config("spark.eventLog.compress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark
