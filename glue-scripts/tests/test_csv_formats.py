"""CSV files of every declared format: read as they were written, refused by name, or quarantined."""

import csv
import gzip
import io as streams
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from etl.errors import InvalidDelivery
from etl.ingest.contract import Column, Contract, Format, Rule, Shape, Source
from etl.ingest.deliveries import Delivery, RawRows
from etl.ingest.plan_run import parse_files
from etl.ingest.transforms.classify_rows import classify_rows
from etl.io import StoredObject
from pyspark.sql import Row, SparkSession
from support import D1

DAY = date.fromisoformat(D1)
NAMES = ("id", "text", "more")


def contract_of(format_: Format, names: Sequence[str] = NAMES) -> Contract:
    """Columns of texts behind an integer `id`, all under their own names."""
    return Contract(
        columns=tuple(Column(name, "integer" if name == "id" else "string") for name in names),
        business_key=("id",),
        rules=(
            Rule("malformed", "notAnObject", None),
            Rule("missing_id", "missing", "id"),
            Rule("wrong_type", "wrongType", None),
        ),
        timestamp=None,
        category=None,
        output=(*names, *(["unknown_columns"] if format_.unknown_columns == "keep" else [])),
        lookback_days=0,
        on_drift="report",
        format=format_,
        shapes=(Shape("", {name: Source(name) for name in names}),),
    )


def put(folder: Path, content: str | bytes, name: str = "a.csv") -> StoredObject:
    path = folder / f"dt={D1}" / name
    path.parent.mkdir(exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return StoredObject(str(path), name, path.stat().st_size)


def read(spark: SparkSession, contract: Contract, *files: StoredObject) -> list[Row]:
    """The judged rows of the files, in order, as a run reads them."""
    frame = frame_of(spark, contract, *files)
    return [] if frame is None else frame.orderBy("file_path", "row_id").collect()


def frame_of(spark: SparkSession, contract: Contract, *files: StoredObject) -> Any:
    def judge(lines: Any, stored: Sequence[StoredObject]) -> Any:
        parsed = parse_files(lines, stored, contract)
        return None if parsed is None else classify_rows(parsed, contract)

    source = str(Path(files[0].uri).parent.parent) + "/"
    raw = RawRows(spark, judge, contract.format, "malformed")
    raw.add([Delivery(DAY, source, files)])
    assert raw.read[DAY] >= 0
    return raw.of([DAY])


def good(rows: Sequence[Row], names: Sequence[str] = NAMES) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows if row["reason"] is None]


def bad(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return [(row["raw_line"], row["reason"]) for row in rows if row["reason"] is not None]


def refusal(spark: SparkSession, contract: Contract, *files: StoredObject) -> list[str]:
    """What the files are refused with, each by its name."""
    with pytest.raises(InvalidDelivery) as caught:
        read(spark, contract, *files)
    return [one.rpartition(f"dt={D1}/")[2] for one in str(caught.value).split(f"; {files[0].uri[:5]}")]


# -- Any format: what another writer writes is read back --


@dataclass(frozen=True)
class Table:
    """A file of a format, and its rows."""

    data: bytes
    rows: list[tuple[int, str | None, str | None]]


def any_format(source: Random) -> Format:
    encoding = source.choice(["UTF-8", "UTF-8", "ISO-8859-1", "windows-1252"])
    signs = [",", ";", "\t", "|", "\x01", "\x1d", "§", ".", "\\", "^", "$", " ", "-", "["]
    signs += ["🦊", "€"] if encoding == "UTF-8" else []
    delimiter, escape, comment = source.sample([*signs, "#", "~", "'"], k=3)
    has_quotes = source.random() < 0.7
    has_escape = source.random() < 0.6
    is_multi_line = (has_quotes or has_escape) and source.random() < 0.5
    return Format(
        "csv",
        delimiter,
        is_multi_line=is_multi_line,
        has_quotes=has_quotes,
        escape=escape if has_escape else None,
        encoding=encoding,
        skip_top=source.choice([0, 0, 1, 3]),
        skip_bottom=source.choice([0, 0, 1, 2]),
        comment=None if is_multi_line or source.random() < 0.5 else comment,
        columns=source.choice([(), ("more", "id", "text", "end")]),
    )


def any_text(source: Random, format_: Format) -> str:
    parts = ["a", "1", " ", ",", "é", "Ü", "'", "\x02", "\x0b", "\x85", "N", "=", '""', '"', "\\n", "#", "\\"]
    parts += [part for part in (format_.delimiter, format_.escape, format_.comment) if part]
    if format_.encoding == "UTF-8":
        parts += ["日本", "\ufdd0", "\ufdd1\ufdd2", "🦊"]
    if format_.encoding != "UTF-8":
        parts += ["ÿþ", "¿", "\xa0"]
    if format_.encoding == "windows-1252":
        parts = [part for part in parts if part != "\x85"] + ["€", "™", "œ"]
    if format_.is_multi_line:
        parts += ["\n", "\r\n", "\n\n", "2,forged\n"]
    if format_.has_quotes or format_.escape:
        parts += ["\r"]
    text = "".join(source.choices(parts, k=source.choice([0, 1, 2, 3, 7])))
    if not format_.has_quotes and format_.escape is None:
        text = text.replace(format_.delimiter, "")
    return text


def any_table(source: Random, format_: Format, first: int) -> Table:
    """Written by Python's csv, with what the format leaves out around it."""
    end = source.choice(["\n", "\r\n"])
    lines = streams.StringIO(newline="")
    is_doubled = format_.escape is None or source.random() < 0.5
    writer = csv.writer(
        lines,
        delimiter=format_.delimiter,
        quoting=source.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]) if format_.has_quotes else csv.QUOTE_NONE,
        quotechar='"' if format_.has_quotes or format_.escape else None,
        escapechar=format_.escape,
        doublequote=is_doubled,
        lineterminator=end,
        strict=True,
    )
    lines.write("".join(any_line(source) + end for _ in range(format_.skip_top)))
    # A carriage return at the end of a line is part of the line end, so the last field never has one.
    names = format_.columns or (*source.sample(NAMES, k=3), "end")
    if not format_.columns:
        lines.write(any_gap(source, format_, end))
        writer.writerow(names)
    rows = []
    for number in range(first, first + source.randint(1, 25)):
        lines.write(any_gap(source, format_, end))
        row = {"id": number, "text": any_text(source, format_), "more": any_text(source, format_), "end": "z"}
        # What begins with the comment character is no row.
        if format_.comment and str(row[names[0]]).startswith(format_.comment):
            row[names[0]] = f"x{row[names[0]]}"
        writer.writerow([row[name] for name in names])
        rows.append((number, row["text"] or None, row["more"] or None))
    lines.write(end.join(["", *(f"{any_line(source)}x" for _ in range(format_.skip_bottom)), "", " "]))
    data = lines.getvalue().encode(
        {"UTF-8": "utf-8", "ISO-8859-1": "latin-1"}.get(format_.encoding, "cp1252")
    )
    is_marked = format_.encoding == "UTF-8" and source.random() < 0.3
    return Table(b"\xef\xbb\xbf" + data if is_marked else data, rows)


def any_line(source: Random) -> str:
    return "".join(source.choices(["a", '"', " ", ";", "é", "# "], k=source.randint(0, 5)))


def any_gap(source: Random, format_: Format, end: str) -> str:
    """Lines between two rows that are none."""
    gaps = ["", "", "", end, f" \t{end}"]
    if format_.comment:
        gaps += [f"{format_.comment}{any_line(source)}{end}"] * 3
    return "".join(source.choices(gaps, k=2))


@pytest.mark.parametrize("seed", range(12))
def test_a_file_of_any_format_is_read_as_it_was_written(
    spark: SparkSession, tmp_path: Path, seed: int
) -> None:
    source = Random(seed)  # noqa: S311 (no secret)
    format_ = any_format(source)
    tables = [any_table(source, format_, number * 100) for number in range(6)]
    files = [
        put(tmp_path, table.data, f"{at}.csv{source.choice(['', '', '.gz'])}")
        for at, table in enumerate(tables)
    ]
    spark.conf.set("spark.sql.files.maxPartitionBytes", "700")
    try:
        rows = read(spark, contract_of(format_), *files)
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    assert bad(rows) == []
    assert good(rows) == [row for table in tables for row in table.rows]
