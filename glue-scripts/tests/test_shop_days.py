"""The shop's days, by the model that judges the lake and makes the price lists."""

import csv
import importlib.util
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from conftest import PIPELINES

pytestmark = pytest.mark.once

FOLDER = PIPELINES / "shop"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop_days", FOLDER / "shop_days.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


shop_days = load()
FIRST, SECOND = date(2020, 1, 1), date(2020, 1, 2)


def day_file(folder: Path, day: date, *lines: tuple[str, str, str, int, str, str, str]) -> Path:
    """Lines of invoice, code, description, quantity, price, customer, country."""
    path = folder / f"{day}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(shop_days.COLUMNS)
        for invoice, code, description, quantity, price, customer, country in lines:
            writer.writerow(
                [invoice, code, description, quantity, f"{day} 08:00:00", price, customer, country]
            )
    return path


def test_the_days_of_the_sample() -> None:
    shop = shop_days.Shop()
    found = []
    for day, path in shop_days.day_files(FOLDER / "sample"):
        changes = shop.apply(day, path)
        with path.open(encoding="utf-8", newline="") as file:
            records = list(csv.DictReader(file))
        assert len(changes.invoice_lines) == len(records)
        assert set(changes.codes) == {record["StockCode"].strip().upper() for record in records}
        assert {c.customer_id for c in changes.customers} == {
            record["CustomerID"].removesuffix(".0") for record in records
        } - {""}
        found.append((str(day), len(shop.customers), len(shop.products), len(changes.deleted_products)))
    assert found == FIGURES
    assert len(shop.invoice_lines) == 3108 + 2109 + 2963


# Counted by a script of its own over the files.
FIGURES = [("2010-12-01", 98, 1351, 0), ("2010-12-02", 206, 1608, 0), ("2010-12-07", 265, 1558, 323)]


def test_of_equal_counts_the_first_description_and_the_smallest_price(tmp_path: Path) -> None:
    shop = shop_days.Shop()
    rows = [
        ("1", " ab1 ", text, 1, price, "", "UK") for text, price in (("b ", "2.50"), (" a", "1"), ("", "0"))
    ]
    shop.apply(FIRST, day_file(tmp_path, FIRST, *rows, ("C2", "AB1", "", -1, "0.5", "", "UK")))
    assert shop.products == {
        "AB1": shop_days.Product("AB1", "a", Decimal("1.0000"), datetime(2020, 1, 1, 23))
    }
    more = [("3", "AB1", "b", 1, "2.5", "", "UK"), ("3", "AB1", "a", 1, "2.50", "", "UK")]
    shop.apply(SECOND, day_file(tmp_path, SECOND, *more, ("3", "AB1", "b", 1, "1", "", "UK")))
    assert shop.products["AB1"] == shop_days.Product("AB1", "b", Decimal("2.5000"), datetime(2020, 1, 2, 23))


def test_a_missing_candidate_keeps_the_value(tmp_path: Path) -> None:
    shop = shop_days.Shop()
    shop.apply(FIRST, day_file(tmp_path, FIRST, ("1", "A", "text", 1, "2", "", "UK")))
    before = shop.products["A"]
    changes = shop.apply(SECOND, day_file(tmp_path, SECOND, ("C2", "A", " ", -1, "3", "", "UK")))
    assert shop.products["A"] == before
    assert changes.products == ()
    assert changes.codes == ("A",)


@pytest.mark.parametrize(("day", "deleted"), [(date(2020, 1, 6), ()), (date(2020, 1, 7), ("A",))])
def test_a_product_without_a_line_for_more_than_five_days(
    tmp_path: Path, day: date, deleted: tuple[str, ...]
) -> None:
    shop = shop_days.Shop()
    shop.apply(FIRST, day_file(tmp_path, FIRST, ("1", "A", "text", 1, "2", "", "UK")))
    changes = shop.apply(day, day_file(tmp_path, day, ("2", "B", "text", 1, "2", "", "UK")))
    assert changes.deleted_products == deleted
    assert ("A" in shop.products) == (deleted == ())
    again = date(2020, 1, 8)
    shop.apply(again, day_file(tmp_path, again, ("3", "A", "", 1, "0", "", "UK")))
    expected = (None, None) if deleted else ("text", Decimal(2))
    assert (shop.products["A"].description, shop.products["A"].unit_price) == expected


def test_customers_and_invoices(tmp_path: Path) -> None:
    shop = shop_days.Shop()
    shop.apply(
        FIRST,
        day_file(
            tmp_path,
            FIRST,
            ("1", "A", "", 1, "2", "7.0", "UK"),
            ("1", "A", "", 1, "2", "8.0", "France"),
            ("A1", "B", "", 1, "-5", "7.0", "Spain"),
            ("C1", "B", "", -1, "2", "", "UK"),
        ),
    )
    seen = datetime(2020, 1, 1, 23)
    assert shop.customers == {
        "7": shop_days.Customer("7", "Spain", FIRST, FIRST, seen),
        "8": shop_days.Customer("8", "France", FIRST, FIRST, seen),
    }
    assert [(i.invoice_id, i.customer_id, i.country, i.kind) for i in shop.invoices.values()] == [
        ("1", "7", "UK", "sale"),
        ("A1", "7", "Spain", "adjustment"),
        ("C1", None, "UK", "cancellation"),
    ]
    changes = shop.apply(SECOND, day_file(tmp_path, SECOND, ("1", "A", "", 1, "2", "7.0", "UK")))
    assert changes.invoices == ()
    assert [(line.invoice_id, line.line_no) for line in changes.invoice_lines] == [("1", 3)]
    assert shop.customers["7"] == shop_days.Customer("7", "UK", FIRST, SECOND, datetime(2020, 1, 2, 23))


def test_days_go_forward(tmp_path: Path) -> None:
    shop = shop_days.Shop()
    path = day_file(tmp_path, FIRST, ("1", "A", "", 1, "2", "", "UK"))
    shop.apply(FIRST, path)
    with pytest.raises(ValueError, match="day 2020-01-01 is not after 2020-01-01"):
        shop.apply(FIRST, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "no column InvoiceNo, "),
        (f"{','.join(shop_days.COLUMNS)}\n1,2\n", "row 2: 2 fields, not 8"),
        (f"{','.join(shop_days.COLUMNS)}\n1,A,,one,2010-12-01 08:00:00,1,,UK\n", "row 2: invalid literal"),
        (
            f"{','.join(shop_days.COLUMNS)}\n1,A,,1,2010-12-01 08:00:00,1e7,,UK\n",
            "row 2: the price 1e7 does not",
        ),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "2010-12-01.csv"
    path.write_text(text, encoding="utf-8")
    shop = shop_days.Shop()
    with pytest.raises(shop_days.InvalidDayFileError, match=message):
        shop.apply(date(2010, 12, 1), path)
    assert (shop.day, shop.invoices) == (None, {})
