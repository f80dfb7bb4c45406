"""Answers the Data Catalog's calls on partitions that MiniStack lacks, or answers differently from Glue.

MiniStack lacks BatchDeletePartition and UpdatePartition. Its GetPartitions ignores Expression, Segment and
pages. Its CreatePartition and BatchCreatePartition accept any number of partitions and values, also for a
missing table. Its DeletePartition never fails.
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-partitions.html
Glue's message for too many partitions: https://github.com/dbt-labs/dbt-athena/issues/327
"""

import time
from collections.abc import Callable
from typing import Any

from embedded_aws.core import emulator
from embedded_aws.core.settings import Settings
from embedded_aws.glue import answers
from embedded_aws.glue.answers import RefusedError, invalid, missing
from embedded_aws.glue.catalogue import partition_expressions

_BEHAVIOUR = "calls of the Data Catalog on partitions"
_MOST_CREATED = 100
_MOST_DELETED = 25
_MOST_IN_A_PAGE = 1000
_KEPT = ("DatabaseName", "TableName", "CreationTime", "CatalogId")

Data = dict[str, Any]


def install(settings: Settings) -> Callable[[], None]:
    """Answer these calls before they reach MiniStack."""
    del settings
    calls = {
        "BatchCreatePartition": _batch_create,
        "BatchDeletePartition": _batch_delete,
        "CreatePartition": _create,
        "DeletePartition": _delete,
        "GetPartitions": _get,
        "UpdatePartition": _update,
    }

    answers.install(calls, _BEHAVIOUR)
    return lambda: None


def _table(data: Data) -> Data:
    found = emulator.service("glue")._tables.get(_key(data))
    if found is None:
        raise missing(f"Table {data.get('TableName')} not found.")
    return dict(found)


def _key(data: Data) -> str:
    return f"{data.get('DatabaseName')}/{data.get('TableName')}"


def _held(data: Data) -> list[Data]:
    partitions = emulator.service("glue")._partitions
    if _key(data) not in partitions:
        partitions[_key(data)] = []
    return partitions[_key(data)]  # type: ignore[no-any-return]


def _refuse_more(entries: list[Any], member: str, most: int) -> None:
    if len(entries) > most:
        raise RefusedError(
            "ValidationException",
            f"1 validation error detected: Value '{entries}' at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {most}",
        )


# -- reading --


def _get(data: Data) -> Data:
    keys = _table(data).get("PartitionKeys") or []
    found = _held(data)
    if data.get("Expression"):
        try:
            found = partition_expressions.meeting(found, keys, str(data["Expression"]))
        except partition_expressions.ExpressionError as error:
            raise invalid(str(error)) from error
    segment = data.get("Segment")
    if segment:
        found = found[segment["SegmentNumber"] :: segment["TotalSegments"]]
    start = _start_of(data)
    end = start + min(int(data.get("MaxResults") or _MOST_IN_A_PAGE), _MOST_IN_A_PAGE)
    page = found[start:end]
    if data.get("ExcludeColumnSchema"):
        page = [_without_columns(entry) for entry in page]
    return {"Partitions": page, **({"NextToken": str(end)} if end < len(found) else {})}


def _start_of(data: Data) -> int:
    token = str(data.get("NextToken") or "0")
    if not token.isdecimal():
        raise invalid("Invalid NextToken")
    return int(token)


def _without_columns(entry: Data) -> Data:
    storage = {name: value for name, value in entry.get("StorageDescriptor", {}).items() if name != "Columns"}
    return {**entry, "StorageDescriptor": storage}


# -- changing --


def _batch_create(data: Data) -> Data:
    entries = data.get("PartitionInputList") or []
    _refuse_more(entries, "partitionInputList", _MOST_CREATED)
    errors = []
    for entry in entries:
        try:
            _add(data, entry)
        except RefusedError as error:
            if error.code != "AlreadyExistsException":
                raise
            errors.append(_error(entry.get("Values"), error.code, "Partition already exists."))
    return {"Errors": errors}


def _create(data: Data) -> Data:
    _add(data, data.get("PartitionInput") or {})
    return {}


def _add(data: Data, entry: Data) -> None:
    keys = _table(data).get("PartitionKeys") or []
    values = entry.get("Values") or []
    if len(values) != len(keys):
        raise RefusedError(
            "InvalidInputException",
            "The number of partition keys do not match the number of partition values",
        )
    held = _held(data)
    if any(one.get("Values") == values for one in held):
        raise RefusedError("AlreadyExistsException", "Partition already exists.")
    place = {"DatabaseName": data.get("DatabaseName"), "TableName": data.get("TableName")}
    account = emulator.service("glue").get_account_id()
    held.append({**entry, **place, "CreationTime": int(time.time()), "CatalogId": account})


def _batch_delete(data: Data) -> Data:
    entries = data.get("PartitionsToDelete") or []
    _refuse_more(entries, "partitionsToDelete", _MOST_DELETED)
    _table(data)
    asked = [entry.get("Values") for entry in entries]
    gone = [values for values in asked if not _take(data, values)]
    return {"Errors": [_error(values, "EntityNotFoundException", "Partition not found.") for values in gone]}


def _delete(data: Data) -> Data:
    _table(data)
    if not _take(data, data.get("PartitionValues")):
        raise missing("Partition not found.")
    return {}


def _take(data: Data, values: Any) -> bool:
    """Remove a partition and its statistics. Returns True if it existed."""
    glue, held = emulator.service("glue"), _held(data)
    kept = [entry for entry in held if entry.get("Values") != values]
    glue._partitions[_key(data)] = kept
    statistics = glue._partition_column_statistics
    if _key(data) in statistics:
        statistics[_key(data)] = [one for one in statistics[_key(data)] if one.get("Values") != values]
    return len(kept) < len(held)


def _update(data: Data) -> Data:
    for entry in _held(data):
        if entry.get("Values") == data.get("PartitionValueList"):
            kept = {name: entry[name] for name in _KEPT if name in entry}
            entry.clear()
            entry.update({**(data.get("PartitionInput") or {}), **kept, "LastAccessTime": int(time.time())})
            return {}
    raise missing("Partition not found.")


def _error(values: Any, code: str, words: str) -> Data:
    return {"PartitionValues": values, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": words}}
