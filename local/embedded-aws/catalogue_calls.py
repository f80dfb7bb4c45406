"""Two calls of the Data Catalog that MiniStack lacks: BatchDeletePartition and UpdatePartition.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-partitions.html
"""

import json
import time
from collections.abc import Callable
from typing import Any

import emulator
from settings import Settings

_BEHAVIOUR = "calls of the Data Catalog that are missing"


def install(settings: Settings) -> Callable[[], None]:
    """Answer the two calls before MiniStack says that it does not know them."""
    del settings
    calls = {"BatchDeletePartition": _batch_delete, "UpdatePartition": _update}

    def make(original: Any) -> Callable[..., Any]:
        def handle(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:
            action = str(headers.get("x-amz-target", "")).rsplit(".", 1)[-1]
            if action in calls:
                return calls[action](json.loads(body or b"{}"))
            return original(method, path, headers, body, query_params)

        return handle

    parameters = ("method", "path", "headers", "body", "query_params")
    emulator.replace("services.glue", "_handle_request_sync", parameters, make, _BEHAVIOUR)
    return lambda: None


def _key(data: dict[str, Any]) -> str:
    return f"{data.get('DatabaseName')}/{data.get('TableName')}"


def _batch_delete(data: dict[str, Any]) -> Any:
    glue = emulator.service("glue")
    held = glue._partitions.get(_key(data)) or []
    gone = [entry.get("Values") for entry in data.get("PartitionsToDelete") or []]
    have = [entry.get("Values") for entry in held]
    glue._partitions[_key(data)] = [entry for entry in held if entry.get("Values") not in gone]
    detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found"}
    errors = [{"PartitionValues": values, "ErrorDetail": detail} for values in gone if values not in have]
    return glue.json_response({"Errors": errors})


def _update(data: dict[str, Any]) -> Any:
    glue = emulator.service("glue")
    for entry in glue._partitions.get(_key(data)) or []:
        if entry.get("Values") == data.get("PartitionValueList"):
            kept = {
                key: entry[key]
                for key in ("DatabaseName", "TableName", "CreationTime", "CatalogId")
                if key in entry
            }
            entry.clear()
            entry.update({**(data.get("PartitionInput") or {}), **kept, "LastAccessTime": int(time.time())})
            return glue.json_response({})
    return glue.error_response_json("EntityNotFoundException", "Partition not found", 400)
