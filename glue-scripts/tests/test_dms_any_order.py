"""Random changes of a source, delivered as files of AWS DMS: whatever days of them are run, in whatever order
and how often, the table of every version is that of an independent model. And what the days end with is the
same from snapshots, from increments and from files of AWS DMS."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from changes_model import Version, of_snapshots
from dms_model import Files, ends_of_days, of_files
from dms_stages import BEGAN, COMMIT, KINDS, LOAD_DAY, SEQUENCE, DmsStage, dms, stock
from pyspark.sql import SparkSession
from stages import INCREMENT, WHOLE, Stage
from support import balances, figures

DAYS = (LOAD_DAY, "2025-11-21", "2025-11-22", "2025-11-23")
KEYS = 30
NAMES = ("A", "A", "B", 'say "x"', "a|b,c", None)
PRICES = ("1", "1.0", "2.25", None)


@dataclass
class Source:
    """A table in a database that changes at random, and the files in which AWS DMS has written that. `states`
    are its rows at the end of each day."""

    stage: DmsStage
    chance: random.Random
    has_overlap: bool
    delivered: dict[str, list[list[Any]]] = field(default_factory=dict)
    states: dict[str, dict[int, Any]] = field(default_factory=dict)
    all: dict[str, list[Any]] = field(default_factory=dict)
    rows: dict[int, Any] = field(default_factory=dict)
    number: int = 0
    last: list[Any] = field(default_factory=list)

    def work(self) -> None:
        self.rows = {sku: self.row(sku) for sku in range(0, KEYS, 2)}
        loaded = [dms.Change("I", BEGAN, 0, row) for row in self.rows.values()]
        writer = self.stage.writer
        writer.load(list(self.rows.values()), 1)
        self.delivered = {day: [] for day in DAYS}
        self.delivered[LOAD_DAY] += [[one] for one in loaded]
        for day in DAYS:
            start = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=8)
            self.all[day] = [*loaded] if day == LOAD_DAY else []
            for _ in range(self.chance.choice((0, 1, 3)) if day != LOAD_DAY else 2):
                start += timedelta(minutes=self.chance.randrange(1, 100))
                self.write(day, [self.transaction(start + timedelta(seconds=at)) for at in range(3)], start)
            self.states[day] = dict(self.rows)

    def row(self, sku: int) -> dict[str, str | None]:
        return stock(sku, self.chance.choice(NAMES), self.chance.choice(PRICES), "s" if sku % 3 else "t")

    def transaction(self, commit: datetime) -> list[Any]:
        """Changes with one commit time. Without a sequence, none of them is of the key of another."""
        made: list[Any] = []
        kind = self.stage.kind
        is_once = not kind.has_sequence and bool(kind.commit)
        several = self.chance.sample(range(KEYS), 8) if is_once else self.chance.choices(range(KEYS), k=8)
        for sku in several:
            before = self.rows.get(sku)
            op = "I" if before is None else self.chance.choice("UUD")
            row = before if op == "D" else self.row(sku)
            self.number += 1
            made.append(dms.Change(op, commit, self.number, row))
            if op == "D":
                del self.rows[sku]
            else:
                self.rows[sku] = row
        return made

    def write(self, day: str, transactions: list[list[Any]], at: datetime) -> None:
        """Transactions in files, some of which begin with what the file before has held."""
        changes = [one for transaction in transactions for one in transaction]
        self.all[day] += changes
        cut = self.chance.randrange(1, len(changes))
        for number, part in enumerate((changes[:cut], changes[cut:])):
            again = self.last if self.has_overlap and self.chance.random() < 0.6 else []
            written = at + timedelta(seconds=10 + number)
            file = [*again, *part]
            self.last = part
            made = self.stage.writer.changes(file, written)
            if self.stage.kind.settings.get("DatePartitionEnabled"):
                # A folder for each hour; the day is that of the commit.
                for of_day in DAYS:
                    hours = sorted({one.commit.hour for one in file if f"{one.commit:%Y-%m-%d}" == of_day})
                    for hour in hours:
                        self.put(
                            of_day,
                            hour,
                            [
                                one
                                for one in file
                                if (f"{one.commit:%Y-%m-%d}", one.commit.hour) == (of_day, hour)
                            ],
                        )
            else:
                assert len(made) == 1
                self.delivered[day].append(file)

    def put(self, day: str, hour: int, changes: list[Any]) -> None:
        self.delivered[day].append(changes)
        # Folders of hours come in their order.
        if "HH" in self.stage.kind.settings.get("DatePartitionSequence", ""):
            self.delivered[day].sort(key=lambda file: file[0].commit.hour if file[0].number else -1)

    def files(self, days: set[str]) -> dict[str, Files]:
        return {day: files for day, files in self.delivered.items() if day in days and files}

    def time_of(self, change: Any) -> str | None:
        kind = self.stage.kind
        if kind.has_sequence:
            return str(change.sequence) if change.number else "0" * 35
        return f"{change.commit:%Y-%m-%d %H:%M:%S}" if kind.commit else None


def versions_of(stage: DmsStage, spark: SparkSession) -> list[str]:
    kind = stage.kind
    found = []
    for row in stage.rows(spark, "processed"):
        time = row[SEQUENCE] if kind.has_sequence else row[COMMIT] if kind.commit else None
        if time is not None and not kind.has_sequence:
            time = f"{time:%Y-%m-%d %H:%M:%S}"
        valid = f"{row['valid_from']:%Y-%m-%d %H:%M:%S}" if kind.commit else f"{row['valid_from']}"
        price = None if row["price"] is None else f"{row['price']}"
        place = ((row["shop"], row["sku"]), row["run_date"], row["sequence"])
        found.append(f"{(*place, row['change'], valid, row['name'], price, time)}")
    return sorted(found)


def expected_of(source: Source, days: set[str]) -> tuple[list[str], dict[str, tuple[int, int, int, int]]]:
    model = of_files(source.files(days), source.time_of)
    kind = source.stage.kind
    shown = []
    for key, day, number, change, _, name, price, time in model.versions:
        valid = model.valid_from[key, day, number] if kind.commit else day
        shown.append(f"{(key, day, number, change, valid, name, price, time)}")
    return sorted(shown), model.figures


def compare(tmp_path: Path, spark: SparkSession, kind: str, seed: int, steps: int) -> None:
    chance = random.Random(f"dms {kind} {seed}")  # noqa: S311
    source = Source(DmsStage(tmp_path, kind=KINDS[kind]), chance, has_overlap=kind != "file")
    source.work()
    present = [day for day in DAYS if source.delivered[day]]
    run: set[str] = set()
    for step in range(steps):
        # Any day, or all from one to another.
        first, last = sorted(chance.choices(present, k=2))
        of_run = {first} if chance.random() < 0.6 else {day for day in present if first <= day <= last}
        run |= of_run
        assert balances(source.stage.run(min(of_run), max(of_run), run_id=f"run-{step}"))
        versions, by_date = expected_of(source, run)
        assert versions_of(source.stage, spark) == versions
        assert {day: figures(book) for day, book in source.stage.books_by_date().items()} == by_date
    assert len(versions) > 10


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS)
def test_any_days_in_any_order_give_the_history_of_the_model(
    tmp_path: Path, spark: SparkSession, kind: str
) -> None:
    compare(tmp_path, spark, kind, seed=1, steps=3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
@pytest.mark.parametrize("kind", KINDS)
def test_more_days_and_orders(tmp_path: Path, spark: SparkSession, kind: str, seed: int) -> None:
    compare(tmp_path, spark, kind, seed, steps=10)


def as_row(op: str, row: Any) -> dict[str, str]:
    values = {name: value or "" for name, value in row.items()}
    return {**values, "op": op} if op != "D" else {**values, "op": op, "name": "", "price": ""}


def ends(stage: Stage, spark: SparkSession) -> list[Version]:
    """The ends of days of a history in order of delivery."""
    found = []
    for row in stage.rows(spark, "processed"):
        price = None if row["price"] is None else f"{row['price']}"
        key, place = (row["shop"], row["sku"]), (row["run_date"], row["sequence"])
        found.append((key, *place, row["change"], "", row["name"], price, None))
    return ends_of_days(sorted(found, key=lambda one: (one[0], one[1], one[2])))


def test_snapshots_increments_and_files_of_dms_give_the_same(tmp_path: Path, spark: SparkSession) -> None:
    chance = random.Random("the same")  # noqa: S311
    stage = DmsStage(tmp_path / "dms", kind=KINDS["sequence"])
    source = Source(stage, chance, has_overlap=False)
    source.work()
    snapshots = Stage(tmp_path / "snapshots", changes=WHOLE)
    increments = Stage(tmp_path / "increments", changes=INCREMENT)
    quoted = {day: [as_row("U", row) for row in rows.values()] for day, rows in source.states.items()}
    for day, rows in quoted.items():
        snapshots.deliver_rows(day, *rows)
        increments.deliver_rows(day, *(as_row(one.op, one.row) for one in source.all[day]))
    for one in (snapshots, increments, stage):
        one.run(DAYS[0], DAYS[-1])
    expected = of_snapshots({day: {"stock.csv": rows} for day, rows in quoted.items()}).versions
    assert len(expected) > KEYS
    assert len({one[3] for one in expected}) == 3
    for one in (snapshots, increments, stage):
        assert sorted(map(str, ends(one, spark))) == sorted(map(str, expected))
