"""Finds the format and the columns of one file: JSON, CSV or Parquet, plain or gzip.

The order of the built-in classifiers and their rules:
https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
The part of a file that is read: https://repost.aws/knowledge-center/glue-crawler-detect-schema
"""

import csv
import io
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

from embedded_aws.glue.crawls import types
from embedded_aws.glue.crawls.types import Columns

FIRST_BYTES = 1 << 20
"""A file's schema comes from its first megabyte, or from its first ten if one holds no valid record."""
MOST_BYTES = 10 << 20
CSV_ROWS = 1000
DELIMITERS = (",", "|", "\t", ";", "\x01")
_HEADER_CELL = re.compile(r"[A-Za-z_][\w .()/-]*")


@dataclass(frozen=True)
class Classified:
    """One file's classification. Files of one table share ``classification`` and ``compression``."""

    classification: str
    compression: str
    columns: Columns
    details: dict[str, str] = field(default_factory=dict)
    """Table parameters that belong to the format, for example the CSV delimiter."""
    records: int = 0


def compression_of(head: bytes) -> str:
    return "gzip" if head[:2] == b"\x1f\x8b" else "none"


def plain(head: bytes) -> bytes:
    """The readable beginning of a file, also if it is gzip and cut off."""
    if compression_of(head) == "none":
        return head
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, MOST_BYTES)
    except zlib.error:
        return b""


def classify(head: bytes, complete: bool, parquet_file: Any = None) -> Classified | None:
    """The file's classification, or None when no classifier recognises it.

    ``head`` is the file's beginning, and all of it if ``complete``. ``parquet_file`` opens the whole file if
    the beginning is Parquet's.
    """
    if head[:4] == b"PAR1":
        return _parquet(parquet_file)
    data = plain(head)
    compression = compression_of(head)
    cut = not complete or len(data) >= MOST_BYTES
    body = data[: data.rfind(b"\n") + 1] if cut and b"\n" in data else data
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
        if text.count("�") > len(text) // 20:
            return None
    return _json(text, compression) or _csv(text, compression)


def _parquet(file: Any) -> Classified | None:
    import pyarrow
    import pyarrow.parquet

    try:
        metadata = pyarrow.parquet.ParquetFile(file)
    except (pyarrow.ArrowInvalid, OSError):
        return None
    columns = {entry.name.lower(): types.of_parquet(entry.type) for entry in metadata.schema_arrow}
    return Classified("parquet", "none", columns, {}, metadata.metadata.num_rows)


# -- JSON --


def _json(text: str, compression: str) -> Classified | None:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    columns: Columns = {}
    records = 0
    for record in _json_values(text):
        if isinstance(record, list):
            # A file with one array has one column, of this name:
            # https://docs.aws.amazon.com/glue/latest/dg/custom-classifier.html
            record = {"array": record}
        if isinstance(record, dict):
            row = {name.lower(): types.of_json(value) for name, value in record.items()}
            columns = types.merge(columns, row)
            records += 1
    return Classified("json", compression, columns, {}, records) if columns else None


def _json_values(text: str) -> list[Any]:
    """All values of the text: one per line, or objects over several lines. Other lines are skipped."""
    lines = [line for line in text.splitlines() if line.strip()]
    values = []
    for line in lines:
        try:
            values.append(json.loads(line))
        except ValueError:
            continue
    if any(isinstance(value, dict | list) for value in values):
        return values
    decoder, position, values = json.JSONDecoder(), 0, []
    while position < len(text):
        while position < len(text) and text[position].isspace():
            position += 1
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError:
            break
        values.append(value)
    return values


# -- CSV --


def _csv(text: str, compression: str) -> Classified | None:
    """A table of at least two columns and two rows, with the delimiter that splits every row alike."""
    for delimiter in DELIMITERS:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row][:CSV_ROWS]
        if len(rows) >= 2 and len(rows[0]) >= 2 and _regular(rows):
            return _csv_columns(rows, delimiter, '"' in text.split("\n", 1)[0], compression)
    return None


def _regular(rows: list[list[str]]) -> bool:
    width = len(rows[0])
    return sum(1 for row in rows if len(row) == width) >= 0.9 * len(rows)


def _csv_columns(rows: list[list[str]], delimiter: str, quoted: bool, compression: str) -> Classified:
    width = len(rows[0])
    header = _header(rows)
    data = rows[1:] if header else rows
    columns: Columns = {}
    for index in range(width):
        kind: types.Type = None
        for row in data:
            if index < len(row):
                kind = types.union(kind, types.of_csv(row[index]))
        name = header[index].strip().lower() if header else f"col{index}"
        columns[name] = kind
    details = {
        "delimiter": delimiter,
        "columnsOrdered": "true",
        "areColumnsQuoted": "true" if quoted else "false",
        **({"skip.header.line.count": "1"} if header else {}),
    }
    return Classified("csv", compression, columns, details, len(data))


def _header(rows: list[list[str]]) -> list[str] | None:
    """The first row if it is a header: all text, valid column names, and unlike the rows below it."""
    first = rows[0]
    named = all(_HEADER_CELL.fullmatch(cell.strip()) and len(cell) < 150 for cell in first[:-1])
    last = first[-1].strip()
    if not named or (last and not _HEADER_CELL.fullmatch(last)):
        return None
    if any(types.of_csv(cell) not in ("string", None) for cell in first):
        return None
    differs = any(types.of_csv(cell) not in ("string", None) for row in rows[1:] for cell in row)
    return first if differs else None
