"""The shop's database by days: each retail file `YYYY-MM-DD.csv` is one trading day D, which does this to the
tables `customers`, `products`, `invoices` and `invoice_lines`:

- customers of D: the country of their last line; `last_seen` is D.
- products of D: the most frequent description and price of D, where there is one; a product without a line
  for more than five calendar days is deleted.
- invoices: the first line's customer, time and country, once. Lines count on from those that the invoice has.

This is a model in memory, with the standard library only: it makes the suppliers' price lists and judges what
lies in the lake. The bench fills its PostgreSQL by `apply_day.sql`, which shares no line with this.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
DISCONTINUED_AFTER = timedelta(days=5)
CHANGED_AT = time(23)
PRICE_SCALE = Decimal("0.0001")  # of numeric(10,4)
PRICE_LIMIT = Decimal(10) ** 6

Value = TypeVar("Value", str, Decimal)


class InvalidDayFileError(ValueError):
    """A day's file that cannot be read; the message names the file and the line."""


@dataclass(frozen=True)
class Line:
    """One line of a day's file."""

    invoice_id: str
    product_id: str
    description: str | None
    quantity: int
    invoiced_at: datetime
    unit_price: Decimal
    customer_id: str | None
    country: str


@dataclass(frozen=True)
class Customer:
    customer_id: str
    country: str
    first_seen: date
    last_seen: date
    updated_at: datetime


@dataclass(frozen=True)
class Product:
    product_id: str
    description: str | None
    unit_price: Decimal | None
    updated_at: datetime


@dataclass(frozen=True)
class Invoice:
    invoice_id: str
    customer_id: str | None
    invoiced_at: datetime
    country: str
    kind: str


@dataclass(frozen=True)
class InvoiceLine:
    invoice_id: str
    line_no: int
    product_id: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True)
class DayChanges:
    """The changes of a day: inserted and changed rows, as they are after it, and deleted products."""

    day: date
    customers: tuple[Customer, ...]
    products: tuple[Product, ...]
    deleted_products: tuple[str, ...]
    invoices: tuple[Invoice, ...]
    invoice_lines: tuple[InvoiceLine, ...]
    codes: tuple[str, ...]  # every product with a line on the day, sorted by code point


class Shop:
    """The four tables after the days applied so far. Days come in the order of their dates."""

    def __init__(self) -> None:
        self.day: date | None = None
        self.customers: dict[str, Customer] = {}
        self.products: dict[str, Product] = {}
        self.invoices: dict[str, Invoice] = {}
        self.invoice_lines: dict[tuple[str, int], InvoiceLine] = {}
        self._last_line: dict[str, date] = {}  # the last day with a line, per product that is there
        self._line_count: Counter[str] = Counter()  # per invoice

    def apply(self, day: date, csv_path: Path) -> DayChanges:
        """Applies the file of a day. Raises InvalidDayFileError, and ValueError for a day that is not after
        the last one; then nothing has changed."""
        if self.day is not None and day <= self.day:
            raise ValueError(f"day {day} is not after {self.day}: fill a new shop for a correction")
        lines = read_lines(csv_path)
        self.day = day
        return DayChanges(
            day=day,
            customers=self._see_customers(day, lines),
            products=self._change_products(day, lines),
            deleted_products=self._delete_discontinued(day),
            invoices=self._add_invoices(lines),
            invoice_lines=self._add_lines(lines),
            codes=tuple(sorted({line.product_id for line in lines})),
        )

    def _see_customers(self, day: date, lines: list[Line]) -> tuple[Customer, ...]:
        countries = {line.customer_id: line.country for line in lines if line.customer_id is not None}
        for customer_id, country in countries.items():
            known = self.customers.get(customer_id)
            first_seen = day if known is None else known.first_seen
            self.customers[customer_id] = Customer(customer_id, country, first_seen, day, changed_at(day))
        return tuple(self.customers[customer_id] for customer_id in countries)

    def _change_products(self, day: date, lines: list[Line]) -> tuple[Product, ...]:
        changed = []
        for code, its_lines in by_code(lines).items():
            self._last_line[code] = day
            known = self.products.get(code)
            before = known or Product(code, None, None, changed_at(day))
            after = replace(
                before,
                description=candidate_description(its_lines) or before.description,
                unit_price=candidate_price(its_lines) or before.unit_price,  # never 0
            )
            if known is None or after != before:
                self.products[code] = replace(after, updated_at=changed_at(day))
                changed.append(self.products[code])
        return tuple(changed)

    def _delete_discontinued(self, day: date) -> tuple[str, ...]:
        old = sorted(code for code, last in self._last_line.items() if day - last > DISCONTINUED_AFTER)
        for code in old:
            del self.products[code], self._last_line[code]
        return tuple(old)

    def _add_invoices(self, lines: list[Line]) -> tuple[Invoice, ...]:
        added = []
        for line in lines:
            if line.invoice_id not in self.invoices:
                invoice = Invoice(
                    line.invoice_id,
                    line.customer_id,
                    line.invoiced_at,
                    line.country,
                    kind_of(line.invoice_id),
                )
                self.invoices[line.invoice_id] = invoice
                added.append(invoice)
        return tuple(added)

    def _add_lines(self, lines: list[Line]) -> tuple[InvoiceLine, ...]:
        added = []
        for line in lines:
            self._line_count[line.invoice_id] += 1
            line_no = self._line_count[line.invoice_id]
            row = InvoiceLine(line.invoice_id, line_no, line.product_id, line.quantity, line.unit_price)
            self.invoice_lines[line.invoice_id, line_no] = row
            added.append(row)
        return tuple(added)


def changed_at(day: date) -> datetime:
    return datetime.combine(day, CHANGED_AT)


def kind_of(invoice_id: str) -> str:
    return {"A": "adjustment", "C": "cancellation"}.get(invoice_id[:1], "sale")


def by_code(lines: Iterable[Line]) -> dict[str, list[Line]]:
    grouped: dict[str, list[Line]] = {}
    for line in lines:
        grouped.setdefault(line.product_id, []).append(line)
    return grouped


def candidate_description(lines: Iterable[Line]) -> str | None:
    return most_frequent(line.description for line in lines if line.description is not None)


def candidate_price(lines: Iterable[Line]) -> Decimal | None:
    return most_frequent(line.unit_price for line in lines if line.unit_price > 0 and line.quantity > 0)


def most_frequent(values: Iterable[Value]) -> Value | None:
    """The most frequent; of equals the first by code point, or the smallest."""
    counts = Counter(values)
    if not counts:
        return None
    most = max(counts.values())
    return min(value for value, count in counts.items() if count == most)


def day_files(folder: Path) -> list[tuple[date, Path]]:
    """The days' files of a folder, in the order of their dates; files of other names are not days."""
    found = []
    for path in folder.glob("*.csv"):
        try:
            found.append((date.fromisoformat(path.stem), path))
        except ValueError:
            continue
    return sorted(found)


def read_lines(path: Path) -> list[Line]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(lines_of(path.name, csv.reader(file, strict=True)))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidDayFileError(f"{path.name}: {error}") from error


def lines_of(name: str, records: Iterator[list[str]]) -> Iterator[Line]:
    header = next(records, [])
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InvalidDayFileError(
            f"{name}: no column {', '.join(missing)}; the header is {','.join(COLUMNS)}"
        )
    places = [header.index(column) for column in COLUMNS]
    for number, record in enumerate(records, start=2):
        if not record:
            continue
        if len(record) != len(header):
            raise InvalidDayFileError(f"{name}, row {number}: {len(record)} fields, not {len(header)}")
        try:
            yield line_of([record[place] for place in places])
        except (ValueError, InvalidOperation) as error:
            raise InvalidDayFileError(f"{name}, row {number}: {error}") from error


def line_of(fields: list[str]) -> Line:
    invoice_id, stock_code, description, quantity, invoiced_at, price, customer, country = fields
    return Line(
        invoice_id=invoice_id,
        product_id=stock_code.strip().upper(),
        description=description.strip() or None,
        quantity=int(quantity),
        invoiced_at=datetime.strptime(invoiced_at, "%Y-%m-%d %H:%M:%S"),
        unit_price=price_of(price),
        customer_id=customer.removesuffix(".0") or None,
        country=country,
    )


def price_of(text: str) -> Decimal:
    price = Decimal(text).quantize(PRICE_SCALE, ROUND_HALF_UP)  # as PostgreSQL rounds
    if abs(price) >= PRICE_LIMIT:
        raise ValueError(f"the price {text} does not fit numeric(10,4)")
    return price
