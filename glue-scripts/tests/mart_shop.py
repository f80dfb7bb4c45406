"""A small shop for the tests of the job of marts: its staging tables as the pipelines before it leave them,
and what the marts must then hold, by the independent model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import make_mart
from conftest import ROOT, WAREHOUSE
from etl.write.iceberg_tables import CATALOGUE
from marts_model import Staged, amount, there_on, valid_at, versions_of
from plans import mart_of
from pyspark.sql import SparkSession

CASES = ROOT / "tests" / "cases" / "marts"
FIRST = date(2010, 12, 1)
OWNER_ARN = "arn:aws:states:eu-west-1:000000000000:execution:etl-dev-star:one"
VERSION = "change string, valid_from {kind}, sequence int, run_date string"
SCHEMAS = {
    "stg_customers": "customer_id string, country string, first_seen date, last_seen date",
    "stg_products": "product_id string, description string, unit_price decimal(10,4)",
    "stg_invoices": "invoice_id string, customer_id string, invoiced_at timestamp_ntz, kind string",
    "stg_invoice_lines": (
        "invoice_id string, line_no int, product_id string, quantity int, unit_price decimal(10,4)"
    ),
    "stg_price_lists": "product_id string, supplier string, valid_on date, list_price decimal(10,2)",
}
KEYS = {
    "stg_customers": 1,
    "stg_products": 1,
    "stg_invoices": 1,
    "stg_invoice_lines": 2,
    "stg_price_lists": 3,
}


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@dataclass
class Shop:
    """`staged` are the versions in each staging table, `put` writes them. `run` runs a mart's job."""

    spark: SparkSession
    root: Path
    staged: dict[str, list[Staged]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})
    runs: int = 0

    @property
    def database(self) -> str:
        return self.root.name.replace("-", "_")

    def stage(self, table: str, number: int, *values: Any, change: str = "update") -> None:
        """A version of day `number`; `values` are all columns of the table, the key first."""
        keys = KEYS[table]
        hours = 23 if table == "stg_customers" else 0
        moment = datetime.combine(day(number), datetime.min.time()) + timedelta(hours=hours)
        row = Staged(values[:keys], values[keys:], (), change, moment, f"{day(number)}", 1)
        self.staged[table].append(row)

    def put(self, *tables: str) -> None:
        """Writes staging tables anew, with the columns that a table of every version has besides."""
        for table in tables or SCHEMAS:
            is_timed = table == "stg_customers"
            schema = f"{SCHEMAS[table]}, {VERSION.format(kind='timestamp_ntz' if is_timed else 'date')}"
            rows = [
                (
                    *(*one.key, *one.compared, one.change),
                    *(one.valid_from if is_timed else one.valid_from.date(), one.sequence, one.run_date),
                )
                for one in self.staged[table]
            ]
            frame = self.spark.createDataFrame(rows, schema).repartition(1)
            frame.writeTo(self.name(table)).using("iceberg").createOrReplace()

    def name(self, table: str) -> str:
        return f"{CATALOGUE}.{self.database}.{table}"

    def plan(self, mart: str, **changes: Any) -> str:
        document = json.loads((CASES / f"{mart}.mart.json").read_text()) | changes
        selects = [(path.stem, path.read_text()) for path in sorted(CASES.glob("*.sql"))]
        of_mart = tuple(one for one in selects if one[0] in document["tables"])
        return mart_of(json.dumps(document), of_mart)

    def run(self, mart: str, number: int, **changes: Any) -> dict[str, Any]:
        """Runs the job for a day and gives its books."""
        self.runs += 1
        uri = self.root / f"{mart}.json"
        uri.write_text(self.plan(mart, **changes))
        given = {
            "pipeline": mart,
            "mart_uri": str(uri),
            "source_database": self.database,
            "output_database": self.database,
            # A catalogue of folders always puts the tables here.
            "output_bucket": str(WAREHOUSE.folder),
            "output_prefix": f"{self.database}/",
            "books_bucket": str(self.root),
            "books_prefix": f"books/{mart}/",
            "from_date": f"{day(number)}",
            "to_date": f"{day(number)}",
            "run_id": f"run-{self.runs}",
            "run_mode": "daily",
            "lock_table": "locks",
            "lock_owner": OWNER_ARN,
        }
        try:
            make_mart.main([part for name, value in given.items() for part in (f"--{name}", value)])
        finally:
            self.spark.catalog.clearCache()
        return self.books(mart)

    def books(self, mart: str) -> dict[str, Any]:
        path = self.root / "books" / mart / f"run-{self.runs}" / "books.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """The rows without `loaded_at` and `run_id`, in an order of their own."""
        self.spark.catalog.refreshTable(self.name(table))
        rows = self.spark.table(self.name(table)).drop("loaded_at", "run_id").collect()
        return sorted(map(tuple, rows), key=str)

    def commits(self, table: str) -> int:
        return self.spark.table(f"{self.name(table)}.snapshots").count()

    def expected(self, table: str) -> list[tuple[Any, ...]]:
        return sorted(getattr(self, f"_{table}")(), key=str)

    def _products_scd2(self) -> list[tuple[Any, ...]]:
        return [
            (*one.key, *one.compared, *validity(one), one.surrogate)
            for one in versions_of(self.staged["stg_products"])
        ]

    def _customers(self) -> list[Staged]:
        """The customers: `country` makes versions; the other columns are overwritten."""
        rows = self.staged["stg_customers"]
        return [
            Staged(
                one.key,
                one.compared[:1],
                one.compared[1:],
                one.change,
                one.valid_from,
                one.run_date,
                one.sequence,
            )
            for one in rows
        ]

    def _customers_scd2(self) -> list[tuple[Any, ...]]:
        return [
            (*one.key, *one.compared, *validity(one), one.surrogate, *one.overwritten)
            for one in versions_of(self._customers())
        ]

    def _dim_product(self) -> list[tuple[Any, ...]]:
        return [*self._products_scd2(), (None, None, None, None, None, True, 1, -2)]

    def _dim_customer(self) -> list[tuple[Any, ...]]:
        return [*self._customers_scd2(), (None, None, None, None, True, 1, -1, None, None)]

    def _fact_sales(self) -> list[tuple[Any, ...]]:
        products = versions_of(self.staged["stg_products"])
        customers = versions_of(self._customers())
        invoices = there_on(self.staged["stg_invoices"], date.max)
        facts = []
        for line in there_on(self.staged["stg_invoice_lines"], date.max).values():
            (invoice, number), (product, quantity, price) = line.key, line.compared
            if (invoice,) not in invoices:
                continue
            customer, moment, kind = invoices[invoice,].compared
            of_customer = valid_at(customers, (customer,), moment.date())
            of_product = valid_at(products, (product,), moment.date())
            keys = (
                -1 if of_customer is None else of_customer.surrogate,
                -2 if of_product is None else of_product.surrogate,
            )
            when = int(f"{moment:%Y%m%d}")
            facts.append((invoice, number, when, *keys, kind, quantity, price, amount(quantity, price)))
        return facts

    def _prices_history(self) -> list[tuple[Any, ...]]:
        days = {
            one.valid_from.date() for name in ("stg_products", "stg_invoices") for one in self.staged[name]
        }
        lists = {(one.key[0], one.key[2]): one for one in self.staged["stg_price_lists"]}
        found: list[tuple[Any, ...]] = []
        for when in days:
            for key, one in there_on(self.staged["stg_products"], when).items():
                price = one.compared[1]
                listed = lists.get((key[0], when))
                other = (None, None) if listed is None else (listed.compared[0], listed.key[1])
                if price is not None:
                    found.append((key[0], when, price, *other))
        return found


def validity(one: Any) -> tuple[Any, ...]:
    return one.since, one.until, one.until is None, one.number


def three_days(shop: Shop) -> None:
    """A product is deleted, a customer moves, sales are returned; a line has a product that is not
    there, another one an invoice that is not there."""
    two, three = Decimal("2.0000"), Decimal("3.2550")
    shop.stage("stg_products", 0, "A", "lamp", two, change="insert")
    shop.stage("stg_products", 0, "B", None, None, change="insert")
    shop.stage("stg_products", 1, "A", "lamp", three)
    shop.stage("stg_products", 2, "A", "lamp", three, change="delete")
    shop.stage("stg_products", 2, "B", "box", two)
    shop.stage("stg_customers", 0, "1", "UK", day(0), day(0), change="insert")
    shop.stage("stg_customers", 1, "1", "UK", day(0), day(1))
    shop.stage("stg_customers", 2, "1", "France", day(0), day(2))
    shop.stage("stg_price_lists", 0, "A", "BOLT", day(0), Decimal("2.50"), change="insert")
    for number, lines in enumerate(([("A", 3), ("B", 1)], [("A", -1), ("none", 2)], [("B", 5)])):
        moment = datetime.combine(day(number), datetime.min.time()) + timedelta(hours=10)
        customer = None if number == 1 else "1"
        shop.stage("stg_invoices", number, f"i{number}", customer, moment, "sale", change="insert")
        add_lines(shop, number, f"i{number}", lines, three)
    add_lines(shop, 2, "gone", [("A", 1)], two)


def add_lines(
    shop: Shop, number: int, invoice: str, lines: Sequence[tuple[str, int]], price: Decimal
) -> None:
    for line, (product, quantity) in enumerate(lines, 1):
        shop.stage("stg_invoice_lines", number, invoice, line, product, quantity, price, change="insert")
