"""The job on tables of Iceberg: each mode writes what it says, once, in one commit, and its books balance."""

from pathlib import Path

import pytest
from conftest import event
from etl import session
from etl.errors import InvalidArguments, Redelivered, TableRefused
from icebergs import IcebergLake
from pyspark.sql import SparkSession
from support import D1, D2, D3, balances, deliver_a_mixture, figures

MODES = ("rebuild", "merge", "append")


def at(hour: int, key: str = "a", **others: object) -> dict[str, object]:
    return event(key, timestamp=f"2010-12-01T{hour:02}:00:00Z", **others)


def countries(lake: IcebergLake, spark: SparkSession) -> list[tuple[str, str, str]]:
    """Run date, key, and a column that differs between the rows of a key."""
    rows = lake.rows(spark, "processed")
    return sorted((row["run_date"], row["event_id"], row["country"]) for row in rows)


@pytest.mark.parametrize("mode", MODES)
def test_running_twice_changes_nothing(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    lake = IcebergLake(tmp_path, mode=mode)
    deliver_a_mixture(lake)
    first = lake.run(D1, D2, "one")
    state = lake.state(spark)
    # The second run is not small: the table that it compares with counts too.
    monkeypatch.setattr(session, "OPTIMISED_FROM_BYTES", first["inputBytes"] + 1)
    second = lake.run(D1, D2, "two")
    assert spark.conf.get("spark.sql.adaptive.enabled") == "true"
    assert lake.state(spark) == state
    assert balances(first) and balances(second)
    assert figures(first) == figures(second)
    assert len(lake.rows(spark, "processed")) == first["written"] == 3


def test_the_table_is_one_that_athena_reads(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path)
    lake.deliver(D1, event("a"), event("b", timestamp="2010-12-02T00:00:00Z"))
    lake.run(D1)
    properties = {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {lake.table}").collect()}
    assert properties["format-version"] == "2"
    assert spark.table(f"{lake.table}.delete_files").count() == 0
    # A file never holds rows of two deliveries; within one, event dates lie apart.
    folders = {row["partition"] for row in spark.table(f"{lake.table}.files").collect()}
    assert {(one["run_date"], str(one["event_date"])) for one in folders} == {(D1, "2010-12-01"), (D1, D2)}
    assert dict(spark.table(lake.table).dtypes)["event_timestamp"] == "timestamp_ntz"


@pytest.mark.once
def test_rebuild_replaces_a_date_in_one_commit_and_restates(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path)
    lake.deliver(D1, event("a"), event("b"))
    lake.deliver(D2, event("b"), event("c"))
    lake.run(D1, D2, "first")
    assert lake.kept(spark) == [(D1, "a"), (D1, "b"), (D2, "c")]
    lake.deliver(D1, event("a"))
    books = lake.run(D1, D1, "corrected")
    assert lake.kept(spark) == [(D1, "a"), (D2, "b"), (D2, "c")]
    assert books["restated"]["dates"] == [D2]
    assert len(lake.commits(spark)) == 2
    lake.deliver(D1)
    assert lake.run(D1, D1, "empty")["outcome"] == "EMPTY"
    assert lake.kept(spark) == [(D2, "b"), (D2, "c")]


@pytest.mark.once
def test_merge_keeps_the_latest_in_whatever_order(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path, mode="merge")
    lake.deliver(D1, at(9, country="old"), at(7, country="older"), event("only"))
    lake.deliver(D2, at(12, country="latest"), event("two"))
    lake.deliver(D3, at(10, country="late"), at(12, "two", country="new"))
    after = [(D1, "only", "United Kingdom"), (D2, "a", "latest"), (D3, "two", "new")]

    assert figures(lake.run(D2, run_id="second")) == (2, 2, 0, 0)
    first = lake.run(D1, run_id="first")
    assert figures(first) == (3, 1, 2, 0) and balances(first)
    third = lake.run(D3, run_id="third")
    assert figures(third) == (2, 1, 1, 0) and balances(third)
    assert countries(lake, spark) == after

    again = IcebergLake(tmp_path / "again", mode="merge")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "raw").symlink_to(tmp_path / "raw")
    books = again.run(D1, D3, "all")
    assert countries(again, spark) == after
    assert figures(books) == (7, 3, 4, 0) and balances(books)


@pytest.mark.once
def test_merge_of_a_corrected_delivery(tmp_path: Path, spark: SparkSession) -> None:
    """At the same age, a row that is delivered again wins. An older row does not, and a row that is gone
    stays."""
    lake = IcebergLake(tmp_path, mode="merge")
    lake.deliver(D1, at(9, "a", country="one"), at(9, "b", country="one"), at(9, "c", country="one"))
    lake.run(D1)
    lake.deliver(D1, at(9, "a", country="two"), at(8, "b", country="two"))
    books = lake.run(D1, run_id="corrected")
    assert countries(lake, spark) == [(D1, "a", "two"), (D1, "b", "one"), (D1, "c", "one")]
    assert figures(books) == (2, 1, 1, 0) and balances(books)


@pytest.mark.once
def test_merge_by_delivery_alone(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path, mode="merge")
    lake.deliver(D1, at(9, country="first"))
    lake.deliver(D2, at(7, country="second"))
    lake.run(D2, order_column="run_date")
    lake.run(D1, run_id="late", order_column="run_date")
    assert countries(lake, spark) == [(D2, "a", "second")]


@pytest.mark.once
def test_append_takes_each_object_once(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path, mode="append")
    lake.deliver(D1, event("a"), event("a"), event("n", user_id=None), file="one.json")
    assert figures(lake.run(D1, run_id="one")) == (3, 1, 1, 1)
    lake.deliver(D1, event("a", country="again"), event("b"), file="two é.json")
    books = lake.run(D1, run_id="two")
    assert figures(books) == (5, 2, 2, 1) and balances(books)
    assert lake.run(D1, run_id="three")["written"] == 2
    # A key belongs to what was run first, also where a later run brings an earlier date.
    lake.deliver("2010-11-28", event("b", country="late"), event("c"))
    assert figures(lake.run("2010-11-28", run_id="late")) == (2, 1, 1, 0)
    assert countries(lake, spark) == [
        ("2010-11-28", "c", "United Kingdom"),
        (D1, "a", "United Kingdom"),
        (D1, "b", "United Kingdom"),
    ]


def test_append_refuses_an_object_that_has_changed(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path, mode="append")
    lake.deliver(D1, event("a"))
    lake.run(D1)
    lake.deliver(D1, event("b"))
    with pytest.raises(Redelivered, match=r"events\.json: appended by an earlier run, and changed since"):
        lake.run(D1, run_id="two")
    assert lake.kept(spark) == [(D1, "a")]


def test_a_table_is_written_in_one_mode(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path)
    lake.deliver(D1, event("a"))
    lake.run(D1)
    with pytest.raises(TableRefused, match="its write mode is rebuild, and this run's merge"):
        lake.run(D1, run_id="two", write_mode="merge", order_column="event_timestamp")


def test_merge_without_an_order_is_refused(tmp_path: Path, spark: SparkSession) -> None:
    lake = IcebergLake(tmp_path)
    lake.deliver(D1, event("a"))
    with pytest.raises(InvalidArguments, match="needs to know which row of a key is the latest"):
        lake.run(D1, write_mode="merge")
    for order in ("items", "nosuch"):
        with pytest.raises(InvalidArguments, match=f"must be one of run_date, event_id, .*, got '{order}'$"):
            lake.run(D1, write_mode="merge", order_column=order)


def test_iceberg_without_its_catalogue_is_refused(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.write.iceberg_tables.CATALOGUE", "elsewhere")
    lake = IcebergLake(tmp_path)
    lake.deliver(D1, event("a"))
    with pytest.raises(InvalidArguments, match=r"spark\.sql\.catalog\.elsewhere is not set"):
        lake.run(D1)
