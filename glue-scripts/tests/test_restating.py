"""Later dates follow when an earlier one changes: the rule in examples, and what is never touched."""

import json
from dataclasses import dataclass, field

import pytest
from conftest import Lake, event
from etl import session
from etl.errors import TooManyRows
from etl.ingest import plan_run
from pyspark.sql import SparkSession
from restating import Keys, deliver, kept
from support import D1, D2, D3, balances, figures

pytestmark = pytest.mark.once


@dataclass(frozen=True)
class Case:
    """`first` is run as one back-fill, `then` as another; `ready` is delivered between them and not run."""

    first: Keys
    then: Keys
    kept: Keys
    restated: list[str]
    ready: Keys = field(default_factory=dict)


CASES = {
    "a late date takes its keys from later ones": Case(
        first={D2: "ab", D3: "acd"},
        then={D1: "a"},
        kept={D1: "a", D2: "b", D3: "cd"},
        restated=[D2, D3],
    ),
    "a date gains a key": Case(
        first={D1: "a", D2: "b!", D3: "c"},
        then={D1: "ab"},
        kept={D1: "ab", D3: "c"},
        restated=[D2],
    ),
    "a date loses a key": Case(
        first={D1: "ab", D2: "bc!", D3: "c"},
        then={D1: "a"},
        kept={D1: "a", D2: "bc"},
        restated=[D2],
    ),
    "a change goes on from window to window": Case(
        first={D1: "xa", "2010-12-07": "xb", "2010-12-13": "xc", "2010-12-14": "d"},
        then={D1: "a"},
        kept={D1: "a", "2010-12-07": "bx", "2010-12-13": "c", "2010-12-14": "d"},
        restated=["2010-12-07", "2010-12-13"],
    ),
    "the last date of the window follows and the next one does not": Case(
        first={"2010-12-08": "a", "2010-12-09": "b"},
        then={D1: "ab"},
        kept={D1: "ab", "2010-12-09": "b"},
        restated=["2010-12-08"],
    ),
    "a date whose only row was a duplicate": Case(
        first={D1: "a", D2: "a"},
        then={D1: "b"},
        kept={D1: "b", D2: "a"},
        restated=[D2],
    ),
    "an empty correction": Case(
        first={D1: "ab", D2: "ac"},
        then={D1: ""},
        kept={D2: "ac"},
        restated=[D2],
    ),
    "a later date that was never run": Case(
        first={D1: "a", D3: "a"},
        ready={D2: "a"},
        then={D1: "b"},
        kept={D1: "b", D3: "a"},
        restated=[D3],
    ),
    "a range of dates": Case(
        first={D1: "ab", D2: "bc", D3: "cd", "2010-12-04": "ad"},
        then={D1: "b", D3: "c"},
        kept={D1: "b", D2: "c", "2010-12-04": "ad"},
        restated=["2010-12-04"],
    ),
    "the same keys again": Case(
        first={D1: "ab", D2: "a"},
        then={D1: "ba"},
        kept={D1: "ab"},
        restated=[],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_later_dates_follow(lake: Lake, spark: SparkSession, name: str) -> None:
    case = CASES[name]
    deliver(lake, case.first)
    lake.run(min(case.first), max(case.first), "run-1")
    deliver(lake, case.ready)
    deliver(lake, case.then, "corrected")
    books = lake.run(min(case.then), max(case.then), "run-2")
    assert kept(lake, spark) == case.kept
    assert books["restated"]["dates"] == case.restated
    assert balances(books)
    by_date = lake.books_by_date()
    assert set(by_date) == {*case.first, *case.then}
    for day, book in by_date.items():
        assert (day, book["written"]) == (day, len(case.kept.get(day, "")))
        assert book["read"] == book["written"] + book["duplicates"] + book["quarantined"]


def test_the_books_tell_the_run_s_own_dates_from_the_restated_ones(lake: Lake, spark: SparkSession) -> None:
    deliver(lake, {D1: "ab", D2: "bc!", D3: "d"})
    lake.run(D1, D3, "run-1")
    before = lake.books_by_date()
    assert {(book["runId"], "restatedBy" in book) for book in before.values()} == {("run-1", False)}
    deliver(lake, {D1: ""})
    books = lake.run(D1, D1, "run-2")
    assert (books["outcome"], figures(books)) == ("EMPTY", (0, 0, 0, 0))
    assert books["restated"] == {
        "dates": [D2],
        "read": 3,
        "written": 2,
        "duplicates": 0,
        "quarantined": 1,
    }
    assert [entry["runDate"] for entry in books["dates"]] == [D1]
    (restated,) = books["restatedDates"]
    assert (restated["runDate"], figures(restated)) == (D2, (3, 2, 0, 1))
    assert restated["quarantinedByReason"]["missing_event_id"] == 1
    assert lake.books(name="summary", run_id="run-2") == {
        name: value for name, value in books.items() if name not in ("dates", "restatedDates")
    }
    after = lake.books_by_date()
    assert set(after) == {D1, D2, D3}
    assert after[D1].items() >= {"runId": "run-2", **books["dates"][0]}.items()
    assert "restatedBy" not in after[D1]
    assert after[D2].items() >= {"runId": "run-2", "restatedBy": "run-2", **restated}.items()
    assert after[D3] == before[D3]
    assert [row["run_id"] for row in lake.rows(spark, "quarantine")] == ["run-2"]


def test_a_delivery_that_no_run_has_judged_is_left_to_its_own_run(
    lake: Lake, spark: SparkSession, capfd: pytest.CaptureFixture[str]
) -> None:
    deliver(lake, {D1: "a", D2: "ab", D3: "bc"})
    lake.run(D1, D3, "run-1")
    deliver(lake, {D1: "z", D2: "ca"}, "not run yet")
    books = lake.run(D1, D1, "run-2")
    assert books["restated"]["dates"] == []
    assert kept(lake, spark) == {D1: "z", D2: "b", D3: "c"}
    reason = "its delivery has changed since, and needs a run of its own"
    assert f"{D2} was not checked for a restatement: {reason}" in capfd.readouterr().out
    books = lake.run(D2, D2, "run-3")
    assert books["restated"]["dates"] == [D3]
    assert kept(lake, spark) == {D1: "z", D2: "ac", D3: "b"}


def test_a_delivery_that_has_gone_stays_as_it_was_made(
    lake: Lake, spark: SparkSession, capfd: pytest.CaptureFixture[str]
) -> None:
    deliver(lake, {D1: "a", D2: "ab", D3: "ac"})
    lake.run(D1, D3, "run-1")
    deliver(lake, {D1: "z"})
    (lake.root / f"raw/events/dt={D2}/events.json").unlink()
    assert lake.run(D1, D1, "run-2")["restated"]["dates"] == [D3]
    assert kept(lake, spark) == {D1: "z", D2: "b", D3: "ac"}
    assert f"{D2} was not checked for a restatement" in capfd.readouterr().out


def test_a_date_is_restated_from_where_it_was_made(lake: Lake, spark: SparkSession) -> None:
    deliver(lake, {D1: "a", D2: "ab", D3: "ac"})
    lake.run(D1, D3, "run-1")
    for day, key in ((D1, "z"), (D2, "y")):
        path = lake.root / f"raw/events/shop/dt={day}/events.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(event(key)))
    # Else the shop's rows would replace all others of the second.
    books = lake.run(D1, D1, "run-2", source_subprefix="shop/")
    assert books["restated"]["dates"] == [D2, D3]
    assert kept(lake, spark) == {D1: "z", D2: "ab", D3: "c"}


def test_more_rows_than_a_state_machine_counts_are_not_restated(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(lake, {D1: "a", D2: "abcd"})
    lake.run(D1, D2, "run-1")
    deliver(lake, {D1: "bc"})
    monkeypatch.setattr(plan_run, "MAX_ROWS", 3)
    with pytest.raises(TooManyRows, match=r"^4 rows in the later dates that it changes, at most 3: correct "):
        lake.run(D1, D1, "run-2")
    assert kept(lake, spark) == {D1: "a", D2: "bcd"}


def test_a_run_that_is_called_by_date_does_no_harm(lake: Lake, spark: SparkSession) -> None:
    deliver(lake, {D1: "a", D2: "ab"})
    lake.run(D1, D2, "by-date")
    deliver(lake, {D1: "b"})
    assert lake.run(D1, D1, "by-date")["restated"]["dates"] == [D2]
    assert kept(lake, spark) == {D1: "b", D2: "a"}
    assert set(lake.books_by_date()) == {D1, D2, "books", "files", "summary"}


def test_the_ordinary_run_costs_a_listing_and_no_more(lake: Lake, spark: SparkSession) -> None:
    deliver(lake, {D1: "a", D2: "ab", D3: "ac!"})
    lake.run(D1, D2, "run-1")

    def jobs_of_a_run(run_id: str) -> int:
        # A group of its own: of all others Spark forgets jobs when there are too many.
        spark.sparkContext.setJobGroup(run_id, run_id)
        try:
            lake.run(D3, D3, run_id)
        finally:
            spark.sparkContext.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
        return len(spark.sparkContext.statusTracker().getJobIdsForGroup(run_id))

    ordinary = jobs_of_a_run("run-2")
    # Without a book nothing was processed, so that there is nothing to be compared.
    for path in (lake.root / "processed/books/events/by-date").glob("*.json"):
        path.unlink()
    assert jobs_of_a_run("run-3") == ordinary


def test_a_small_delivery_to_a_large_table_is_not_a_small_run(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "OPTIMISED_FROM_BYTES", 1000)
    deliver(lake, {D1: "a", D2: "ab"})
    optimised = []
    for day in (D1, D2):
        lake.run(day, day, f"run-{day}")
        optimised.append(spark.conf.get("spark.sql.adaptive.enabled"))
    assert optimised == ["false", "true"]
    assert kept(lake, spark) == {D1: "a", D2: "b"}
