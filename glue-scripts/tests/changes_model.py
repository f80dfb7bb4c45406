"""An independent model of a table of every version, in plain Python: deliveries in, the history and the
figures out. It reads the deliveries in order, one row after the other, and knows nothing of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, str]
Delivery = Mapping[str, Sequence[Row]]  # the rows of each file
Key = tuple[str, int]
# Key, run date, sequence, change, valid from, name, price, time of the change.
Version = tuple[Key, str, int, str, str, str | None, str | None, str | None]


@dataclass
class Model:
    versions: list[Version] = field(default_factory=list)
    figures: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Event:
    day: str
    sequence: int
    values: tuple[str | None, str | None]
    time: str | None
    is_delete: bool


def key_of(row: Row) -> Key | None:
    sku = row["sku"].strip()
    return (row["shop"], int(sku)) if row["shop"].strip() and sku.lstrip("-").isdigit() else None


def is_good(row: Row, *, has_op: bool) -> bool:
    price = row["price"]
    is_number = price == "" or price.replace(".", "", 1).replace("-", "", 1).isdigit()
    return key_of(row) is not None and is_number and (not has_op or row["op"] in ("I", "U", "D"))


def values_of(row: Row) -> tuple[str | None, str | None]:
    price = None if row["price"] == "" else f"{float(row['price']):.4f}"
    return row["name"] or None, price


def in_order(delivery: Delivery) -> list[Row]:
    return [row for file in sorted(delivery) for row in delivery[file]]


def of_snapshots(deliveries: Mapping[str, Delivery]) -> Model:
    model, there, last = Model(), {}, {}  # type: Model, dict[Key, Any], dict[Key, Any]
    for day in sorted(deliveries):
        rows = in_order(deliveries[day])
        good = [row for row in rows if is_good(row, has_op=False)]
        kept = {key_of(row) for row in rows if not is_good(row, has_op=False)}
        state = {key_of(row): values_of(row) for row in good}
        written = 0
        for key, values in state.items():
            assert key is not None
            if key in there and there[key] == values:
                continue
            change = "update" if key in there else "insert"
            model.versions.append((key, day, 1, change, day, *values, None))
            there[key] = last[key] = values
            written += 1
        for key in sorted(set(there) - set(state) - kept):
            del there[key]
            model.versions.append((key, day, 1, "delete", day, *last[key], None))
        model.figures[day] = (len(rows), written, len(good) - written, len(rows) - len(good))
    return model


def of_increments(deliveries: Mapping[str, Delivery], *, by_time: bool) -> Model:
    model = Model()
    events: dict[Key, list[Event]] = {}
    bad = {}
    for day, delivery in deliveries.items():
        rows = in_order(delivery)
        good = [row for row in rows if is_good(row, has_op=True)]
        bad[day] = len(rows) - len(good)
        if by_time:
            good.sort(key=lambda row: row["changed_at"])
        for row in good:
            key = key_of(row)
            assert key is not None
            of_key = events.setdefault(key, [])
            number = sum(one.day == day for one in of_key) + 1
            time = row["changed_at"] if by_time else None
            of_key.append(Event(day, number, values_of(row), time, row["op"] == "D"))
    written = dict.fromkeys(deliveries, 0)
    for key, of_key in events.items():
        for version in _versions(key, of_key):
            model.versions.append(version)
            written[version[1]] += 1
    for day, delivery in deliveries.items():
        read = len(in_order(delivery))
        model.figures[day] = (read, written[day], read - bad[day] - written[day], bad[day])
    return model


def _versions(key: Key, events: list[Event]) -> list[Version]:
    found: list[Version] = []
    before: tuple[Any, ...] | None = None
    live: tuple[str | None, str | None] = (None, None)
    is_there = False
    for event in sorted(events, key=lambda one: (one.time or "", one.day, one.sequence)):
        if not event.is_delete:
            live = event.values
        now = (event.is_delete, live, event.time)
        if now != before:
            change = "delete" if event.is_delete else "update" if is_there else "insert"
            found.append((key, event.day, event.sequence, change, event.time or event.day, *live, event.time))
        before, is_there = now, not event.is_delete
    return found
