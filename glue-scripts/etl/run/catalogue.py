"""Glue's catalogue: the columns that a crawl found, and the partitions of a table that is declared, not
crawled. Values of partitions are as the rows have them, locations as the folders are named.

https://docs.aws.amazon.com/glue/latest/webapi/API_GetPartitions.html (an expression has 2048 characters)
https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html (at most 100)
https://docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html (at most 25)"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from urllib.parse import unquote

from etl import io
from etl.clients import client, error_code
from etl.errors import StorageError

CREATED_AT_A_TIME = 100
DELETED_AT_A_TIME = 25
DATES_AT_A_TIME = 50

Values = tuple[str, ...]
_T = TypeVar("_T")


@dataclass(frozen=True)
class PartitionedTable:
    """A table of the catalogue, the keys of its partitions, and how they are stored."""

    database: str
    name: str
    keys: tuple[str, ...]
    storage: Mapping[str, Any]

    @property
    def place(self) -> dict[str, str]:
        return {"DatabaseName": self.database, "TableName": self.name}


def table_columns(database: str, table: str) -> list[tuple[str, str]]:
    """The names and Glue types of a table's columns, without its partition keys. Empty if there is no such
    table, as after the crawl of a source without rows. Raises StorageError.

    https://docs.aws.amazon.com/glue/latest/webapi/API_GetTable.html"""
    try:
        answer = client("glue").get_table(DatabaseName=database, Name=table)
        columns = answer["Table"].get("StorageDescriptor", {}).get("Columns", [])
        return [(column["Name"], column.get("Type", "")) for column in columns]
    except Exception as error:
        if error_code(error) == "EntityNotFoundException":
            return []
        raise StorageError(f"cannot read the columns of {database}.{table}: {error}") from error


def open_table(database: str, name: str, keys: Sequence[str]) -> PartitionedTable:
    """The table, which must be partitioned by `keys`. Raises StorageError."""
    try:
        table = client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    except Exception as error:
        raise StorageError(f"cannot read the table {database}.{name}: {error}") from error
    found = tuple(key["Name"] for key in table.get("PartitionKeys", []))
    if found != tuple(keys):
        wanted = ", ".join(keys)
        raise StorageError(
            f"the table {database}.{name} is partitioned by {', '.join(found) or 'nothing'}, "
            f"its rows by {wanted}: declare these keys"
        )
    return PartitionedTable(database, name, found, table["StorageDescriptor"])


def register_partitions(
    table: PartitionedTable, location: str, dates: Collection[date], files: Iterable[io.StoredObject]
) -> None:
    """Makes the partitions of `dates` in the catalogue match the folders of `files` (as listed under
    `location`). Partitions that match are not touched. Raises StorageError."""
    wanted = {values: f"{location}{folder}/" for values, folder in _folders(files).items()}
    present = dict(_registered(table, dates))
    gone = [values for values in present if wanted.get(values) != present[values]]
    new = [values for values in sorted(wanted) if wanted[values] != present.get(values)]
    for some in _batches(gone, DELETED_AT_A_TIME):
        _send(table, "batch_delete_partition", PartitionsToDelete=[{"Values": list(one)} for one in some])
    for some in _batches(new, CREATED_AT_A_TIME):
        inputs = [_partition(table, values, wanted[values]) for values in some]
        _send(table, "batch_create_partition", PartitionInputList=inputs)


def _folders(files: Iterable[io.StoredObject]) -> dict[Values, str]:
    """The folders that files lie in, by the values of their names: Hive's form, `key=value/key=value`."""
    folders = {file.name.rpartition("/")[0] for file in files}
    return {tuple(unquote(part.partition("=")[2]) for part in one.split("/")): one for one in folders}


def _registered(table: PartitionedTable, dates: Collection[date]) -> Iterator[tuple[Values, str]]:
    for some in _batches(sorted(dates), DATES_AT_A_TIME):
        texts = ", ".join(f"'{day}'" for day in some)
        expression = f"{table.keys[0]} in ({texts})"
        try:
            pages = client("glue").get_paginator("get_partitions")
            for page in pages.paginate(**table.place, Expression=expression):
                for found in page["Partitions"]:
                    yield tuple(found["Values"]), found.get("StorageDescriptor", {}).get("Location", "")
        except Exception as error:
            raise StorageError(
                f"cannot read the partitions of {table.database}.{table.name}: {error}"
            ) from error


def _partition(table: PartitionedTable, values: Values, location: str) -> dict[str, Any]:
    return {"Values": list(values), "StorageDescriptor": {**table.storage, "Location": location}}


def _send(table: PartitionedTable, call: str, **asked: Any) -> None:
    try:
        answer = getattr(client("glue"), call)(**table.place, **asked)
    except Exception as error:
        raise StorageError(
            f"cannot change the partitions of {table.database}.{table.name}: {error}"
        ) from error
    for refused in answer.get("Errors", []):
        values = "/".join(refused.get("PartitionValues", []))
        detail = refused.get("ErrorDetail", {})
        raise StorageError(
            f"cannot change partition {values} of {table.database}.{table.name}: "
            f"{detail.get('ErrorCode')}: {detail.get('ErrorMessage')}"
        )


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
