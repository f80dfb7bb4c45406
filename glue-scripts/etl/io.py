"""Objects in a bucket, or files in a directory of the same shape: list, read, write, remove. A location is a
URI that ends in `/`: `s3://bucket/prefix/`, `file:///directory/` or a plain path. Sizes come from listings;
no object is opened for them."""

import hashlib
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from urllib.parse import urlsplit

from etl.clients import client
from etl.errors import StorageError

DELIVERY = "dt"  # what the folder of a date is called where deliveries lie: `dt=2010-12-01`
DT, EPOCH_MILLIS = "dt", "epochMillis"
DAY_MILLIS = 24 * 60 * 60 * 1000
DELETE_BATCH = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_LISTERS = 16  # folders listed at a time


@dataclass(frozen=True)
class Layout:
    """Names of the folders of days: `folder_of` a day, and `day_of` a folder, None if it is no day.
    `described` says in words what they look like."""

    folder_of: Callable[[date], str]
    day_of: Callable[[str], date | None]
    described: str


def _day_of_dt(name: str) -> date | None:
    try:
        day = date.fromisoformat(name.removeprefix(f"{DELIVERY}="))
    except ValueError:
        return None
    return day if name == f"{DELIVERY}={day}" else None


def _millis_of(day: date) -> str:
    return str(int(datetime.combine(day, time(), UTC).timestamp()) * 1000)


def _day_of_millis(name: str) -> date | None:
    if re.fullmatch(r"0|[1-9]\d{0,17}", name, re.ASCII) is None or int(name) % DAY_MILLIS:
        return None
    ordinal = date(1970, 1, 1).toordinal() + int(name) // DAY_MILLIS
    return date.fromordinal(ordinal) if ordinal <= date.max.toordinal() else None


LAYOUTS: Mapping[str, Layout] = {
    DT: Layout(lambda day: f"{DELIVERY}={day}", _day_of_dt, f"{DELIVERY}=YYYY-MM-DD"),
    EPOCH_MILLIS: Layout(
        _millis_of, _day_of_millis, "as the milliseconds of a UTC midnight, 1763683200000 for 2025-11-21"
    ),
}


@dataclass(frozen=True)
class StoredObject:
    """One object: `name` is its key below the location it was listed under, `size` is in bytes; `etag` is
    S3's, "" for a local file."""

    uri: str
    name: str
    size: int
    etag: str = field(default="", compare=False)


def read_text(uri: str) -> str:
    """The object as UTF-8. Raises StorageError."""
    try:
        if not is_s3(uri):
            return local_path(uri).read_text(encoding="utf-8")
        bucket, key = split(uri)
        body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body.decode("utf-8")
    except Exception as error:
        raise StorageError(f"cannot read {uri}: {error}") from error


def read_bytes(stored: StoredObject, first: int, size: int) -> bytes:
    """At most `size` bytes of the object from byte `first` on, which it must have. Raises StorageError."""
    try:
        if not is_s3(stored.uri):
            with local_path(stored.uri).open("rb") as file:
                file.seek(first)
                return file.read(size)
        bucket, key = split(stored.uri)
        answer = client("s3").get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{first + size - 1}")
        content: bytes = answer["Body"].read()
        return content
    except Exception as error:
        raise StorageError(f"cannot read {stored.uri}: {error}") from error


def read_pieces(stored: StoredObject, first: int, size: int) -> Iterator[bytes]:
    """The object from byte `first` on, which it must have, in pieces of `size` bytes. Raises StorageError."""
    try:
        if is_s3(stored.uri):
            bucket, key = split(stored.uri)
            file = client("s3").get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-")["Body"]
        else:
            file = local_path(stored.uri).open("rb")
            file.seek(first)
        with closing(file):
            while piece := file.read(size):
                yield piece
    except Exception as error:
        raise StorageError(f"cannot read {stored.uri}: {error}") from error


def write_text(uri: str, text: str) -> None:
    """Puts the object, in one piece: a reader sees the old one or the new one. Raises StorageError."""
    try:
        if is_s3(uri):
            bucket, key = split(uri)
            client("s3").put_object(
                Bucket=bucket, Key=key, Body=text.encode("utf-8"), ContentType="application/json"
            )
        else:
            path = local_path(uri)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
    except Exception as error:
        raise StorageError(f"cannot write {uri}: {error}") from error


def list_dates(location: str, column: str, first: date, last: date) -> dict[date, list[StoredObject]]:
    """The objects under `<location><column>=YYYY-MM-DD/`, per date from `first` to `last`, in the order of
    their keys.

    A date is in the answer if it has any object, hidden or not. The marker of an empty folder does not count.
    """
    is_in_a_date = re.compile(rf"{re.escape(column)}=(\d{{4}}-\d\d-\d\d)/.+", re.DOTALL)
    found: dict[date, list[StoredObject]] = {}
    for stored in _list(location, f"{column}={first}", f"{column}={last}"):
        match = is_in_a_date.fullmatch(stored.name)
        is_marker = stored.name.endswith("/") and stored.size == 0
        if match and not is_marker and first.isoformat() <= match[1] <= last.isoformat():
            try:
                found.setdefault(date.fromisoformat(match[1]), []).append(stored)
            except ValueError:
                continue  # dt=2010-02-30 is not a date
    return found


def list_days(location: str, layout: str, days: Collection[date]) -> dict[date, list[StoredObject]]:
    """The objects in the folders of these days, whose names follow `layout` (of LAYOUTS), each day's in the
    order of their keys. A day is in the answer as in `list_dates`. Folders of other days are not listed,
    but those between days with the layout `dt`."""
    if not days:
        return {}
    if layout == DT:
        found = list_dates(location, DELIVERY, min(days), max(days))
        return {day: files for day, files in found.items() if day in days}
    in_order = sorted(days)
    folders = [f"{LAYOUTS[layout].folder_of(day)}/" for day in in_order]
    with ThreadPoolExecutor(_LISTERS) as pool:
        listed = list(pool.map(lambda folder: _list_folder_of_day(location, folder), folders))
    return {day: files for day, files in zip(in_order, listed, strict=True) if files}


def list_folder(location: str) -> list[str]:
    """The names directly below `location`, in order; those of folders end in `/`. Files that writers leave
    beside their data, whose names begin with `_` or `.`, are not among them. One listing."""
    if not is_s3(location):
        root = local_path(location)
        paths = list(root.iterdir()) if root.is_dir() else []
        names = [f"{path.name}/" if path.is_dir() else path.name for path in paths if _has_files(path)]
    else:
        bucket, prefix = split(location)
        pages = client("s3").get_paginator("list_objects_v2")
        names = []
        for page in pages.paginate(Bucket=bucket, Prefix=prefix, Delimiter="/"):
            keys = [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
            keys += [entry["Key"] for entry in page.get("Contents", [])]
            names += [key[len(prefix) :] for key in keys]
    return sorted(name for name in names if name.endswith("/") or (name and name[0] not in "_."))


def _has_files(path: Path) -> bool:
    """A bucket has no empty folders."""
    return path.is_file() or any(one.is_file() for one in path.rglob("*"))


def _list_folder_of_day(location: str, folder: str) -> list[StoredObject]:
    found = _list(location, folder, folder)
    return [stored for stored in found if not (stored.name.endswith("/") and stored.size == 0)]


def list_beginning(location: str, start: str) -> list[StoredObject]:
    """Every object below `location` whose name begins with `start`, in the order of the keys. The marker of
    an empty folder does not count."""
    found = _list_start(location, start)
    return [stored for stored in found if not (stored.name.endswith("/") and stored.size == 0)]


def _list_start(location: str, start: str) -> Iterable[StoredObject]:
    if is_s3(location):
        return _list(location, start, start)
    # `_list_files` compares the first folder only.
    folder, _, _ = start.rpartition("/")
    below = f"{location.rstrip('/')}/{folder}/" if folder else location
    prefix = f"{folder}/" if folder else ""
    named = (replace(stored, name=f"{prefix}{stored.name}") for stored in list_below(below))
    return (stored for stored in named if stored.name.startswith(start))


def list_names(location: str, first: str) -> list[str]:
    """The names below `location` from `first` on, in order; for a directory, the names of its files."""
    if not is_s3(location):
        root = local_path(location)
        names = [path.name for path in root.iterdir() if path.is_file()] if root.is_dir() else []
        return sorted(name for name in names if name >= first)
    bucket, prefix = split(location)
    pages = client("s3").get_paginator("list_objects_v2")
    # StartAfter is exclusive; `first` itself is only the beginning of a name.
    found = pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=prefix + first)
    keys = [entry["Key"] for page in found for entry in page.get("Contents", [])]
    return [key[len(prefix) :] for key in keys]


def version_of(stored: StoredObject) -> str:
    """Size and ETag, which differ whenever the content differs
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). The same content may have two versions.
    For a local file a hash takes the place of the ETag. Raises StorageError."""
    if stored.etag:
        return f"{stored.size}-{stored.etag}"
    try:
        with local_path(stored.uri).open("rb") as file:
            return f"{stored.size}-{hashlib.file_digest(file, 'sha256').hexdigest()[:32]}"
    except OSError as error:
        raise StorageError(f"cannot read {stored.uri}: {error}") from error


def is_hidden(stored: StoredObject) -> bool:
    """True if Spark, Athena and Glue skip the object: its name or a folder below the date begins with `_` or
    `.`."""
    return any(part.startswith(("_", ".")) for part in stored.name.split("/")[1:])


def list_below(location: str) -> list[StoredObject]:
    """Every object below `location`, hidden or not, in the order of the keys. The marker of an empty folder
    does not count."""
    if not is_s3(location):
        root = local_path(location)
        paths = [path for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
        named = sorted((path.relative_to(root).as_posix(), path) for path in paths)
        return [StoredObject(str(path), name, path.stat().st_size) for name, path in named]
    found = _list(location, "", chr(0x10FFFF))
    return [stored for stored in found if not (stored.name.endswith("/") and stored.size == 0)]


def copy(stored: StoredObject, uri: str) -> None:
    """Copies an object of at most 5 GiB in one piece. Raises StorageError.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    try:
        if is_s3(uri):
            from_bucket, from_key = split(stored.uri)
            bucket, key = split(uri)
            source = {"Bucket": from_bucket, "Key": from_key}
            client("s3").copy_object(Bucket=bucket, Key=key, CopySource=source)
        else:
            path = local_path(uri)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            shutil.copyfile(local_path(stored.uri), fresh)
            fresh.replace(path)
    except Exception as error:
        raise StorageError(f"cannot copy {stored.uri} to {uri}: {error}") from error


def delete(objects: Iterable[StoredObject]) -> None:
    """Removes the objects; an object that is already gone is not an error. Raises StorageError."""
    keys: dict[str, list[str]] = {}
    for stored in objects:
        if is_s3(stored.uri):
            bucket, key = split(stored.uri)
            keys.setdefault(bucket, []).append(key)
        else:
            _delete_file(local_path(stored.uri))
    for bucket, all_keys in keys.items():
        for start in range(0, len(all_keys), DELETE_BATCH):
            batch = [{"Key": key} for key in all_keys[start : start + DELETE_BATCH]]
            answer = client("s3").delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            for error in answer.get("Errors", []):
                raise StorageError(f"cannot remove s3://{bucket}/{error['Key']}: {error['Message']}")


def delete_leftovers(location: str) -> None:
    """Removes the files that a killed Spark write left; only one run may write under `location` at a time."""
    delete(list(_list(location, ".spark-staging-", ".spark-staging-")))


def _list(location: str, first: str, last: str) -> Iterator[StoredObject]:
    """The objects whose names begin with a text from `first` to `last`, both included, in order."""
    if not is_s3(location):
        yield from _list_files(local_path(location), first, last)
        return
    bucket, prefix = split(location)
    common = _common_start(first, last)
    pages = client("s3").get_paginator("list_objects_v2")
    # StartAfter skips a long history. It is exclusive, but no key ends at `first`.
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
        # A folder's name ends in a slash, as in a bucket.
        top_name = f"{top.name}/" if top.is_dir() else top.name
        if first <= top_name[: len(first)] and top_name[: len(last)] <= last:
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
    # Hadoop keeps a checksum beside every local file. A directory without files is not a partition.
    path.with_name(f".{path.name}.crc").unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def is_s3(uri: str) -> bool:
    return uri.startswith("s3://")


def split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def local_path(uri: str) -> Path:
    return Path(urlsplit(uri).path) if uri.startswith("file:") else Path(uri)
