"""Lists and fetches the files that a query reads from S3, with the rights of the query's caller.

Needed are s3:ListBucket on the folder, s3:GetObject on the object, and kms:Decrypt through S3 if it is
encrypted.
https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from embedded_aws.athena import iceberg
from embedded_aws.athena import types as athena_types
from embedded_aws.athena.catalogue import Catalogue, columns_of
from embedded_aws.athena.failures import QueryFailedError
from embedded_aws.athena.partitions import (
    Place,
    Projection,
    is_projected,
    keys_of,
    location_of,
    place_of,
    value_of,
)
from embedded_aws.athena.sql import Scan


@dataclass(frozen=True)
class Object:
    """A file of a table, with the values of its partition."""

    bucket: str
    key: str
    size: int
    values: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


class Files:
    """The objects in S3 that one caller may read."""

    def __init__(self, s3: Any, folder: Path) -> None:
        self._s3 = s3
        self._folder = folder
        self._fetched: dict[tuple[str, str], Path] = {}

    def of(
        self, duck: Any, scan: Scan, table: dict[str, Any], catalogue: Catalogue, filters: list[str]
    ) -> list[Object]:
        """The objects of the partitions that meet the filters; all of them when the table has no partitions.

        A file or folder whose name starts with ``_`` or ``.`` is hidden:
        https://docs.aws.amazon.com/athena/latest/ug/other-notable-limitations.html
        """
        if iceberg.is_iceberg(table):
            return list(self._of_snapshot(table))
        if is_projected(table):
            projection = Projection(table)
            found = [
                Object(item.bucket, item.key, item.size, values)
                for item in self._list(projection.place)
                if (values := projection.values(item.key)) is not None
            ]
            kept = set(_meeting(duck, table, sorted({item.values for item in found}), filters))
            return [item for item in found if item.values in kept]
        if keys_of(table):
            places = catalogue.partitions(scan)
            kept = set(_meeting(duck, table, [place.values for place in places], filters))
            return [item for place in places if place.values in kept for item in self._list(place)]
        location = location_of(table)
        return list(self._list(place_of(location))) if location else []

    def _of_snapshot(self, table: dict[str, Any]) -> Iterator[Object]:
        def fetch(uri: str) -> Path:
            return self.fetch(Object(*iceberg.bucket_and_key(uri), size=0))

        for file in iceberg.data_files(table, fetch):
            yield Object(*iceberg.bucket_and_key(file.uri), size=file.size)

    def _list(self, place: Place) -> Iterator[Object]:
        request: dict[str, Any] = {"Bucket": place.bucket, "Prefix": place.prefix}
        while True:
            try:
                page = self._s3.list_objects_v2(**request)
            except botocore.exceptions.ClientError as error:
                raise _denied(f"s3://{place.bucket}/{place.prefix}", error) from error
            for entry in page.get("Contents", []):
                parts = entry["Key"][len(place.prefix) :].split("/")
                if entry["Size"] and parts[-1] and not any(part.startswith(("_", ".")) for part in parts):
                    yield Object(place.bucket, entry["Key"], int(entry["Size"]), place.values)
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def fetch(self, item: Object) -> Path:
        """A local copy with the object's file extension. Each object is fetched once."""
        known = self._fetched.get((item.bucket, item.key))
        if known is not None:
            return known
        path = self._folder / f"{len(self._fetched)}-{item.key.rpartition('/')[2]}"
        try:
            path.write_bytes(self._s3.get_object(Bucket=item.bucket, Key=item.key)["Body"].read())
        except botocore.exceptions.ClientError as error:
            raise _denied(item.uri, error) from error
        self._fetched[item.bucket, item.key] = path
        return path


def _denied(uri: str, error: botocore.exceptions.ClientError) -> QueryFailedError:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in ("AccessDenied", "AccessDeniedException", "403"):
        return QueryFailedError(f"Permission denied on S3 path: {uri} ({message})")
    return QueryFailedError(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {uri}: {code}: {message}")


def _meeting(
    duck: Any, table: dict[str, Any], partitions: list[tuple[str, ...]], filters: list[str]
) -> list[tuple[str, ...]]:
    """The partitions whose values, in the catalogue's types, meet all filters."""
    if not filters or not partitions:
        return partitions
    types = columns_of(table)
    keys = keys_of(table)
    columns = ", ".join(
        f'CAST({value_of(f"item[{place}]")} AS {athena_types.for_duckdb(types[key])}) AS "{key}"'
        for place, key in enumerate(keys, 1)
    )
    rows = "SELECT unnest(range(len(?::VARCHAR[][]))) AS number, unnest(?::VARCHAR[][]) AS item"
    sql = f"SELECT number FROM (SELECT number, {columns} FROM ({rows})) WHERE "  # noqa: S608 - the catalogue's names
    sql += " AND ".join(f"({condition})" for condition in filters)
    values = [list(entry) for entry in partitions]
    return [partitions[number] for (number,) in duck.execute(sql, [values, values]).fetchall()]
