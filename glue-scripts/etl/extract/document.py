"""The compiled declaration of an extract. Synth has judged it (`contracts/extracts.ts`), so it is only
loaded."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etl import io
from etl.errors import PlanRefused

EXTRACT_VERSION = 1  # as in contracts/extracts.ts

_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True)
class Column:
    """A column of the source, as it is declared. `infinity` is "refuse" or "null"."""

    name: str
    type: str
    infinity: str = "refuse"

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Precision and scale; None for another type."""
        match = _DECIMAL.fullmatch(self.type)
        return None if match is None else (int(match[1]), int(match[2]))


@dataclass(frozen=True)
class Mark:
    """A high-water mark: the column that grows with every change, and how far behind the mark a run reads."""

    column: str
    overlap_minutes: int


@dataclass(frozen=True)
class Table:
    """A table of the source. Without a mark it is read whole."""

    name: str
    key: Sequence[str]
    columns: Sequence[Column]
    partition_column: str | None = None
    mark: Mark | None = None

    @property
    def by_name(self) -> Mapping[str, Column]:
        return {column.name: column for column in self.columns}


@dataclass(frozen=True)
class Extract:
    """The tables of one schema, and how they are read. `is_consistent`: all at one point in time."""

    schema: str
    time_zone: str
    max_connections: int
    fetch_size: int
    is_consistent: bool
    tables: Sequence[Table]


def load_extract(uri: str) -> Extract:
    """Raises PlanRefused for another version, StorageError when it cannot be read."""
    return extract_of(json.loads(io.read_text(uri)))


def extract_of(document: Mapping[str, Any]) -> Extract:
    version = document.get("extractVersion")
    if version != EXTRACT_VERSION:
        raise PlanRefused(
            f"the extract is of version {version}, and this job reads {EXTRACT_VERSION}: deploy again"
        )
    return Extract(
        schema=document["schema"],
        time_zone=document["timeZone"],
        max_connections=document["maxConnections"],
        fetch_size=document["fetchSize"],
        is_consistent=document["consistent"],
        tables=[_table(table) for table in document["tables"]],
    )


def _table(table: Mapping[str, Any]) -> Table:
    mark = table.get("mark")
    return Table(
        name=table["name"],
        key=table["key"],
        columns=[
            Column(column["name"], column["type"], column.get("infinity", "refuse"))
            for column in table["columns"]
        ],
        partition_column=table.get("partitionColumn"),
        mark=None if mark is None else Mark(mark["column"], mark["overlapMinutes"]),
    )
