"""Shared by the tests of AWS DMS: a table of stock whose files are made by tools/make_dms_files.py, and what
its history is."""

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from plans import REPOSITORY
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from stages import Stage

Settings = Mapping[str, Any]


def _load() -> Any:
    path = REPOSITORY / "tools" / "make_dms_files.py"
    spec = importlib.util.spec_from_file_location("make_dms_files", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if importlib.util.find_spec("pyarrow") is None:
        module.__dict__["write_parquet"] = _write_by_spark
    return module


def _write_by_spark(path: Path, names: Sequence[str], records: Sequence[Any], types: Settings) -> None:
    """The same file, where Python has no pyarrow: beside Spark 4."""
    spark = SparkSession.builder.getOrCreate()
    rows = spark.createDataFrame(
        [tuple(record[name] for name in names) for record in records],
        ", ".join(f"`{name}` string" for name in names),
    )
    typed = rows.select(*(F.col(f"`{name}`").cast(types.get(name, "string")).alias(name) for name in names))
    folder = path.with_name(f".{path.name}.made")
    typed.coalesce(1).write.parquet(str(folder))
    [made] = folder.glob("part-*.parquet")
    made.rename(path)
    shutil.rmtree(folder)


dms = _load()
COLUMNS = ("shop", "sku", "name", "price")
KEY = ("shop", "sku")
SEQUENCE, COMMIT = "change_seq", "committed_at"
NULL = "\\N"
LOAD_DAY = "2025-11-20"
BEGAN = datetime(2025, 11, 20, 6, tzinfo=UTC)
SAFE_TASK = {"HandleSourceTableTruncated": False, "HandleSourceTableDropped": False}


@dataclass(frozen=True)
class Kind:
    """Settings of the endpoint, and the order that the contract declares."""

    settings: Settings
    has_sequence: bool = False
    required: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def is_csv(self) -> bool:
        return bool(self.settings.get("DataFormat", "csv") == "csv")

    @property
    def commit(self) -> str:
        return str(self.settings.get("TimestampColumnName", ""))

    @property
    def order(self) -> list[str]:
        first = SEQUENCE if self.has_sequence else self.commit
        return [*([first] if first else []), "file"]

    def writer(self, into: Path) -> Any:
        return dms.Writer(
            into,
            "store",
            "stock",
            (*COLUMNS, *self.added),
            KEY,
            self.settings,
            SEQUENCE if self.has_sequence else "",
            {"sku": "int", "price": "decimal(10,4)"},
            began=BEGAN,
        )

    def contract(self) -> dict[str, Any]:
        null = {"x-null": [NULL]} if self.is_csv else {}
        text_null = {**null} if self.is_csv else {}
        properties: dict[str, Any] = {
            "Op": {"type": "string", "enum": ["I", "U", "D"]},
            "shop": {"type": "string", **text_null},
            "sku": {"type": "integer", **null},
            "name": {"type": ["string", "null"], **text_null},
            "price": {"type": ["number", "null"], "x-decimal": [10, 4], **null},
        }
        properties |= {name: {"type": ["string", "null"], **text_null} for name in self.added}
        moments = {"formats": ["yyyy-MM-dd HH:mm:ss.SSSSSS"], "timeZone": "UTC"}
        if self.commit:
            properties[self.commit] = {"type": "string", "x-timestamp": moments, **text_null}
        if self.has_sequence:
            properties[SEQUENCE] = {"type": "string", **text_null}
        needed = [
            "Op",
            *KEY,
            *([self.commit] if self.commit else []),
            *([SEQUENCE] if self.has_sequence else []),
        ]
        required = [*needed, *self.required]
        names = self.writer(Path()).names(has_op=True)
        header = self.settings.get("AddColumnName", False)
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "properties": properties,
            "required": required,
            "x-etl": {
                "businessKey": list(KEY),
                "lookbackDays": 0,
                "format": {
                    "kind": "csv",
                    "delimiter": self.settings.get("CsvDelimiter", ","),
                    "multiLine": True,
                    **({} if header else {"columns": names}),
                }
                if self.is_csv
                else {"kind": "parquet"},
                "reasons": [
                    {"reason": "malformed", "rule": "notAnObject"},
                    *({"reason": f"missing_{one}", "rule": "missing", "column": one} for one in required),
                    {"reason": "wrong_type", "rule": "wrongType"},
                    {"reason": "no_op", "rule": "notAllowed"},
                ],
                "output": list(properties),
                "changes": {
                    "delivery": "increment",
                    "order": self.order,
                    **({"validFrom": self.commit} if self.commit else {}),
                    "deletes": {"column": "Op", "values": ["D"]},
                },
                "dms": {
                    "schema": "store",
                    "table": "stock",
                    "fullLoadDate": LOAD_DAY,
                    **({"changeSequence": SEQUENCE} if self.has_sequence else {"tieBreak": "fileAndLine"}),
                    **({"addedColumns": list(self.added)} if self.added else {}),
                    "endpoint": dict(self.settings),
                    "task": SAFE_TASK,
                },
            },
        }


_CSV = {"CsvNullValue": NULL}
_TIMED = {"TimestampColumnName": COMMIT, "UseTaskStartTimeForFullLoadTimestamp": True}
KINDS = {
    # Without a header; the full load has no operations; all files in one folder.
    "sequence": Kind({**_CSV, **_TIMED}, has_sequence=True),
    "commit time": Kind(
        {
            **_CSV,
            **_TIMED,
            "AddColumnName": True,
            "IncludeOpForFullLoad": True,
            "CsvDelimiter": "|",
            "DatePartitionEnabled": True,
            "DatePartitionSequence": "YYYYMMDDHH",
        }
    ),
    "parquet": Kind(
        {
            "DataFormat": "parquet",
            "DatePartitionEnabled": True,
            "DatePartitionSequence": "DDMMYYYY",
            "DatePartitionDelimiter": "DASH",
        },
        has_sequence=True,
    ),
    "file": Kind({**_CSV, "AddColumnName": True}),
}


@dataclass(frozen=True)
class DmsStage(Stage):
    """A lake whose output is the history of the stock, out of files of AWS DMS."""

    kind: Kind = field(default_factory=lambda: KINDS["sequence"])

    @property
    def contract(self) -> dict[str, Any]:
        return self.kind.contract()

    @property
    def raw(self) -> Path:
        return self.root / "raw" / "events"

    @property
    def writer(self) -> Any:
        return self.kind.writer(self.raw)

    def versions(self, spark: SparkSession, *columns: str) -> list[tuple[Any, ...]]:
        """The versions in the order of their keys and of the changes of each."""
        first = [name for name in self.kind.order if name != "file"]
        found = sorted(
            self.rows(spark, "processed"),
            key=lambda one: (
                *(one["shop"], one["sku"]),
                *(one[name] for name in first),
                *(one["run_date"], one["sequence"]),
            ),
        )
        return [tuple(one[name] for name in columns) for one in found]


def stock(sku: object, name: str | None, price: str | None = None, shop: str = "s") -> dict[str, str | None]:
    return {"shop": shop, "sku": f"{sku}", "name": name, "price": price}


def change(op: str, at: str, number: int, row: Mapping[str, str | None]) -> Any:
    """A change committed at `at`, such as `2025-11-20 10:00:00`."""
    return dms.Change(op, datetime.fromisoformat(at).replace(tzinfo=UTC), number, row)


def written(at: str) -> datetime:
    return datetime.fromisoformat(at).replace(tzinfo=UTC)


def days_of(changes: Sequence[Any]) -> list[date]:
    return sorted({one.commit.date() for one in changes})
