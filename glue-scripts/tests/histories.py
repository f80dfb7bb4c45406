"""Random histories for the tests of marts: tables of every version as late, repeated and out-of-order
deliveries leave them, with deletes and returns."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from marts_model import Staged
from pyspark.sql import DataFrame, SparkSession

BEGIN = datetime(2010, 12, 1)
DAYS = 12
SCHEMA = (
    "product_id string, size int, description string, unit_price decimal(10,4), seen date, note string, "
    "change string, valid_from timestamp_ntz, sequence int, run_date string"
)
KEY, COMPARED, OVERWRITTEN = ("product_id", "size"), ("description", "unit_price"), ("seen", "note")
PRICES = (None, Decimal("1.0000"), Decimal("2.5500"), Decimal("2.5501"))


def history(chance: random.Random, keys: int) -> list[Staged]:
    """Most keys have few values, so that values return; moments tie, and days are skipped."""
    found: list[Staged] = []
    for number in range(keys):
        key = (chance.choice(("A", "Ä", "1:", "10", "𝄞")) + str(number), chance.choice((1, 11)))
        is_there = False
        moment = BEGIN
        for sequence in range(chance.choice((0, 1, 2, 4, 8))):
            if chance.random() < 0.7:
                moment += timedelta(days=chance.choice((0, 1, 1, 2)), hours=chance.choice((0, 5)))
            late = chance.choice((0, 0, 0, 1, 3))
            delivered = (moment + timedelta(days=late)).date()
            is_delete = chance.random() < (0.35 if is_there else 0.1)
            change = "delete" if is_delete else "update" if is_there else "insert"
            is_there = not is_delete
            found.append(
                Staged(
                    key,
                    (chance.choice((None, "a", "b", "")), chance.choice(PRICES)),
                    (moment.date() if chance.random() < 0.9 else None, chance.choice((None, "x", "y"))),
                    change,
                    moment,
                    f"{delivered}",
                    sequence + 1,
                )
            )
    return found


def frame(spark: SparkSession, staged: Sequence[Staged], chance: random.Random) -> DataFrame:
    """The rows in a random order, in several partitions."""
    rows: list[tuple[Any, ...]] = [
        (*one.key, *one.compared, *one.overwritten, one.change, one.valid_from, one.sequence, one.run_date)
        for one in staged
    ]
    chance.shuffle(rows)
    return spark.createDataFrame(rows, SCHEMA).repartition(chance.choice((1, 2, 3)))
