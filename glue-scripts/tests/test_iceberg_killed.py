"""A run that merges, appends or rebuilds a table of Iceberg may be killed at any point: run again it ends as
if nothing had been, and until then a reader sees the table before the commit or after it."""

from pathlib import Path

import pytest
from conftest import WAREHOUSE, event
from icebergs import IcebergLake, kill_when_there_is_more, killed_at
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
