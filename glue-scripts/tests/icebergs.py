"""Shared by the tests of Iceberg: a lake whose output is a table, in a catalogue of folders."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import CONTRACT, JARS, ROOT, WAREHOUSE, Lake
from etl.write.iceberg_tables import CATALOGUE, IcebergTable
from pyspark.sql import Row, SparkSession
from restating import killed_before


def contract_in_order(folder: Path, order: str = "event_timestamp") -> str:
    """The contract of events with an order column."""
    contract = json.loads(CONTRACT.read_text())
    contract["x-etl"]["orderColumn"] = order
    path = folder / "ordered.schema.json"
    path.write_text(json.dumps(contract))
    return str(path)


@dataclass(frozen=True)
class IcebergLake(Lake):
    """`mode` is the write mode of its table."""

    mode: str = "rebuild"

    @property
    def database(self) -> str:
        return f"{self.root.parent.name}_{self.root.name}".replace("-", "_")

    @property
    def table(self) -> str:
        return f"{CATALOGUE}.{self.database}.events"

    def arguments(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> list[str]:
        given = {
            # A catalogue of folders always puts the table here.
            "output_bucket": str(WAREHOUSE.folder / self.database),
            "output_database": self.database,
            "output_table": "events",
            "table_format": "iceberg",
            "write_mode": self.mode,
        }
        if self.mode == "merge" and "order_column" not in others:
            given["contract"] = contract_in_order(self.root)
        return super().arguments(first, last, run_id, **(given | others))

    def rows(self, spark: SparkSession, zone: str) -> list[Row]:
        if zone != "processed":
            return super().rows(spark, zone)
        spark.catalog.refreshTable(self.table)
        return spark.table(self.table).collect()

    def lines(self, spark: SparkSession) -> list[str]:
        """The rows, without the folder in which this lake lies."""
        return sorted(str(row).replace(str(self.root), "") for row in self.rows(spark, "processed"))

    def commits(self, spark: SparkSession) -> list[str]:
        """The operation of each commit, in order."""
        if not spark.catalog.tableExists(self.table):
            return []
        found = spark.table(f"{self.table}.snapshots").orderBy("committed_at").select("operation").collect()
        return [row["operation"] for row in found]

    def state(self, spark: SparkSession) -> dict[str, Any]:
        """All that must be the same however the lake came to it."""
        quarantine = [
            (row["run_date"], row["raw_line"], row["reason"]) for row in self.rows(spark, "quarantine")
        ]
        books = {
            day: {
                name: value
                for name, value in book.items()
                if name not in ("runId", "source", "outputBytes", "files")
            }
            for day, book in self.books_by_date().items()
        }
        return {
            "rows": self.lines(spark),
            "quarantine": sorted(quarantine),
            "books": books,
        }


def killed_at(step: int) -> AbstractContextManager[list[str]]:
    """Within it, a run ends before its `step`th write, removal or commit (from 0). Gives the steps it
    began."""
    return killed_before(step, [(IcebergTable, name) for name in ("prepare", "overwrite", "merge", "append")])


def kill_when_there_is_more(table: Path, pattern: str, arguments: list[str], folder: Path) -> None:
    """Runs the job until a file of this pattern has come to the table, and kills it with its JVM."""
    present = set(table.glob(pattern))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'jobs'}", "PYSPARK_PYTHON": sys.executable}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(WAREHOUSE.folder), ",".join(map(str, JARS)), *arguments],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 300
            while not set(table.glob(pattern)) - present:
                assert process.poll() is None, (folder / "log").read_text()[-3000:]
                assert time.monotonic() < deadline
                time.sleep(0.002)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == -signal.SIGKILL


# The job in a session of its own; it goes no further than its commit, however late the signal comes.
CHILD = """
import sys, time
from pyspark.sql import SparkSession
warehouse, jars, *arguments = sys.argv[1:]
catalogue = "spark.sql.catalog.glue_catalog"
extensions = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
builder = builder.config("spark.jars", jars).config(catalogue + ".type", "hadoop")
builder = builder.config("spark.sql.extensions", extensions)
builder = builder.config(catalogue, "org.apache.iceberg.spark.SparkCatalog")
builder.config(catalogue + ".warehouse", "file:" + warehouse).getOrCreate()
import time
import transform_deliveries
from etl.ingest import publish
publish.write_rejected = lambda *_: time.sleep(600)
transform_deliveries.main(arguments)
"""
