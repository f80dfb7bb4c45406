"""Reads a query's tables from the Data Catalog, with the rights of the query's caller.

The calls are glue:GetDatabase and glue:GetTable, and glue:GetPartitions where partitions are registered, each
on the table, its database and the catalogue:
https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
"""

from typing import Any

import botocore.exceptions

from embedded_aws.athena.failures import QueryFailedError
from embedded_aws.athena.partitions import Place, keys_of, place_of
from embedded_aws.athena.sql import Scan


class Catalogue:
    """The databases, tables and partitions that one query names. Each is read once."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue
        self._tables: dict[tuple[str, str], dict[str, Any]] = {}
        self._databases: set[str] = set()

    def table(self, scan: Scan) -> dict[str, Any]:
        """The scan's table. Raises QueryFailedError when it does not exist or a right is missing."""
        found = self._tables.get((scan.database, scan.table))
        if found is not None:
            return found
        if scan.database not in self._databases:
            if self._ask("get_database", Name=scan.database) is None:
                words = f"Schema '{scan.database}' does not exist"
                raise QueryFailedError(f"SCHEMA_NOT_FOUND: {scan.place}: {words}")
            self._databases.add(scan.database)
        answer = self._ask("get_table", DatabaseName=scan.database, Name=scan.table)
        if answer is None:
            words = f"Table 'awsdatacatalog.{scan.database}.{scan.table}' does not exist"
            raise QueryFailedError(f"TABLE_NOT_FOUND: {scan.place}: {words}")
        table: dict[str, Any] = answer["Table"]
        self._tables[scan.database, scan.table] = table
        return table

    def partitions(self, scan: Scan) -> list[Place]:
        """The registered partitions: their folders and values."""
        places: list[Place] = []
        more: dict[str, str] = {}
        while True:
            answer = (
                self._ask("get_partitions", DatabaseName=scan.database, TableName=scan.table, **more) or {}
            )
            for entry in answer.get("Partitions", []):
                location = str((entry.get("StorageDescriptor") or {}).get("Location", ""))
                if location:
                    places.append(place_of(location, tuple(entry["Values"])))
            if not answer.get("NextToken"):
                return places
            more = {"NextToken": answer["NextToken"]}

    def _ask(self, call: str, **request: Any) -> dict[str, Any] | None:
        """The answer; None when the database or table does not exist."""
        try:
            return dict(getattr(self._glue, call)(**request))
        except botocore.exceptions.ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            if code == "EntityNotFoundException":
                return None
            if code != "AccessDeniedException":
                raise QueryFailedError(f"HIVE_METASTORE_ERROR: {message}") from error
            request_id = error.response.get("ResponseMetadata", {}).get("RequestId", "")
            raise QueryFailedError(
                f"Insufficient permissions to execute the query. {message} (Service: AmazonDataCatalog; "
                f"Status Code: 400; Error Code: {code}; Request ID: {request_id}; Proxy: null)"
            ) from error


def columns_of(table: dict[str, Any]) -> dict[str, str]:
    """The table's columns with their Hive types, the partition keys last."""
    columns = [
        *((table.get("StorageDescriptor") or {}).get("Columns") or []),
        *(table.get("PartitionKeys") or []),
    ]
    return {str(column["Name"]).lower(): str(column.get("Type") or "string") for column in columns}


def data_columns(table: dict[str, Any]) -> dict[str, str]:
    """The columns that the files hold."""
    keys = set(keys_of(table))
    return {name: kind for name, kind in columns_of(table).items() if name not in keys}
