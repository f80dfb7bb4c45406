"""Shared by the tests of restating: deliveries of keys, the end state of a lake, and runs that are killed."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import CONTRACT, Lake, event
from etl import io
from etl.write import partitions
from pyspark.sql import DataFrame, SparkSession

Keys = dict[
    str, str
]  # per date the keys of its delivery, or of its output, one letter each; "!" is a row without one

OF_ONE_RUN = ("runId", "restatedBy", "source", "outputBytes")


class Killed(Exception):  # noqa: N818
    """Ends a run in these tests, and is not mistaken for any other error."""


def deliver(lake: Lake, keys: Keys, note: str = "") -> None:
    """One row per key; `note` shows which delivery a row is from."""
    for day, of_day in keys.items():
        rows = [event(None if key == "!" else key, country=f"{day} {note}") for key in of_day]
        lake.deliver(day, *rows)


def kept(lake: Lake, spark: SparkSession) -> Keys:
    """The keys in the output, in alphabetical order."""
    found: Keys = {}
    for day, key in lake.kept(spark):
        found[day] = found.get(day, "") + key
    return found


def ends_with(lake: Lake, spark: SparkSession) -> dict[str, Any]:
    """The state of a lake that must not depend on its history: rows, quarantine, books by date."""
    quarantine = [(row["run_date"], row["raw_line"], row["reason"]) for row in lake.rows(spark, "quarantine")]
    books = {
        day: {name: value for name, value in book.items() if name not in OF_ONE_RUN}
        for day, book in lake.books_by_date().items()
    }
    return {
        "rows": sorted(map(str, lake.rows(spark, "processed"))),
        "quarantine": sorted(quarantine),
        "books": books,
    }


def contract_that_looks_back(days: int, folder: Path) -> str:
    contract = json.loads(CONTRACT.read_text())
    contract["x-etl"]["lookbackDays"] = days
    path = folder / f"looks-back-{days}.schema.json"
    path.write_text(json.dumps(contract))
    return str(path)


@contextmanager
def killed_before(step: int, also: Sequence[tuple[object, str]] = ()) -> Iterator[list[str]]:
    """Within it, a run ends before its `step`th write or removal (from 0). Gives the steps it began. `also`
    are owners and names of what is a step beside writes and removals."""
    begun: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (io, "write_text"),
            (io, "delete"),
            (partitions, "write_partitions"),
            *also,
        ):
            patch.setattr(owner, name, _step(getattr(owner, name), name, step, begun))
        yield begun


def _step(honest: Any, name: str, fatal: int, begun: list[str]) -> Any:
    def step(*given: Any, **named: Any) -> None:
        if len(begun) == fatal:
            raise Killed(f"before step {fatal}, {name}")
        begun.append(name)
        honest(*given, **named)

    return step


@contextmanager
def killed_in_its_write(
    lake: Lake, zone: str, unwritten: Sequence[str], lost: Sequence[str]
) -> Iterator[None]:
    """Within it, a run ends while it replaces its dates in a zone: of these, the `unwritten` lie there as
    before, the `lost` were removed and have not come back, the others are new."""
    honest = partitions.write_partitions
    root = lake.root / zone / "events"

    def half(frame: DataFrame, location: str, **how: Any) -> None:
        if Path(location) != root:
            honest(frame, location, **how)
            return
        dates = {row["run_date"] for row in frame.select("run_date").distinct().collect()}
        for day in dates.intersection(lost):
            for path in (root / f"run_date={day}").glob("*"):
                path.unlink()
        honest(frame.filter(~frame["run_date"].isin([*unwritten, *lost])), location, **how)
        raise Killed(f"in the write of {zone}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "write_partitions", half)
        yield
