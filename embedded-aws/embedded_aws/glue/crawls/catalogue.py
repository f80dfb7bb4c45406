"""Writes a crawl's tables and partitions to the catalogue, with the crawler role's rights.

https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html
https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html
"""

import time
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.glue.crawls import types
from embedded_aws.glue.crawls.classify import Classified
from embedded_aws.glue.crawls.tables import FoundFile, Partition, Table, unique_name
from embedded_aws.glue.crawls.types import Columns

_BATCH = 100  # the most partitions of one BatchCreatePartition
_MOST_DELETED = 25  # the most partitions of one BatchDeletePartition

# Input format, output format, serialisation library:
# https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
FORMATS = {
    "json": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "csv": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    ),
    "parquet": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
}


@dataclass(frozen=True)
class Policy:
    """The changes that a crawler may make, from its SchemaChangePolicy and its Configuration JSON."""

    update: str = "UPDATE_IN_DATABASE"
    delete: str = "DEPRECATE_IN_DATABASE"
    merge_new_columns: bool = False
    inherit_partitions: bool = False


@dataclass
class Changes:
    """The changes that a crawl made to the catalogue."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    partitions: int = 0


class Catalogue:
    """One crawl's view of its database."""

    def __init__(self, glue: Any, crawler: str, database: str, prefix: str, policy: Policy) -> None:
        self._glue = glue
        self._crawler = crawler
        self._database = database
        self._prefix = prefix
        self._policy = policy
        self._tables: dict[str, dict[str, Any]] = {}
        self.changes = Changes()

    def open(self) -> None:
        """Read the database's tables. Raises the service's error if it is missing or may not be read."""
        self._glue.get_database(Name=self._database)
        for page in self._glue.get_paginator("get_tables").paginate(DatabaseName=self._database):
            self._tables.update({table["Name"]: table for table in page["TableList"]})

    def partition_locations(self, bucket: str) -> set[str]:
        """Folders that are already partitions, as keys of the bucket, for crawls of new folders only."""
        known = set()
        for name, table in self._tables.items():
            if table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == self._crawler:
                for partition in self._partitions(name).values():
                    known.add(partition["StorageDescriptor"]["Location"].removeprefix(f"s3://{bucket}/"))
        return known

    def write(self, bucket: str, table: Table) -> str:
        """Create or update one table and its partitions. Returns the table's name in the catalogue."""
        location = f"s3://{bucket}/{table.location}"
        known = next((t for t in self._tables.values() if _location(t) == location), None)
        if known is None:
            name = self._prefix + table.name
            if name in self._tables:
                name = unique_name(name, location)
            entry = self._input(name, location, table, table.columns)
            self._glue.create_table(DatabaseName=self._database, TableInput=entry)
            self.changes.created.append(name)
        else:
            name = known["Name"]
            self._update(known, location, table)
            entry = known
        self._tables[name] = entry
        self._write_partitions(bucket, name, table)
        return str(name)

    def settle(self, bucket: str, prefix: str, written: set[str]) -> None:
        """Apply the delete behaviour to this crawler's tables below the target that no longer have files."""
        for name, table in list(self._tables.items()):
            mine = table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == self._crawler
            if not mine or name in written or not _location(table).startswith(f"s3://{bucket}/{prefix}"):
                continue
            if self._policy.delete == "DELETE_FROM_DATABASE":
                self._glue.delete_table(DatabaseName=self._database, Name=name)
                self.changes.deleted.append(name)
            elif self._policy.delete == "DEPRECATE_IN_DATABASE":
                parameters = {**table["Parameters"], "DEPRECATED_BY_CRAWLER": str(int(time.time() * 1000))}
                self._put(table, {**_as_input(table), "Parameters": parameters})

    # -- tables --

    def _update(self, known: dict[str, Any], location: str, table: Table) -> None:
        """Update an existing table: its statistics always, its schema only if the policy allows it."""
        columns = table.columns
        entry = self._input(known["Name"], location, table, columns)
        old_columns = known.get("StorageDescriptor", {}).get("Columns", [])
        if self._policy.update == "LOG":
            entry["StorageDescriptor"]["Columns"] = old_columns
            entry["PartitionKeys"] = known.get("PartitionKeys", [])
        elif self._policy.merge_new_columns:
            have = {column["Name"] for column in old_columns}
            new = [column for column in entry["StorageDescriptor"]["Columns"] if column["Name"] not in have]
            entry["StorageDescriptor"]["Columns"] = old_columns + new
        entry["Parameters"] = {**known.get("Parameters", {}), **entry["Parameters"]}
        entry["Parameters"].pop("DEPRECATED_BY_CRAWLER", None)
        changed = (
            entry["StorageDescriptor"] != known.get("StorageDescriptor")
            or entry["PartitionKeys"] != known.get("PartitionKeys", [])
            or entry["Parameters"] != known.get("Parameters", {})
        )
        if changed:
            self._put(known, entry)

    def _put(self, known: dict[str, Any], entry: dict[str, Any]) -> None:
        self._glue.update_table(DatabaseName=self._database, TableInput=entry)
        self.changes.updated.append(known["Name"])
        known.update(entry)

    def _input(self, name: str, location: str, table: Table, columns: Columns) -> dict[str, Any]:
        return {
            "Name": name,
            "Owner": "owner",
            "Retention": 0,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.keys],
            "StorageDescriptor": self._storage(location, table.kind, columns, table.files),
            "Parameters": {
                **_statistics(table.kind, table.files),
                "CrawlerSchemaSerializerVersion": "1.0",
                "CrawlerSchemaDeserializerVersion": "1.0",
                "UPDATED_BY_CRAWLER": self._crawler,
                **({"partition_filtering.enabled": "true"} if table.keys else {}),
            },
        }

    def _storage(
        self, location: str, kind: Classified, columns: Columns, files: list[FoundFile]
    ) -> dict[str, Any]:
        input_format, output_format, library = FORMATS[kind.classification]
        serde = {"serialization.format": "1"}
        if kind.classification == "csv":
            serde = {"field.delim": kind.details["delimiter"]}
        elif kind.classification == "json":
            serde = {"paths": ",".join(sorted(columns))}
        return {
            "Columns": [{"Name": name, "Type": types.text(column)} for name, column in columns.items()],
            "Location": location,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "Compressed": kind.compression != "none",
            "NumberOfBuckets": -1,
            "SerdeInfo": {"SerializationLibrary": library, "Parameters": serde},
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": {
                **_statistics(kind, files),
                "CrawlerSchemaSerializerVersion": "1.0",
                "CrawlerSchemaDeserializerVersion": "1.0",
                "UPDATED_BY_CRAWLER": self._crawler,
            },
            "StoredAsSubDirectories": False,
        }

    # -- partitions --

    def _partitions(self, name: str) -> dict[tuple[str, ...], dict[str, Any]]:
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=self._database, TableName=name
        )
        return {tuple(entry["Values"]): entry for page in pages for entry in page["Partitions"]}

    def _write_partitions(self, bucket: str, name: str, table: Table) -> None:
        if not table.keys:
            return
        known = self._partitions(name)
        new = []
        for values, partition in table.partitions.items():
            entry = self._partition_input(bucket, name, table, values, partition)
            old = known.get(values)
            if old is None:
                new.append(entry)
            elif self._policy.update != "LOG" and _schema(old) != _schema(entry):
                self._glue.batch_update_partition(
                    DatabaseName=self._database,
                    TableName=name,
                    Entries=[{"PartitionValueList": list(values), "PartitionInput": entry}],
                )
        for start in range(0, len(new), _BATCH):
            self._glue.batch_create_partition(
                DatabaseName=self._database, TableName=name, PartitionInputList=new[start : start + _BATCH]
            )
        self.changes.partitions += len(new)
        gone = [{"Values": list(values)} for values in known.keys() - table.partitions.keys()]
        if gone and self._policy.delete == "DELETE_FROM_DATABASE":
            for start in range(0, len(gone), _MOST_DELETED):
                self._glue.batch_delete_partition(
                    DatabaseName=self._database,
                    TableName=name,
                    PartitionsToDelete=gone[start : start + _MOST_DELETED],
                )

    def _partition_input(
        self, bucket: str, name: str, table: Table, values: tuple[str, ...], partition: Partition
    ) -> dict[str, Any]:
        location = f"s3://{bucket}/{partition.location}"
        storage = self._storage(location, partition.files[0].kind, partition.columns, partition.files)
        if self._policy.inherit_partitions:
            storage["Columns"] = self._tables[name]["StorageDescriptor"]["Columns"]
        return {"Values": list(values), "StorageDescriptor": storage, "Parameters": storage["Parameters"]}


def _location(table: dict[str, Any]) -> str:
    location = str(table.get("StorageDescriptor", {}).get("Location", ""))
    bare = "." in location.rsplit("/", 1)[-1]  # the location of a table of one file is that file
    return location if location.endswith("/") or bare else f"{location}/"


def _schema(partition: dict[str, Any]) -> Any:
    storage = partition.get("StorageDescriptor", {})
    return storage.get("Columns"), storage.get("SerdeInfo"), storage.get("Location")


def _as_input(table: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "Name",
        "Description",
        "Owner",
        "Retention",
        "StorageDescriptor",
        "PartitionKeys",
        "TableType",
        "Parameters",
    )
    return {key: table[key] for key in kept if key in table}


def _statistics(kind: Classified, files: list[FoundFile]) -> dict[str, str]:
    size, records = sum(file.size for file in files), sum(file.kind.records for file in files)
    return {
        "classification": kind.classification,
        "compressionType": kind.compression,
        "typeOfData": "file",
        "objectCount": str(len(files)),
        "recordCount": str(records),
        "sizeKey": str(size),
        "averageRecordSize": str(size // records if records else 0),
        **kind.details,
    }
