"""A run that merges, appends or rebuilds a table of Iceberg may be killed at any point: run again it ends as
if nothing had been, and until then a reader sees the table before the commit or after it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import JARS, ROOT, WAREHOUSE, event
from icebergs import IcebergLake, killed_at
from pyspark.sql import SparkSession
from restating import Killed
from support import D1, balances, figures

pytestmark = [pytest.mark.once, pytest.mark.long]

MODES = ("rebuild", "merge", "append")
COMMIT = {"rebuild": "overwrite", "merge": "merge", "append": "append"}


def deliver_first(lake: IcebergLake) -> None:
    lake.deliver(D1, event("a", country="old"), event("b", country="old"), "bad {", file="one.json")


def deliver_second(lake: IcebergLake) -> None:
    """One more object for the date, in which one row repeats a key."""
    lake.deliver(
        D1,
        event("a", country="new", timestamp="2010-12-01T09:00:00Z"),
        event("c"),
        event("n", user_id=None),
        file="two.json",
    )


def prepared(folder: Path, mode: str) -> IcebergLake:
    folder.mkdir(exist_ok=True)
    lake = IcebergLake(folder, mode=mode)
    deliver_first(lake)
    lake.run(D1, run_id="first")
    deliver_second(lake)
    return lake


@pytest.mark.parametrize("mode", MODES)
def test_killed_before_and_after_the_commit(tmp_path: Path, spark: SparkSession, mode: str) -> None:
    undisturbed = prepared(tmp_path / "undisturbed", mode)
    with killed_at(99) as steps:
        books = undisturbed.run(D1, run_id="run")
    assert figures(books) == (6, 3, 1, 2) and balances(books)
    after = undisturbed.state(spark)
    before_commit = steps.index(COMMIT[mode])

    lake = prepared(tmp_path / "killed", mode)
    before = lake.lines(spark)
    # Before the commit; right after it, before quarantine follows; before the books are written.
    for step in (before_commit, before_commit + 1, steps.index("write_text", before_commit)):
        with killed_at(step), pytest.raises(Killed):
            lake.run(D1, run_id="run")
        lies = lake.lines(spark)
        assert lies == (before if step == before_commit else after["rows"])
    assert "run" not in {book["runId"] for book in lake.books_by_date().values()}
    again = lake.run(D1, run_id="run")
    assert lake.state(spark) == after
    assert figures(again) == figures(books)


@pytest.mark.parametrize("mode", ["merge", "append"])
@pytest.mark.parametrize("moment", ["data lies", "the snapshot is written", "the commit lies"])
def test_killed_within_the_commit(tmp_path: Path, spark: SparkSession, mode: str, moment: str) -> None:
    """A process of its own, to which SIGKILL comes while Iceberg writes."""
    undisturbed = prepared(tmp_path / "undisturbed", mode)
    books = undisturbed.run(D1, run_id="run")
    lake = prepared(tmp_path / "killed", mode)
    before = lake.lines(spark)

    table = WAREHOUSE.folder / lake.database / "events"
    pattern = {
        "data lies": "data/**/*.parquet",
        "the snapshot is written": "metadata/snap-*.avro",
        "the commit lies": "metadata/v*.metadata.json",
    }[moment]
    kill_when_there_is_more(table, pattern, lake.arguments(D1, run_id="run"), tmp_path)

    lies = lake.lines(spark)
    assert lies in (before, undisturbed.state(spark)["rows"])
    again = lake.run(D1, run_id="run")
    assert lake.state(spark) == undisturbed.state(spark)
    assert figures(again) == figures(books) and balances(again)


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
