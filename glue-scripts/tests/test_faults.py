"""The faults of the table (`__tests__/faults/fault-table.json`) that the job alone can show."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import CONTRACT, QUALITY, Lake, event
from etl import io
from etl.errors import JobError
from etl.ingest import judge_run
from pyspark.sql import SparkSession
from support import D1, D2, balances, figures

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent.parent
TABLE = ROOT / "__tests__" / "faults" / "fault-table.json"
KEPT = ROOT / ".local" / "test" / "faults" / "pytest.json"
FAULTS = {row["id"]: row for row in json.loads(TABLE.read_text()) if "pytest" in row["runners"]}

HUGE = 200 * 1024 * 1024  # characters


@dataclass
class Seen:
    """The end of a run, and the place of its rows."""

    error: str
    rows: str


Script = Callable[[Lake, SparkSession, pytest.MonkeyPatch], Seen]


def attempt(lake: Lake, day: str, **others: str) -> str:
    """The error that ends the run as it is printed, "" for none."""
    try:
        lake.run(day, **others)
    except JobError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def unchanged(lake: Lake, day: str, then: Callable[[], None] = lambda: None, **others: str) -> Seen:
    """Runs a date in a lake that holds another one already; `then` is done before it."""
    lake.deliver(D2, event("earlier"))
    lake.run(D2, run_id="earlier")
    then()
    before = contents(lake)
    error = attempt(lake, day, **others)
    after = {name: text for name, text in contents(lake).items() if "/books/" not in name}
    is_same = after == {name: text for name, text in before.items() if "/books/" not in name}
    return Seen(error, "none changed" if is_same else f"changed: {sorted(set(after) ^ set(before))}")


def contents(lake: Lake) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for zone in ("processed", "quarantine")
        for path in (lake.root / zone).rglob("*")
        if path.is_file()
    }


def delivery_missing(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    return unchanged(lake, D1)


def delivery_empty(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    lake.deliver(D1, event("a"), "broken {")
    lake.run(D1)
    lake.deliver(D1)
    error = attempt(lake, D1, run_id="empty")
    books = lake.books("empty")
    is_gone = lake.dates("processed") == lake.dates("quarantine") == []
    right = books["outcome"] == "EMPTY" and figures(books) == (0, 0, 0, 0) and is_gone
    return Seen(error, "0 read, the date's earlier rows removed" if right else str(books))


def gate_below_threshold(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    lake.deliver(D1, *(event(str(number)) for number in range(9)), "broken {")
    seen = unchanged(lake, D1, quality=str(QUALITY))
    books = lake.books()
    read = books["outcome"] == "REFUSED" and figures(books) == (10, 0, 0, 1)
    failed = "few_malformed: 1 of 10" in books["quality"]["failed"]
    right = read and failed and seen.rows == "none changed"
    # The books refuse the rows, and the state machine fails the execution for it.
    return Seen(seen.error, "read, none written" if right else f"{seen.rows}, {books}")


def file_deleted_while_reading(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    path = lake.deliver(D1, event("a"))
    listed = io.list_dates

    def then_deleted(location: str, *others: Any) -> Any:
        found = listed(location, *others)
        if location.endswith("raw/events/"):
            path.unlink(missing_ok=True)
        return found

    lake.deliver(D1, event("b"), file="other.json")
    return unchanged(lake, D1, lambda: monkeypatch.setattr(io, "list_dates", then_deleted))


def thousand_small_files(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    for number in range(1000):
        lake.deliver(D1, event(str(number)), file=f"part-{number:04}.json")
    error = attempt(lake, D1)
    books = lake.books()
    right = figures(books) == (1000, 1000, 0, 0) and books["files"] == 1 and balances(books)
    return Seen(error, "1,000 read, 1,000 written in one file" if right else str(books))


def huge_line(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    lake.deliver(D1, event("a"), "x" * HUGE)
    error = attempt(lake, D1)
    books = lake.books()
    right = figures(books) == (2, 1, 0, 1) and books["quarantinedByReason"]["malformed"] == 1
    return Seen(error, "2 read: 1 written, 1 quarantined" if right else str(books))


def drift_refused(lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Seen:
    contract = json.loads(CONTRACT.read_text())
    contract["x-etl"]["onDrift"] = "fail"
    strict = lake.root / "strict.schema.json"
    strict.write_text(json.dumps(contract))
    columns = [("event_id", "string"), ("user_id", "string"), ("event_type", "string")]
    rest = [("timestamp", "string"), ("country", "string"), ("channel", "string")]
    items = [("items", "array<struct<product_id:string,quantity:int,unit_price:double>>")]
    monkeypatch.setattr(judge_run, "table_columns", lambda *_: [*columns, *rest, *items])
    lake.deliver(D1, event("a"))
    source = {"source_database": "raw", "source_table": "events"}
    return unchanged(lake, D1, lambda: None, contract=str(strict), **source)


SCRIPTS: dict[str, Script] = {
    name.replace("_", "-"): script
    for name, script in globals().items()
    if callable(script) and name.replace("_", "-") in FAULTS
}


@pytest.fixture(scope="module")
def kept() -> Iterator[list[dict[str, Any]]]:
    """Writes the findings where `npm test` reads them."""
    seen: list[dict[str, Any]] = []
    yield seen
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_text(json.dumps(seen))


def test_every_fault_of_this_runner_has_a_script() -> None:
    assert sorted(SCRIPTS) == sorted(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(
    fault: str,
    lake: Lake,
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    kept: list[dict[str, Any]],
) -> None:
    row = FAULTS[fault]
    seen = SCRIPTS[fault](lake, spark, monkeypatch)
    # A job that fails by its books ends well; the runners of the state machine show the rest.
    fails = row["status"] == "FAILED" and row["error"] == "States.TaskFailed"
    is_told = row["cause"] in seen.error if fails else seen.error == ""
    kept.append({"id": fault, "runner": "pytest", "passed": is_told and seen.rows == row["rows"]})
    shutil.rmtree(lake.root / "raw", ignore_errors=True)
    assert (seen.rows, is_told, seen.error) == (row["rows"], True, seen.error)
