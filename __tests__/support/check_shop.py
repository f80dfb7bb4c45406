"""Compares deliveries of the shop with the model of its days, row for row and type for type.

    check_shop.py RAW INPUT DATE... [--correction DATE]

RAW holds `<table>/dt=<date>/*.parquet`, INPUT the days' files. Dates are in the order in which they were
extracted. A date is compared with the shop after the input's days up to it; `--correction` says that it was
extracted when the mark was past it already. Prints the rows of each table, and ends with 1
after a difference."""

import argparse
import sys
from collections import Counter
from dataclasses import astuple
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet

sys.path.insert(0, str(Path(__file__).parents[2] / "pipelines" / "shop"))
import shop_days

OVERLAP = timedelta(minutes=60)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("raw", type=Path)
    parser.add_argument("input", type=Path)
    parser.add_argument("dates", nargs="*", type=date.fromisoformat)
    parser.add_argument("--correction", action="append", default=[], type=date.fromisoformat)
    given = parser.parse_args()
    mark: datetime | None = None
    wrong = 0
    for day in [*given.dates, *given.correction]:
        shop = shop_days.Shop()
        for file_day, path in shop_days.day_files(given.input):
            if file_day <= day:
                shop.apply(file_day, path)
        is_correction = day in given.correction
        wanted = expected(shop, day, None if is_correction else mark, is_correction)
        if not is_correction:
            mark = max(row.updated_at for row in shop.customers.values())
        for table, rows in wanted.items():
            found = read(given.raw / table / f"dt={day}")
            missing, strange = Counter(rows) - Counter(found), Counter(found) - Counter(rows)
            print(day, table, len(found))
            for what, others in (("missing", missing), ("not expected", strange)):
                if others:
                    wrong += 1
                    print(f"  {sum(others.values())} rows {what}, e.g. {next(iter(others))}")
    return 1 if wrong else 0


def expected(
    shop: Any, day: date, mark: datetime | None, is_correction: bool
) -> dict[str, list[tuple[Any, ...]]]:
    first = datetime.combine(day, time()) if is_correction else None
    customers = [
        row
        for row in shop.customers.values()
        if (mark is None or row.updated_at > mark - OVERLAP)
        and (first is None or first <= row.updated_at < first + timedelta(days=1))
    ]
    return {
        "customers": [astuple(row) for row in customers],
        "products": [astuple(row) for row in shop.products.values()],
        "invoices": [astuple(row) for row in shop.invoices.values()],
        "invoice_lines": [astuple(row) for row in shop.invoice_lines.values()],
    }


def read(folder: Path) -> list[tuple[Any, ...]]:
    return [
        tuple(
            # The shop's times have no zone; Parquet's are instants.
            value.replace(tzinfo=None) if isinstance(value, datetime) else value
            for value in row.values()
        )
        for file in sorted(folder.glob("*.parquet"))
        for row in parquet.ParquetFile(file).read().to_pylist()
    ]


if __name__ == "__main__":
    sys.exit(main())
