"""A run that writes versions may be killed while Iceberg commits: a reader sees the table before the commit
or after it, and the next run, of whatever date, ends with the history that it would have had. Kills between
the steps of a run are part of `test_changes_any_order`."""

from pathlib import Path

import pytest
from conftest import WAREHOUSE
from icebergs import kill_when_there_is_more
from pyspark.sql import SparkSession
from stages import D1, D2, D3, D4, Stage, row
from support import balances

pytestmark = [pytest.mark.once, pytest.mark.long]

SHOWN = ("sku", "name", "change", "valid_from", "run_date", "row_hash")


def prepared(folder: Path) -> Stage:
    """Two snapshots that were run, and one between them that was not."""
    folder.mkdir(exist_ok=True)
    stage = Stage(folder)
    stage.deliver_rows(D1, row(1, "a"), row(2, "b"), row(3, "c"))
    stage.deliver_rows(D3, row(1, "a"), row(2, "B"), row(3, "c"))
    stage.run(D1, D3, run_id="first")
    stage.deliver_rows(D2, row(1, "A"), row(2, "B"))
    stage.deliver_rows(D4, row(1, "a"))
    return stage


@pytest.mark.parametrize("moment", ["data/**/*.parquet", "metadata/snap-*.avro", "metadata/v*.metadata.json"])
def test_killed_within_the_commit(tmp_path: Path, spark: SparkSession, moment: str) -> None:
    undisturbed = prepared(tmp_path / "undisturbed")
    undisturbed.run(D2, run_id="late")
    after_late = undisturbed.history(spark, *SHOWN)
    undisturbed.run(D4, run_id="last")

    stage = prepared(tmp_path / "killed")
    before = stage.history(spark, *SHOWN)
    assert before != after_late
    table = WAREHOUSE.folder / stage.database / "events"
    kill_when_there_is_more(table, moment, stage.arguments(D2, run_id="late"), tmp_path)
    assert stage.history(spark, *SHOWN) in (before, after_late)
    # The run of another date derives again what the killed one may have written.
    books = stage.run(D4, run_id="last")
    assert stage.history(spark, *SHOWN) == undisturbed.history(spark, *SHOWN)
    assert books["restated"]["dates"][:1] == [D2]
    assert balances(books)
    assert "unfinished" not in stage.books_by_date()
