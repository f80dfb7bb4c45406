"""Finds the data files of an Iceberg table: those of its current snapshot only.

The catalogue's entry names the metadata, the metadata the snapshot, the snapshot a list of manifests, and the
manifests the data files. https://iceberg.apache.org/spec/
Athena reads version 2 and not 3: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro

from embedded_aws.athena.failures import QueryFailedError

_DELETES = 1  # the content of a manifest
_DELETED = 2  # the status of an entry
_VERSIONS = (1, 2)

Fetch = Callable[[str], Path]
"""Fetches the object of a URI and returns its local copy."""


@dataclass(frozen=True)
class DataFile:
    """A Parquet file of the current snapshot; `size` is in bytes."""

    uri: str
    size: int


def is_iceberg(table: dict[str, Any]) -> bool:
    """True if the catalogue's entry is an Iceberg table."""
    return str((table.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


def data_files(table: dict[str, Any], fetch: Fetch) -> list[DataFile]:
    """The current data files. Raises QueryFailedError for a table that cannot be read."""
    location = str((table.get("Parameters") or {}).get("metadata_location", ""))
    if not location:
        raise QueryFailedError(f"ICEBERG_INVALID_METADATA: {table.get('Name')} has no metadata_location")
    metadata = json.loads(fetch(location).read_text(encoding="utf-8"))
    version = metadata.get("format-version")
    if version not in _VERSIONS:
        raise QueryFailedError(f"ICEBERG_INVALID_METADATA: Cannot read unsupported version {version}")
    current = metadata.get("current-snapshot-id")
    snapshots = {snapshot["snapshot-id"]: snapshot for snapshot in metadata.get("snapshots", [])}
    if current not in snapshots:
        return []  # nothing has been written yet
    return [found for manifest in _manifests(snapshots[current], fetch) for found in _files(manifest, fetch)]


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Raises QueryFailedError when the URI does not name an object in S3."""
    match = re.fullmatch(r"s3[an]?://([^/]+)/(.+)", uri)
    if not match:
        raise QueryFailedError(f"ICEBERG_INVALID_METADATA: '{uri}' is not an object in S3")
    return match.group(1), match.group(2)


def _manifests(snapshot: dict[str, Any], fetch: Fetch) -> Iterator[str]:
    if "manifest-list" not in snapshot:
        raise QueryFailedError("NOT_SUPPORTED: Snapshots without a manifest list cannot be read here")
    for entry in _records(fetch(snapshot["manifest-list"])):
        if entry.get("content", 0) == _DELETES:
            raise QueryFailedError(
                f"NOT_SUPPORTED: Delete files ({entry['manifest_path']}) cannot be read here: "
                "write the table copy-on-write"
            )
        yield entry["manifest_path"]


def _files(manifest: str, fetch: Fetch) -> Iterator[DataFile]:
    for entry in _records(fetch(manifest)):
        if entry["status"] == _DELETED:
            continue
        file = entry["data_file"]
        if str(file["file_format"]).upper() != "PARQUET":
            raise QueryFailedError(
                f"NOT_SUPPORTED: {file['file_path']} is not Parquet and cannot be read here"
            )
        yield DataFile(file["file_path"], file["file_size_in_bytes"])


def _records(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as file:
        return [dict(record) for record in fastavro.reader(file) if isinstance(record, dict)]
