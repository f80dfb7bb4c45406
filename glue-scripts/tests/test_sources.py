"""Several sources become one table: rows, books and quarantine of each."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from shops import D1, TILLS, WEB, Shops, till, web
from support import balances, figures


@pytest.fixture
def shops(tmp_path: Path, spark: SparkSession) -> Shops:
    return Shops(tmp_path)


def test_two_sources_become_one_table(shops: Shops, spark: SparkSession) -> None:
    shops.deliver_rows(TILLS, D1, till("a", "120.50"), till("b"), till("b"), "c;x;1;20.11.2025")
    shops.deliver_rows(WEB, D1, web("b"), web("d"), {"amount": 1}, "{", web("e", visitor=None))
    books = shops.run(D1)
    assert balances(books)
    assert figures(books) == (9, 4, 2, 3)
    assert {name: figures(of) for name, of in books["sources"].items()} == {
        TILLS: (4, 2, 1, 1),
        WEB: (5, 2, 1, 2),
    }
    rows = {row["receipt"]: row.asDict() for row in shops.rows(spark, "processed")}
    assert {key: row["channel"] for key, row in rows.items()} == {"a": TILLS, "b": TILLS, "d": WEB, "e": WEB}
    assert rows["a"] == {
        "receipt": "a", "amount": Decimal("120.50"), "channel": TILLS, "till": 3, "size": "large",
        "sold": date(2025, 11, 20), "basket": None, "visitor": None, "run_date": D1,
    }
    assert rows["d"] == {
        "receipt": "d", "amount": Decimal("7.50"), "channel": WEB, "till": None, "size": "small",
        "sold": None, "basket": '{"n":1}', "visitor": "v", "run_date": D1,
    }
    rejected = {(row["source"], row["reason"], row["raw_line"]) for row in shops.rows(spark, "quarantine")}
    assert rejected == {
        (TILLS, "wrong_type", "c;x;1;20.11.2025"),
        (WEB, "missing_receipt", '{"amount": 1}'),
        (WEB, "malformed", "{"),
    }
