"""Shared by the tests of sales: a lake to run the job on, the document's sample and lines of a shop."""

import csv
import gzip
import io as text_io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import transform_deliveries
from conftest import PIPELINES
from plans import put_plan
from pyspark.sql import Row, SparkSession

D1, D2, D3 = "2025-01-15", "2025-01-16", "2025-01-17"
HEADER = "transaction_id,customer_id,product_id,quantity,unit_price,transaction_date,region"
RETAIL = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
SAMPLE = f"""{HEADER}
TXN001,CUST100,PROD001,2,29.99,2025-01-15,US-EAST
TXN002,CUST101,PROD002,1,49.99,2025-01-15,US-WEST
TXN003,CUST100,PROD003,3,19.99,2025-01-16,US-EAST
TXN004,CUST102,PROD001,1,29.99,2025-01-16,EU-WEST
TXN005,CUST101,PROD004,2,39.99,2025-01-17,US-WEST
"""


def sale(key: str = "T1", **others: object) -> str:
    """A good line under HEADER; any column may be given another text, which is quoted as it must be."""
    good = {
        "transaction_id": key,
        "customer_id": "C1",
        "product_id": "P1",
        "quantity": "1",
        "unit_price": "1.00",
        "transaction_date": D1,
        "region": "EU",
    }
    line = text_io.StringIO()
    csv.writer(line, lineterminator="").writerow((good | others).values())
    return line.getvalue()


def csv_of(*lines: str, header: str = HEADER, end: str = "\n") -> str:
    return "".join(line + end for line in (header, *lines))


# For tests with few rows, which would fail limits meant for thousands.
LENIENT = json.dumps(
    {
        "threshold": 0,
        "rules": [
            {
                "name": "nearly_all",
                "type": "quarantineLimit",
                "reason": "malformed",
                "atMost": 0.999999,
                "action": "halt",
            }
        ],
    }
)


@dataclass(frozen=True)
class SalesLake:
    """Raw, processed, quarantine and curated zones of one pipeline, as directories."""

    root: Path
    pipeline: str = "sales"

    def deliver(self, day: str, content: str | bytes, file: str = "sales.csv") -> Path:
        path = self.root / "raw" / self.pipeline / f"dt={day}" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data, mtime=0) if file.endswith(".gz") else data)
        return path

    def contract(self, **changes: Any) -> str:
        """The contract with parts of x-etl replaced, where this lake keeps it."""
        document = json.loads((PIPELINES / self.pipeline / f"{self.pipeline}.schema.json").read_text())
        document["x-etl"] |= changes
        path = self.root / "contract.json"
        path.write_text(json.dumps(document))
        return str(path)

    def run(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> dict[str, Any]:
        given = {"pipeline": self.pipeline, "from_date": first, "to_date": last or first, "run_id": run_id}
        zones = {"source": "raw", "output": "processed", "quarantine": "quarantine", "books": "processed"}
        if self.pipeline == "sales":
            zones["curated"] = "curated"
        for name, zone in zones.items():
            prefix = "books/" if name == "books" else ""
            given |= {
                f"{name}_bucket": str(self.root / zone),
                f"{name}_prefix": f"{prefix}{self.pipeline}/",
            }
        given["contract"] = str(PIPELINES / self.pipeline / f"{self.pipeline}.schema.json")
        given["quality"] = str(self.root / "lenient.json")
        Path(given["quality"]).write_text(LENIENT)
        given |= others
        given["plan_uri"] = put_plan(self.root, Path(given.pop("contract")), Path(given.pop("quality")))
        try:
            transform_deliveries.main(
                [part for name, value in given.items() for part in (f"--{name}", value)]
            )
        finally:
            SparkSession.builder.getOrCreate().catalog.clearCache()
        folder = self.root / "processed" / "books" / self.pipeline / run_id
        books: dict[str, Any] = json.loads((folder / "books.json").read_text())
        return books

    def rows(self, spark: SparkSession, zone: str = "processed", *columns: str) -> list[Row]:
        folder = self.root / zone / self.pipeline
        if not list(folder.glob("run_date=*")):
            return []
        rows = spark.read.parquet(str(folder))
        return sorted((rows.select(*columns) if columns else rows).collect(), key=repr)

    def folders(self, zone: str = "processed") -> list[str]:
        """The partitions that have a file, as their folders are named."""
        root = self.root / zone / self.pipeline
        return sorted({str(path.parent.relative_to(root)) for path in root.rglob("*.parquet")})

    def contents(self) -> list[tuple[str, bytes]]:
        """Every published file, by its folder: names are never the same twice."""
        zones = (self.root / zone / self.pipeline for zone in ("processed", "curated"))
        files = [path for zone in zones for path in zone.rglob("*.parquet")]
        return sorted((str(path.parent), path.read_bytes()) for path in files)

    def reasons(self, spark: SparkSession) -> list[tuple[str, str]]:
        return [tuple(row) for row in self.rows(spark, "quarantine", "raw_line", "reason")]


def figures(books: dict[str, Any]) -> tuple[int, int, int, int]:
    return books["read"], books["written"], books["duplicates"], books["quarantined"]


def retail_line(**others: object) -> str:
    good = {
        "InvoiceNo": "536365",
        "StockCode": "85123a",
        "Description": 'A "QUOTED", LONG NAME ',
        "Quantity": "6",
        "InvoiceDate": "2010-12-01 08:26:00",
        "UnitPrice": "2.55",
        "CustomerID": "17850.0",
        "Country": "United Kingdom",
    }
    line = text_io.StringIO()
    csv.writer(line, lineterminator="").writerow((good | others).values())
    return line.getvalue()


def total(rows: Sequence[Row], column: str) -> Decimal:
    return sum((row[column] for row in rows), Decimal(0))


def region_of(folder: str) -> str:
    return unquote(folder.rpartition("region=")[2])
