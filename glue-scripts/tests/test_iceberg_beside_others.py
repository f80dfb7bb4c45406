"""The catalogue may hold something else under a table's name, and the message says so. The
exceptions are Java's as Spark hands them over; a bench test has the real ones, from Glue's catalogue."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from etl.errors import TableRefused
from etl.write.iceberg_tables import IcebergTable
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

OTHER = "org.apache.iceberg.exceptions.NoSuchIcebergTableException: Input Glue table is not an iceberg table"
DENIED = "software.amazon.awssdk.services.glue.model.AccessDeniedException: no"


def java(text: str, cause: Any = None) -> Any:
    return SimpleNamespace(toString=lambda: text, getCause=lambda: cause, _target_id="o1")


def table(exception: Any) -> IcebergTable:
    def fail(statement: str) -> None:
        raise Py4JJavaError("An error occurred", exception)

    catalogue = SimpleNamespace(tableExists=lambda name: False)
    spark = cast(SparkSession, SimpleNamespace(catalog=catalogue, sql=fail))
    return IcebergTable(spark, "c.d.events", "s3://b/events", {}, (), "merge", "t")


@pytest.mark.parametrize(
    "exception", [java(OTHER), java("org.apache.spark.SparkException: Job aborted", java(OTHER))]
)
def test_a_table_that_is_none_of_iceberg_is_refused(exception: Any) -> None:
    with pytest.raises(TableRefused, match=r"^the table c\.d\.events is not an Iceberg table\. Take its"):
        table(exception).prepare()


def test_other_errors_of_the_catalogue_stay_what_they_are() -> None:
    with pytest.raises(Py4JJavaError):
        table(java(DENIED)).prepare()
