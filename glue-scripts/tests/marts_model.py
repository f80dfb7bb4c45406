"""An independent model of the kinds of marts, in plain Python: it walks through the days, one after another,
and keeps what is there. It shares nothing with the job."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Staged:
    """A row of a table of every version."""

    key: Values
    compared: Values
    overwritten: Values
    change: str
    valid_from: datetime
    run_date: str
    sequence: int


@dataclass
class Version:
    key: Values
    compared: Values
    overwritten: Values
    since: date
    until: date | None
    number: int

    @property
    def surrogate(self) -> int:
        return surrogate_of(self.key, self.since)


def surrogate_of(key: Values, since: date) -> int:
    texts = [*(str(value) for value in key), since.isoformat()]
    digest = hashlib.sha256("".join(f"{len(text)}:{text}" for text in texts).encode()).digest()
    return int.from_bytes(digest[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF


def days_of(staged: Iterable[Staged]) -> list[date]:
    found = {row.valid_from.date() for row in staged}
    if not found:
        return []
    first, last = min(found), max(found)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def there_on(staged: Sequence[Staged], day: date) -> dict[Values, Staged]:
    """The rows that are there at the end of a day: all of the past, one after the other."""
    there: dict[Values, Staged] = {}
    for row in sorted(staged, key=lambda one: (one.valid_from, one.run_date, one.sequence)):
        if row.valid_from.date() > day:
            continue
        if row.change == "delete":
            there.pop(row.key, None)
        else:
            there[row.key] = row
    return there


def versions_of(staged: Sequence[Staged]) -> list[Version]:
    """Walks through the days and compares what is there with what was there the day before."""
    found: list[Version] = []
    is_open: dict[Values, Version] = {}
    numbers: dict[Values, int] = {}
    for day in days_of(staged):
        there = there_on(staged, day)
        for key in [key for key in is_open if key not in there]:
            is_open.pop(key).until = day
        for key, row in there.items():
            before = is_open.get(key)
            if before is not None and before.compared == row.compared:
                before.overwritten = row.overwritten
                continue
            if before is not None:
                before.until = day
            numbers[key] = numbers.get(key, 0) + 1
            version = Version(key, row.compared, row.overwritten, day, None, numbers[key])
            found.append(version)
            is_open[key] = version
    return found


def valid_at(versions: Iterable[Version], key: Values, day: date) -> Version | None:
    """The version of a key on a day. There is one at most."""
    of_key = [one for one in versions if one.key == key and one.since <= day]
    of_day = [one for one in of_key if one.until is None or one.until > day]
    assert len(of_day) <= 1
    return of_day[0] if of_day else None


def amount(quantity: int, price: Decimal) -> Decimal:
    return (quantity * price).quantize(Decimal("0.01"), ROUND_HALF_UP)


def calendar_day(day: date, first_month: int, *, by_end: bool) -> tuple[Any, ...]:
    """Counts months from the beginning of the fiscal year that holds the day."""
    begins = day.year if day.month >= first_month else day.year - 1
    name = begins + 1 if by_end and first_month != 1 else begins
    months = (day.year - begins) * 12 + day.month - first_month
    return (
        int(day.strftime("%Y%m%d")),
        day,
        day.year,
        (day.month + 2) // 3,
        day.month,
        day.day,
        day.isocalendar().week,
        day.isoweekday(),
        name,
        months // 3 + 1,
    )
