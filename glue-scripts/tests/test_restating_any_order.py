"""Inside the look-back any order of deliveries, corrections, repeats, back-fills and kills ends with the same
tables and books as the runs day by day."""

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from conftest import Lake
from pyspark.sql import SparkSession
from restating import (
    Keys,
    Killed,
    contract_that_looks_back,
    deliver,
    ends_with,
    kept,
    killed_before,
    killed_in_its_write,
)

pytestmark = pytest.mark.once

DAYS = [(date(2010, 12, 1) + timedelta(days=offset)).isoformat() for offset in range(8)]
LOOKBACK_DAYS = 3
STEPS = 16  # about as many as a run of this size has


def day_by_day(delivered: Keys) -> Keys:
    """The promise itself, in Python: a date keeps what no date of its look-back has kept."""
    found: Keys = {}
    for day in sorted(delivered):
        first = (date.fromisoformat(day) - timedelta(days=LOOKBACK_DAYS)).isoformat()
        seen = "".join(keys for other, keys in found.items() if first <= other)
        keys = "".join(sorted(set(delivered[day]) - set(seen) - {"!"}))
        if keys:
            found[day] = keys
    return found


@dataclass
class Operator:
    """Delivers, corrects, runs and kills at random. A date is `due` until it was run as it is delivered."""

    lake: Lake
    contract: str
    generator: random.Random
    delivered: Keys = field(default_factory=dict)
    due: set[str] = field(default_factory=set)
    runs: int = 0
    log: list[str] = field(default_factory=list)

    def deliver(self, day: str) -> None:
        size = self.generator.choice((0, 2, 4, 4, 6))
        keys = "".join(self.generator.choice("abcdefghij!") for _ in range(size))
        self.log.append(f"deliver {day} {keys}")
        deliver(self.lake, {day: keys}, f"delivery {len(self.log)}")
        self.delivered[day] = keys
        self.due.add(day)

    def run(self, first: str, last: str, *, may_be_killed: bool) -> None:
        self.runs += 1
        self.log.append(f"run {first} {last}")
        try:
            with self.a_kill() if may_be_killed and self.generator.random() < 0.4 else nullcontext():
                self.lake.run(first, last, f"run-{self.runs}", contract=self.contract)
        except Killed as killed:
            self.log[-1] += f", killed {killed}"
            self.due |= {day for day in self.delivered if first <= day <= last}
        else:
            self.due -= {day for day in self.delivered if first <= day <= last}

    def a_kill(self) -> AbstractContextManager[object]:
        if self.generator.random() < 0.4:
            return killed_before(self.generator.randrange(STEPS))
        zone = self.generator.choice(("processed", "processed", "quarantine"))
        unwritten, lost = (self.generator.sample(DAYS, 3) for _ in range(2))
        return killed_in_its_write(self.lake, zone, unwritten, lost)

    def work(self, steps: int) -> None:
        for _ in range(steps):
            for day in self.generator.sample(DAYS, self.generator.randrange(4)):
                self.deliver(day)
            first, last = sorted(self.generator.choices(sorted(self.delivered), k=2))
            is_daily = self.generator.random() < 0.7
            self.run(first, first if is_daily else last, may_be_killed=True)
        while self.due:
            day = self.generator.choice(sorted(self.due))
            self.run(day, day, may_be_killed=False)


@pytest.mark.parametrize("seed", [1])
def test_any_order_ends_as_the_runs_day_by_day(tmp_path: Path, spark: SparkSession, seed: int) -> None:
    lake, fresh = Lake(tmp_path / "lake"), Lake(tmp_path / "fresh")
    contract = contract_that_looks_back(LOOKBACK_DAYS, tmp_path)
    operator = Operator(lake, contract, random.Random(seed))  # noqa: S311
    operator.deliver(operator.generator.choice(DAYS))
    operator.work(6)
    print(f"seed {seed}", *operator.log, sep="\n")
    assert kept(lake, spark) == day_by_day(operator.delivered)
    # Run in order into a fresh lake, by a back-fill, which is the same as runs day by day.
    (fresh.root / "raw").parent.mkdir()
    (fresh.root / "raw").symlink_to(lake.root / "raw")
    fresh.run(DAYS[0], DAYS[-1], "in-order", contract=contract)
    assert ends_with(lake, spark) == ends_with(fresh, spark)
