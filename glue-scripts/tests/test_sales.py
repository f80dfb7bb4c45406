"""Sales from file to table: the document's sample, a shop's real lines, money, partitions by region, and what
is added up."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import PIPELINES
from etl import clients
from etl.errors import InvalidArguments, StorageError
from etl.ingest import publish
from pyspark.sql import SparkSession
from sales import D1, D2, D3, RETAIL, SAMPLE, SalesLake, csv_of, figures, region_of, retail_line, sale, total
from test_catalogue import STORAGE, Glue

pytestmark = pytest.mark.usefixtures("spark")


@pytest.fixture
def lake(tmp_path: Path) -> SalesLake:
    return SalesLake(tmp_path)


def test_the_documents_five_rows(lake: SalesLake, each_spark: SparkSession) -> None:
    lake.deliver(D1, SAMPLE)
    books = lake.run(D1)
    assert figures(books) == (5, 5, 0, 0)
    assert (books["files"], books["partitions"]) == (3, 3)
    expected = [
        ("TXN001", "CUST100", "PROD001", 2, "29.9900", date(2025, 1, 15), "59.98", "US-EAST"),
        ("TXN002", "CUST101", "PROD002", 1, "49.9900", date(2025, 1, 15), "49.99", "US-WEST"),
        ("TXN003", "CUST100", "PROD003", 3, "19.9900", date(2025, 1, 16), "59.97", "US-EAST"),
        ("TXN004", "CUST102", "PROD001", 1, "29.9900", date(2025, 1, 16), "29.99", "EU-WEST"),
        ("TXN005", "CUST101", "PROD004", 2, "39.9900", date(2025, 1, 17), "79.98", "US-WEST"),
    ]
    rows = lake.rows(each_spark)
    assert [
        (
            *(row["transaction_id"], row["customer_id"], row["product_id"], row["quantity"]),
            *(str(row["unit_price"]), row["transaction_date"], str(row["total_amount"]), row["region"]),
        )
        for row in rows
    ] == expected
    assert {(row["transaction_time"], row["transaction_type"], str(row["run_date"])) for row in rows} == {
        (None, "sale", D1)
    }
    schema = each_spark.read.parquet(f"{lake.root}/processed/sales").drop("run_date").schema
    assert schema.simpleString() == (
        "struct<transaction_id:string,customer_id:string,product_id:string,quantity:bigint,"
        "unit_price:decimal(10,4),transaction_date:date,transaction_time:timestamp,transaction_type:string,"
        "total_amount:decimal(14,2),region:string>"
    )
    added = [tuple(map(str, row)) for row in lake.rows(each_spark, "curated")]
    assert added == [
        ("2025-01-15", "US-EAST", "PROD001", "59.98", "2", "1", D1),
        ("2025-01-15", "US-WEST", "PROD002", "49.99", "1", "1", D1),
        ("2025-01-16", "EU-WEST", "PROD001", "29.99", "1", "1", D1),
        ("2025-01-16", "US-EAST", "PROD003", "59.97", "3", "1", D1),
        ("2025-01-17", "US-WEST", "PROD004", "79.98", "2", "1", D1),
    ]


def test_a_shops_own_header_gives_the_same_columns(lake: SalesLake, spark: SparkSession) -> None:
    lake.deliver(
        D1,
        csv_of(
            retail_line(),
            retail_line(InvoiceNo="C536379", Quantity="-1", CustomerID=""),
            retail_line(InvoiceNo="A563185", StockCode="B", UnitPrice="-11062.06", Quantity="1"),
            retail_line(InvoiceNo="536589", Quantity="-10", UnitPrice="0.0", Country=""),
            header=RETAIL,
        ),
    )
    lake.deliver(D1, csv_of(sale("T1")), "own.csv")
    assert figures(lake.run(D1)) == (5, 5, 0, 0)
    columns = ("transaction_id", "product_id", "customer_id", "transaction_type", "total_amount", "region")
    assert [tuple(row) for row in lake.rows(spark, "processed", *columns)] == [
        ("536365", "85123A", "17850", "sale", Decimal("15.30"), "United Kingdom"),
        ("536589", "85123A", "17850", "cancellation", Decimal("0.00"), None),
        ("A563185", "B", "17850", "adjustment", Decimal("-11062.06"), "United Kingdom"),
        ("C536379", "85123A", None, "cancellation", Decimal("-2.55"), "United Kingdom"),
        ("T1", "P1", "C1", "sale", Decimal("1.00"), "EU"),
    ]
    times = {
        (row[0], row[1]) for row in lake.rows(spark, "processed", "transaction_time", "transaction_date")
    }
    assert times == {(datetime(2010, 12, 1, 8, 26), date(2010, 12, 1)), (None, date(2025, 1, 15))}
    assert total(lake.rows(spark, "curated"), "revenue") == Decimal("-11048.31")


def test_money_is_exact_or_quarantined(lake: SalesLake, each_spark: SparkSession) -> None:
    prices = ["1.005", "0.0001", "999999.9999", "007.10", "2.50000000000000000000", "-0", "0.12345"]
    wrong = [
        "1000000",
        "1e3",
        "1,5",
        "NaN",
        "1.",
        ".5",
        " 1",
        "0x1",
        "99999999999999999999999999999999999999999",
    ]
    lines = [sale(f"T{at}", unit_price=price) for at, price in enumerate([*prices, *wrong])]
    lines += [
        sale(f"Q{at}", quantity=text) for at, text in enumerate(["6.0", "9223372036854775808", "+1", "x"])
    ]
    # The largest amount is more than its column holds.
    lines += [sale("L", quantity="9223372036854775807", unit_price="999999")]
    lake.deliver(D1, csv_of(*lines))
    assert figures(lake.run(D1)) == (len(lines), 6, 0, len(lines) - 6)
    columns = ("transaction_id", "unit_price", "total_amount")
    found = {row[0]: (str(row[1]), str(row[2])) for row in lake.rows(each_spark, "processed", *columns)}
    assert found == {
        "T0": ("1.0050", "1.01"),
        "T1": ("0.0001", "0.00"),
        "T2": ("999999.9999", "1000000.00"),
        "T3": ("7.1000", "7.10"),
        "T4": ("2.5000", "2.50"),
        "T5": ("0.0000", "0.00"),
    }
    assert {reason for _, reason in lake.reasons(each_spark)} == {"wrong_type"}


def test_dates_in_no_declared_format_are_quarantined(lake: SalesLake, each_spark: SparkSession) -> None:
    dates = ["2025-01-15T10:00:00Z", "2025-01-15 23:59:59", "15/01/2025", "2025-02-30", "2025-13-01", "1", ""]
    lake.deliver(D1, csv_of(*(sale(f"T{at}", transaction_date=text) for at, text in enumerate(dates))))
    books = lake.run(D1)
    assert figures(books) == (7, 2, 0, 5)
    reasons = books["quarantinedByReason"]
    assert (reasons["invalid_transaction_date"], reasons["missing_transaction_date"]) == (4, 1)


@pytest.mark.once
def test_the_same_line_twice_is_a_duplicate_and_another_quantity_is_not(
    lake: SalesLake, spark: SparkSession
) -> None:
    lines = [sale("T1"), sale("T1"), sale("T1", unit_price="1.000"), sale("T1", quantity="2")]
    lake.deliver(D1, csv_of(*lines, sale("T1", unit_price="1.01")))
    lake.deliver(D2, csv_of(sale("T1"), sale("T2")))
    assert figures(lake.run(D1)) == (5, 3, 2, 0)
    assert figures(lake.run(D2, run_id="run-2")) == (2, 1, 1, 0)


REGIONS = [
    "a/b",
    "a=b",
    "100%",
    "a:b",
    "..",
    ".",
    "München",
    "日本",
    "a b",
    "%2F",
    "_x",
    "*?[{",
    "a\\b",
    "é'\"#",
]


def test_regions_that_are_no_folder_are_encoded_and_read_back(lake: SalesLake, spark: SparkSession) -> None:
    regions = [*REGIONS, ""]
    lake.deliver(D1, csv_of(*(sale(f"T{at:02}", region=text) for at, text in enumerate(regions))))
    books = lake.run(D1)
    assert figures(books) == (len(regions), len(regions), 0, 0)
    assert (books["partitions"], books["files"]) == (len(regions), len(regions))
    found = [row["region"] for row in lake.rows(spark, "processed", "transaction_id", "region")]
    assert found == [*REGIONS, None]
    assert {region_of(name) for name in lake.folders()} == {*REGIONS, "__HIVE_DEFAULT_PARTITION__"}
    assert {name.count("/") for name in lake.folders()} == {1}
    # Once more over what lies there, with fewer of them.
    lake.deliver(D1, csv_of(sale("T00", region="a/b"), sale("T02", region="100%")))
    assert figures(lake.run(D1, run_id="run-2")) == (2, 2, 0, 0)
    assert {region_of(name) for name in lake.folders()} == {"a/b", "100%"}


def test_a_region_that_a_folder_cannot_keep_is_quarantined(lake: SalesLake, spark: SparkSession) -> None:
    null = "__HIVE_DEFAULT_PARTITION__"
    lost = {"T2": null, "T3": "a\0b"}
    kept = {
        "T1": "",
        "T4": null.lower(),
        "T5": f"_{null}",
        "T6": "".join(map(chr, range(1, 10))),
        "T7": "\x7f",
    }
    regions = lost | kept
    lake.deliver(D1, csv_of(*(sale(key, region=text) for key, text in sorted(regions.items()))))
    books = lake.run(D1)
    assert figures(books) == (7, 5, 0, 2)
    rows = lake.rows(spark, "processed", "transaction_id", "region")
    assert {row["transaction_id"]: row["region"] or "" for row in rows} == kept
    rejected = lake.rows(spark, "quarantine", "reason", "reason_values")
    assert [tuple(row) for row in rejected] == [("wrong_type", {"region": text}) for text in lost.values()]
    expected = "a text of at most 70 bytes without NUL, other than __HIVE_DEFAULT_PARTITION__"
    assert [(one["column"], one["expected"], one["rows"]) for one in books["reasons"]] == [
        ("region", expected, 2)
    ]


def test_a_region_that_is_too_long_for_a_folder_is_quarantined(lake: SalesLake, spark: SparkSession) -> None:
    lake.deliver(
        D1, csv_of(sale("T1", region="%" * 70), sale("T2", region="x" * 71), sale("T3", region="日" * 24))
    )
    assert figures(lake.run(D1)) == (3, 1, 0, 2)
    assert {reason for _, reason in lake.reasons(spark)} == {"wrong_type"}


@pytest.mark.once
def test_a_corrected_delivery_leaves_no_partition_of_the_old(lake: SalesLake, spark: SparkSession) -> None:
    lake.deliver(D1, SAMPLE)
    for file in ("a.csv", "b.csv"):
        lake.deliver(D2, csv_of(*(sale(f"{file}-{n}") for n in range(20))), file=file)
    first = lake.run(D1, D2)
    assert first["partitions"] == 4
    before = lake.contents()
    again = lake.run(D1, D2, "run-2")
    assert (lake.contents(), len(before)) == (before, 6)
    assert {n: v for n, v in again.items() if n not in ("runId", "seconds", "books")} == {
        n: v for n, v in first.items() if n not in ("runId", "seconds", "books")
    }
    lake.deliver(D1, SAMPLE.replace("US-WEST", "US-EAST"))
    assert lake.run(D1, D1, "run-3")["partitions"] == 2
    assert lake.folders() == [
        f"run_date={D1}/region=EU-WEST",
        f"run_date={D1}/region=US-EAST",
        f"run_date={D2}/region=EU",
    ]
    regions = {row["region"] for row in lake.rows(spark, "curated") if str(row["run_date"]) == D1}
    assert regions == {"EU-WEST", "US-EAST"}
    lake.deliver(D1, csv_of())
    assert lake.run(D1, D1, "run-4")["outcome"] == "EMPTY"
    assert (lake.folders(), lake.folders("curated")) == ([f"run_date={D2}/region=EU"], [f"run_date={D2}"])


@pytest.mark.once
def test_the_tables_have_the_partitions_of_what_lies_there(
    lake: SalesLake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {"sales": ("run_date", "region"), "revenue": ("run_date",)}
    glues = {name: Glue() for name in tables}

    class Both:
        """Two tables, each with partitions of its own."""

        def get_table(self, DatabaseName: str, Name: str) -> dict[str, Any]:  # noqa: N803
            keys = [{"Name": key, "Type": "string"} for key in tables[Name]]
            return {"Table": {"Name": Name, "StorageDescriptor": STORAGE, "PartitionKeys": keys}}

        def get_paginator(self, name: str) -> "Both":
            return self

        def paginate(self, TableName: str, **asked: Any) -> Any:  # noqa: N803
            return glues[TableName].paginate(TableName=TableName, **asked)

        def batch_create_partition(self, TableName: str, **asked: Any) -> Any:  # noqa: N803
            return glues[TableName].batch_create_partition(TableName=TableName, **asked)

        def batch_delete_partition(self, TableName: str, **asked: Any) -> Any:  # noqa: N803
            return glues[TableName].batch_delete_partition(TableName=TableName, **asked)

    monkeypatch.setitem(clients._clients, "glue", Both())
    given = {"output_database": "processed", "output_table": "sales"}
    given |= {"curated_database": "curated", "curated_table": "revenue"}
    lake.deliver(D1, csv_of(sale("T1", region="a/b"), sale("T2", region="c")))
    lake.deliver(D2, csv_of(sale("T3")))
    lake.run(D1, D2, **given)
    place = f"{lake.root}/processed/sales/"
    assert glues["sales"].places() == {
        (D1, "a/b"): f"{place}run_date={D1}/region=a%2Fb/",
        (D1, "c"): f"{place}run_date={D1}/region=c/",
        (D2, "EU"): f"{place}run_date={D2}/region=EU/",
    }
    assert set(glues["revenue"].places()) == {(D1,), (D2,)}
    lake.deliver(D1, csv_of(sale("T2", region="c")))
    lake.run(D1, run_id="run-2", **given)
    assert set(glues["sales"].places()) == {(D1, "c"), (D2, "EU")}
    lake.deliver(D1, csv_of())
    lake.run(D1, run_id="run-3", **given)
    assert set(glues["sales"].places()) == {(D2, "EU")}
    assert set(glues["revenue"].places()) == {(D2,)}
    tables["sales"] = ("run_date",)
    with pytest.raises(StorageError, match=r"is partitioned by run_date, its rows by run_date, region: "):
        lake.run(D1, run_id="run-4", **given)


@pytest.mark.once
def test_a_later_date_that_changes_is_added_up_again(lake: SalesLake, spark: SparkSession) -> None:
    lake.deliver(D2, csv_of(sale("T1"), sale("T2")))
    lake.run(D2)
    lake.deliver(D1, csv_of(sale("T1")))
    books = lake.run(D1, run_id="run-2")
    assert books["restated"]["dates"] == [D2]
    found = [(str(row["run_date"]), row["lines"]) for row in lake.rows(spark, "curated")]
    assert sorted(found) == [(D1, 1), (D2, 1)]


@pytest.mark.once
def test_killed_before_it_is_added_up_the_next_run_does_it(
    lake: SalesLake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.deliver(D1, SAMPLE)
    lake.run(D1)
    whole = lake.rows(spark, "curated"), lake.rows(spark)
    lake.deliver(D1, csv_of(sale("T1")))
    with monkeypatch.context() as patch:
        patch.setattr(publish, "write_aggregate", _die)
        with pytest.raises(KeyboardInterrupt):
            lake.run(D1, run_id="killed")
    spark.catalog.clearCache()
    lake.deliver(D1, SAMPLE)
    lake.run(D1, run_id="run-3")
    assert (lake.rows(spark, "curated"), lake.rows(spark)) == whole


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_aggregate_needs_its_place(lake: SalesLake, spark: SparkSession) -> None:
    lake.deliver(D1, SAMPLE)
    events = SalesLake(lake.root, "customers")
    events.deliver(D1, "customer_id\n", "c.csv")
    with pytest.raises(InvalidArguments, match=r"has no aggregate$"):
        events.run(D1, curated_bucket=str(lake.root / "curated"), curated_prefix="x/")


def test_customers_and_products_are_the_same_job(tmp_path: Path, spark: SparkSession) -> None:
    customers = SalesLake(tmp_path, "customers")
    names = "customer_id,customer_name,region,registered_on\n"
    content = names + 'C1,"Miller, Ltd",EU,2020-02-29\nC2,,,31/12/2019\nC1,again,,\nC3,x,,2019-02-29\n,x,,\n'
    for day in (D1, D3):
        customers.deliver(day, content, "c.csv")
    quality = {"quality": str(PIPELINES / "customers" / "customers.quality.json")}
    assert figures(customers.run(D1, D3)) == (10, 4, 2, 4)
    assert [tuple(row)[:4] for row in customers.rows(spark)][::2] == [
        ("C1", "Miller, Ltd", "EU", date(2020, 2, 29)),
        ("C2", None, None, date(2019, 12, 31)),
    ]
    assert customers.run(D1, run_id="judged", **quality)["outcome"] == "REFUSED"
    products = SalesLake(tmp_path, "products")
    products.deliver(D1, "product_id,product_name,category,unit_price\nP1,Cup,Kitchen,2.5\nP2,,,\n", "p.csv")
    quality = {"quality": str(PIPELINES / "products" / "products.quality.json")}
    assert figures(products.run(D1, **quality)) == (2, 2, 0, 0)
    assert [row["unit_price"] for row in products.rows(spark)] == [Decimal("2.5000"), None]
