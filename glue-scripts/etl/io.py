"""Objects in a bucket, or files in a directory of the same shape: list, read, write, remove. And what the job
asks of two tables: the lock of its pipeline, and the columns that a crawl found.

The only module of this package that knows boto3. A location is a URI that ends in `/`: `s3://bucket/prefix/`,
`file:///directory/` or a plain path. Figures about bytes come from listings, never from opening what is
listed."""

import bz2
import gzip
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from etl.errors import LockLost, StorageError

MAX_HEADER_BYTES = 1024 * 1024
DELETE_BATCH = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html


_BLANK = bytes(range(33))


@dataclass(frozen=True)
class StoredObject:
    """One object: `name` is its key below the location it was listed under, `size` is in bytes; `etag` is
    S3's, "" of a local file."""

    uri: str
    name: str
    size: int
    etag: str = field(default="", compare=False)


def read_text(uri: str) -> str:
    """The object as UTF-8. Raises StorageError."""
    try:
        if not _is_s3(uri):
            return _path(uri).read_text(encoding="utf-8")
        bucket, key = _split(uri)
        body: bytes = _s3().get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode("utf-8")
    except Exception as error:
        raise StorageError(f"cannot read {uri}: {error}") from error


def read_first_line(uri: str) -> bytes | None:
    """The first line that is not blank, without its end; None when there is none. Reads no further. Unpacks
    by the name's ending. Raises StorageError, also of a line above MAX_HEADER_BYTES."""
    try:
        if not _is_s3(uri):
            with _path(uri).open("rb") as file:
                return _first_line(file, uri)
        bucket, key = _split(uri)
        body = _s3().get_object(Bucket=bucket, Key=key)["Body"]
        try:
            return _first_line(body, uri)
        finally:
            body.close()
    except Exception as error:
        raise StorageError(f"cannot read the header of {uri}: {error}") from error


def _first_line(packed: Any, uri: str) -> bytes | None:
    file = packed
    if uri.endswith(".gz"):
        file = gzip.GzipFile(fileobj=packed)
    elif uri.endswith(".bz2"):
        file = bz2.BZ2File(packed)
    left = MAX_HEADER_BYTES
    while line := bytes(file.readline(left)):
        left -= len(line)
        # As Spark finds it: a mark of byte order is no character, nor is what is not above a space.
        if line.removeprefix(b"\xef\xbb\xbf").strip(_BLANK):
            if left <= 0:
                raise ValueError(f"it has more than {MAX_HEADER_BYTES} bytes")
            return line.rstrip(b"\n")
        if left <= 0:
            raise ValueError(f"the first {MAX_HEADER_BYTES} bytes are blank")
    return None


def write_text(uri: str, text: str) -> None:
    """Puts the object, in one piece: a reader sees the old one or the new one. Raises StorageError."""
    try:
        if _is_s3(uri):
            bucket, key = _split(uri)
            _s3().put_object(
                Bucket=bucket, Key=key, Body=text.encode("utf-8"), ContentType="application/json"
            )
        else:
            path = _path(uri)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
    except Exception as error:
        raise StorageError(f"cannot write {uri}: {error}") from error


def list_dates(location: str, column: str, first: date, last: date) -> dict[date, list[StoredObject]]:
    """The objects under `<location><column>=YYYY-MM-DD/`, per date from `first` to `last`, in the order of
    their keys.

    A date is there when anything lies under it, hidden or not; the marker of an empty folder is nothing.
    """
    is_in_a_date = re.compile(rf"{re.escape(column)}=(\d{{4}}-\d\d-\d\d)/.+")
    found: dict[date, list[StoredObject]] = {}
    for stored in _list(location, f"{column}={first}", f"{column}={last}"):
        match = is_in_a_date.fullmatch(stored.name)
        if match and not stored.name.endswith("/") and first.isoformat() <= match[1] <= last.isoformat():
            try:
                found.setdefault(date.fromisoformat(match[1]), []).append(stored)
            except ValueError:
                continue  # dt=2010-02-30 is nobody's date
    return found


def version_of(stored: StoredObject) -> str:
    """Tells contents of an object apart: size and ETag, which another content never has
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html), though the same may have another one.
    Of a local file a hash stands for it. Raises StorageError."""
    if stored.etag:
        return f"{stored.size}-{stored.etag}"
    try:
        with _path(stored.uri).open("rb") as file:
            return f"{stored.size}-{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}"
    except OSError as error:
        raise StorageError(f"cannot read {stored.uri}: {error}") from error


def is_hidden(stored: StoredObject) -> bool:
    """Whether Spark, Athena and Glue skip the object: a name or folder below the date begins with `_` or
    `.`."""
    return any(part.startswith(("_", ".")) for part in stored.name.split("/")[1:])


def delete(objects: Iterable[StoredObject]) -> None:
    """Removes the objects; one that is already gone is no error. Raises StorageError."""
    keys: dict[str, list[str]] = {}
    for stored in objects:
        if _is_s3(stored.uri):
            bucket, key = _split(stored.uri)
            keys.setdefault(bucket, []).append(key)
        else:
            _delete_file(_path(stored.uri))
    for bucket, all_keys in keys.items():
        for start in range(0, len(all_keys), DELETE_BATCH):
            batch = [{"Key": key} for key in all_keys[start : start + DELETE_BATCH]]
            answer = _s3().delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", []):
                raise StorageError(f"cannot remove s3://{bucket}/{error['Key']}: {error['Message']}")


def delete_leftovers(location: str) -> None:
    """Removes what a killed Spark write left behind; only one writer may be at work under `location`."""
    delete(list(_list(location, ".spark-staging-", ".spark-staging-")))


def take_lock(table: str, pipeline: str, owner: str) -> None:
    """Takes the pipeline's lock for `owner` (an execution's ARN), or finds that it has it. Raises LockLost
    when another execution has it, StorageError when the table cannot be asked.

    The same condition as the state machine's own, so an answer that was lost may be asked for again.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
    """
    since = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    item = {"pipeline": {"S": pipeline}, "owner": {"S": owner}, "since": {"S": since}}
    try:
        _client("dynamodb").put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(#owner) OR #owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":me": {"S": owner}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except Exception as error:
        if _code(error) == "ConditionalCheckFailedException":
            held = getattr(error, "response", {}).get("Item", {})
            other = held.get("owner", {}).get("S", "another execution")
            raise LockLost(
                f"pipeline {pipeline} is owned by {other}, not by {owner}; "
                "nothing was written: once that execution has ended, redrive this one"
            ) from error
        raise StorageError(f"cannot take the lock of {pipeline} in table {table}: {error}") from error


def table_columns(database: str, table: str) -> list[tuple[str, str]]:
    """Names and Glue types of a table's columns, without its partition keys; none when there is no such
    table, as after the crawl of a source that holds no row. Raises StorageError.

    https://docs.aws.amazon.com/glue/latest/webapi/API_GetTable.html"""
    try:
        answer = _client("glue").get_table(DatabaseName=database, Name=table)
        columns = answer["Table"].get("StorageDescriptor", {}).get("Columns", [])
        return [(column["Name"], column.get("Type", "")) for column in columns]
    except Exception as error:
        if _code(error) == "EntityNotFoundException":
            return []
        raise StorageError(f"cannot read the columns of {database}.{table}: {error}") from error


def _code(error: Exception) -> str:
    """The service's name for its error; "" for an error of no service."""
    code: str = getattr(error, "response", {}).get("Error", {}).get("Code", "")
    return code


def _list(location: str, first: str, last: str) -> Iterator[StoredObject]:
    """Objects whose name begins with anything from `first` up to and with `last`, in order."""
    if not _is_s3(location):
        yield from _list_files(_path(location), first, last)
        return
    bucket, prefix = _split(location)
    common = _common_start(first, last)
    pages = _s3().get_paginator("list_objects_v2")
    # A long history is skipped, not read: StartAfter is exclusive, and no key ends at `first` itself.
    for page in pages.paginate(Bucket=bucket, Prefix=prefix + common, StartAfter=prefix + first):
        for entry in page.get("Contents", []):
            name = entry["Key"][len(prefix) :]
            if name[: len(last)] > last:
                return
            etag = entry.get("ETag", "").strip('"')
            yield StoredObject(f"s3://{bucket}/{entry['Key']}", name, entry["Size"], etag)


def _list_files(root: Path, first: str, last: str) -> Iterator[StoredObject]:
    tops = sorted(root.iterdir()) if root.is_dir() else []
    for top in tops:
        if first <= top.name[: len(first)] and top.name[: len(last)] <= last:
            names = ((path.relative_to(root).as_posix(), path) for path in top.rglob("*") if path.is_file())
            for name, path in sorted(names):
                yield StoredObject(str(path), name, path.stat().st_size)


def _common_start(one: str, other: str) -> str:
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return one[:same]


def _delete_file(path: Path) -> None:
    path.unlink(missing_ok=True)
    # Hadoop keeps a checksum beside every local file; a directory without files is no partition.
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def _is_s3(uri: str) -> bool:
    return uri.startswith("s3://")


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _path(uri: str) -> Path:
    return Path(urlsplit(uri).path) if uri.startswith("file:") else Path(uri)


_clients: dict[str, Any] = {}


def _s3() -> Any:
    return _client("s3")


def _client(service: str) -> Any:
    if service not in _clients:
        import boto3  # type: ignore[import-untyped]  # here: a run on local files needs none

        _clients[service] = boto3.client(service)
    return _clients[service]
