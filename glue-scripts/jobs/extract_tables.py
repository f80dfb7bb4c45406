"""The job of every extract. Tables of a database become the deliveries of one date in the raw zone: all of
them, read at one point in time, or none. Counts and sums of what was written are those of the database. The
marks move once the deliveries are published."""

import sys
import time
from collections.abc import Sequence

from etl.extract.arguments import read_extract_arguments
from etl.extract.document import load_extract
from etl.extract.keep_books import keep_books
from etl.extract.run_extract import run_extract
from etl.session import spark_failures_named
from pyspark.sql import SparkSession


def main(argv: Sequence[str]) -> None:
    started = time.monotonic()
    arguments = read_extract_arguments(argv)
    extract = load_extract(arguments.extract_uri)
    with spark_failures_named():
        outcome = run_extract(open_session(arguments.pipeline), arguments, extract)
    keep_books(arguments, outcome, time.monotonic() - started)


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
