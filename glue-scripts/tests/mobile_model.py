"""The rows that mobile-users must make of files, in plain Python, written from the format and not from the
job: the rows of `mobile_users`, what is rejected and why, duplicates, books by source, and
`mobile_daily_users`. Numbers are read as they are written."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PLATFORMS = ("android", "ios")  # in the order of their object keys
LOOKBACK = timedelta(days=7)
LOCAL = ZoneInfo("America/Los_Angeles")
CENT = Decimal("0.01")
END_OF_REVENUE = Decimal(10) ** 10  # decimal(12,2)

TEXTS = {
    "app_version": "context.app.version",
    "app_build": "context.app.build",
    "os_name": "context.os.name",
    "os_version": "context.os.version",
    "device_manufacturer": "context.device.manufacturer",
    "device_model": "context.device.model",
    "device_type": "context.device.type",
    "carrier": "context.network.carrier",
    "locale": "context.locale",
    "time_zone": "context.timezone",
}
# Seconds are there, and at most milliseconds.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Number:
    """A number of JSON, as it is written."""

    text: str


class Rejected(Exception):  # noqa: N818 (a finding, no failure)
    """The row goes to quarantine; its text is the reason."""


@dataclass(frozen=True)
class Line:
    """A line that is not blank. `key` is the file's, below the pipeline's place."""

    day: date
    platform: str
    key: str
    number: int
    text: str


@dataclass
class Expected:
    """The result of a run over the days. `rejected` are run date, platform, reason and line."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[tuple[str, str, str, str]] = field(default_factory=list)
    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    duplicates: Counter[tuple[str, str]] = field(default_factory=Counter)

    def books(self, day: str, platform: str = "") -> dict[str, Any]:
        """The figures of a run date, of one source or of both."""
        platforms = [platform] if platform else PLATFORMS
        return {
            "read": sum(self.read[day, one] for one in platforms),
            "written": sum(row["run_date"] == day and row["platform"] in platforms for row in self.rows),
            "duplicates": sum(self.duplicates[day, one] for one in platforms),
            "quarantined": dict(
                Counter(reason for at, of, reason, _ in self.rejected if at == day and of in platforms)
            ),
        }


def expect(folder: Path, days: Iterable[date]) -> Expected:
    """The result of the files below `segment-logs/` of these received days, processed together or one by
    one, in any order."""
    expected = Expected()
    kept: dict[str, date] = {}
    for line in sorted(read_lines(folder, days), key=lambda one: (one.day, one.key.encode(), one.number)):
        place = (line.day.isoformat(), line.platform)
        expected.read[place] += 1
        try:
            row = make_row(line)
        except Rejected as rejected:
            expected.rejected.append((*place, str(rejected), line.text))
            continue
        before = kept.get(row["message_id"])
        if before is not None and line.day - before <= LOOKBACK:
            expected.duplicates[place] += 1
            continue
        kept[row["message_id"]] = line.day
        expected.rows.append(row)
    return expected


def read_lines(folder: Path, days: Iterable[date]) -> Iterator[Line]:
    for day in days:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for platform in PLATFORMS:
            for path in (folder / "segment-logs" / platform / f"{int(midnight.timestamp())}000").rglob("*"):
                if not path.is_file():
                    continue
                packed = path.read_bytes()
                text = (gzip.decompress(packed) if packed else b"").decode()
                key = path.relative_to(folder).as_posix()
                for number, line in enumerate(text.split("\n")):
                    if line.strip():
                        yield Line(day, platform, key, number, line)


def make_row(line: Line) -> dict[str, Any]:
    """The row of a line. Raises Rejected with the first reason that applies."""
    call = parse(line.text)
    for path, reason in (("messageId", "missing_message_id"), ("type", "missing_type")):
        if is_missing(find(call, path)):
            raise Rejected(reason)
    if all(is_missing(find(call, path)) for path in ("userId", "anonymousId")):
        raise Rejected("missing_user")
    row = {
        "message_id": text_of(call, "messageId"),
        "platform": line.platform,
        "user_id": text_of(call, "userId"),
        "anonymous_id": text_of(call, "anonymousId"),
        "event_type": text_of(call, "type"),
        "event_name": first_of(text_of(call, "event"), text_of(call, "name")),
        **{name: text_of(call, path) for name, path in TEXTS.items()},
        "on_wifi": flag_of(call, "context.network.wifi"),
        "product_id": first_of(
            text_of(call, "properties.product_id"), text_of(call, "properties.products[0].product_id")
        ),
        **quantity_and_revenue(call),
        "properties": object_of(call, "properties"),
    }
    moment = instant_of(call, "timestamp")
    received = instant_of(call, "receivedAt")
    if moment is None:
        raise Rejected("invalid_timestamp")
    return row | {
        "event_timestamp": moment,
        "received_at": received,
        "local_date": moment.astimezone(LOCAL).date(),
        "run_date": line.day.isoformat(),
    }


def parse(text: str) -> dict[str, Any]:
    try:
        call = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_no_json)
    except ValueError as error:
        raise Rejected("malformed") from error
    if not isinstance(call, dict):
        raise Rejected("malformed")
    return call


def _no_json(text: str) -> None:
    raise ValueError(text)


def find(node: Any, path: str) -> Any:
    """The value at the path, None if there is nothing."""
    for name in re.findall(r"[^.\[\]]+", path):
        if name.isdigit():
            node = node[int(name)] if isinstance(node, list) and int(name) < len(node) else None
        else:
            node = node.get(name) if isinstance(node, dict) else None
    return node


def is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip() == "")


def text_of(call: Any, path: str) -> str | None:
    value = find(call, path)
    if is_missing(value):
        return None
    if isinstance(value, Number):
        return value.text
    if not isinstance(value, str):
        raise Rejected("wrong_type")
    return value


def first_of(*values: str | None) -> str | None:
    return next((value for value in values if not is_missing(value)), None)


def flag_of(call: Any, path: str) -> bool | None:
    value = find(call, path)
    if value is not None and not isinstance(value, bool):
        raise Rejected("wrong_type")
    return value


def number_of(call: Any, path: str) -> Decimal | None:
    value = find(call, path)
    text = value.text if isinstance(value, Number) else value
    if text is None:
        return None
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise Rejected("wrong_type")
    return Decimal(text)


def integer_of(call: Any, path: str) -> int | None:
    number = number_of(call, path)
    if number is not None and number != number.to_integral_value():
        raise Rejected("wrong_type")
    return None if number is None else int(number)


def quantity_and_revenue(call: Any) -> dict[str, Any]:
    own, first = (integer_of(call, f"properties.{at}quantity") for at in ("", "products[0]."))
    revenue, price = (number_of(call, f"properties.{name}") for name in ("revenue", "price"))
    if revenue is None and price is not None and own is not None:
        revenue = price * own
    if revenue is not None:
        revenue = revenue.quantize(CENT, ROUND_HALF_UP)
        if abs(revenue) >= END_OF_REVENUE:
            raise Rejected("wrong_type")
    return {"quantity": first if own is None else own, "revenue": revenue}


def object_of(call: Any, path: str) -> dict[str, Any] | None:
    """An object, which the table holds as JSON text."""
    value = find(call, path)
    if value is not None and not isinstance(value, dict):
        raise Rejected("wrong_type")
    return value


def instant_of(call: Any, path: str) -> datetime | None:
    value = find(call, path)
    if is_missing(value):
        return None
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise Rejected("invalid_timestamp")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError as error:
        raise Rejected("invalid_timestamp") from error


def daily_users(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`mobile_daily_users` of all rows of the table, by date."""
    by_date: dict[date, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_date.setdefault(row["local_date"], []).append(row)
    return [{"local_date": day, **count_users(by_date[day])} for day in sorted(by_date)]


def count_users(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    people = {
        platform: {
            first_of(row["user_id"], row["anonymous_id"]) for row in rows if row["platform"] == platform
        }
        for platform in PLATFORMS
    }
    return {
        "users": len(people["ios"] | people["android"]),
        "ios_users": len(people["ios"]),
        "android_users": len(people["android"]),
        "both": len(people["ios"] & people["android"]),
        "events": len(rows),
    }
