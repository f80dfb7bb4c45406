"""Whatever is delivered by several sources, and in whatever order its dates are run and corrected: the table
and the books are those of an independent model, which runs the dates one after the other."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from shops import (
    CALLS,
    D1,
    D2,
    D3,
    D4,
    FOLDERS,
    PHONE,
    TILLS,
    WEB,
    Shops,
    contract_with,
    folder_of,
    till,
    web,
)
from support import balances

pytestmark = pytest.mark.once

DAYS = (D1, D2, D3, D4)
LOOKBACK = 2
NO_KEY, BROKEN = "!", "?"
REPORT = {"whenMissing": "report"}
CONTRACT = contract_with({TILLS: REPORT, WEB: REPORT, PHONE: CALLS}, lookbackDays=LOOKBACK)

# Rows of a file, as keys with the number by which a row is known again.
Row = tuple[str, int]
Files = Mapping[str, Sequence[Row]]
Day = Mapping[str, Files]


@dataclass
class Model:
    """The state after the dates that were run, in order: rows published and quarantined, and figures."""

    rows: set[tuple[str, str, str, int]] = field(default_factory=set)
    quarantine: list[tuple[str, str, str]] = field(default_factory=list)
    figures: dict[str, dict[str, tuple[int, int, int, int]]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)


def model_of(delivered: Mapping[str, Day]) -> Model:
    model = Model()
    kept_on: dict[str, str] = {}  # the last date on which a row of a key was kept
    for day in sorted(delivered):
        counts = {name: [0, 0, 0, 0] for name in FOLDERS}
        in_order = sorted(
            (f"{FOLDERS[name]}/{folder_of(name, day)}/{file}", name, rows)
            for name, files in delivered[day].items()
            for file, rows in files.items()
        )
        of_day: set[str] = set()
        before = dict(kept_on)
        for _, name, rows in in_order:
            for key, number in rows:
                counts[name][0] += 1
                if key in (NO_KEY, BROKEN):
                    counts[name][3] += 1
                    model.quarantine.append((day, name, "malformed" if key == BROKEN else "missing_receipt"))
                elif key in of_day or (key in before and days_from(before[key], day) <= LOOKBACK):
                    counts[name][2] += 1
                else:
                    counts[name][1] += 1
                    model.rows.add((day, key, name, number))
                    of_day.add(key)
                    kept_on[key] = day
        model.figures[day] = {name: tuple(of) for name, of in counts.items()}  # type: ignore[misc]
        model.missing[day] = [name for name in (TILLS, WEB, PHONE) if name not in delivered[day]]
    return model


def days_from(one: str, other: str) -> int:
    return (date.fromisoformat(other) - date.fromisoformat(one)).days


def draw(chance: random.Random, numbers: list[int]) -> Day:
    """A day's delivery of some sources; one of them at least has delivered, perhaps nothing."""
    found: dict[str, Files] = {}
    while not found:
        for name in FOLDERS:
            if chance.random() < 0.75:
                files = {}
                for file in chance.sample(["a", "b", "c"], chance.randint(1, 2)):
                    rows = []
                    for _ in range(chance.randint(0, 4)):
                        numbers[0] += 1
                        rows.append((chance.choice("abcdef!?"), numbers[0]))
                    files[f"{file}.csv" if name == TILLS else f"{file}.json.gz"] = rows
                found[name] = files
    return found


def deliver(shops: Shops, day: str, delivery: Day) -> None:
    for name in FOLDERS:
        folder = shops.place(name, day)
        for old in folder.glob("*"):
            old.unlink()
        if folder.is_dir():
            folder.rmdir()
        for file, rows in delivery.get(name, {}).items():
            shops.deliver_rows(name, day, *(row_of(name, *row) for row in rows), file=file)


def row_of(source: str, key: str, number: int) -> object:
    if source == TILLS:
        return "too;few" if key == BROKEN else till("" if key == NO_KEY else key, f"{number}.00")
    return '{"receipt":' if key == BROKEN else web(None if key == NO_KEY else key, number)


def figures_of(entry: Mapping[str, Any]) -> dict[str, tuple[int, int, int, int]]:
    names = ("read", "written", "duplicates", "quarantined")
    return {name: tuple(of[one] for one in names) for name, of in entry["sources"].items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_any_deliveries_in_any_order(tmp_path: Path, spark: SparkSession, seed: int) -> None:
    chance, numbers = random.Random(seed), [0]  # noqa: S311
    shops = Shops(tmp_path, contract=CONTRACT)
    delivered = {day: draw(chance, numbers) for day in DAYS}
    for day, delivery in delivered.items():
        deliver(shops, day, delivery)
    order = chance.sample(DAYS[1:], 3)
    runs: list[dict[str, Any]] = [shops.run(day, run_id=f"run-{at}") for at, day in enumerate(order)]
    for at, day in enumerate((D1, chance.choice(DAYS[1:]))):
        delivered[day] = draw(chance, numbers)
        deliver(shops, day, delivered[day])
        runs.append(shops.run(day, run_id=f"again-{at}"))
    for books in runs:
        assert balances(books)
        sums = [
            {name: tuple(map(sum, zip(*(figures_of(entry)[name] for entry in books["dates"]), strict=True)))}
            for name in FOLDERS
        ]
        assert figures_of(books) == {name: of for one in sums for name, of in one.items()}
        assert all(of[0] == sum(of[1:]) for of in figures_of(books).values())
    model = model_of(delivered)
    rows = {
        (row["run_date"], row["receipt"], row["channel"], int(row["amount"]))
        for row in shops.rows(spark, "processed")
    }
    assert rows == model.rows
    rejected = sorted(
        (row["run_date"], row["source"], row["reason"]) for row in shops.rows(spark, "quarantine")
    )
    assert rejected == sorted(model.quarantine)
    found = shops.books_by_date()
    assert {day: figures_of(entry) for day, entry in found.items()} == model.figures
    assert {day: entry["missingSources"] for day, entry in found.items()} == model.missing
    for day, entry in found.items():
        assert entry["read"] == sum(of[0] for of in model.figures[day].values())
