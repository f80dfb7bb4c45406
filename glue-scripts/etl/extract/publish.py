"""Writes the deliveries of a run aside, and puts them in their place once all are right."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession

from etl import io
from etl.session import paths_of
from etl.write.partitions import MAX_RECORDS_PER_FILE

ASIDE = "_unpublished/"  # what begins with _ is skipped by Spark, Athena and Glue
COUNT = "_count.json"  # beside the files of a delivery, the rows that the database has counted


@dataclass(frozen=True)
class Place:
    """The folder of all tables of an extract, the date of the deliveries, and the run that writes them."""

    root: str
    day: date
    run_id: str

    def aside(self, table: str) -> str:
        return f"{self.root}{ASIDE}{self.run_id}/{table}/"

    def delivery(self, table: str) -> str:
        return f"{self.root}{table}/{io.DELIVERY}={self.day}/"


def clear_aside(place: Place) -> None:
    """Removes what this run, or one that was killed, has left aside; only one run may write at a time."""
    io.delete(io.list_below(f"{place.root}{ASIDE}"))


def write_aside(rows: DataFrame, place: Place, table: str) -> None:
    (
        rows.write.mode("overwrite")
        .option("maxRecordsPerFile", MAX_RECORDS_PER_FILE)
        .option("mapreduce.fileoutputcommitter.algorithm.version", "2")
        .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
        .parquet(place.aside(table))
    )


def files_aside(place: Place, table: str) -> list[io.StoredObject]:
    return [one for one in io.list_below(place.aside(table)) if one.name.endswith(".parquet")]


def read_aside(spark: SparkSession, place: Place, table: str, schema: str) -> DataFrame:
    return spark.read.schema(schema).parquet(*paths_of(files_aside(place, table)))


def publish(place: Place, rows: Mapping[str, int]) -> dict[str, list[io.StoredObject]]:
    """Replaces the deliveries of the date by those that lie aside, whose `rows` by table are those of the
    database. New files come before old ones go, and no name is used twice; the count comes last, so that a
    delivery is not taken for a whole one while it is replaced. Whatever a kill leaves, the next run of the
    date puts right. Gives the new files."""
    for table, count in rows.items():
        before = io.list_below(place.delivery(table))
        fresh = {COUNT}
        for file in files_aside(place, table):
            io.copy(file, f"{place.delivery(table)}{file.name}")
            fresh.add(file.name)
        io.delete(one for one in before if one.name not in fresh)
        io.write_text(f"{place.delivery(table)}{COUNT}", json.dumps({"rows": count}) + "\n")
    return {
        table: [file for file in io.list_below(place.delivery(table)) if file.name != COUNT] for table in rows
    }
