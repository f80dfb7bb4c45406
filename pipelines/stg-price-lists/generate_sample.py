"""Makes the price lists of two suppliers that do not exist, from days of the shop (`pipelines/shop`). All
is synthetic but the shop's own prices. For each product with a line on a day, whose price after the day is
known:

- the supplier is ACME if the first character of the code is even as a code point, else BOLT;
- the list price is the shop's price times 1.25, rounded half up to two decimals; the currency is GBP.

ACME sends CSV in bzip2, BOLT sends XML: `price-lists/dt=<day>/`. The same days give the same bytes.

    python3 pipelines/stg-price-lists/generate_sample.py --input pipelines/shop/sample --into lists
"""

import argparse
import bz2
import csv
import io
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parent.parent / "shop"))

from shop_days import InvalidDayFileError, Shop, day_files

COLUMNS = ("product_id", "supplier", "list_price", "currency", "valid_on")
MARGIN, CENT = Decimal("1.25"), Decimal("0.01")
FOLDER = "price-lists"


@dataclass(frozen=True)
class ListPrice:
    product_id: str
    supplier: str
    list_price: Decimal
    currency: str
    valid_on: date

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(str(getattr(self, name)) for name in COLUMNS)


def prices_of(shop: Shop, codes: Sequence[str], day: date) -> list[ListPrice]:
    """The list of a day that the shop has just applied."""
    found = []
    for code in codes:
        price = shop.products[code].unit_price
        if price is not None and code:
            list_price = (price * MARGIN).quantize(CENT, ROUND_HALF_UP)
            found.append(ListPrice(code, supplier_of(code), list_price, "GBP", day))
    return found


def supplier_of(code: str) -> str:
    return "ACME" if ord(code[0]) % 2 == 0 else "BOLT"


def csv_of(prices: Sequence[ListPrice]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *(price.texts for price in prices)])
    return text.getvalue().encode()


def xml_of(prices: Sequence[ListPrice]) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<prices>"]
    for price in prices:
        inside = "".join(
            f"<{name}>{escape(text)}</{name}>" for name, text in zip(COLUMNS, price.texts, strict=True)
        )
        lines.append(f"  <price>{inside}</price>")
    return "\n".join([*lines, "</prices>", ""]).encode()


def write_lists(days: Path, into: Path) -> int:
    """Writes the lists of every day in a folder, in place of those that are there. Gives the number of days.
    A supplier without a price sends nothing."""
    shop, count = Shop(), 0
    shutil.rmtree(into / FOLDER, ignore_errors=True)
    for day, path in day_files(days):
        prices = prices_of(shop, shop.apply(day, path).codes, day)
        folder = into / FOLDER / f"dt={day}"
        folder.mkdir(parents=True)
        of = {name: [one for one in prices if one.supplier == name] for name in ("ACME", "BOLT")}
        if of["ACME"]:
            (folder / "acme.csv.bz2").write_bytes(bz2.compress(csv_of(of["ACME"])))
        if of["BOLT"]:
            (folder / "bolt.xml").write_bytes(xml_of(of["BOLT"]))
        count += 1
    return count


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes the price lists of days of the shop.")
    parser.add_argument("--input", type=Path, required=True, help="folder of the days, YYYY-MM-DD.csv")
    parser.add_argument("--into", type=Path, required=True, help="folder in which price-lists/ is made")
    given = parser.parse_args(arguments)
    try:
        days = write_lists(given.input, given.into)
    except InvalidDayFileError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"price lists of {days} days in {given.into / FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
