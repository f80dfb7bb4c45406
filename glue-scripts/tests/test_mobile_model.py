"""The independent model of mobile-users, and what it finds in the sample: each reason, and each kind of drift
that the format has."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from conftest import PIPELINES
from mobile_model import (
    LOCAL,
    PLATFORMS,
    Expected,
    Line,
    Number,
    Rejected,
    daily_users,
    expect,
    find,
    make_row,
    parse,
    read_lines,
)

pytestmark = pytest.mark.once

SAMPLE = PIPELINES / "mobile-users" / "sample"
DAYS = [date(2025, 11, 20) + timedelta(days=number) for number in range(3)]
REASONS = (
    "malformed",
    "missing_message_id",
    "missing_type",
    "missing_user",
    "wrong_type",
    "invalid_timestamp",
)


@pytest.fixture(scope="module")
def expected() -> Expected:
    return expect(SAMPLE, DAYS)


@pytest.fixture(scope="module")
def good() -> list[tuple[Line, dict[str, Any]]]:
    """The lines of the sample that are not rejected, and their calls."""
    return [(line, parse(line.text)) for line in read_lines(SAMPLE, DAYS) if _is_good(line)]


def row_of(**others: Any) -> dict[str, Any]:
    call = {
        "messageId": "m",
        "type": "track",
        "userId": "u",
        "timestamp": "2025-11-21T07:59:59.999Z",
    } | others
    return make_row(Line(DAYS[1], "ios", "key", 1, json.dumps(call)))


def reason_of(**others: Any) -> str:
    with pytest.raises(Rejected) as rejected:
        row_of(**others)
    return str(rejected.value)


@pytest.mark.parametrize(
    ("others", "column", "value"),
    [
        ({}, "local_date", date(2025, 11, 20)),
        ({"timestamp": "2025-11-21T08:00:00Z"}, "local_date", date(2025, 11, 21)),
        (
            {"timestamp": "2025-11-21T10:00:00+02:00"},
            "event_timestamp",
            datetime(2025, 11, 21, 8, tzinfo=UTC),
        ),
        # In summer midnight is an hour earlier in UTC; the days of the changes have 23 and 25 hours.
        ({"timestamp": "2025-07-21T07:00:00Z"}, "local_date", date(2025, 7, 21)),
        ({"timestamp": "2026-03-08T08:00:00Z"}, "local_date", date(2026, 3, 8)),
        ({"timestamp": "2026-03-09T06:59:59.999Z"}, "local_date", date(2026, 3, 8)),
        ({"timestamp": "2025-11-02T07:00:00Z"}, "local_date", date(2025, 11, 2)),
        ({"timestamp": "2025-11-03T07:59:59.999Z"}, "local_date", date(2025, 11, 2)),
        ({"timestamp": "2024-03-01T07:59:59.999Z"}, "local_date", date(2024, 2, 29)),
        ({"event": " ", "name": "Home"}, "event_name", "Home"),
        ({"userId": 12}, "user_id", "12"),
        ({"context": {"os": {"version": 14}}}, "os_version", "14"),
        ({"properties": {"revenue": "12.50"}}, "revenue", Decimal("12.50")),
        ({"properties": {"revenue": 19.995}}, "revenue", Decimal("20.00")),
        ({"properties": {"revenue": -0.125}}, "revenue", Decimal("-0.13")),
        ({"properties": {"price": "7.125", "quantity": 3}}, "revenue", Decimal("21.38")),
        ({"properties": {"price": 2, "products": [{"quantity": 3}]}}, "revenue", None),
        ({"properties": {"price": 2, "products": [{"quantity": 3}]}}, "quantity", 3),
        ({"properties": {"products": [{"product_id": "a"}, {"product_id": "b"}]}}, "product_id", "a"),
        ({"properties": {"products": []}}, "product_id", None),
    ],
)
def test_a_call_becomes_a_row(others: dict[str, Any], column: str, value: object) -> None:
    assert row_of(**others)[column] == value


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"messageId": None, "type": "", "timestamp": 1}, "missing_message_id"),
        ({"type": " ", "userId": None}, "missing_type"),
        ({"userId": "", "context": {"os": {"name": []}}}, "missing_user"),
        ({"userId": {}, "timestamp": None}, "wrong_type"),
        ({"properties": {"quantity": 1.5}}, "wrong_type"),
        ({"properties": {"revenue": "twelve"}}, "wrong_type"),
        ({"properties": {"products": [{"quantity": True}]}}, "wrong_type"),
        ({"timestamp": 1763596800000}, "invalid_timestamp"),
        ({"timestamp": "2025-11-21T07:59:59"}, "invalid_timestamp"),
        ({"timestamp": "2025-02-30T07:59:59Z"}, "invalid_timestamp"),
        ({"receivedAt": "soon"}, "invalid_timestamp"),
    ],
)
def test_the_first_reason_counts(others: dict[str, Any], reason: str) -> None:
    assert reason_of(**others) == reason


def test_each_reason_is_in_the_sample_on_each_day_and_platform(expected: Expected) -> None:
    for day in DAYS:
        for platform in PLATFORMS:
            assert set(expected.books(str(day), platform)["quarantined"]) == set(REASONS), (day, platform)


def test_the_figures_of_the_sample_add_up(expected: Expected) -> None:
    for day in DAYS:
        books = expected.books(str(day))
        assert books["read"] == books["written"] + books["duplicates"] + sum(books["quarantined"].values())


def _has(path: str, *types: type) -> Callable[[dict[str, Any]], bool]:
    return lambda call: isinstance(find(call, path), types)


def _lacks(path: str) -> Callable[[dict[str, Any]], bool]:
    return lambda call: find(call, path) is None


DRIFTS: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], bool]]] = {
    "a new struct": (PLATFORMS, _has("context.campaign", dict)),
    "a new field of the call": (PLATFORMS, _has("projectId", str)),
    "a new field of a struct": (("android",), _has("context.device.foldable", bool)),
    "a build that is a text": (PLATFORMS, _has("context.app.build", str)),
    "a build that is a number": (PLATFORMS, _has("context.app.build", Number)),
    "a version that is a number": (("android",), _has("context.os.version", Number)),
    "a user that is a number": (PLATFORMS, _has("userId", Number)),
    "a revenue that is a text": (("android",), _has("properties.revenue", str)),
    "a price that is a text": (PLATFORMS, _has("properties.price", str)),
    "a quantity that is a text": (("android",), _has("properties.quantity", str)),
    "no network": (("android",), lambda call: _lacks("context.network")(call) and "context" in call),
    "no context": (PLATFORMS, _lacks("context")),
    "no properties": (PLATFORMS, lambda call: "properties" not in call),
    "properties that are null": (PLATFORMS, lambda call: call.get("properties", 0) is None),
    "properties that are empty": (PLATFORMS, lambda call: call.get("properties") == {}),
    "no reception": (PLATFORMS, _lacks("receivedAt")),
    "an offset": (PLATFORMS, lambda call: "+02:00" in str(call.get("timestamp"))),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_each_drift_is_in_the_sample(drift: str, good: list[tuple[Line, dict[str, Any]]]) -> None:
    platforms, shows = DRIFTS[drift]
    assert set(platforms) <= {line.platform for line, call in good if shows(call)}


def _is_good(line: Line) -> bool:
    try:
        make_row(line)
    except Rejected:
        return False
    return True


@pytest.mark.parametrize(("platform", "path"), [("android", "context.network"), ("ios", "context.device")])
def test_a_struct_is_missing_in_a_whole_file(
    platform: str, path: str, good: list[tuple[Line, dict[str, Any]]]
) -> None:
    of_files: dict[str, list[Any]] = {}
    for line, call in good:
        if line.platform == platform:
            of_files.setdefault(line.key, []).append(find(call, path))
    without = [key for key, values in of_files.items() if len(values) > 50 and not any(values)]
    assert len(without) == len(DAYS)


def test_messages_are_sent_again_in_another_file_on_another_day_and_through_the_other_source(
    good: list[tuple[Line, dict[str, Any]]],
) -> None:
    seen: dict[str, list[Line]] = {}
    for line, call in good:
        seen.setdefault(call["messageId"], []).append(line)
    again = [lines for lines in seen.values() if len(lines) > 1]
    assert any(len({(line.day, line.platform) for line in lines}) == 1 for lines in again)
    assert any(len({line.key for line in lines}) > 1 for lines in again)
    assert any(len({line.day for line in lines}) > 1 for lines in again)
    assert any(len({line.platform for line in lines}) > 1 for lines in again)


def test_calls_are_received_on_the_next_day_and_three_days_late(expected: Expected) -> None:
    def ages(platform: str) -> set[int]:
        rows = [row for row in expected.rows if row["platform"] == platform]
        return {(date.fromisoformat(row["run_date"]) - row["event_timestamp"].date()).days for row in rows}

    assert {0, 1, 3} <= ages("ios") & ages("android")


def test_the_ends_of_a_local_day_are_there(expected: Expected) -> None:
    times = {row["event_timestamp"].astimezone(LOCAL).time().isoformat() for row in expected.rows}
    assert {"23:59:59.999000", "00:00:00"} <= times


def test_files_are_empty_bare_and_without_a_line_end() -> None:
    packed = [path.read_bytes() for path in SAMPLE.glob("segment-logs/*/*/*")]
    texts = [gzip.decompress(one) for one in packed if one]
    assert b"" in packed
    assert b"" in texts
    assert any(b"\n" not in text for text in texts if text)
    assert any(text.count(b"\n") > 50 and not text.endswith(b"\n") for text in texts)


def test_who_is_on_both_platforms_counts_once() -> None:
    rows: list[dict[str, Any]] = [
        {"platform": "ios", "user_id": "a", "anonymous_id": "1", "local_date": DAYS[0]},
        {"platform": "android", "user_id": "a", "anonymous_id": "2", "local_date": DAYS[0]},
        {"platform": "android", "user_id": None, "anonymous_id": "2", "local_date": DAYS[0]},
        {"platform": "android", "user_id": " ", "anonymous_id": "2", "local_date": DAYS[1]},
    ]
    assert daily_users(rows) == [
        {"local_date": DAYS[0], "users": 2, "ios_users": 1, "android_users": 2, "both": 1, "events": 3},
        {"local_date": DAYS[1], "users": 1, "ios_users": 0, "android_users": 1, "both": 0, "events": 1},
    ]


def test_the_readme_has_the_figures_of_the_sample(expected: Expected) -> None:
    page = (SAMPLE.parent / "README.md").read_text("utf-8")
    books = [expected.books(str(day)) for day in DAYS]
    read, rows, again = (sum(one[name] for one in books) for name in ("read", "written", "duplicates"))
    figures = f"{read:,} calls: {rows:,} rows, {again} duplicates, {len(expected.rejected)} in the quarantine"
    assert figures in page
    for row in daily_users(expected.rows):
        cells = [f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()]
        assert "|".join(cells) in page.replace(" ", "")
