"""The job finds deliveries, and reads each of their lines once."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake, event
from etl.errors import InvalidDelivery
from pyspark.sql import SparkSession
from support import D1, D2, deliver_a_mixture, figures, same


def test_a_marker_is_a_delivery_without_rows(lake: Lake) -> None:
    lake.deliver_bytes(D1, b"", file="_SUCCESS")
    books = lake.run(D1)
    assert (books["outcome"], books["inputBytes"]) == ("EMPTY", 0)


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
    """Lines that scans of text and CSV have put out since Spark was started, from Spark's own event log."""
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    (log,) = event_log.iterdir()
    accumulators: set[int] = set()
    total = 0

    def remember(plan: dict[str, Any]) -> None:
        if plan["nodeName"].startswith(("Scan text", "Scan csv")):
            accumulators.update(
                metric["accumulatorId"]
                for metric in plan["metrics"]
                if metric["name"] == "number of output rows"
            )
        for child in plan["children"]:
            remember(child)

    # Plans hold characters of other formats that splitlines() takes for line ends.
    entries = [json.loads(text) for text in log.read_text("utf-8").split("\n") if text]
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


def test_files_that_cannot_be_unpacked_end_the_run_by_name(lake: Lake) -> None:
    lake.deliver(D1, event("whole"), file="whole.json.gz")
    lake.deliver(D1, event("plain"))
    cut = lake.deliver(D1, *(event(f"e{n}") for n in range(200)), file="a b+c%20d.json.gz")
    cut.write_bytes(cut.read_bytes()[:-40])
    other = lake.deliver(D2, event("whole"), file="other.json.gz")
    other.write_bytes(other.read_bytes() + b"more")
    with pytest.raises(InvalidDelivery) as failed:
        lake.run(D1, D2)
    first, second = str(failed.value).split("; ")
    assert first == (
        f"{cut}: its gzip cannot be unpacked to its end (it is cut: its end is missing): "
        "deliver it whole, with nothing after it"
    )
    assert second.startswith(f"{other}: its gzip cannot be unpacked to its end (Error -3 while decompressing")
