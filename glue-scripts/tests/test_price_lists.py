"""The price lists that `generate_sample.py` makes of days of the shop, by the rule alone."""

import bz2
import csv
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

from plans import REPOSITORY

PIPELINE = REPOSITORY / "pipelines" / "stg-price-lists"
sys.path.insert(0, str(PIPELINE))

import generate_sample  # type: ignore[import-not-found]  # noqa: E402 (the path is set above)

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def line(code: str, price: str, quantity: int = 1) -> str:
    return f"1,{code},x,{quantity},2010-12-01 08:26:00,{price},17850.0,France\n"


def lists_of(folder: Path) -> dict[str, list[tuple[str, ...]]]:
    """The rows of each file, read by other means than they were written."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for path in sorted(folder.rglob("*.*")):
        name = f"{path.parent.name}/{path.name}"
        if path.suffix == ".bz2":
            rows = list(csv.reader(bz2.decompress(path.read_bytes()).decode().splitlines()))
            assert rows[0] == list(generate_sample.COLUMNS)
            found[name] = [tuple(row) for row in rows[1:]]
        else:
            prices = ElementTree.fromstring(path.read_bytes()).iter("price")  # noqa: S314 (its own file)
            found[name] = [
                tuple(price.findtext(column, "") for column in generate_sample.COLUMNS) for price in prices
            ]
    return found


def test_the_rule(tmp_path: Path) -> None:
    days, into = tmp_path / "days", tmp_path / "into"
    days.mkdir()
    lines = [line(" 2a ", "0.5"), line("1&b", "0.1"), line("3", "0"), line("4", "2.5", -1), line("a", "0.02")]
    (days / "2010-12-01.csv").write_text(HEADER + "".join(lines))
    # The price of the day before counts, and a day without a price of a supplier has no file of it.
    (days / "2010-12-02.csv").write_text(HEADER + line("2A", "0") + line("2A", "0.02", -1))
    assert generate_sample.write_lists(days, into) == 2
    assert lists_of(into) == {
        # 0.5 * 1.25 = 0.625 and 0.1 * 1.25 = 0.125 are rounded up.
        "dt=2010-12-01/acme.csv.bz2": [("2A", "ACME", "0.63", "GBP", "2010-12-01")],
        "dt=2010-12-01/bolt.xml": [
            ("1&B", "BOLT", "0.13", "GBP", "2010-12-01"),
            ("A", "BOLT", "0.03", "GBP", "2010-12-01"),
        ],
        "dt=2010-12-02/acme.csv.bz2": [("2A", "ACME", "0.63", "GBP", "2010-12-02")],
    }


def test_the_sample_is_what_the_days_of_the_shop_give(tmp_path: Path) -> None:
    assert generate_sample.write_lists(REPOSITORY / "pipelines" / "shop" / "sample", tmp_path) == 3
    made, sample = lists_of(tmp_path), lists_of(PIPELINE / "sample")
    assert made == sample
    counts = {name: len(rows) for name, rows in sample.items()}
    assert sum(counts.values()) == sum(len({row[0] for row in rows}) for rows in sample.values())
    for name, rows in sample.items():
        day = date.fromisoformat(name[3:13])
        for product, supplier, price, currency, valid_on in rows:
            assert (ord(product[0]) % 2 == 0) == (supplier == "ACME")
            assert (currency, valid_on) == ("GBP", day.isoformat())
            assert Decimal(price) > 0
