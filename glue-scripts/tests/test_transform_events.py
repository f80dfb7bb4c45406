"""The job from deliveries to books, on a lake in a directory."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import transform_events
from conftest import Lake, event
from etl import partitions
from etl.errors import InvalidArguments, MissingDelivery, SparkFailed, TooManyRows
from pyspark.sql import DataFrame, SparkSession

D1, D2, D3 = "2010-12-01", "2010-12-02", "2010-12-03"
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


def balances(books: dict[str, Any]) -> bool:
    entries = [books, *books["dates"]]
    return all(
        entry["read"] == entry["written"] + entry["duplicates"] + entry["quarantined"]
        and entry["quarantined"] == sum(entry["quarantinedByReason"].values())
        for entry in entries
    )


def figures(books: dict[str, Any]) -> tuple[int, int, int, int]:
    return books["read"], books["written"], books["duplicates"], books["quarantined"]


def same(books: dict[str, Any]) -> dict[str, Any]:
    """The books without what tells one run from another."""
    return {name: value for name, value in books.items() if name not in ("runId", "seconds", "books")}


def deliver_a_mixture(lake: Lake) -> None:
    lake.deliver(
        D1,
        event("a"),
        event("b", event_type="cancellation"),
        event("a", country="again"),
        event("n", user_id=None),
        event("n", user_id=None),
        "broken {",
        "",
        event("t", timestamp=1291191960000),
    )
    lake.deliver(D2, event("c"), event("b"), event(None), event("w", items="x"), event("k", event_type=" "))


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
    }
    assert 0 < books["seconds"] < 600
    assert lake.books(name="summary") == {name: value for name, value in books.items() if name != "dates"}


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
    assert quarantine.columns == ["raw_line", "reason", "source_file", "run_id", "run_date"]
    source = f"file:{lake.root}/raw/events/dt={D1}/events.json"
    assert quarantine.collect() == [("broken {", "malformed", source, "run-1", D1)]


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


def test_a_date_that_lost_its_rows_loses_its_partition(lake: Lake, spark: SparkSession) -> None:
    lake.deliver(D1, event("a"), "broken {")
    lake.deliver(D2, event("b"), "broken {")
    lake.run(D1, D2)
    assert (lake.dates("processed"), lake.dates("quarantine")) == ([D1, D2], [D1, D2])
    lake.deliver(D1, "broken {")
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


def test_a_marker_is_a_delivery_without_rows(lake: Lake) -> None:
    lake.deliver_bytes(D1, b"", file="_SUCCESS")
    books = lake.run(D1)
    assert (books["outcome"], books["inputBytes"]) == ("EMPTY", 0)


def test_nothing_delivered_is_a_failure_that_says_so(lake: Lake) -> None:
    lake.deliver(D3, event("a"))
    (lake.root / f"raw/events/dt={D1}").mkdir()
    with pytest.raises(MissingDelivery) as one:
        lake.run(D1)
    assert str(one.value) == f"no delivery under {lake.root}/raw/events/ for {D1}"
    with pytest.raises(MissingDelivery) as several:
        lake.run(D1, D2)
    assert str(several.value) == f"no delivery under {lake.root}/raw/events/ for {D1} to {D2}"


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


def test_earlier_deliveries_win_inside_the_window(lake: Lake, spark: SparkSession) -> None:
    lake.deliver("2010-12-01", event("a"), event("b"))
    lake.deliver("2010-12-08", event("a"), event("x", user_id=None))
    lake.deliver("2010-12-09", event("b"), event("x", user_id=None))
    lake.run("2010-12-01", run_id="run-1")
    assert figures(lake.run("2010-12-08", run_id="run-2")) == (2, 0, 1, 1)
    assert figures(lake.run("2010-12-09", run_id="run-3")) == (2, 1, 0, 1)
    assert lake.kept(spark) == [("2010-12-01", "a"), ("2010-12-01", "b"), ("2010-12-09", "b")]


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


def test_the_first_object_key_then_the_first_line_wins(lake: Lake, spark: SparkSession) -> None:
    # The later file is the larger one, which Spark reads first.
    lake.deliver(D1, event("a", country="second file"), *(event(f"x{n}") for n in range(50)), file="b.json")
    lake.deliver(D1, event("a", country="first"), event("a", country="second line"), file="a.json")
    assert figures(lake.run(D1)) == (53, 51, 2, 0)
    (kept,) = [row for row in lake.rows(spark, "processed") if row["event_id"] == "a"]
    assert kept["country"] == "first"


def test_files_of_all_sorts_are_read(lake: Lake, spark: SparkSession) -> None:
    lake.deliver(D1, event("plain"), event("no-end"), end="\n")
    path = lake.deliver(D1, event("crlf"), "", event("crlf-2"), " ", "oops", file="crlf.json", end="\r\n")
    spaced = json.dumps(event("carriage-return")).replace(", ", ",\r")
    lake.deliver(D1, event("gzip"), "", spaced, file="late.json.gz")
    lake.deliver_bytes(D1, b"\xef\xbb\xbf" + json.dumps(event("bom")).encode(), file="bom.json")
    lake.deliver_bytes(D1, b"\xef\xbb\xbf" + json.dumps(event("bom-gz")).encode(), file="bom.json.gz")
    lake.deliver_bytes(D1, b"", file="empty.json")
    lake.deliver(D1, event("nested"), file="hour=08/dt=x/part.json")
    lake.deliver(D1, event("name"), "bad", file="a b+c%20d[1]{x}*é.json")
    for hidden in ("_SUCCESS", ".part.json", "_temporary/x.json"):
        lake.deliver(D1, event("hidden"), file=hidden)
    books = lake.run(D1)
    assert sorted(key for _, key in lake.kept(spark)) == sorted(
        ["plain", "no-end", "crlf", "crlf-2", "gzip", "carriage-return", "bom", "bom-gz", "nested", "name"]
    )
    assert figures(books) == (12, 10, 0, 2)
    assert books["files"] == 1
    sources = {row["raw_line"]: row["source_file"] for row in lake.rows(spark, "quarantine")}
    assert sources == {
        "oops": f"file:{path}",
        "bad": f"file:{path.parent}/a b+c%20d[1]{{x}}*é.json",
    }


def test_a_source_below_the_prefix(lake: Lake, spark: SparkSession) -> None:
    folder = lake.root / f"raw/events/shop-a/dt={D1}"
    folder.mkdir(parents=True)
    (folder / "events.json").write_text(json.dumps(event("shop")))
    lake.deliver(D1, event("not-mine"))
    lake.run(D1, source_subprefix="shop-a/")
    assert lake.kept(spark) == [(D1, "shop")]


def test_many_files_become_one_and_rows_keep_their_order(lake: Lake, spark: SparkSession) -> None:
    for number in range(20):
        lake.deliver(D1, *(event(f"{number}-{n}") for n in range(20)), file=f"{number:02}.json")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "20000")
    spark.conf.set("spark.sql.files.openCostInBytes", "1")
    try:
        first, second = lake.run(D1), lake.run(D1, D1, "run-2")
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
        spark.conf.unset("spark.sql.files.openCostInBytes")
    assert (first["files"], figures(first)) == (1, (400, 400, 0, 0))
    assert same(first) == same(second)


def test_lines_across_splits_are_read_once_and_in_order(lake: Lake, spark: SparkSession) -> None:
    lines = [event(f"k{n % 300}", country=f"line {n}") for n in range(400)]
    lake.deliver(D1, *lines)
    spark.conf.set("spark.sql.files.maxPartitionBytes", "5000")
    try:
        books = lake.run(D1)
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert figures(books) == (400, 300, 100, 0)
    kept = {row["event_id"]: row["country"] for row in lake.rows(spark, "processed")}
    assert kept == {f"k{n}": f"line {n}" for n in range(300)}


def lines_scanned(event_log: Path, spark: SparkSession) -> int:
    """Lines that scans of text have put out since Spark was started, from Spark's own event log."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    (log,) = event_log.iterdir()
    accumulators: set[int] = set()
    total = 0

    def remember(plan: dict[str, Any]) -> None:
        if plan["nodeName"].startswith("Scan text"):
            accumulators.update(
                metric["accumulatorId"]
                for metric in plan["metrics"]
                if metric["name"] == "number of output rows"
            )
        for child in plan["children"]:
            remember(child)

    entries = [json.loads(text) for text in log.read_text().splitlines()]
    for entry in entries:
        if "sparkPlanInfo" in entry:
            remember(entry["sparkPlanInfo"])
    for entry in entries:
        if entry["Event"] == "SparkListenerTaskEnd":
            for update in entry["Task Info"]["Accumulables"]:
                if update["ID"] in accumulators:
                    total += int(update["Update"])
    return total


def test_each_line_of_the_input_is_read_once(lake: Lake, spark: SparkSession, event_log: Path) -> None:
    deliver_a_mixture(lake)
    lake.deliver(D1, *(event(f"e{n}") for n in range(500)), file="more.json")
    before = lines_scanned(event_log, spark)
    books = lake.run(D1, D2)
    blank = 1
    assert lines_scanned(event_log, spark) - before == books["read"] + blank == 513


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
    monkeypatch.setattr(transform_events, "MAX_ROWS", 11)
    with pytest.raises(TooManyRows, match=r"^12 rows in one run, at most 11: run fewer dates at a time$"):
        lake.run(D1, D2)
    assert lake.files("processed") + lake.files("quarantine") == []


def test_a_file_that_cannot_be_read_fails_the_run_with_the_cause(lake: Lake) -> None:
    whole = lake.deliver(D1, *(event(f"e{n}") for n in range(200)), file="cut.json.gz")
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(SparkFailed, match=r"^java\.io\.EOFException: Unexpected end of input stream$"):
        lake.run(D1)


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
