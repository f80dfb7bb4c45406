"""Whatever is delivered, and in whatever order its dates are run, corrected, repeated and killed: the table
of every version and the books are those of an independent model that reads the deliveries in order.

Keys do not know of one another, so a few runs with many keys are many histories."""

import random
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from changes_model import Delivery, Model, Version, of_increments, of_snapshots
from etl.errors import InvalidDelivery
from etl.write.iceberg_tables import IcebergTable
from pyspark.sql import SparkSession
from restating import Killed, killed_before
from stages import BY_TIME, D1, D2, D3, D4, D5, INCREMENT, WHOLE, Stage
from support import balances, figures

DAYS = (D1, D2, D3, D4, D5)
KEYS = 60
KINDS: dict[str, dict[str, Any]] = {"snapshots": WHOLE, "increments": INCREMENT, "by time": BY_TIME}


@dataclass
class Shop:
    """Delivers at random, and runs in any order. A date is `due` until it was run as it is delivered."""

    stage: Stage
    spark: SparkSession
    chance: random.Random
    kind: str
    delivered: dict[str, Delivery] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)
    runs: int = 0

    def deliver(self, day: str) -> None:
        files = {
            f"{name}.csv": self.rows(day) for name in self.chance.sample("abc", self.chance.choice((1, 2)))
        }
        for path in (self.stage.root / "raw" / "events" / f"dt={day}").glob("*"):
            path.unlink()
        count = sum(len(rows) for rows in files.values())
        for name, rows in files.items():
            self.stage.deliver_rows(day, *rows, file=name, count=count)
        self.delivered[day] = files
        self.due.add(day)

    def rows(self, day: str) -> list[dict[str, str]]:
        if self.kind == "snapshots":
            skus = [sku for sku in range(KEYS) if self.chance.random() < 0.5]
        else:
            skus = [self.chance.randrange(KEYS) for _ in range(self.chance.choice((0, KEYS, 2 * KEYS)))]
        return [self.row(sku, day) for sku in skus]

    def row(self, sku: int, day: str) -> dict[str, str]:
        chance = self.chance
        op = chance.choice("IUUD")
        name, price = chance.choice(("A", "A", "B", "")), chance.choice(("1", "1.0", "1.50", "2.25", ""))
        if op == "D" and self.kind != "snapshots":
            name, price = "", ""
        return {
            "shop": chance.choice(("s", "s", "t")) if chance.random() < 0.98 else "",
            "sku": f"{sku}",
            "name": name,
            "price": price if chance.random() < 0.95 else "dear",
            "op": op,
            # Mostly of the day or a day before, in few minutes, so that there are ties.
            "changed_at": f"{chance.choice((day, day, chance.choice(DAYS)))} 0{chance.randrange(4)}:00",
        }

    def run(self, first: str, last: str, *, may_be_killed: bool) -> None:
        self.runs += 1
        of_run = {day for day in self.delivered if first <= day <= last}
        death = self.chance.randrange(8) if may_be_killed and self.chance.random() < 0.5 else None
        steps = [(IcebergTable, "prepare"), (IcebergTable, "overwrite")]
        try:
            with nullcontext() if death is None else killed_before(death, steps):
                books = self.stage.run(first, last, f"run-{self.runs}")
        except (Killed, InvalidDelivery) as error:
            # Refused where a date that follows from this one was corrected, and has not been run since.
            assert may_be_killed, error
            self.due |= of_run
        else:
            assert balances(books)
            self.due -= of_run

    def work(self, steps: int) -> None:
        order = self.chance.sample(DAYS, len(DAYS))
        for day in order:
            self.deliver(day)
        for _ in range(steps):
            if self.chance.random() < 0.5:
                self.deliver(self.chance.choice(DAYS))
            first, last = sorted(self.chance.choices(DAYS, k=2))
            is_daily = self.chance.random() < 0.6
            self.run(first, first if is_daily else last, may_be_killed=True)
        while self.due:
            first, last = min(self.due), max(self.due)
            self.run(first, last, may_be_killed=False)

    def model(self) -> Model:
        if self.kind == "snapshots":
            return of_snapshots(self.delivered)
        return of_increments(self.delivered, by_time=self.kind == "by time")

    def versions(self) -> list[str]:
        return sorted(map(str, map(self._version, self.stage.rows(self.spark, "processed"))))

    def _version(self, row: Any) -> Version:
        is_timed = self.kind == "by time"
        time = f"{row['changed_at']:%Y-%m-%d %H:%M}" if is_timed else None
        valid = row["valid_from"]
        assert isinstance(valid, datetime if is_timed else date)
        return (
            (row["shop"], row["sku"]),
            row["run_date"],
            row["sequence"],
            row["change"],
            f"{valid:%Y-%m-%d %H:%M}" if is_timed else f"{valid}",
            row["name"],
            None if row["price"] is None else f"{row['price']}",
            time,
        )

    def figures(self) -> dict[str, tuple[int, int, int, int]]:
        return {day: figures(book) for day, book in self.stage.books_by_date().items()}


def compare(tmp_path: Path, spark: SparkSession, kind: str, seed: int, steps: int) -> None:
    chance = random.Random(f"{kind} {seed}")  # noqa: S311
    shop = Shop(Stage(tmp_path, changes=KINDS[kind]), spark, chance, kind)
    shop.work(steps)
    model = shop.model()
    expected = sorted(map(str, model.versions))
    assert len(expected) > KEYS
    assert shop.versions() == expected
    assert shop.figures() == model.figures


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS)
def test_any_order_gives_the_history_of_the_model(tmp_path: Path, spark: SparkSession, kind: str) -> None:
    compare(tmp_path, spark, kind, seed=1, steps=3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_more_orders(tmp_path: Path, spark: SparkSession, kind: str, seed: int) -> None:
    compare(tmp_path, spark, kind, seed, steps=10)
