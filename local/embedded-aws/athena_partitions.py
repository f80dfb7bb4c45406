"""Athena sees the partitions that the catalogue names, and no other folder.

MiniStack reads every file below a table's location. Athena lists registered partitions only, or those that
partition projection says: https://docs.aws.amazon.com/athena/latest/ug/partitions.html
"""

from collections.abc import Callable
from typing import Any

import emulator
from settings import Settings

_BEHAVIOUR = "Athena's view of partitions"


def install(settings: Settings) -> Callable[[], None]:
    """Wrap how MiniStack makes a relation of a table's files."""
    del settings

    def make(original: Any) -> Callable[..., Any]:
        def table_relation(table_data: dict[str, Any], files: list[str]) -> Any:
            seen = visible(table_data, files, _registered(table_data))
            return (
                original(table_data, seen) if seen else emulator.service("athena")._empty_relation(table_data)
            )

        return table_relation

    emulator.replace("services.athena", "_table_relation", ("table_data", "files"), make, _BEHAVIOUR)
    return lambda: None


def _registered(table: dict[str, Any]) -> list[str]:
    glue = emulator.service("glue")
    partitions = glue._partitions.get(f"{table.get('DatabaseName')}/{table.get('Name')}") or []
    return [str(entry.get("StorageDescriptor", {}).get("Location", "")) for entry in partitions]


def visible(table: dict[str, Any], files: list[str], locations: list[str]) -> list[str]:
    """The files that a query reads: all of them, unless the table is partitioned and does not use
    projection.
    """
    projected = (table.get("Parameters") or {}).get("projection.enabled", "").lower() == "true"
    if not table.get("PartitionKeys") or projected:
        return files
    base = str((table.get("StorageDescriptor") or {}).get("Location", "")).rstrip("/") + "/"
    folders = tuple(f"/{place[len(base) :].strip('/')}/" for place in locations if place.startswith(base))
    return [file for file in files if any(folder in file for folder in folders)]
