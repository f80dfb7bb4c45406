"""The job of every mart. Tables become tables, each input read at one snapshot: the rows are made and judged,
then published, dimensions before facts, then checked as they lie there. Where the inputs are those of the run
before, nothing is written."""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from etl import io
from etl.marts.arguments import read_mart_arguments
from etl.marts.keep_books import keep_books
from etl.marts.plan import load_mart
from etl.marts.run_mart import run_mart
from etl.session import spark_failures_named
from pyspark.sql import SparkSession


def main(argv: Sequence[str]) -> None:
    started, began = datetime.now(UTC), time.monotonic()
    arguments = read_mart_arguments(argv)
    mart = load_mart(io.read_text(arguments.mart_uri), arguments.mart_uri)
    with spark_failures_named():
        outcome = run_mart(open_session(arguments.pipeline), arguments, mart, started)
    keep_books(arguments, mart, outcome, time.monotonic() - began)


def open_session(pipeline: str) -> SparkSession:
    """The session of Glue, whose context must exist for its observability metrics; elsewhere Spark's own."""
    spark = SparkSession.builder.appName(pipeline).getOrCreate()
    try:
        from awsglue.context import GlueContext  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return spark
    session: SparkSession = GlueContext(spark.sparkContext).spark_session
    return session


if __name__ == "__main__":
    main(sys.argv[1:])
