"""The job from deliveries to books, on a lake in a directory."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake, event
from etl import session
from etl.errors import InvalidArguments, MissingDelivery, TooManyRows
from etl.ingest import plan_run
from etl.write import partitions
from py4j.java_gateway import JVMView
from pyspark.sql import DataFrame, SparkSession
from support import D1, D2, D3, balances, deliver_a_mixture, figures, same

NONE = dict.fromkeys(
    (
        "malformed",
        "missing_event_id",
        "missing_user_id",
        "missing_event_type",
        "wrong_type",
        "invalid_timestamp",
    ),
    0,
)


def test_a_run_writes_its_rows_its_quarantine_and_its_books(lake: Lake, spark: SparkSession) -> None:
    deliver_a_mixture(lake)
    books = lake.run(D1, D2)
    assert lake.kept(spark) == [(D1, "a"), (D1, "b"), (D2, "c")]
    by_reason = {
        "malformed": 1,
        "missing_event_id": 1,
        "missing_user_id": 2,
        "missing_event_type": 1,
        "wrong_type": 1,
        "invalid_timestamp": 1,
    }
    assert Counter(row["reason"] for row in lake.rows(spark, "quarantine")) == by_reason
    sizes = {name: (lake.root / "raw/events" / f"dt={name}/events.json").stat().st_size for name in (D1, D2)}
    stored = {
        day: sum(
            (lake.root / "processed/events" / name).stat().st_size
            for name in lake.files("processed")
            if day in name
        )
        for day in (D1, D2)
    }
    assert books == {
        "pipeline": "events",
        "runId": "run-1",
        "outcome": "SUCCEEDED",
        "fromDate": D1,
        "toDate": D2,
        "read": 12,
        "written": 3,
        "duplicates": 2,
        "quarantined": 7,
        "quarantinedByReason": by_reason,
        "inputBytes": sum(sizes.values()),
        "outputBytes": sum(stored.values()),
        "partitions": 2,
        "files": 2,
        "restated": {"dates": [], "read": 0, "written": 0, "duplicates": 0, "quarantined": 0},
        "reasons": [
            {"reason": reason, "column": column, "expected": expected, "rows": by_reason[reason]}
            for reason, column, expected in (
                ("malformed", "", "a JSON object"),
                ("missing_event_id", "event_id", "a value"),
                ("missing_user_id", "user_id", "a value"),
                ("missing_event_type", "event_type", "a value"),
                ("wrong_type", "items", "an array of objects"),
                ("invalid_timestamp", "timestamp", "a timestamp in a format of the contract"),
            )
        ],
        "quality": {"verdict": "PASSED", "score": 100, "threshold": 0, "failed": ""},
        "drift": None,
        "seconds": books["seconds"],
        "books": f"{lake.root}/processed/books/events/run-1/books.json",
        "dates": [
            {
                "runDate": D1,
                "read": 7,
                "written": 2,
                "duplicates": 1,
                "quarantined": 4,
                "quarantinedByReason": NONE | {"malformed": 1, "missing_user_id": 2, "invalid_timestamp": 1},
                "inputBytes": sizes[D1],
                "outputBytes": stored[D1],
                "partitions": 1,
                "files": 1,
            },
            {
                "runDate": D2,
                "read": 5,
                "written": 1,
                "duplicates": 1,
                "quarantined": 3,
                "quarantinedByReason": NONE
                | {"missing_event_id": 1, "missing_event_type": 1, "wrong_type": 1},
                "inputBytes": sizes[D2],
                "outputBytes": stored[D2],
                "partitions": 1,
                "files": 1,
            },
        ],
        "restatedDates": [],
    }
    assert 0 < books["seconds"] < 600
    assert lake.books(name="summary") == {
        name: value for name, value in books.items() if name not in ("dates", "restatedDates")
    }


def test_compiled_queries_give_what_interpreted_ones_give(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_a_mixture(lake)
    interpreted = lake.run(D1, D2)
    assert spark.conf.get("spark.sql.codegen.factoryMode") == "NO_CODEGEN"
    before = (lake.kept(spark), lake.reasons(spark))
    monkeypatch.setattr(session, "OPTIMISED_FROM_BYTES", 0)
    compiled = lake.run(D1, D2, "run-2")
    assert spark.conf.get("spark.sql.codegen.factoryMode") == "FALLBACK"
    assert spark.conf.get("spark.sql.codegen.wholeStage") == "true"
    assert (lake.kept(spark), lake.reasons(spark)) == before
    of_a_run = ("runId", "seconds", "books")
    assert {name: value for name, value in compiled.items() if name not in of_a_run} == {
        name: value for name, value in interpreted.items() if name not in of_a_run
    }


def test_java_is_not_asked_for_the_same_class_again_and_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    honest = JVMView.__getattr__

    def counting(view: JVMView, name: str) -> object:
        asked[name.rpartition(".")[2]] += 1
        return honest(view, name)

    lake.deliver(D1, event())
    lake.run(D1)
    monkeypatch.setattr(JVMView, "__getattr__", counting)
    lake.run(D1, run_id="run-2")
    # Hundreds, if every column asked.
    assert asked["functions"] + asked["PythonUtils"] < 5


def test_the_files_have_the_columns_that_were_promised(lake: Lake, spark: SparkSession) -> None:
    lake.deliver(D1, event("a", timestamp="0001-01-01T00:00:00Z"), "broken {")
    lake.run(D1)
    processed = spark.read.parquet(f"{lake.root}/processed/events")
    assert processed.drop("run_date").schema.simpleString() == (
        "struct<event_id:string,user_id:string,event_type:string,event_timestamp:timestamp,event_date:date,"
        "event_category:string,country:string,"
        "items:array<struct<product_id:string,quantity:bigint,unit_price:double>>>"
    )
    assert processed.selectExpr("cast(event_timestamp as string)", "cast(event_date as string)").first() == (
        "0001-01-01 00:00:00",
        "0001-01-01",
    )
    quarantine = spark.read.parquet(f"{lake.root}/quarantine/events")
    assert quarantine.columns == [
        *("raw_line", "reason", "source_file", "run_id", "reason_values", "run_date")
    ]
    source = f"file:{lake.root}/raw/events/dt={D1}/events.json"
    assert quarantine.collect() == [("broken {", "malformed", source, "run-1", {}, D1)]


@pytest.mark.once
def test_running_twice_changes_nothing(lake: Lake, spark: SparkSession) -> None:
    deliver_a_mixture(lake)
    first = lake.run(D1, D2, "run-1")
    rows = sorted(map(str, lake.rows(spark, "processed")))
    reasons = lake.reasons(spark)
    second = lake.run(D1, D2, "run-2")
    assert same(first) == same(second)
    assert sorted(map(str, lake.rows(spark, "processed"))) == rows
    assert lake.reasons(spark) == reasons
    assert {row["run_id"] for row in lake.rows(spark, "quarantine")} == {"run-2"}


@pytest.mark.once
def test_a_date_that_lost_its_rows_loses_its_partition(lake: Lake, spark: SparkSession) -> None:
    lake.deliver(D1, event("a"), "broken {")
    lake.deliver(D2, event("b"), "broken {")
    lake.run(D1, D2)
    assert (lake.dates("processed"), lake.dates("quarantine")) == ([D1, D2], [D1, D2])
    lake.deliver(D1, event(None))
    assert figures(lake.run(D1, D1, "run-2")) == (1, 0, 0, 1)
    assert (lake.dates("processed"), lake.dates("quarantine")) == ([D2], [D1, D2])
    lake.deliver(D2, event("b"))
    assert figures(lake.run(D1, D2, "run-3")) == (2, 1, 0, 1)
    assert (lake.dates("processed"), lake.dates("quarantine")) == ([D2], [D1])
    lake.deliver(D3, event("b"), event("b"))
    assert figures(lake.run(D3, D3, "run-4")) == (2, 0, 2, 0)
    assert (lake.dates("processed"), lake.dates("quarantine")) == ([D2], [D1])


def test_a_delivery_without_rows_is_empty_and_removes_what_was_written(
    lake: Lake, spark: SparkSession
) -> None:
    lake.deliver(D1, event("a"), "broken {")
    lake.run(D1)
    lake.deliver_bytes(D1, b"")
    books = lake.run(D1, D1, "run-2")
    assert (books["outcome"], figures(books), balances(books)) == ("EMPTY", (0, 0, 0, 0), True)
    assert books["quarantinedByReason"] == NONE
    assert lake.files("processed") + lake.files("quarantine") == []
    lake.deliver_bytes(D1, b"\xef\xbb\xbf")
    lake.deliver(D1, "", " \t", "", file="blank.json.gz", end="\r\n")
    lake.deliver_bytes(D1, b"", file="nothing.json.gz")
    assert lake.run(D1, D1, "run-3")["outcome"] == "EMPTY"


def test_nothing_delivered_is_a_failure_that_says_so(lake: Lake) -> None:
    lake.deliver(D3, event("a"))
    (lake.root / f"raw/events/dt={D1}").mkdir()
    with pytest.raises(MissingDelivery) as one:
        lake.run(D1)
    assert str(one.value) == f"no delivery under {lake.root}/raw/events/ for {D1}"
    with pytest.raises(MissingDelivery) as several:
        lake.run(D1, D2)
    assert str(several.value) == f"no delivery under {lake.root}/raw/events/ for {D1} to {D2}"


@pytest.mark.once
def test_a_range_skips_dates_without_a_delivery_and_leaves_their_rows(
    lake: Lake, spark: SparkSession
) -> None:
    for day, key in ((D1, "a"), (D2, "b"), (D3, "c")):
        lake.deliver(day, event(key))
    lake.run(D1, D3)
    (lake.root / f"raw/events/dt={D2}/events.json").unlink()
    lake.deliver(D3, event("b"), event("d"))
    books = lake.run(D1, D3, "run-2")
    assert [entry["runDate"] for entry in books["dates"]] == [D1, D3]
    assert figures(books) == (3, 2, 1, 0)
    assert lake.kept(spark) == [(D1, "a"), (D2, "b"), (D3, "d")]


@pytest.mark.once
def test_earlier_deliveries_win_inside_the_window(lake: Lake, spark: SparkSession) -> None:
    lake.deliver("2010-12-01", event("a"), event("b"))
    lake.deliver("2010-12-08", event("a"), event("x", user_id=None))
    lake.deliver("2010-12-09", event("b"), event("x", user_id=None))
    lake.run("2010-12-01", run_id="run-1")
    assert figures(lake.run("2010-12-08", run_id="run-2")) == (2, 0, 1, 1)
    assert figures(lake.run("2010-12-09", run_id="run-3")) == (2, 1, 0, 1)
    assert lake.kept(spark) == [("2010-12-01", "a"), ("2010-12-01", "b"), ("2010-12-09", "b")]


@pytest.mark.once
def test_a_back_fill_gives_what_the_days_would_have_given(tmp_path: Path, spark: SparkSession) -> None:
    generator = random.Random(3)  # noqa: S311
    days = ["2010-12-01", "2010-12-04", "2010-12-09", "2010-12-14"]
    one, other = Lake(tmp_path / "one"), Lake(tmp_path / "other")
    for day in days:
        for file in ("b.json", "a.json"):
            lines = [event(f"k{generator.randrange(25)}", country=f"{day} {file} {n}") for n in range(12)]
            for lake in (one, other):
                lake.deliver(day, *lines, file=file)
    back_fill = one.run(days[0], days[-1])
    daily = [other.run(day, run_id=f"run-{day}") for day in days]
    assert [entry["dates"][0]["duplicates"] for entry in daily] == [
        entry["duplicates"] for entry in back_fill["dates"]
    ]
    assert back_fill["duplicates"] > 20
    rows = [sorted(map(str, lake.rows(spark, "processed"))) for lake in (one, other)]
    assert rows[0] == rows[1]


@pytest.mark.once
def test_a_writer_that_loses_a_row_is_found_out(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_a_mixture(lake)
    honest = partitions.write_partitions

    def careless(frame: DataFrame, location: str, **how: Any) -> None:
        honest(frame.filter("row_id > 0") if "processed" in location else frame, location, **how)

    monkeypatch.setattr(partitions, "write_partitions", careless)
    books = lake.run(D1, D2)
    assert figures(books) == (12, 2, 2, 7)
    assert not balances(books)
    # Also when an earlier run's rows lie there: they are no proof of this run's.
    monkeypatch.setattr(partitions, "write_partitions", honest)
    assert balances(lake.run(D1, D2, "run-2"))
    monkeypatch.setattr(partitions, "write_partitions", lambda *_, **__: None)
    books = lake.run(D1, D2, "run-3")
    assert (books["written"], books["quarantined"], balances(books)) == (0, 0, False)


@pytest.mark.once
def test_a_run_that_was_killed_is_healed_by_the_next(lake: Lake, spark: SparkSession) -> None:
    deliver_a_mixture(lake)
    expected = same(lake.run(D1, D2))
    kept, reasons = lake.kept(spark), lake.reasons(spark)
    for zone in ("processed", "quarantine"):
        # Killed while it moved its partitions: one is gone, one is half there, the staging folder remains.
        root = lake.root / zone / "events"
        name = lake.files(zone)[0]
        (root / f".spark-staging-1/{name}").parent.mkdir(parents=True)
        (root / name).rename(root / f".spark-staging-1/{name}")
        (root / lake.files(zone)[0]).write_bytes(b"half")
    assert same(lake.run(D1, D2, "run-2")) == expected
    assert (lake.kept(spark), lake.reasons(spark)) == (kept, reasons)
    assert not [path for path in lake.root.rglob(".spark-staging-*/**/*") if path.is_file()]


def test_too_many_rows_for_a_state_machine_are_refused_before_a_write(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_a_mixture(lake)
    monkeypatch.setattr(plan_run, "MAX_ROWS", 11)
    with pytest.raises(TooManyRows, match=r"^12 rows in one run, at most 11: run fewer dates at a time$"):
        lake.run(D1, D2)
    assert lake.files("processed") + lake.files("quarantine") == []


def test_wrong_arguments_are_refused_before_anything_is_read(lake: Lake) -> None:
    with pytest.raises(InvalidArguments, match=r"^--from_date must be a date as YYYY-MM-DD, got 'today'$"):
        lake.run("today", D1)


def test_random_dirt_always_balances(lake: Lake, spark: SparkSession) -> None:
    generator = random.Random(11)  # noqa: S311
    good = json.dumps(event())
    for day in (D1, D2, D3):
        lines = []
        for _ in range(150):
            line = json.dumps(event(f"e{generator.randrange(100)}"))
            for _ in range(generator.choice((0, 0, 1, 2))):
                at = generator.randrange(len(line))
                line = (
                    line[:at]
                    + generator.choice(('"', "{", "}", ",", "0", " ", "\t", good[:9]))
                    + line[at + 1 :]
                )
            lines.append(line)
        lake.deliver(day, *lines)
    books = lake.run(D1, D3)
    assert balances(books)
    assert books["read"] == 450
    assert books["quarantined"] > 50
    assert books["duplicates"] > 50
