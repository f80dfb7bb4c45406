"""CSV with quoted texts: a text over several lines is refused by file and line, or read as RFC 4180 says;
where quotes are data they are read as they are."""

import bz2
import csv
import gzip
import io as streams
from random import Random
from typing import Any

import pytest
from conftest import Lake
from etl.errors import InvalidDelivery
from etl.ingest.contract import Format
from etl.ingest.file_lines import read_file_lines
from etl.ingest.quotes import Place, end_of, ends_open, find_open_text
from kinds import contract_of, put, quality_of
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from support import D1, D2, figures
from test_kinds_of_files import contents

ON_THE_LINE = (
    " has a quoted text that does not end on that line: if texts go over several lines, "
    'say "multiLine": true in x-etl.format; if quotes are data, say "quote": null'
)
NEVER = (
    ' never ends: close it; or, if quotes are data, say "quote": null instead of "multiLine" in x-etl.format'
)
MULTI_LINE = {"kind": "csv", "multiLine": True}


def given(lake: Lake, **format_: Any) -> dict[str, str]:
    return {
        "contract": contract_of(lake, {"kind": "csv", **format_}),
        "quality": quality_of(
            lake,
            {
                "name": "few",
                "type": "quarantineLimit",
                "reason": "malformed",
                "atMost": 0.9,
                "action": "halt",
            },
        ),
    }


OPEN = [
    ('"abc', True),
    ('a,"abc', True),
    ('a,"a,b', True),
    ('a,"say ""hello', True),
    ('a,"""', True),
    ('a,"""abc', True),
    ('x"y,"open', True),
    ('"a"b,"open', True),
    ('"a"b"c,"open', True),
    (',"open', True),
    (',,"', True),
    ('"a","', True),
    ('"abc\r', True),
    ("a,b", False),
    ("", False),
    ('a"b', False),
    ('a"b,c"', False),
    ('5" disk,3', False),
    ('"abc"', False),
    ('"abc"\r', False),
    ('""', False),
    ('a,"",', False),
    ('a,""""', False),
    ('a,"say ""hello"""', False),
    ('"a"b,c', False),
    ('"a"b"c,d', False),
    ('a, "b', False),
    (",,,", False),
]


@pytest.mark.parametrize(("line", "is_open"), OPEN)
def test_a_line_ends_inside_a_text_or_not(line: str, is_open: bool) -> None:
    assert is_open_at_end(line) is is_open


def is_open_at_end(line: str, delimiter: str = ",") -> bool:
    return end_of(line, Format("csv", delimiter)) is Place.TEXT


def test_a_text_is_open_where_a_parser_of_its_own_says_so() -> None:
    """Python's parser decides whether a line break after the line would be part of a text."""
    source = Random(11)  # noqa: S311
    for _ in range(20_000):
        line = "".join(source.choices(['"', ",", "a", '""', '"b"', " "], k=source.randint(0, 9)))
        rows = list(csv.reader([line + "\n", "z"]))
        assert is_open_at_end(line) is (len(rows) == 1), line


def test_spark_and_python_agree_on_open_lines(spark: SparkSession) -> None:
    source = Random(12)  # noqa: S311
    signs = ['"', "|", "a", '""', '"b"', "\r", "é", ","]
    lines = ["".join(source.choices(signs, k=source.randint(0, 12))) for _ in range(3000)]
    # No length of a line and no number of quotes may cost the worker its stack.
    lines += ['"' + 'x""' * 200_000, '"a"|' * 100_000 + '"', "|" * 300_000]
    frame = spark.createDataFrame([(line,) for line in lines], "line string")
    rows = frame.select("line", ends_open(F.col("line"), Format("csv", "|")).alias("is_open")).collect()
    assert [row["is_open"] for row in rows] == [is_open_at_end(line, "|") for line in lines]


@pytest.mark.parametrize(
    ("lines", "single", "multi"),
    [
        ("a,b\nc,d\n", None, None),
        ('a,"b\nc"\n', 1, None),
        ('a,b\n\na,"b\nc"\n', 3, None),
        ('a,"b\nc",d\ne,"f\n\ng', 1, 3),
        ('a,"b\nc","d\n', 1, 2),
        ('\ufeff"a\nb"\n"c', 1, 3),
    ],
)
def test_the_line_is_found_where_a_text_begins_that_does_not_end(
    lines: str, single: int | None, multi: int | None
) -> None:
    for is_multi_line, number in ((False, single), (True, multi)):
        format_ = Format("csv", is_multi_line=is_multi_line)
        found = find_open_text(read_file_lines(lines.encode().splitlines(True), format_), format_)
        begins = f"the quoted text that begins on line {number} " if is_multi_line else f"line {number} has "
        assert found.startswith(begins) if number else found == ""


def test_a_text_over_several_lines_is_refused_by_file_and_line(lake: Lake, spark: SparkSession) -> None:
    put(lake, D1, "a.csv", b"id,name\n1,good\n")
    lake.run(D1, **given(lake))
    before = contents(lake)
    forged = 'id,name\r\n1,"first\r\n2,forged\r\nlast"\r\n3,plain\r\n'
    filler = "".join(f"{number},n\n" for number in range(20_000))
    files = {
        "b.csv": (forged.encode(), 2),
        "c.csv.gz": (gzip.compress(f"id,name\n\n{filler}".encode() + forged[9:].encode()), 20_003),
        "d.csv.bz2": (bz2.compress(f"\n\nid,name\n{filler}".encode() + forged[9:].encode()), 20_004),
        "e.csv": (f"id,name\n{filler}".encode() + b'9,x"y\n9,"\n', 20_003),
        "f.csv": (b'\xef\xbb\xbf\nid,"na\nme"\n', 2),
    }
    paths = {put(lake, D1, name, content): line for name, (content, line) in files.items()}
    header = "; ".join(f"{path}: line {line}{ON_THE_LINE}" for path, line in list(paths.items())[-1:])
    with pytest.raises(InvalidDelivery) as refused:
        lake.run(D1, **given(lake))
    assert str(refused.value) == header
    next(reversed(paths)).unlink()
    spark.conf.set("spark.sql.files.maxPartitionBytes", "20000")
    try:
        with pytest.raises(InvalidDelivery) as refused:
            lake.run(D1, **given(lake))
    finally:
        spark.conf.unset("spark.sql.files.maxPartitionBytes")
    rest = "; ".join(f"{path}: line {line}{ON_THE_LINE}" for path, line in list(paths.items())[:-1])
    assert str(refused.value) == rest
    assert contents(lake) == before


def test_a_quote_inside_a_field_costs_its_line_alone(lake: Lake, spark: SparkSession) -> None:
    text = 'id,name\n1,5" disk\n2,good\n3,"a"b\n4,"c"\n5,a"b"c"\n'
    for format_ in ({}, {"multiLine": True}):
        put(lake, D1, "a.csv", text.encode())
        books = lake.run(D1, **given(lake, **format_))
        assert figures(books) == (5, 2, 0, 3)
        assert sorted((row["id"], row["name"]) for row in lake.rows(spark, "processed")) == [
            (2, "good"),
            (4, "c"),
        ]
        assert [line for line, _ in lake.reasons(spark)] == ['1,5" disk', '3,"a"b', '5,a"b"c"']


def test_quotes_are_data_where_the_contract_says_so(lake: Lake, spark: SparkSession) -> None:
    put(lake, D1, "a.txt", b'id|name\n1|"National Systems\n2|"a"\n3|5" disk\n4|\n"5"|x\n6|a|b\n7|\x00"\r\n')
    books = lake.run(D1, **given(lake, delimiter="|", quote=None))
    assert sorted((row["id"], row["name"]) for row in lake.rows(spark, "processed")) == [
        (1, '"National Systems'),
        (2, '"a"'),
        (3, '5" disk'),
        (4, None),
        (7, '\x00"'),
    ]
    assert lake.reasons(spark) == [('"5"|x', "wrong_type"), ("6|a|b", "malformed")]
    assert figures(books) == (7, 5, 0, 2)


QUOTE = '"'
PARTS = ["a", "1", " ", ",", "\n", "\r\n", "\r", '"', "\n\n", "é", ";", "2,forged\n"]


def any_file(source: Random, first: int) -> tuple[str, list[tuple[int, str | None]]]:
    """A file of RFC 4180, and its rows as Python reads them."""
    end = source.choice(["\n", "\r\n"])
    text = "id,name" + end
    for number in range(source.randint(1, 12)):
        name = "".join(source.choices(PARTS, k=source.randint(0, 8)))
        is_quoted = any(sign in name for sign in ',"\r\n') or source.random() < 0.5
        doubled = name.replace('"', '""')
        text += f"{first + number},{f'{QUOTE}{doubled}{QUOTE}' if is_quoted else name}{end}"
        text += end if source.random() < 0.2 else ""
    if source.random() < 0.3:
        text = text.rstrip("\r\n")
    read = list(csv.reader(streams.StringIO(text, newline=""), strict=True))
    return text, [(int(row[0]), row[1] or None) for row in read[1:] if row]


def test_texts_over_several_lines_are_read_as_python_reads_them(lake: Lake, spark: SparkSession) -> None:
    source = Random(5)  # noqa: S311
    expected: list[tuple[int, str | None]] = []
    for number in range(60):
        text, rows = any_file(source, number * 100)
        expected += rows
        ending = source.choice(["", ".gz", ".bz2"])
        data = text.encode()
        packed = {"": data, ".gz": gzip.compress(data), ".bz2": bz2.compress(data)}[ending]
        put(lake, source.choice([D1, D2]), f"{number:02}.csv{ending}", packed)
    for size in ("100", "100000000"):
        spark.conf.set("spark.sql.files.maxPartitionBytes", size)
        try:
            books = lake.run(D1, D2, **given(lake, multiLine=True))
        finally:
            spark.conf.unset("spark.sql.files.maxPartitionBytes")
        assert sorted((row["id"], row["name"]) for row in lake.rows(spark, "processed")) == sorted(expected)
        assert figures(books) == (len(expected), len(expected), 0, 0)
        assert books["files"] == 2


def test_a_record_is_quarantined_whole_and_one_that_never_ends_is_refused(
    lake: Lake, spark: SparkSession
) -> None:
    put(lake, D1, "a.csv", b'"id","na\nme",name\n1,"x\n",a\n2,"one\ntwo",b,c\n\nx,"\n",\n')
    books = lake.run(D1, **given(lake, multiLine=True))
    assert figures(books) == (3, 1, 0, 2)
    assert lake.reasons(spark) == [('2,"one\ntwo",b,c', "malformed"), ('x,"\n",', "wrong_type")]
    before = contents(lake)
    put(lake, D1, "a.csv", b"id,name\n1,a\n" + b'2,"b\nc"\n' * 5 + b'3,"d\n' + b"4,forged\n" * 50)
    path = put(lake, D1, "b.csv", b'id,"name\n1,a\n')
    with pytest.raises(InvalidDelivery, match=f"^{path}: the quoted text that begins on line 1{NEVER}$"):
        lake.run(D1, **given(lake, multiLine=True))
    path.unlink()
    with pytest.raises(InvalidDelivery, match=f"/a.csv: the quoted text that begins on line 13{NEVER}$"):
        lake.run(D1, **given(lake, multiLine=True))
    assert contents(lake) == before
