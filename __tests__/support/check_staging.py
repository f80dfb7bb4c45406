"""Compares the histories of the shop's tables with a model of the deliveries as they lie in the raw zone.

    check_staging.py RAW < HISTORIES

RAW holds `<table>/dt=<date>/*.parquet` and, for price_lists, `dt=<date>/` of CSV in bzip2 and of XML.
HISTORIES is JSON: by table the list of its versions, each by column, the values as Athena writes them. Prints
the versions of each table, and ends with 1 after a difference."""

import bz2
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow.parquet as parquet

Row = Mapping[str, str | None]
Version = tuple[str | None, ...]


@dataclass(frozen=True)
class Rule:
    """A table's key and the columns that make another version. `time` orders the rows of increments, and is
    the time of their versions; without it a delivery is the whole table, and a key that it lacks is
    deleted."""

    key: Sequence[str]
    compared: Sequence[str]
    time: str | None = None


RULES = {
    "customers": Rule(["customer_id"], ["country", "first_seen", "last_seen", "updated_at"], "updated_at"),
    "products": Rule(["product_id"], ["description", "unit_price"]),
    "invoices": Rule(["invoice_id"], ["customer_id", "invoiced_at", "country", "kind"]),
    "invoice_lines": Rule(["invoice_id", "line_no"], ["product_id", "quantity", "unit_price"]),
    "price_lists": Rule(
        ["product_id", "supplier"], ["list_price", "currency", "valid_on", "delivered_by"], "valid_on"
    ),
}


def main() -> int:
    raw = Path(sys.argv[1])
    histories: dict[str, list[Row]] = json.load(sys.stdin)
    wrong = 0
    for table, rule in RULES.items():
        if table not in histories:
            continue
        deliveries = {folder.name[3:]: list(rows_of(folder)) for folder in sorted((raw / table).glob("dt=*"))}
        wanted = list(increments(rule, deliveries) if rule.time else snapshots(rule, deliveries))
        names = [*rule.key, *rule.compared, "change", "valid_from", "run_date"]
        found = [tuple(version[name] for name in names) for version in histories[table]]
        print(table, len(found))
        for what, others in (
            ("missing", Counter(wanted) - Counter(found)),
            ("not expected", Counter(found) - Counter(wanted)),
        ):
            if others:
                wrong += 1
                print(f"  {sum(others.values())} versions {what}, e.g. {next(iter(others))}")
    return 1 if wrong else 0


def snapshots(rule: Rule, deliveries: Mapping[str, Sequence[Row]]) -> Iterator[Version]:
    state: dict[tuple[str | None, ...], Version] = {}
    for day, rows in sorted(deliveries.items()):
        there = set()
        for row in rows:
            key, values = parts(rule, row)
            there.add(key)
            if state.get(key) == values:
                continue
            yield (*key, *values, "update" if key in state else "insert", day, day)
            state[key] = values
        for key in [key for key in state if key not in there]:
            yield (*key, *state.pop(key), "delete", day, day)


def increments(rule: Rule, deliveries: Mapping[str, Sequence[Row]]) -> Iterator[Version]:
    assert rule.time is not None
    events = [
        (row[rule.time] or "", day, row["source_file"] or "", at, row)
        for day, rows in deliveries.items()
        for at, row in enumerate(rows)
    ]
    state: dict[tuple[str | None, ...], Version] = {}
    for time, day, _, _, row in sorted(events, key=lambda event: event[:4]):
        key, values = parts(rule, row)
        if state.get(key) != values:
            yield (*key, *values, "update" if key in state else "insert", time, day)
            state[key] = values


def parts(rule: Rule, row: Row) -> tuple[Version, Version]:
    return tuple(row[name] for name in rule.key), tuple(row[name] for name in rule.compared)


def rows_of(folder: Path) -> Iterator[Row]:
    for file in sorted(folder.iterdir()):
        if file.name.startswith("_"):
            continue
        for row in rows_in(file):
            yield {**{name: text(value) for name, value in row.items()}, "source_file": file.name}


def rows_in(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        rows: list[dict[str, Any]] = parquet.ParquetFile(file).read().to_pylist()
        return rows
    if file.suffix == ".bz2":
        lines = bz2.decompress(file.read_bytes()).decode().splitlines()
        return [{**row, "delivered_by": "acme"} for row in csv.DictReader(lines)]
    prices = ElementTree.fromstring(file.read_bytes()).iter("price")  # noqa: S314 (its own file)
    return [{**{part.tag: part.text for part in price}, "delivered_by": "bolt"} for price in prices]


def text(value: Any) -> str | None:
    """A value as Athena writes it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    if isinstance(value, date | Decimal):
        return f"{value}"
    return None if value is None else str(value)


if __name__ == "__main__":
    sys.exit(main())
