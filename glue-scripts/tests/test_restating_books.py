"""The books by date and the note beside them: what is found again, and what is then in doubt."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import CONTRACT
from etl import clients, io
from etl.ingest.by_date import (
    History,
    ProcessedDeliveries,
    put_book,
    put_note,
    read_history,
    remove_note,
)
from etl.ingest.deliveries import Delivery, list_deliveries
from plans import contract_of_text
from support import only_source

SOURCES = only_source(contract_of_text(CONTRACT.read_text()))
NAMES = [
    "2010-11-30.json",
    "2010-12-01.json",
    "2010-12-02.json",
    "2010-12-02.json.bak",
    "books.json",
    "unfinished.json",
]


def day(number: int) -> date:
    return date(2010, 11, 30) + timedelta(number)


class Bucket:
    """The calls of S3 that `list_names` uses, in pages of two keys."""

    def __init__(self, *keys: str) -> None:
        self.keys = sorted(keys)

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert asked["Bucket"] == "b"
        keys = [key for key in self.keys if key.startswith(asked["Prefix"]) and key > asked["StartAfter"]]
        for index in range(0, len(keys), 2):
            yield {"Contents": [{"Key": key} for key in keys[index : index + 2]]}
        yield {}


@pytest.fixture(params=["s3", "directory"])
def location(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "s3":
        others = ("books/events/a-run/2010-12-05.json", "books/events/by-dates/2010-12-06.json")
        bucket = Bucket(*(f"books/events/by-date/{name}" for name in NAMES), *others)
        monkeypatch.setitem(clients._clients, "s3", bucket)
        return "s3://b/books/events/by-date/"
    for name in NAMES:
        (tmp_path / name).write_text("{}")
    (tmp_path / "2010-12-07.json").mkdir()
    return f"{tmp_path}/"


def test_names_from_the_first_on(location: str) -> None:
    assert io.list_names(location, "2010-12-01") == NAMES[1:]
    assert io.list_names(location, "v") == []


def test_a_missing_place_has_no_names(tmp_path: Path) -> None:
    assert io.list_names(f"{tmp_path}/nothing/", "2010-12-01") == []


def test_dates_look_back_on_the_dates_before_them() -> None:
    history = History(frozenset({day(1), day(3), day(8), day(9), day(20)}), frozenset())
    assert history.reach([day(1)], 7) == {day(3), day(8)}
    assert history.reach([day(1), day(2)], 7) == {day(3), day(8), day(9)}
    assert history.reach([day(1)], 0) == set()
    assert history.reach([], 7) == set()
    assert history.doubtful(7) == set()


def test_in_doubt_are_the_unfinished_dates_and_all_that_look_back_on_them() -> None:
    history = History(frozenset({day(1), day(2), day(4), day(20)}), frozenset({day(2), day(3)}))
    # Day 3 was never processed, so only a run of its own may publish it.
    assert history.doubtful(7) == {day(2), day(4)}
    assert history.doubtful(0) == {day(2)}


def test_the_next_run_finds_a_note(tmp_path: Path) -> None:
    books = f"{tmp_path}/"
    for number in (1, 2, 5):
        put_book(books, "r", Delivery(day(number), "raw/", ()), {}, is_restated=False)
    assert read_history(books, day(2)) == History(frozenset({day(2), day(5)}), frozenset())
    put_note(books, "r", {day(1), day(3)})
    assert read_history(books, day(4)) == History(
        frozenset({day(1), day(2), day(5)}), frozenset({day(1), day(3)})
    )
    remove_note(books)
    remove_note(books)
    assert read_history(books, day(4)) == History(frozenset({day(5)}), frozenset())


def test_a_delivery_is_found_again_unless_it_has_changed_or_gone(tmp_path: Path) -> None:
    books, source = f"{tmp_path}/books/", f"{tmp_path}/raw/"
    for number in (1, 2, 3, 4):
        path = tmp_path / f"raw/dt={day(number)}/a.json"
        path.parent.mkdir(parents=True)
        path.write_text("12345")
    made_from = list_deliveries(source, SOURCES, [day(number) for number in (1, 2, 3, 4)])
    for delivery in made_from.values():
        put_book(books, "r", delivery, {}, is_restated=False)
    (tmp_path / f"raw/dt={day(1)}/_SUCCESS").write_text("nobody reads this")
    (tmp_path / f"raw/dt={day(2)}/a.json").write_text("123456")
    (tmp_path / f"raw/dt={day(3)}/b.json").write_text("")
    (tmp_path / f"raw/dt={day(4)}/a.json").unlink()
    processed = ProcessedDeliveries(books, SOURCES)
    assert set(processed.find({day(1), day(2), day(3), day(4)})) == {day(1)}
    changed = "its delivery has changed since, and needs a run of its own"
    gone = "its delivery is gone"
    assert processed.passed_over == {day(2): changed, day(3): changed, day(4): gone}
