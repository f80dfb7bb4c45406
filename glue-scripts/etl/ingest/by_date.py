"""The books by delivery date, `<books>by-date/<YYYY-MM-DD>.json`: the figures of a date as it was last
written, by its own run or restated by another's. A date has been processed when it has one.

Beside them there may be a note, `unfinished.json`: the dates that a run is rebuilding together, and the dates
of models that it touches. A killed run leaves it, so that the next run knows what may not agree. (A run with
the id `by-date` puts its own `books.json` and `summary.json` into this folder, which does no harm.)"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from etl import io
from etl.ingest.deliveries import Delivery, list_deliveries
from etl.ingest.sources import Sources
from etl.run.books import to_json

FOLDER = "by-date/"
NOTE = "unfinished.json"

_BOOK = re.compile(r"(\d{4}-\d\d-\d\d)\.json")


@dataclass(frozen=True)
class History:
    """The state of the books by date when the run began: the `processed` dates, as far back as they
    matter, and what a killed run left: the `unfinished` dates, and the `touched` dates of models, by
    column."""

    processed: frozenset[date]
    unfinished: frozenset[date]
    touched: Mapping[str, frozenset[date]] = field(default_factory=dict)

    def reach(self, dates: Collection[date], lookback_days: int) -> set[date]:
        """The processed dates whose look-back window holds one of `dates`."""
        return {
            day
            for day in self.processed
            if any(timedelta(0) < day - earlier <= timedelta(lookback_days) for earlier in dates)
        }

    def doubtful(self, lookback_days: int) -> set[date]:
        """The processed dates that may not agree with the tables. A killed write leaves each of its dates
        as it was, as it should be, half written, or empty."""
        return set(self.unfinished & self.processed) | self.reach(self.unfinished, lookback_days)


NO_HISTORY = History(frozenset(), frozenset())


def read_history(books: str, first: date) -> History:
    """The processed dates from `first` on, or from the first unfinished date if that is earlier. This is one
    listing; only after a kill there is more to read."""
    names = io.list_names(f"{books}{FOLDER}", f"{first}")
    unfinished: frozenset[date] = frozenset()
    touched: dict[str, frozenset[date]] = {}
    if NOTE in names:
        note = json.loads(io.read_text(f"{books}{FOLDER}{NOTE}"))
        unfinished = frozenset(map(date.fromisoformat, note["dates"]))
        touched = {
            column: frozenset(map(date.fromisoformat, days))
            for column, days in note.get("touched", {}).items()
        }
        names = io.list_names(f"{books}{FOLDER}", f"{min(first, *unfinished)}")
    found = [match[1] for match in map(_BOOK.fullmatch, names) if match]
    return History(frozenset(map(date.fromisoformat, found)), unfinished, touched)


def put_note(
    books: str,
    run_id: str,
    dates: Collection[date],
    touched: Mapping[str, Collection[date]] | None = None,
) -> None:
    """Records, before anything is written, which dates are in doubt if the run is killed. `touched` are the
    dates of models, by column, that the run touches by what it replaces."""
    note: dict[str, Any] = {"runId": run_id, "dates": _texts(dates)}
    if touched:
        note["touched"] = {column: _texts(days) for column, days in touched.items()}
    io.write_text(f"{books}{FOLDER}{NOTE}", to_json(note))


def _texts(dates: Collection[date]) -> list[str]:
    return [day.isoformat() for day in sorted(dates)]


def remove_note(books: str) -> None:
    io.delete([io.StoredObject(f"{books}{FOLDER}{NOTE}", NOTE, 0)])


def put_book(
    books: str, run_id: str, delivery: Delivery, entry: Mapping[str, Any], *, is_restated: bool
) -> None:
    """Writes the book of a date: its entry in the run's books, the run, and the delivery that it was made
    from."""
    book = {
        "runId": run_id,
        **({"restatedBy": run_id} if is_restated else {}),
        **entry,
        "source": delivery.source,
        "delivery": delivery.fingerprint,
    }
    io.write_text(f"{books}{FOLDER}{delivery.day}.json", to_json(book))


@dataclass
class ProcessedDeliveries:
    """The deliveries that dates were last made from, looked up again.

    A delivery that is gone cannot be read again. One that has changed needs a run of its own, which must
    judge it before it is published. Both are `passed_over`, with the reason."""

    books: str
    sources: Sources
    passed_over: dict[date, str] = field(default_factory=dict)
    _found: dict[date, Delivery] = field(default_factory=dict)

    def find(self, days: Collection[date]) -> dict[date, Delivery]:
        new = [day for day in sorted(days) if day not in self._found and day not in self.passed_over]
        made_from = {day: json.loads(io.read_text(f"{self.books}{FOLDER}{day}.json")) for day in new}
        for source in sorted({book["source"] for book in made_from.values()}):
            of_source = [day for day in new if made_from[day]["source"] == source]
            present = list_deliveries(source, self.sources, of_source)
            for day in of_source:
                self._take(day, present.get(day), made_from[day]["delivery"])
        return {day: self._found[day] for day in days if day in self._found}

    def _take(self, day: date, delivery: Delivery | None, fingerprint: str) -> None:
        if delivery is None:
            self.passed_over[day] = "its delivery is gone"
        elif delivery.fingerprint != fingerprint:
            self.passed_over[day] = "its delivery has changed since, and needs a run of its own"
        else:
            self._found[day] = delivery
