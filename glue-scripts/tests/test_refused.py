"""A run that quality rules refuse publishes nothing, and keeps its rejected rows to be looked at."""

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Lake, event
from etl.errors import LockLost
from etl.ingest.contract import JSON_LINES, Format
from etl.ingest.line_numbers import find_lines
from etl.io import StoredObject
from etl.run import lock
from icebergs import IcebergLake
from pyspark.sql import SparkSession
from restating import Killed, killed_before, killed_in_its_write
from support import D1, D2, D3, balances, figures

BAD = {"items": [{"product_id": "a", "quantity": "six", "unit_price": 1.5}]}
PLACES = {"refused_database": "etl_dev_quarantine", "refused_table": "events_refused", "workgroup": "etl-dev"}


def strict(lake: Lake) -> dict[str, str]:
    """Rules that refuse a run of which more than a fifth of the rows have a wrong type, and a place for its
    rows."""
    rules = lake.root / "strict.quality.json"
    limit = {"type": "quarantineLimit", "reason": "wrong_type", "atMost": 0.2, "action": "halt"}
    rules.write_text(json.dumps({"threshold": 0, "rules": [{"name": "few_wrong_types", **limit}]}))
    refused = {"refused_bucket": str(lake.root / "refused"), "refused_prefix": "events/"}
    return {"quality": str(rules), **refused}


@dataclass(frozen=True)
class StrictLake(Lake):
    def arguments(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> list[str]:
        return Lake.arguments(self, first, last, run_id, **strict(self) | others)

    def refused(self, spark: SparkSession) -> list[tuple[str, str, str, str]]:
        """Date, key, reason and run of each row that is kept."""
        return sorted(
            (row["run_date"], json.loads(row["raw_line"])["event_id"], row["reason"], row["run_id"])
            for row in self.rows(spark, "refused")
        )

    def everything_else(self) -> dict[str, bytes]:
        """All files but those of refused rows and the books of runs."""
        folders = (self.root / "processed" / "events", self.root / "quarantine")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        by_date = (self.root / "processed" / "books" / "events" / "by-date").glob("*")
        return {str(path): path.read_bytes() for path in [*files, *by_date]}


def wrong(key: str, **others: object) -> dict[str, Any]:
    return event(key, **(BAD | others))


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession) -> StrictLake:
    return StrictLake(tmp_path)


def test_a_refused_run_keeps_its_rejected_rows_and_changes_nothing_else(
    lake: StrictLake, spark: SparkSession
) -> None:
    lake.deliver(D1, event("a"), wrong("b"), *(event(str(at)) for at in range(8)))
    lake.run(D1, run_id="before")
    before = lake.everything_else()
    assert len(lake.rows(spark, "quarantine")) == 1
    lake.deliver(D1, "", event("a"), wrong("w"), event("x", country={}), event(None), wrong("v", country=[]))
    lake.deliver(D2, event("c"))
    books = lake.run(D1, D2, run_id="refused")
    assert books["outcome"] == "REFUSED"
    assert balances(books) is False
    assert figures(books) == (6, 0, 0, 4)
    assert lake.everything_else() == before
    rows = lake.rows(spark, "refused")
    columns = ["raw_line", "reason", "source_file", "run_id", "reason_values", "run_date"]
    assert rows[0].__fields__ == columns
    # In the order of the delivery.
    assert [(row["run_date"], row["reason"], sorted(row["reason_values"])) for row in rows] == [
        (D1, "wrong_type", ["items[].quantity"]),
        (D1, "wrong_type", ["country"]),
        (D1, "missing_event_id", ["event_id"]),
        (D1, "wrong_type", ["country", "items[].quantity"]),
    ]
    assert {row["run_id"] for row in rows} == {"refused"}
    file = f"{lake.root}/raw/events/dt={D1}/events.json"
    place, short = {"file": file}, f"dt={D1}/events.json"
    assert books["reasons"] == [
        {"reason": "missing_event_id", "column": "event_id", "expected": "a value", "rows": 1}
        | {**place, "line": 5},
        {"reason": "wrong_type", "column": "country", "expected": "a string", "rows": 2}
        | {**place, "line": 4},
        {"reason": "wrong_type", "column": "items[].quantity", "expected": "an integer", "rows": 2}
        | {**place, "line": 3},
    ]
    assert books["refused"] == {
        "text": (
            f"the 6 rows read for {D1} to {D2} fail their rules (score 0, at least 0): few_wrong_types: "
            "3 of 6 rows are wrong_type (50 %, at most 20 %). Nothing was published, and what earlier runs "
            "published is as it was. Why rows were rejected: missing_event_id: event_id is missing in 1 row "
            f"(first in {short} line 5); wrong_type: country is not a string in 2 rows (first in "
            f"{short} line 4), items[].quantity is not an integer in 2 rows (first in {short} line 3). "
            "Correct the delivery or the rules, then run the dates again. The 4 rejected rows are kept until "
            f"the dates are run again, as Parquet below {lake.root}/refused/events/"
        ),
        "cause": (
            f"the 6 rows read for {D1} to {D2} fail their rules (score 0, at least 0): few_wrong_types: "
            "3 of 6 rows are wrong_type (50 %, at most 20 %)."
        ),
        "rows": 4,
        "table": "",
        "location": f"{lake.root}/refused/events/",
        "days": 0,
        "query": "",
    }
    assert lake.books("refused", "summary")["refused"] == books["refused"]


def test_the_message_gives_the_query_and_values_only_where_they_may_be_shown(
    lake: StrictLake, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    lake.deliver(D1, wrong("w", country={"secret": "1815"}))
    quiet = lake.run(D1, **PLACES, refused_days="30")
    columns = "reason, reason_values, source_file, raw_line"
    rows = f"etl_dev_quarantine.events_refused where run_date = '{D1}' and run_id = 'run-1'"
    query = f"select {columns} from {rows} limit 100"  # noqa: S608
    assert quiet["refused"]["query"] == query
    assert quiet["refused"]["days"] == 30
    assert quiet["refused"]["text"].endswith(
        "The 1 rejected row is kept for 30 days, or until the dates are run again. "
        f"To see them, ask Athena (workgroup etl-dev): {query}"
    )
    assert "1815" not in json.dumps(quiet) + capsys.readouterr().out
    told = lake.run(D1, **PLACES, show_values="true")
    assert 'line 1: \'{"secret":"1815"}\')' in told["refused"]["text"]
    assert told["reasons"][0]["value"] == '{"secret":"1815"}'


def test_running_twice_changes_nothing_and_another_delivery_replaces_its_own_dates(
    lake: StrictLake, spark: SparkSession
) -> None:
    for day in (D1, D2, D3):
        lake.deliver(day, wrong(f"{day}-a"), wrong(f"{day}-b"))
    first = lake.run(D1, D3)
    rows = lake.refused(spark)
    assert len(rows) == 6
    again = lake.run(D1, D3)
    assert lake.refused(spark) == rows
    of_a_run = ("seconds",)
    assert {name: again[name] for name in again if name not in of_a_run} == {
        name: first[name] for name in first if name not in of_a_run
    }
    lake.deliver(D1, event("good"))
    lake.deliver(D2, wrong("new"))
    lake.run(D1, D2, run_id="run-2")
    # The 1st has no rejected row any more, the 3rd was not run again.
    assert lake.refused(spark) == [
        (D2, "new", "wrong_type", "run-2"),
        *(row for row in rows if row[0] == D3),
    ]


def test_a_date_that_is_published_or_empty_is_answered(lake: StrictLake, spark: SparkSession) -> None:
    for day in (D1, D2, D3):
        lake.deliver(day, wrong(f"{day}-a"))
    lake.run(D1, D3)
    lake.deliver(D1, event("a"))
    lake.deliver(D2)
    for day, outcome in ((D1, "SUCCEEDED"), (D2, "EMPTY")):
        assert lake.run(day, run_id=outcome)["outcome"] == outcome
    assert lake.refused(spark) == [(D3, f"{D3}-a", "wrong_type", "run-1")]


def test_dates_that_would_be_restated_keep_no_evidence(lake: StrictLake, spark: SparkSession) -> None:
    lake.deliver(D1, event("a"))
    lake.deliver(D2, wrong("w"), *(event(key) for key in "bcdef"))
    lake.run(D1, D2, run_id="before")
    before = lake.everything_else()
    # The late keys are the 2nd's, which would lose them; but the 1st is refused.
    lake.deliver(D1, event("b"), event("c"), wrong("v"), wrong("u"))
    books = lake.run(D1, run_id="late")
    assert (books["outcome"], books["restatedDates"]) == ("REFUSED", [])
    assert [row[:2] for row in lake.refused(spark)] == [(D1, "u"), (D1, "v")]
    assert lake.everything_else() == before


@pytest.mark.once
@pytest.mark.parametrize("mode", ["rebuild", pytest.param("merge", marks=pytest.mark.long), "append"])
def test_a_table_of_iceberg_is_left_alone_too(tmp_path: Path, spark: SparkSession, mode: str) -> None:
    lake = IcebergLake(tmp_path, mode=mode)
    refusing = strict(lake)
    lake.deliver(D1, event("a"))
    lake.run(D1, run_id="before", **refusing)
    rows = sorted(map(str, lake.rows(spark, "processed")))
    lake.deliver(D2, event("b"), wrong("w"))
    assert lake.run(D2, run_id="refused", **refusing)["outcome"] == "REFUSED"
    assert sorted(map(str, lake.rows(spark, "processed"))) == rows
    assert [row["run_id"] for row in spark.read.parquet(f"{lake.root}/refused/events").collect()] == [
        "refused"
    ]
    lake.deliver(D2, event("b"))
    lake.run(D2, run_id="published", **refusing)
    assert lake.files("refused") == []
    assert len(lake.rows(spark, "processed")) == 2


def test_rules_over_good_rows_name_no_empty_table(lake: StrictLake, spark: SparkSession) -> None:
    rules = lake.root / "others.quality.json"
    named: dict[str, dict[str, Any]] = {
        "countries_are_there": {"type": "completeness", "column": "country", "atLeast": 0.9},
        "known": {"type": "allowedValues", "column": "event_type", "values": ["click"], "atLeast": 0.5},
        "one_each": {"type": "uniqueness", "columns": ["user_id", "event_type"], "atLeast": 1},
        "plausible": {"type": "customSql", "expression": "user_id <> '17850'", "atLeast": 0.001},
        "enough": {"type": "rowCount", "atLeast": 10, "atMost": 20},
        "recent": {"type": "freshness", "column": "event_timestamp", "atMostHours": 5},
        "a_hint": {"type": "rowCount", "atLeast": 11, "action": "warn"},
    }
    texts = [{"name": name, "action": "halt", **rule} for name, rule in named.items()]
    rules.write_text(json.dumps({"threshold": 0, "rules": texts}))
    lake.deliver(D1, event("a"), event("b", country=None), event("c", country=None))
    books = lake.run(D1, quality=str(rules), **PLACES)
    assert list(books["refused"]) == ["text", "cause"]
    assert books["refused"]["text"] == (
        f"the 3 rows read for {D1} fail their rules (score 0, at least 0): "
        "countries_are_there: 1 of 3 rows have country (33.33 %, at least 90 %); "
        "known: 0 of 3 rows have an allowed event_type (0 %, at least 50 %); "
        "one_each: 1 of 3 rows are distinct by user_id, event_type (33.33 %, at least 100 %); "
        "plausible: 0 of 3 rows meet its condition (0 %, at least 0.1 %); "
        "enough: 3 rows to be published (at least 10, at most 20); "
        f"recent: the newest event_timestamp is more than 5 hours before the end of {D1} (UTC). "
        "Nothing was published, and what earlier runs published is as it was. "
        "No row was rejected by itself: the rules are about the delivery as a whole. "
        "Correct the delivery or the rules, then run the dates again."
    )
    assert (books["reasons"], lake.files("refused")) == ([], [])


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Path:
    """A lake with evidence of two dates, whose deliveries have changed since."""
    lake = StrictLake(tmp_path_factory.mktemp("before"))
    for day in (D1, D2):
        lake.deliver(day, wrong(f"{day}-old"), wrong(f"{day}-older"))
    lake.run(D1, D2, run_id="old")
    lake.deliver(D1, wrong("new"))
    lake.deliver(D2, event("good"), wrong("newer"))
    return lake.root


STEPS = [
    "delete",  # what a killed write left
    "write_partitions",
    "delete",  # dates without a rejected row any more
    *("write_text", "write_text"),  # the books, their summary
]


@pytest.mark.once
@pytest.mark.parametrize(
    "step", [pytest.param(one, marks=() if one == 1 else pytest.mark.long) for one in range(len(STEPS))]
)
def test_killed_at_any_step_and_run_again(
    before: Path, tmp_path: Path, spark: SparkSession, step: int
) -> None:
    undisturbed = StrictLake(shutil.copytree(before, tmp_path / "undisturbed"))
    with killed_before(len(STEPS)) as begun:
        undisturbed.run(D1, D2)
    assert begun == STEPS
    wanted = undisturbed.refused(spark)
    assert wanted == [(D1, "new", "wrong_type", "run-1"), (D2, "newer", "wrong_type", "run-1")]
    lake = StrictLake(shutil.copytree(before, tmp_path / "killed"))
    with killed_before(step), pytest.raises(Killed):
        lake.run(D1, D2)
    lake.run(D1, D2)
    assert lake.refused(spark) == wanted


@pytest.mark.once
def test_killed_in_the_write_and_then_published(before: Path, tmp_path: Path, spark: SparkSession) -> None:
    lake = StrictLake(shutil.copytree(before, tmp_path / "lake"))
    leftover = lake.root / "refused" / "events" / ".spark-staging-x" / "part"
    with killed_in_its_write(lake, "refused", [D1], [D2]), pytest.raises(Killed):
        lake.run(D1, D2)
    leftover.parent.mkdir()
    leftover.write_text("half")
    lake.deliver(D1, event("a"))
    lake.deliver(D2, event("b"))
    lake.run(D1, D2)
    assert [path for path in (lake.root / "refused").rglob("*") if path.is_file()] == []
    assert lake.kept(spark) == [(D1, "a"), (D2, "b")]


def test_a_run_that_has_lost_its_lock_keeps_no_evidence(
    lake: StrictLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise LockLost("pipeline events is owned by another")

    monkeypatch.setattr(lock, "take_lock", lost)
    owner = {"lock_table": "locks", "lock_owner": "arn:aws:states:us-east-1:000000000000:execution:a:b"}
    lake.deliver(D1, wrong("w"))
    with pytest.raises(LockLost):
        lake.run(D1, **owner)
    assert not (lake.root / "refused").exists()
    assert not (lake.root / "processed").exists()


def stored(file: Path) -> StoredObject:
    return StoredObject(str(file), file.name, file.stat().st_size)


def test_a_line_is_found_again_in_its_file(tmp_path: Path) -> None:
    lines = ["\ufeff{}", "", " two", "  two\r", "x,y", "caf\udce9", "two"]
    plain, packed = tmp_path / "a.json", tmp_path / "b.json.gz"
    content = "\n".join(lines).encode("utf-8", "surrogateescape")
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    wanted = {"{}": 1, "two": 3, "x,y": 5, "caf\ufffd": 6}
    for file in (plain, packed):
        assert find_lines(stored(file), [*wanted, "elsewhere"], JSON_LINES, 1000) == wanted
    # In CSV a space is a part of the text, and the first line that is not blank is the header.
    csv = Format("csv")
    assert find_lines(stored(plain), ["{}", "two", "  two"], csv, 1000) == {"  two": 4, "two": 7}
    assert find_lines(stored(plain), ["{}", "caf\ufffd"], JSON_LINES, 15) == {"{}": 1}
    assert find_lines(StoredObject(str(tmp_path / "gone"), "gone", 2), ["{}"], JSON_LINES, 1000) == {}
