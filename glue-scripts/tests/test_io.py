"""Objects: the same answers from a directory and from a bucket, of which a small stand-in is kept here."""

import bz2
import gzip
import random
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from etl import clients, io
from etl.errors import StorageError
from etl.ingest.unpacking import START_BYTES, find_broken, open_unpacked

NAMES = [
    "dt=2010-11-30/events.json",
    "dt=2010-12-01/",
    "dt=2010-12-01/a.json",
    "dt=2010-12-01/b c.json",
    "dt=2010-12-01/late/c.json",
    "dt=2010-12-02/_SUCCESS",
    "dt=2010-12-03/.hidden/d.json",
    "dt=2010-12-03-old/e.json",
    "dt=2010-12-04",
    "dt=2010-12-05/",
    "dt=2010-12-32/f.json",
    "dt=2011-01-01/g.json",
    "other/dt=2010-12-01/h.json",
]
FIRST, LAST = date(2010, 12, 1), date(2010, 12, 31)


class Bucket:
    """The calls of S3 that the module uses, with pages of two keys; refuses any other use."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.listed: list[str] = []
        self.asked: list[int] = []  # bytes of each object that was read
        self.refused: list[str] = []

    def get_paginator(self, name: str) -> "Bucket":
        assert name == "list_objects_v2"
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert asked["Bucket"] == "b"
        start, prefix = asked["StartAfter"], asked["Prefix"]
        keys = [key for key in sorted(self.objects) if key.startswith(prefix) and key > start]
        for index in range(0, max(len(keys), 1), 2):
            page = keys[index : index + 2]
            self.listed += page
            yield {"Contents": [{"Key": key, "Size": len(self.objects[key])} for key in page]} if page else {}

    def put_object(self, **asked: Any) -> None:
        self.objects[asked["Key"]] = asked["Body"]

    def get_object(self, **asked: str) -> dict[str, Any]:
        content = self.objects[asked["Key"]]
        if "Range" in asked:
            first, _, last = asked["Range"].removeprefix("bytes=").partition("-")
            assert int(first) < len(content), "S3 answers InvalidRange"
            content = content[int(first) : int(last) + 1 if last else None]
        self.asked.append(len(content))
        return {"Body": BytesIO(content)}

    def delete_objects(self, **asked: Any) -> dict[str, Any]:
        keys = [entry["Key"] for entry in asked["Delete"]["Objects"]]
        for key in keys:
            self.objects.pop(key, None)
        return {"Errors": [{"Key": key, "Message": "Access Denied"} for key in keys if key in self.refused]}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    fake = Bucket()
    monkeypatch.setitem(clients._clients, "s3", fake)
    return fake


@pytest.fixture(params=["s3", "directory", "file uri"])
def location(request: pytest.FixtureRequest, tmp_path: Path, bucket: Bucket) -> str:
    """A location that holds an object of three bytes for each of NAMES."""
    if request.param == "s3":
        bucket.objects = {f"events/{name}": b"abc" for name in NAMES}
        return "s3://b/events/"
    for name in NAMES:
        path = tmp_path / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("abc")
    return f"{tmp_path.as_uri() if request.param == 'file uri' else tmp_path}/"


def test_dates_are_what_lies_under_them(location: str) -> None:
    found = io.list_dates(location, "dt", FIRST, LAST)
    assert {day.isoformat(): [stored.name for stored in files] for day, files in found.items()} == {
        "2010-12-01": [
            "dt=2010-12-01/a.json",
            "dt=2010-12-01/b c.json",
            "dt=2010-12-01/late/c.json",
        ],
        "2010-12-02": ["dt=2010-12-02/_SUCCESS"],
        "2010-12-03": ["dt=2010-12-03/.hidden/d.json"],
    }
    assert {stored.size for files in found.values() for stored in files} == {3}


def test_hidden_is_what_spark_skips(location: str) -> None:
    found = io.list_dates(location, "dt", FIRST, LAST)
    visible = [stored.name for files in found.values() for stored in files if not io.is_hidden(stored)]
    assert visible == NAMES[2:5]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(location: str) -> None:
    files = io.list_dates(location, "dt", FIRST, FIRST)[FIRST]
    io.delete(files)
    io.delete(files)
    assert io.list_dates(location, "dt", FIRST, FIRST) == {}
    assert len(io.list_dates(location, "dt", FIRST, LAST)) == 2


def test_leftovers_of_killed_writes_go(location: str) -> None:
    for name in (".spark-staging-1/run_date=2010-12-01/x.parquet", ".spark-staging-2/y"):
        io.write_text(location + name, "z")
    io.delete_leftovers(location)
    assert not list(io._list(location, ".", ".~"))
    assert len(io.list_dates(location, "dt", FIRST, LAST)) == 3


def test_what_was_written_is_read(location: str) -> None:
    io.write_text(location + "books/1/books.json", "é\n")
    io.write_text(location + "books/1/books.json", "ü\n")
    assert io.read_text(location + "books/1/books.json") == "ü\n"


def object_of(
    location: str, bucket: Bucket, content: bytes, name: str = "dt=2010-12-09/x"
) -> io.StoredObject:
    if location.startswith("s3://"):
        bucket.objects[f"events/{name}"] = content
    else:
        path = io.local_path(location) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return io.StoredObject(f"{location}{name}", name, len(content))


@pytest.mark.parametrize("size", [1, 5, START_BYTES - 1, START_BYTES, START_BYTES + 1, 3 * START_BYTES])
def test_an_object_is_read_in_one_piece_or_two_as_far_as_it_is_wanted(
    location: str, bucket: Bucket, size: int
) -> None:
    content = bytes(at % 251 for at in range(size))
    stored = object_of(location, bucket, content)
    assert io.read_bytes(stored, size - 1, 9) == content[-1:]
    bucket.asked.clear()
    with open_unpacked(stored) as file:
        assert file.peek()[:10] == content[:10]
        assert bucket.asked in ([], [min(size, START_BYTES)])
        assert file.read() == content
    assert len(bucket.asked) in (0, 1 if size <= START_BYTES else 2)


@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_what_was_packed_is_unpacked_and_what_is_broken_is_named(
    location: str, bucket: Bucket, size: int
) -> None:
    content = random.Random(1).randbytes(size)  # noqa: S311
    half = size // 2
    for pack in (gzip.compress, bz2.compress):
        whole = pack(content[:half]) + pack(content[half:])
        stored = object_of(location, bucket, whole)
        with open_unpacked(stored) as file:
            assert file.read() == content
        assert find_broken([stored]) == []
        for broken in (whole[:-1], whole + b"x", whole + b"\0"):
            (told,) = find_broken([object_of(location, bucket, broken)])
            assert told.startswith(f"{stored.uri}: its ")


def test_a_listing_of_a_few_dates_reads_no_long_history(bucket: Bucket) -> None:
    bucket.objects = {f"events/dt=20{year}-12-01/{n}": b"" for year in range(10, 40) for n in range(9)}
    io.list_dates("s3://b/events/", "dt", date(2020, 12, 1), date(2020, 12, 2))
    assert len(bucket.listed) <= 12


def test_a_location_that_is_not_there_holds_nothing(tmp_path: Path, bucket: Bucket) -> None:
    assert io.list_dates(f"{tmp_path}/none/", "dt", FIRST, LAST) == {}
    assert io.list_dates("s3://b/none/", "dt", FIRST, LAST) == {}
    io.delete_leftovers(f"{tmp_path}/none/")


def test_many_objects_are_deleted_in_batches(bucket: Bucket) -> None:
    bucket.objects = {f"{n}": b"" for n in range(2500)}
    io.delete(io.StoredObject(f"s3://b/{n}", f"{n}", 0) for n in range(2500))
    assert bucket.objects == {}


def test_failures_name_the_object(tmp_path: Path, bucket: Bucket) -> None:
    bucket.refused = ["k"]
    with pytest.raises(StorageError, match=r"^cannot remove s3://b/k: Access Denied$"):
        io.delete([io.StoredObject("s3://b/k", "k", 0)])
    with pytest.raises(StorageError, match=r"^cannot read s3://b/none: "):
        io.read_text("s3://b/none")
    with pytest.raises(StorageError, match=r"^cannot read .*/none: .*No such file"):
        io.read_text(f"{tmp_path}/none")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"^cannot write .*/file/x: "):
        io.write_text(f"{tmp_path}/file/x", "")
