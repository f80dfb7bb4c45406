"""Deliveries of every kind: what their files hold, and what the job must say of those that it does not
read."""

import bz2
import gzip
import io as streams
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from conftest import Lake

ROWS = [(number, f"n{number}") for number in range(50)]


def json_of(rows: list[tuple[int, str]] = ROWS) -> bytes:
    return b"".join(json.dumps({"id": id_, "name": name}).encode() + b"\n" for id_, name in rows)


def csv_of(rows: list[tuple[int, str]] = ROWS) -> bytes:
    return b"id,name\n" + b"".join(f"{id_},{name}\n".encode() for id_, name in rows)


TEXTS: dict[str, Callable[[list[tuple[int, str]]], bytes]] = {"jsonLines": json_of, "csv": csv_of}


TWO_COLUMNS: dict[str, Any] = {"id": {"type": "integer"}, "name": {"type": ["string", "null"]}}


def contract_of(
    lake: Lake,
    format_: dict[str, Any] | str,
    *,
    keys: tuple[str, ...] = ("id",),
    columns: dict[str, Any] = TWO_COLUMNS,
) -> str:
    """A contract of these columns, where the lake keeps it."""
    kind = {"kind": format_} if isinstance(format_, str) else format_
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": columns,
        "required": ["id"],
        "x-etl": {
            "format": kind,
            "businessKey": list(keys),
            "lookbackDays": 7,
            "reasons": [
                {"reason": "malformed", "rule": "notAnObject"},
                {"reason": "missing_id", "rule": "missing", "column": "id"},
                {"reason": "wrong_type", "rule": "wrongType"},
            ],
            "output": list(columns),
        },
    }
    path = lake.root / "tiny.schema.json"
    path.write_text(json.dumps(document))
    return str(path)


def quality_of(lake: Lake, *rules: dict[str, Any]) -> str:
    """A rule that always passes, and the given rules."""
    nothing = {"name": "any", "type": "rowCount", "atLeast": 0, "action": "warn"}
    path = lake.root / "tiny.quality.json"
    path.write_text(json.dumps({"threshold": 0, "rules": [nothing, *rules]}))
    return str(path)


def limit(share: float, action: str = "halt", reason: str = "malformed") -> dict[str, Any]:
    return {
        "name": "few",
        "type": "quarantineLimit",
        "reason": reason,
        "atMost": share,
        "action": action,
    }


def put(lake: Lake, day: str, name: str, content: bytes) -> Path:
    path = lake.root / "raw" / "events" / f"dt={day}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@dataclass(frozen=True)
class Kind:
    """A file that is not read: its name, its content made from a text, and the message about it."""

    name: str
    pack: Callable[[bytes], bytes]
    says: str


def rubbish(size: int) -> bytes:
    return Random(size).randbytes(size)  # noqa: S311 (no secret)


def _zip(text: bytes, member: str = "a.csv") -> bytes:
    file = streams.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, text)
    return file.getvalue()


def _tar(text: bytes, form: int = tarfile.USTAR_FORMAT) -> bytes:
    file = streams.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(text)
        archive.addfile(member, streams.BytesIO(text))
    return file.getvalue()


def _raw_snappy(text: bytes) -> bytes:
    """One literal of at most 256 bytes: https://github.com/google/snappy/blob/main/format_description.txt"""
    part = text[:200]
    return bytes([len(part) & 0x7F | 0x80, len(part) >> 7, 60 << 2, len(part) - 1]) + part


def _hadoop_snappy(text: bytes) -> bytes:
    block = _raw_snappy(text)
    return struct.pack(">II", len(text[:200]), len(block)) + block


def _java_snappy(text: bytes) -> bytes:
    block = _raw_snappy(text)
    return b"\x82SNAPPY\x00" + struct.pack(">III", 1, 1, len(block)) + block


def _framed_snappy(text: bytes) -> bytes:
    return b"\xff\x06\x00\x00sNaPpY" + b"\x01" + struct.pack("<I", len(text) + 4)[:3] + b"\x00" * 4 + text


def _encoded(encoding: str) -> Callable[[bytes], bytes]:
    return lambda text: text.decode().encode(encoding)


def _starting(first: bytes) -> Callable[[bytes], bytes]:
    """The first bytes of a format that Python cannot write, followed by arbitrary bytes."""
    return lambda text: first + rubbish(300)


UNPACK = "unpack it, or pack it with gzip"
EXPORT = "export it as CSV or as JSON lines"
PLAIN = "deliver it plain or as gzip, under a name that says so"
KINDS = [
    Kind(
        "part.json.gzip",
        gzip.compress,
        "it is gzip, and its name does not end in .gz: rename it to part.json.gz",
    ),
    Kind(
        "none.json", gzip.compress, "it is gzip, and its name does not end in .gz: rename it to none.json.gz"
    ),
    Kind(
        "CAPITALS.GZ", gzip.compress, "it is gzip, and its name does not end in .gz: rename it to CAPITALS.gz"
    ),
    Kind(
        "no-ending",
        bz2.compress,
        "it is bzip2, and its name does not end in .bz2: rename it to no-ending.bz2",
    ),
    Kind("b.BZ2", bz2.compress, "it is bzip2, and its name does not end in .bz2: rename it to b.bz2"),
    Kind(
        "gz-in.bz2", gzip.compress, "it is gzip, and its name does not end in .gz: rename it to gz-in.bz2.gz"
    ),
    Kind("plain.json.gz", bytes, f"its name ends in .gz, for gzip, and its bytes are not gzip: {PLAIN}"),
    Kind("plain.bz2", bytes, f"its name ends in .bz2, for bzip2, and its bytes are not bzip2: {PLAIN}"),
    Kind("plain.GZ", bytes, f"its name ends in .GZ, for gzip, and its bytes are not gzip: {PLAIN}"),
    Kind("plain.json.deflate", bytes, f"its name ends in .deflate, for deflate, which is not read: {PLAIN}"),
    Kind("plain.snappy", bytes, f"its name ends in .snappy, for Snappy, which is not read: {PLAIN}"),
    Kind("plain.lz4", bytes, f"its name ends in .lz4, for lz4, which is not read: {PLAIN}"),
    Kind("plain.zst", bytes, f"its name ends in .zst, for zstd, which is not read: {PLAIN}"),
    Kind("raw.snappy", _raw_snappy, f"its name ends in .snappy, for Snappy, which is not read: {PLAIN}"),
    Kind(
        "hadoop.snappy", _hadoop_snappy, f"its name ends in .snappy, for Snappy, which is not read: {PLAIN}"
    ),
    Kind("java.snappy", _java_snappy, f"it is Snappy as a Java stream: {UNPACK}"),
    Kind("framed.snappy", _framed_snappy, f"it is Snappy in its framing format: {UNPACK}"),
    Kind("framed", _framed_snappy, f"it is Snappy in its framing format: {UNPACK}"),
    Kind("a.json.zip", _zip, "it is a zip archive: unpack it"),
    Kind("zip.json", _zip, "it is a zip archive: unpack it"),
    Kind("zip.json.gz", _zip, "it is a zip archive: unpack it"),
    Kind("book.xlsx", lambda text: _zip(text, "[Content_Types].xml"), f"it is an Excel workbook: {EXPORT}"),
    Kind("a.tar", _tar, "it is a tar archive: deliver the files in it by themselves"),
    Kind("a.tar.gz", lambda text: gzip.compress(_tar(text)), "it is gzip of a tar archive: "),
    Kind(
        "a.tgz", lambda text: gzip.compress(_tar(text, tarfile.PAX_FORMAT)), "it is gzip of a tar archive: "
    ),
    Kind("a.tar.bz2", lambda text: bz2.compress(_tar(text)), "it is bzip2 of a tar archive: "),
    Kind("twice.gz", lambda text: gzip.compress(gzip.compress(text)), "it is gzip of gzip: unpack it once"),
    Kind("zip.gz", lambda text: gzip.compress(_zip(text)), "it is gzip of a zip archive: unpack it"),
    Kind("a.xz", lzma.compress, f"it is xz: {UNPACK}"),
    Kind("a.lzma", lambda text: lzma.compress(text, lzma.FORMAT_ALONE), f"it is lzma: {UNPACK}"),
    Kind("zlib.json", zlib.compress, f"it is zlib: {UNPACK}"),
    Kind("a.7z", _starting(b"7z\xbc\xaf\x27\x1c\x00\x04"), "it is a 7z archive: unpack it"),
    Kind("a.zst", _starting(b"\x28\xb5\x2f\xfd"), f"it is zstd: {UNPACK}"),
    Kind("zstd.json", _starting(b"\x28\xb5\x2f\xfd"), f"it is zstd: {UNPACK}"),
    Kind("a.lz4", _starting(b"\x04\x22\x4d\x18"), f"it is lz4: {UNPACK}"),
    Kind("a.parquet", _starting(b"PAR1\x15\x04"), f"it is Parquet: {EXPORT}"),
    Kind("parquet.json", _starting(b"PAR1\x15\x04"), f"it is Parquet: {EXPORT}"),
    Kind("a.avro", _starting(b"Obj\x01\x04"), f"it is Avro: {EXPORT}"),
    Kind("a.orc", _starting(b"ORC\x0a\x03"), f"it is ORC: {EXPORT}"),
    Kind(
        "a.xls",
        _starting(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        "it is an old Office file, such as Excel's .xls: ",
    ),
    Kind("a.pdf", _starting(b"%PDF-1.7\n"), f"it is PDF: {EXPORT}"),
    Kind(
        "u16.json",
        _encoded("utf-16"),
        "it is text in UTF-16: convert it, e.g. iconv -f UTF-16 -t UTF-8 old > new",
    ),
    Kind(
        "u16le", _encoded("utf-16-le"), "it is text in UTF-16LE: convert it, e.g. iconv -f UTF-16LE -t UTF-8"
    ),
    Kind(
        "u16be", _encoded("utf-16-be"), "it is text in UTF-16BE: convert it, e.g. iconv -f UTF-16BE -t UTF-8"
    ),
    Kind("u32", _encoded("utf-32"), "it is text in UTF-32: convert it, e.g. iconv -f UTF-32 -t UTF-8"),
    Kind("u32le", _encoded("utf-32-le"), "it is text in UTF-32LE: "),
    Kind("u32be", _encoded("utf-32-be"), "it is text in UTF-32BE: "),
    Kind(
        "u16.gz", lambda text: gzip.compress(text.decode().encode("utf-16")), "it is gzip of text in UTF-16: "
    ),
    Kind("numbers.json", lambda _: struct.pack("<50i", *range(50)), "it is binary data, not text in UTF-8: "),
    Kind("random.csv", lambda _: rubbish(3000), "it is binary data, not text in UTF-8: "),
    Kind("cut.bz2", lambda text: bz2.compress(text)[:-3], "its bzip2 is cut, or something follows it: "),
    Kind("more.bz2", lambda text: bz2.compress(text) + text, "its bzip2 is cut, or something follows it: "),
    Kind(
        "begun.bz2",
        lambda _: b"BZh9",
        f"its name ends in .bz2, for bzip2, and its bytes are not bzip2: {PLAIN}",
    ),
    Kind("begun.gz", lambda text: gzip.compress(text)[:2], "its name ends in .gz, for gzip, "),
    Kind("flags.gz", lambda text: b"\x1f\x8b\x08\xff" + text, "its gzip cannot be unpacked to its end ("),
]
