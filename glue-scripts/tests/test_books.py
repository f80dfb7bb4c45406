"""The books' shape: sums over dates, and no figure made from the others."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from etl.run.books import DateFigures, make_books, summarise, to_json

REASONS = ("malformed", "wrong_type")
FIRST = DateFigures(date(2010, 12, 1), 10, 6, 1, {"malformed": 2, "wrong_type": 1}, 100, 50, 1, 1)
SECOND = DateFigures(date(2010, 12, 2), 5, 0, 0, {"malformed": 5}, 40, 0, 0, 0)


QUALITY = {"verdict": "PASSED", "score": 100, "threshold": 80, "failed": ""}


def books(
    *dates: DateFigures,
    restated: tuple[DateFigures, ...] = (),
    is_refused: bool = False,
    rejected: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    return make_books(
        pipeline="events",
        run_id="r",
        first=date(2010, 12, 1),
        last=date(2010, 12, 2),
        reasons=REASONS,
        dates=dates,
        restated=restated,
        quality=QUALITY,
        drift="new: channel string",
        is_refused=is_refused,
        seconds=1.26,
        uri="s3://b/books.json",
        rejected=rejected,
    )


def test_the_summary_sums_the_dates() -> None:
    assert summarise(books(FIRST, SECOND)) == {
        "pipeline": "events",
        "runId": "r",
        "outcome": "SUCCEEDED",
        "fromDate": "2010-12-01",
        "toDate": "2010-12-02",
        "read": 15,
        "written": 6,
        "duplicates": 1,
        "quarantined": 8,
        "quarantinedByReason": {"malformed": 7, "wrong_type": 1},
        "inputBytes": 140,
        "outputBytes": 50,
        "partitions": 1,
        "files": 1,
        "restated": {"dates": [], "read": 0, "written": 0, "duplicates": 0, "quarantined": 0},
        "reasons": [],
        "quality": QUALITY,
        "drift": "new: channel string",
        "seconds": 1.3,
        "books": "s3://b/books.json",
    }


def test_restated_dates_are_summed_apart() -> None:
    with_both = books(FIRST, restated=(SECOND, FIRST))
    assert with_both["restated"] == {
        "dates": ["2010-12-02", "2010-12-01"],
        "read": 15,
        "written": 6,
        "duplicates": 1,
        "quarantined": 8,
    }
    assert with_both["restatedDates"] == [*books(SECOND)["dates"], *books(FIRST)["dates"]]
    without = books(FIRST)
    assert {name for name in without if without[name] != with_both[name]} == {"restated", "restatedDates"}


def test_what_was_restated_makes_no_run_less_empty() -> None:
    empty = DateFigures(date(2010, 12, 1), 0, 0, 0, {}, 3, 0, 0, 0)
    assert books(empty, restated=(SECOND,))["outcome"] == "EMPTY"


def test_each_date_has_every_reason() -> None:
    assert books(SECOND)["dates"] == [
        {
            "runDate": "2010-12-02",
            "read": 5,
            "written": 0,
            "duplicates": 0,
            "quarantined": 5,
            "quarantinedByReason": {"malformed": 5, "wrong_type": 0},
            "inputBytes": 40,
            "outputBytes": 0,
            "partitions": 0,
            "files": 0,
        }
    ]


def test_a_lost_row_stays_visible() -> None:
    lost = DateFigures(date(2010, 12, 1), 10, 8, 0, {"malformed": 1}, 100, 50, 1, 1)
    summary = summarise(books(lost))
    assert summary["read"] != summary["written"] + summary["duplicates"] + summary["quarantined"]


def test_no_rows_are_the_outcome_empty() -> None:
    empty = DateFigures(date(2010, 12, 1), 0, 0, 0, {}, 3, 0, 0, 0)
    assert books(empty)["outcome"] == "EMPTY"


def test_a_reason_that_the_contract_does_not_have_is_refused() -> None:
    stranger = DateFigures(date(2010, 12, 1), 1, 0, 0, {"bad": 1}, 3, 0, 0, 0)
    with pytest.raises(ValueError, match="no such reason in the contract: bad"):
        books(stranger)


def test_a_summary_stays_small() -> None:
    text = to_json(summarise(books(*[FIRST] * 400)))
    assert json.loads(text)["read"] == 4000
    assert len(text) < 1000


def test_a_summary_has_the_first_reasons_and_says_how_many_more_there_are() -> None:
    rejected = [
        {"reason": "wrong_type", "column": f"c{at}", "expected": "a number", "rows": 1} for at in range(23)
    ]
    whole = books(FIRST, rejected=rejected)
    assert whole["reasons"] == rejected
    assert "moreReasons" not in whole
    summary = summarise(whole)
    assert (summary["reasons"], summary["moreReasons"]) == (rejected[:20], 3)
    assert "moreReasons" not in summarise(books(FIRST, rejected=rejected[:20]))


def test_a_refused_run_says_so_whatever_it_read() -> None:
    assert books(FIRST, is_refused=True)["outcome"] == "REFUSED"
