"""Plain SQL in DuckDB gives the marts of the model in Python, which the job is compared with: over shops at
random, with late prices, deletes and returns."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from mart_shop import Shop, day
from marts_duckdb import marts_of
from pyspark.sql import SparkSession

DAYS = 8


def shop_at_random(chance: random.Random, root: Path) -> Shop:
    """Only staged: no table is written, so no Spark is needed."""
    shop = Shop(cast(SparkSession, None), root)
    for code in "ABCDEFGH":
        is_there = False
        for number in sorted(chance.sample(range(DAYS), chance.randrange(DAYS))):
            is_delete = is_there and chance.random() < 0.4
            values = (
                chance.choice((None, "lamp", "box")),
                chance.choice((None, Decimal("2.0050"), Decimal("3"))),
            )
            change = "delete" if is_delete else "update" if is_there else "insert"
            shop.stage("stg_products", number, code, *values, change=change)
            is_there = not is_delete
        if chance.random() < 0.8:
            listed = chance.randrange(DAYS)
            shop.stage("stg_price_lists", listed, code, "BOLT", day(listed), Decimal("2.50"), change="insert")
    for customer in "123":
        first = chance.randrange(4)
        for number in sorted({first, *chance.sample(range(first, DAYS), 3)}):
            country = chance.choice(("UK", "France"))
            shop.stage("stg_customers", number, customer, country, day(first), day(number))
    for invoice in range(20):
        number = chance.randrange(DAYS)
        moment = datetime.combine(day(number), datetime.min.time()) + timedelta(hours=chance.randrange(24))
        buyer = chance.choice((None, "1", "2", "3", "9"))
        shop.stage("stg_invoices", number, f"i{invoice}", buyer, moment, "sale", change="insert")
        for line in range(1, chance.randrange(1, 4)):
            price = Decimal(chance.randrange(100_000)) / 10_000
            sold = (chance.choice("ABCDEFGHX"), chance.choice((-3, 1, 7)), price)
            shop.stage("stg_invoice_lines", number, f"i{invoice}", line, *sold, change="insert")
    return shop


@pytest.mark.once
@pytest.mark.parametrize("seed", range(5))
def test_plain_sql_gives_the_rows_of_the_model(tmp_path: Path, seed: int) -> None:
    shop = shop_at_random(random.Random(seed), tmp_path)  # noqa: S311
    found: dict[str, list[tuple[Any, ...]]] = marts_of(shop.staged)
    for table, rows in found.items():
        assert rows == shop.expected(table), table
    assert any(row[3] != -1 and row[4] != -2 for row in found["fact_sales"])
