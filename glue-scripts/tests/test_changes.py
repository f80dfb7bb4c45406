"""The job on a table of every version: what one delivery and several make of it, and what the books say."""

from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession
from stages import D1, D2, Stage, row
from support import balances, figures

SHOWN = ("sku", "name", "change", "valid_from", "run_date")


def test_two_snapshots(tmp_path: Path, spark: SparkSession) -> None:
    stage = Stage(tmp_path)
    stage.deliver_rows(D1, row(1, "a"), row(2, "b"), row(3, "c"))
    stage.deliver_rows(D2, row(1, "a"), row(2, "B"), row(4, "d"))
    one = stage.run(D1, run_id="one")
    two = stage.run(D2, run_id="two")
    day1, day2 = date.fromisoformat(D1), date.fromisoformat(D2)
    assert stage.history(spark, *SHOWN) == [
        (1, "a", "insert", day1, D1),
        (2, "b", "insert", day1, D1),
        (2, "B", "update", day2, D2),
        (3, "c", "insert", day1, D1),
        (3, "c", "delete", day2, D2),
        (4, "d", "insert", day2, D2),
    ]
    assert figures(one) == (3, 3, 0, 0) and balances(one)
    assert figures(two) == (3, 2, 1, 0) and balances(two)
    assert two["changes"] == {
        "inserted": 1,
        "updated": 1,
        "deleted": 0,
        "unchanged": 1,
        "superseded": 0,
        "deletedByAbsence": 1,
        "deletedUnknown": 0,
    }
    assert {run for (run,) in stage.history(spark, "run_id")} == {"one", "two"}
