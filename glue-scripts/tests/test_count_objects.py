"""The function `count_objects`, on the pages that S3 answers."""

import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "functions" / "count_objects"))

import count_objects

pytestmark = pytest.mark.once


def found(key: str, size: int, day: int) -> dict[str, Any]:
    return {"Key": key, "Size": size, "LastModified": datetime(2026, 1, day, 4, 5, 6, tzinfo=UTC)}


class S3:
    """Answers the pages, and keeps what was asked."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self.pages = pages
        self.asked: list[dict[str, str]] = []

    def get_paginator(self, operation: str) -> "S3":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> tuple[dict[str, Any], ...]:
        self.asked.append(asked)
        return self.pages


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    def serve(*pages: dict[str, Any]) -> S3:
        s3 = S3(*pages)
        monkeypatch.setattr(count_objects, "_s3", lambda: s3)
        return s3

    return serve


def test_all_pages_are_counted_and_the_newest_object_is_named(answer: Any) -> None:
    s3 = answer(
        {"Contents": [found("events/a.json", 10, 2), found("events/b.json", 0, 3)]},
        {"Contents": [found("events/dt=1/c.json", 5, 1)]},
    )
    assert count_objects.handler({"bucket": "raw", "prefix": "events/"}, None) == {
        "count": 3,
        "bytes": 15,
        "newestKey": "events/b.json",
        "newestAt": "2026-01-03T04:05:06Z",
    }
    assert s3.asked == [{"Bucket": "raw", "Prefix": "events/"}]


def test_of_objects_of_one_second_the_last_key_is_the_newest(answer: Any) -> None:
    answer({"Contents": [found("b.json", 1, 1), found("a.json", 1, 1)]})
    assert count_objects.handler({"bucket": "raw", "prefix": ""}, None)["newestKey"] == "b.json"


@pytest.mark.parametrize(
    "keys",
    [[], ["events/"], ["events/_SUCCESS"], ["events/.part"], ["events/_SUCCESS", "events/day/"]],
)
def test_what_no_job_reads_is_not_a_delivery(answer: Any, keys: list[str]) -> None:
    answer({"Contents": [found(key, 1, 1) for key in keys]} if keys else {})
    with pytest.raises(count_objects.MissingDelivery, match=r"^no object below s3://raw/events/$"):
        count_objects.handler({"bucket": "raw", "prefix": "events/"}, None)


@pytest.mark.parametrize("key", ["_archive/a.json", "events/_old/a.json"])
def test_only_the_name_of_a_file_hides_it(answer: Any, key: str) -> None:
    answer({"Contents": [found(key, 1, 1)]})
    assert count_objects.handler({"bucket": "raw", "prefix": ""}, None)["count"] == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            {},
            "'bucket' must be the name of a bucket, got None; "
            "'prefix' must be \"\", or end in a slash and not begin with one, got None",
        ),
        ({"bucket": "", "prefix": ""}, "'bucket' must be the name of a bucket, got ''"),
        (
            {"bucket": "raw", "prefix": 7},
            "'prefix' must be \"\", or end in a slash and not begin with one, got 7",
        ),
        (
            {"bucket": "raw", "prefix": "/events/"},
            "'prefix' must be \"\", or end in a slash and not begin with one, got '/events/'",
        ),
        (
            {"bucket": "raw", "prefix": "events"},
            "'prefix' must be \"\", or end in a slash and not begin with one, got 'events'",
        ),
    ],
)
def test_a_wrong_input_is_refused_by_field_before_s3_is_asked(
    answer: Any, event: dict[str, Any], message: str
) -> None:
    s3 = answer()
    with pytest.raises(count_objects.InvalidInput) as refused:
        count_objects.handler(event, None)
    assert str(refused.value) == message
    assert s3.asked == []
