"""Shared by the tests of changes: a shop's stock as snapshots or increments, and what its history is."""

import csv
import io as streams
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import WAREHOUSE, Lake
from etl.write.iceberg_tables import CATALOGUE
from pyspark.sql import Row, SparkSession

D1, D2, D3, D4, D5 = (f"2025-11-2{day}" for day in range(5))

WHOLE: dict[str, Any] = {
    "delivery": "whole",
    "order": ["file"],
    "deletes": {"provedBy": "count", "file": "_count.json", "member": "rows"},
}
INCREMENT: dict[str, Any] = {
    "delivery": "increment",
    "order": ["file"],
    "deletes": {"column": "op", "values": ["D"]},
}
BY_TIME: dict[str, Any] = {**INCREMENT, "order": ["changed_at", "file"], "validFrom": "changed_at"}
COLUMNS = ("shop", "sku", "name", "price", "op", "changed_at")
VALUES = ("name", "price")


def contract_of(changes: dict[str, Any], **extension: object) -> dict[str, Any]:
    """The stock of shops, by shop and number of the article."""
    is_timed = "changed_at" in changes["order"]
    has_op = "column" in changes.get("deletes", {})
    required = ["shop", "sku", *(["op"] if has_op else []), *(["changed_at"] if is_timed else [])]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {
            "shop": {"type": "string"},
            "sku": {"type": "integer"},
            "name": {"type": ["string", "null"], "x-null": [""]},
            "price": {"type": ["number", "null"], "x-decimal": [10, 4]},
            **({"op": {"type": "string", "enum": ["I", "U", "D"]}} if has_op else {}),
            **(
                {
                    "changed_at": {
                        "type": "string",
                        "x-timestamp": {"formats": ["yyyy-MM-dd HH:mm"], "timeZone": "UTC"},
                    }
                }
                if is_timed
                else {}
            ),
        },
        "required": required,
        "x-etl": {
            "businessKey": ["shop", "sku"],
            "lookbackDays": 0,
            **({} if "sources" in extension else {"format": {"kind": "csv"}}),
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                *({"reason": f"missing_{name}", "rule": "missing", "column": name} for name in required),
                {"reason": "wrong_type", "rule": "wrongType"},
                *([{"reason": "no_op", "rule": "notAllowed"}] if has_op else []),
            ],
            "output": [
                *("shop", "sku", "name", "price"),
                *(["op"] if has_op else []),
                *(["changed_at"] if is_timed else []),
                *([extension["sourceColumn"]] if "sourceColumn" in extension else []),
            ],
            "changes": changes,
            **extension,
        },
    }


def row(sku: object, name: str = "", price: str = "", **others: str) -> dict[str, str]:
    return {"shop": "s", "sku": f"{sku}", "name": name, "price": price, "op": "U", **others}


@dataclass(frozen=True)
class Stage(Lake):
    """A lake whose output is the history of the stock."""

    changes: dict[str, Any] = field(default_factory=lambda: WHOLE)
    extension: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return f"{self.root.parent.name}_{self.root.name}".replace("-", "_")

    @property
    def table(self) -> str:
        return f"{CATALOGUE}.{self.database}.events"

    @property
    def contract(self) -> dict[str, Any]:
        return contract_of(self.changes, **self.extension)

    def deliver_rows(
        self, day: str, *rows: dict[str, str] | str, file: str = "stock.csv", count: int | None = None
    ) -> Path:
        """A file of the delivery, and beside it the count of its rows."""
        names = [name for name in COLUMNS if name in self.contract["properties"]]
        out = streams.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        for one in rows:
            if isinstance(one, str):
                out.write(f"{one}\n")
            else:
                writer.writerow([one.get(name, "") for name in names])
        path = self.deliver_bytes(day, out.getvalue().encode(), file)
        if self.changes.get("deletes", {}).get("provedBy") == "count":
            counted = len(rows) if count is None else count
            self.deliver_bytes(day, json.dumps({"rows": counted}).encode(), "_count.json")
        return path

    def arguments(self, first: str, last: str = "", run_id: str = "run-1", **others: str) -> list[str]:
        path = self.root / "stock.schema.json"
        path.write_text(json.dumps(self.contract))
        given = {
            # A catalogue of folders always puts the table here.
            "output_bucket": str(WAREHOUSE.folder / self.database),
            "output_database": self.database,
            "output_table": "events",
            "table_format": "iceberg",
            "write_mode": "changes",
            "contract": str(path),
            "quality": str(Path(__file__).parent / "cases" / "any.quality.json"),
        }
        return super().arguments(first, last, run_id, **(given | others))

    def rows(self, spark: SparkSession, zone: str) -> list[Row]:
        if zone != "processed":
            return super().rows(spark, zone)
        if not spark.catalog.tableExists(self.table):
            return []
        spark.catalog.refreshTable(self.table)
        return spark.table(self.table).collect()

    def history(self, spark: SparkSession, *columns: str) -> list[tuple[Any, ...]]:
        """The versions in the order of their keys and places."""
        found = sorted(
            self.rows(spark, "processed"), key=lambda one: (one["shop"], one["sku"], *self._place(one))
        )
        return [tuple(one[name] for name in columns) for one in found]

    def _place(self, one: Row) -> Sequence[Any]:
        timed = (one["changed_at"],) if "changed_at" in self.changes["order"] else ()
        return (*timed, one["run_date"], one["sequence"])

    def snapshots(self, spark: SparkSession) -> int:
        return spark.table(f"{self.table}.snapshots").count()
