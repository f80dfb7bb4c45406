"""Athena reads only the files of a table's current snapshot, and refuses by name what it cannot read.

The files here are as small as the specification allows.
"""

import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from embedded_aws.athena.failures import QueryFailedError
from embedded_aws.athena.iceberg import DataFile, bucket_and_key, data_files, is_iceberg

AT = "s3://lake/events/"
MANIFESTS = {
    "type": "record",
    "name": "manifest_file",
    "fields": [{"name": "manifest_path", "type": "string"}, {"name": "content", "type": "int"}],
}
ENTRIES = {
    "type": "record",
    "name": "manifest_entry",
    "fields": [
        {"name": "status", "type": "int"},
        {
            "name": "data_file",
            "type": {
                "type": "record",
                "name": "r2",
                "fields": [
                    {"name": "file_path", "type": "string"},
                    {"name": "file_format", "type": "string"},
                    {"name": "file_size_in_bytes", "type": "long"},
                ],
            },
        },
    ],
}


class Table:
    """Objects by URI, and the catalogue's entry that names the metadata."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: list[str] = []
        self.entry = {
            "Name": "events",
            "Parameters": {"table_type": "ICEBERG", "metadata_location": f"{AT}metadata/2.json"},
        }

    def fetch(self, uri: str) -> Path:
        self.fetched.append(uri)
        return self.folder / uri.removeprefix(AT).replace("/", "-")

    def put(self, name: str, schema: dict[str, Any], records: list[dict[str, Any]]) -> str:
        with (self.folder / name).open("wb") as file:
            fastavro.writer(file, schema, records)
        return f"{AT}{name}"

    def commit(self, current: int | None, version: int = 2, **snapshots: str) -> None:
        metadata = {
            "format-version": version,
            "current-snapshot-id": current,
            "snapshots": [
                {"snapshot-id": int(name[1:]), "manifest-list": uri} for name, uri in snapshots.items()
            ],
        }
        (self.folder / "metadata-2.json").write_text(json.dumps(metadata))


def entry(name: str, status: int = 1, kind: str = "PARQUET") -> dict[str, Any]:
    return {
        "status": status,
        "data_file": {"file_path": f"{AT}data/{name}", "file_format": kind, "file_size_in_bytes": 7},
    }


def listed(table: Table, name: str, *entries: dict[str, Any], content: int = 0) -> str:
    """The manifest list of a snapshot with one manifest."""
    manifest = table.put(f"{name}.avro", ENTRIES, list(entries))
    return table.put(f"snap-{name}.avro", MANIFESTS, [{"manifest_path": manifest, "content": content}])


def test_only_the_current_snapshot(tmp_path: Path) -> None:
    table = Table(tmp_path)
    first = listed(table, "one", entry("old.parquet"))
    second = listed(
        table, "two", entry("old.parquet", status=2), entry("kept.parquet", 0), entry("new.parquet")
    )
    table.commit(2, s1=first, s2=second)
    assert is_iceberg(table.entry)
    assert data_files(table.entry, table.fetch) == [
        DataFile(f"{AT}data/kept.parquet", 7),
        DataFile(f"{AT}data/new.parquet", 7),
    ]
    assert first not in table.fetched
    # The current snapshot counts, not the last one.
    table.commit(1, s1=first, s2=second)
    assert data_files(table.entry, table.fetch) == [DataFile(f"{AT}data/old.parquet", 7)]


@pytest.mark.parametrize("current", [None, -1])
def test_a_table_without_a_snapshot_is_empty(tmp_path: Path, current: int | None) -> None:
    table = Table(tmp_path)
    table.commit(current)
    assert data_files(table.entry, table.fetch) == []


def test_unreadable_tables_are_refused_by_name(tmp_path: Path) -> None:
    table = Table(tmp_path)
    table.commit(1, version=3, s1="")
    with pytest.raises(QueryFailedError, match="Cannot read unsupported version 3"):
        data_files(table.entry, table.fetch)
    table.commit(1, s1=listed(table, "deletes", entry("gone.parquet"), content=1))
    with pytest.raises(QueryFailedError, match=r"Delete files \(s3://lake/events/deletes\.avro\)"):
        data_files(table.entry, table.fetch)
    table.commit(1, s1=listed(table, "orc", entry("some.orc", kind="ORC")))
    with pytest.raises(QueryFailedError, match=r"some\.orc is not Parquet"):
        data_files(table.entry, table.fetch)
    with pytest.raises(QueryFailedError, match="events has no metadata_location"):
        data_files({"Name": "events", "Parameters": {"table_type": "ICEBERG"}}, table.fetch)
    with pytest.raises(QueryFailedError, match="'file:/data' is not an object in S3"):
        bucket_and_key("file:/data")


def test_other_tables_are_not_iceberg_tables() -> None:
    assert not is_iceberg({"Parameters": {"classification": "parquet"}})
    assert not is_iceberg({})
