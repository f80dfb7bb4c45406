"""The Spark session for every program that is compared: two threads, 4 GiB unless another size is named."""

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession


def open_session(
    events: Path | None = None,
    memory: str = "4g",
    jars: Sequence[Path] = (),
    warehouse: Path | None = None,
) -> SparkSession:
    """A started session, which logs its events into a folder if there is one. With a `warehouse` it has the
    catalogue of Iceberg tables, and needs their jars."""
    builder = SparkSession.builder.master("local[2]")
    if events is not None:
        builder = builder.config("spark.eventLog.enabled", "true").config(
            "spark.eventLog.dir", events.as_uri()
        )
    if warehouse is not None:
        catalogue = "spark.sql.catalog.glue_catalog"
        extensions = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
        for name, value in {
            "spark.sql.extensions": extensions,
            catalogue: "org.apache.iceberg.spark.SparkCatalog",
            f"{catalogue}.type": "hadoop",
            f"{catalogue}.warehouse": f"file:{warehouse}",
        }.items():
            builder = builder.config(name, value)
    if jars:
        builder = builder.config("spark.jars", ",".join(map(str, jars)))
    spark: SparkSession = (
        builder.config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.memory", memory)
        .config("spark.eventLog.rolling.enabled", "false")
        .config("spark.eventLog.compress", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark
